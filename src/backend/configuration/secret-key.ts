const keyLength = 32;

/**
 * Reads the key of secrets at rest: 32 octets as 64 hexadecimal digits, or as base64 or base64url.
 *
 * `undefined` for anything else, also for base64 in a spelling that no encoder writes.
 *
 * @example readSecretKey("BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc")
 */
export function readSecretKey(text: string): Uint8Array | undefined {
  if (/^[0-9A-Fa-f]{64}$/.test(text)) return Buffer.from(text, "hex");
  const key = Buffer.from(text, "base64");
  const spellings = [key.toString("base64"), key.toString("base64").replace(/=+$/, ""), key.toString("base64url")];
  return key.length === keyLength && spellings.includes(text) ? key : undefined;
}
