import { type CertificateReading, certificateReading } from "./certificate-reading.ts";

/**
 * Reads PEM of one certificate whose line ends have become blanks, or nothing: what a header can carry of it.
 *
 * @example readFlattenedPem("-----BEGIN CERTIFICATE----- MIID… -----END CERTIFICATE-----")
 */
export function readFlattenedPem(value: string): CertificateReading {
  return certificateReading(value);
}
