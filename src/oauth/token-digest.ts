import { hash } from "node:crypto";

/**
 * SHA-256 of a token, 32 octets. It is stored and looked up instead of the token.
 *
 * The result is not part of a shared pool, so that sending it to a worker copies 32 octets only.
 *
 * @example tokenDigest("mF_9.B5f-4.1JqM")
 */
export function tokenDigest(token: string): Buffer {
  return hash("sha256", token, "buffer");
}

/**
 * SHA-256 of a token as base64url without padding, 43 characters: a key for maps and events.
 *
 * @example tokenDigestText("abc") // "ungWv48Bz-pBQUDeXa4iI7ADYaOWF3qctBD_YfIAFa0"
 */
export function tokenDigestText(token: string): string {
  return hash("sha256", token, "base64url");
}
