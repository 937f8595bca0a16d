import { hash } from "node:crypto";

/**
 * SHA-256 of a token, 32 octets: what is kept of it, and what it is found by.
 *
 * The octets are a buffer of their own, so that sending them to a worker copies 32 and not the pool around them.
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
