import { unreadable, type UnreadableReason } from "../unreadable-reason.ts";

/** A thumbprint, and nothing else of the certificate. */
export type FingerprintReading = { readonly x5tS256: string } | { readonly unreadable: UnreadableReason };

const octets = 32;

/**
 * Reads a SHA-256 in hexadecimal, in either case: 64 characters. To have it in base64url is the whole conversion.
 *
 * @example readHexSha256("9addca0d8d61a1f42eae5a136e984a1c24ab4e50069793258175fa5f18fd73f1").x5tS256
 */
export function readHexSha256(value: string): FingerprintReading {
  if (!/^[0-9A-Fa-f]{64}$/.test(value)) return unreadable("not_sha256");
  return { x5tS256: Buffer.from(value, "hex").toString("base64url") };
}

/**
 * Reads a SHA-256 in standard base64, with or without its one padding character.
 *
 * @example readBase64Sha256("mt3KDY1hofQurloTbphKHCSrTlAGl5MlgXX6Xxj9c/E=").x5tS256
 */
export function readBase64Sha256(value: string): FingerprintReading {
  const digest = Buffer.from(value, "base64");
  const canonical = digest.toString("base64");
  const isOne = digest.length === octets && (value === canonical || `${value}=` === canonical);
  return isOne ? { x5tS256: digest.toString("base64url") } : unreadable("not_sha256");
}
