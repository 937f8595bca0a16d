import { checkCertificate } from "../../x509/read-certificate.ts";
import type { UnreadableReason } from "../unreadable-reason.ts";

/** A certificate with its DER, or why there is none; never "no certificate". */
export type CertificateReading =
  { readonly x5tS256: string; readonly raw: Uint8Array } | { readonly unreadable: UnreadableReason };

/**
 * Reads PEM text or DER, with a reason for what `readCertificate` throws.
 *
 * @example certificateReading(Buffer.from(base64, "base64")) // { x5tS256, raw } or { unreadable: "not_der" }
 */
export function certificateReading(input: string | Uint8Array): CertificateReading {
  return checkCertificate(input);
}

/**
 * Reads PEM of one certificate whose line ends have become blanks, or nothing: what a header can carry of it.
 *
 * @example readFlattenedPem("-----BEGIN CERTIFICATE----- MIID… -----END CERTIFICATE-----")
 */
export function readFlattenedPem(value: string): CertificateReading {
  return certificateReading(value);
}
