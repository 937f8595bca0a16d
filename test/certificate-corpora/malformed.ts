import { readdir } from "node:fs/promises";
import { join, relative, sep } from "node:path";

/** Everything of the corpus, certificates or not, but PKITS, which has a suite of its own; `vectors` is its folder. */
export async function listMalformed(vectors: string): Promise<string[]> {
  return (await readdir(vectors, { recursive: true, withFileTypes: true }))
    .filter((entry) => entry.isFile())
    .map((entry) => relative(vectors, join(entry.parentPath, entry.name)).split(sep).join("/"))
    .filter((name) => !name.startsWith("PKITS_data/") && /\.(pem|der)$/.test(name))
    .sort();
}

/** X.509 as far as node:crypto looks, but with a time that is none. */
export const unreadableDates: readonly string[] = ["badasn1time.pem"];
