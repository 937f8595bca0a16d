import { unreadable } from "../unreadable-reason.ts";
import { type CertificateReading, certificateReading, firstOf, readBase64Der } from "./certificate-reading.ts";

/** More than any real chain has. */
const longestChain = 10;

/**
 * Reads percent-encoded PEM of one certificate. A `+` is a `+`, encoded or not: these are no forms.
 *
 * Between the words of a marker it is the blank that Go's `url.QueryEscape` made of it; base64 has no blanks to lose.
 *
 * @example readPercentEncodedPem("-----BEGIN%20CERTIFICATE-----%0AMIID…")
 */
export function readPercentEncodedPem(value: string): CertificateReading {
  const text = decode(value);
  return text === undefined ? unreadable("not_percent_encoded") : certificateReading(withBlanksInMarkers(text));
}

/**
 * Reads percent-encoded PEM of a chain, one certificate after the other: the first is the client's. All must be
 * readable, ten at most.
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
  // Without an end marker, or with text after the last: what the reader of one certificate says of it.
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

/** `undefined` where a blank stands for itself, or a percent sign for nothing. */
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
