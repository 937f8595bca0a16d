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
