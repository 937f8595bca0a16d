import { readFile } from "node:fs/promises";

/**
 * Reads a file as UTF-8 text and refuses one that is not: a secret must not lose octets on the way.
 *
 * Rejects with the file system's error, or with a `TypeError` of code `ERR_ENCODING_INVALID_ENCODED_DATA`.
 *
 * @example await readTextFile("/etc/certbound/api-secret")
 */
export async function readTextFile(path: string): Promise<string> {
  return new TextDecoder("utf-8", { fatal: true }).decode(await readFile(path));
}

const reasons: Readonly<Record<string, string>> = {
  ENOENT: "there is no such file",
  EACCES: "this user may not read it",
  EPERM: "this user may not read it",
  EISDIR: "it is a folder",
  ENOTDIR: "a part of its path is not a folder",
  ELOOP: "its links lead in a circle",
  ENAMETOOLONG: "its name is too long",
  EMFILE: "too many files are open",
};

/**
 * Says why a file could not be read, in words and with the system's code; a cause without a code could show content,
 * and is not quoted.
 *
 * @example explainFileError(error) // "there is no such file (ENOENT)"
 */
export function explainFileError(error: unknown): string {
  const { code } = error as { code?: unknown };
  if (code === "ERR_ENCODING_INVALID_ENCODED_DATA") return "it is not UTF-8 text";
  if (typeof code !== "string") return "it is unreadable";
  return `${reasons[code] ?? "the system refuses it"} (${code})`;
}
