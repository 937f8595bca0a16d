import { readFileSync } from "node:fs";

interface Vectors {
  readonly der_base64: string;
  readonly x5tS256: string;
  readonly sha256_hex: string;
  readonly vectors: Readonly<Record<string, { readonly header: string; readonly value: string }>>;
}

/** One certificate as each proxy writes it; `vectors` by the names of the file. */
export const certificateVectors = JSON.parse(
  readFileSync(new URL("../vectors/certificate-headers.json", import.meta.url), "utf8"),
) as Vectors;

export const der = Buffer.from(certificateVectors.der_base64, "base64");
export const { x5tS256, sha256_hex: sha256Hex } = certificateVectors;

/** A vector by its name; throws where there is none. */
export function vector(name: string): { readonly header: string; readonly value: string } {
  const found = certificateVectors.vectors[name];
  if (found === undefined) throw new Error(`There is no vector ${name}.`);
  return found;
}
