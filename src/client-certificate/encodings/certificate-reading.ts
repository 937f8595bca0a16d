import { checkCertificate } from "../../x509/read-certificate.ts";
import { unreadable, type UnreadableReason } from "../unreadable-reason.ts";

/** More than any real chain has. */
const longestChain = 10;

/**
 * Reads bare base64 of one certificate's DER: the standard alphabet, padded, no blanks, no markers.
 *
 * @example readBase64Der("MIID3TCCAsWgAwIBAgIU…")
 */
export function readBase64Der(text: string): CertificateReading {
  const octets = Buffer.from(text, "base64");
  // Node skips what is not base64, and takes the URL's alphabet; text that does not come out as it went in was neither.
  return octets.toString("base64") === text ? certificateReading(octets) : unreadable("bad_base64");
}

/**
 * Reads certificates in bare base64, joined by commas: the first is the client's. All must be readable, ten at most.
 *
 * @example readBase64Chain(`${leaf},${issuer}`) // the leaf
 */
export function readBase64Chain(text: string): CertificateReading {
  const elements = text.split(",", longestChain + 1);
  if (elements.length > longestChain) return unreadable("too_large");
  return firstOf(elements.map(readBase64Der));
}

/** The client's certificate of a whole chain: its first, if nothing in it is unreadable. */
export function firstOf(chain: readonly CertificateReading[]): CertificateReading {
  return chain.find((one) => "unreadable" in one) ?? chain[0] ?? unreadable("empty");
}

/** A certificate with its DER, or why there is none; never "no certificate". */
export type CertificateReading =
  { readonly x5tS256: string; readonly raw: Uint8Array } | { readonly unreadable: UnreadableReason };

/**
 * Reads PEM text or DER, with a reason for what `readCertificate` throws.
 *
 * @example certificateReading(Buffer.from(base64, "base64")) // { x5tS256, raw } or { unreadable: "not_der" }
 */
export function certificateReading(input: string | Uint8Array): CertificateReading {
  const certificate = checkCertificate(input);
  return "error" in certificate ? unreadable(certificate.error) : certificate;
}

/**
 * Reads PEM of one certificate whose line ends have become blanks, or nothing: what a header can carry of it.
 *
 * @example readFlattenedPem("-----BEGIN CERTIFICATE----- MIID… -----END CERTIFICATE-----")
 */
export function readFlattenedPem(value: string): CertificateReading {
  return certificateReading(value);
}
