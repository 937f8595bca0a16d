import { checkCertificate } from "../x509/read-certificate.ts";
import { parseItem } from "structured-headers";
import { unreadable, type UnreadableReason } from "./certificate-source.ts";

/** A certificate with its DER, or why it cannot be read; never "no certificate". */
export type CertificateReading =
  { readonly x5tS256: string; readonly raw: Uint8Array } | { readonly unreadable: UnreadableReason };

/** The thumbprint of a certificate, without the certificate. */
export type FingerprintReading = { readonly x5tS256: string } | { readonly unreadable: UnreadableReason };

/** Longer than any real chain. */
const longestChain = 10;

/** Characters. */
const longestParameters = 256;

/**
 * Reads plain base64 of one certificate's DER: the standard alphabet, padded, no white space, no markers.
 *
 * @example readBase64Der("MIID3TCCAsWgAwIBAgIU…")
 */
export function readBase64Der(text: string): CertificateReading {
  const octets = Buffer.from(text, "base64");
  // Node skips other characters and accepts base64url; a text that encodes differently was not canonical.
  return octets.toString("base64") === text ? certificateReading(octets) : unreadable("bad_base64");
}

/**
 * Reads certificates in plain base64, separated by commas: the first is the client's. All must be readable, at most
 * ten.
 *
 * @example readBase64Chain(`${leaf},${issuer}`) // the leaf
 */
export function readBase64Chain(text: string): CertificateReading {
  const elements = text.split(",", longestChain + 1);
  if (elements.length > longestChain) return unreadable("too_large");
  return firstOf(elements.map(readBase64Der));
}

/** The client's certificate is the first of the chain; all must be readable. */
function firstOf(chain: readonly CertificateReading[]): CertificateReading {
  return chain.find((one) => "unreadable" in one) ?? chain[0] ?? unreadable("empty");
}

/**
 * Reads PEM text or DER; returns the reason for a certificate that cannot be read.
 *
 * @example certificateReading(Buffer.from(base64, "base64")) // { x5tS256, raw } or { unreadable: "not_der" }
 */
function certificateReading(input: string | Uint8Array): CertificateReading {
  const certificate = checkCertificate(input);
  return "error" in certificate ? unreadable(certificate.error) : certificate;
}

/**
 * Reads PEM of one certificate whose line ends were replaced by spaces or removed, as headers need it.
 *
 * @example readFlattenedPem("-----BEGIN CERTIFICATE----- MIID… -----END CERTIFICATE-----")
 */
export function readFlattenedPem(value: string): CertificateReading {
  return certificateReading(value);
}

/**
 * Reads the octets of a Structured Field Item that is a byte sequence (RFC 8941 §3.3.5); `undefined` for anything else.
 *
 * Accepts missing padding and non-zero padding bits, as that RFC recommends (§4.2.7): the octets are the same. Ignores
 * parameters of up to 256 characters, since RFC 9440 defines none and does not forbid them.
 *
 * @example readByteSequence(":AQI=:") // two octets
 */
export function readByteSequence(value: string): Uint8Array | undefined {
  // The parser would also read other kinds of items, and thousands of parameters.
  const end = value.indexOf(":", value.indexOf(":") + 1);
  if (!/^ *:/.test(value) || value.length - end > longestParameters) return undefined;
  try {
    const item: unknown = parseItem(value)[0];
    return item instanceof ArrayBuffer ? new Uint8Array(item) : undefined;
  } catch {
    // The parser throws errors of several types, and their details are not needed here.
    return undefined;
  }
}

/**
 * Reads a certificate in the form of RFC 9440 §2.1: a byte sequence of its DER.
 *
 * @example readCertificateItem(":MIID3TCCAsWgAwIBAgIU…:")
 */
export function readCertificateItem(value: string): CertificateReading {
  const octets = readByteSequence(value);
  return octets === undefined ? unreadable("not_a_byte_sequence") : certificateReading(octets);
}

/**
 * Reads percent-encoded PEM of one certificate. A `+` is a `+`, encoded or not: this is not form encoding.
 *
 * Within a marker, `+` is a space that Go's `url.QueryEscape` encoded; base64 contains no spaces.
 *
 * @example readPercentEncodedPem("-----BEGIN%20CERTIFICATE-----%0AMIID…")
 */
export function readPercentEncodedPem(value: string): CertificateReading {
  const text = decode(value);
  return text === undefined ? unreadable("not_percent_encoded") : certificateReading(withBlanksInMarkers(text));
}

/**
 * Reads percent-encoded PEM of a chain: the first certificate is the client's. All must be readable, at most ten.
 *
 * @example readPercentEncodedPemChain(encodeURI(leaf + issuer)) // the leaf
 */
export function readPercentEncodedPemChain(value: string): CertificateReading {
  const text = decode(value);
  if (text === undefined) return unreadable("not_percent_encoded");
  const end = "-----END CERTIFICATE-----";
  const blocks = withBlanksInMarkers(text).split(end, longestChain + 2);
  if (blocks.length > longestChain + 1) return unreadable("too_large");
  const after = blocks.pop() ?? "";
  // Without an END marker, or with text after the last one: the reader of one certificate gives the reason.
  if (blocks.length === 0 || after.trim() !== "") return certificateReading(after.trim());
  return firstOf(blocks.map((block) => certificateReading(block + end)));
}

/**
 * Reads percent-encoded base64 of one certificate's DER.
 *
 * @example readPercentEncodedBase64("MIID3TCCAsWgAwIBAgIU…%2Bh")
 */
export function readPercentEncodedBase64(value: string): CertificateReading {
  const text = decode(value);
  return text === undefined ? unreadable("not_percent_encoded") : readBase64Der(text);
}

/** `undefined` for unencoded spaces and invalid percent escapes. */
function decode(value: string): string | undefined {
  if (/[^\x21-\x7e]/.test(value)) return undefined;
  try {
    return decodeURIComponent(value);
  } catch {
    return undefined;
  }
}

function withBlanksInMarkers(text: string): string {
  return text.replaceAll(/-----(BEGIN|END)\+CERTIFICATE-----/g, "-----$1 CERTIFICATE-----");
}

/**
 * Reads a SHA-256 of 64 hexadecimal digits, in either case, and returns it in base64url.
 *
 * @example readHexSha256("9addca0d8d61a1f42eae5a136e984a1c24ab4e50069793258175fa5f18fd73f1").x5tS256
 */
export function readHexSha256(value: string): FingerprintReading {
  if (!/^[0-9A-Fa-f]{64}$/.test(value)) return unreadable("not_sha256");
  return { x5tS256: Buffer.from(value, "hex").toString("base64url") };
}

/**
 * Reads a SHA-256 in standard base64, with or without its padding character.
 *
 * @example readBase64Sha256("mt3KDY1hofQurloTbphKHCSrTlAGl5MlgXX6Xxj9c/E=").x5tS256
 */
export function readBase64Sha256(value: string): FingerprintReading {
  const digest = Buffer.from(value, "base64");
  const canonical = digest.toString("base64");
  const isOne = digest.length === 32 && (value === canonical || `${value}=` === canonical);
  return isOne ? { x5tS256: digest.toString("base64url") } : unreadable("not_sha256");
}
