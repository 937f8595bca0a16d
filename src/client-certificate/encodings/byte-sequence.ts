import { parseItem } from "structured-headers";
import { unreadable } from "../unreadable-reason.ts";
import { type CertificateReading, certificateReading } from "./certificate-reading.ts";

/** Characters. */
const longestParameters = 256;

/**
 * Reads the octets of a Structured Field Item that is a byte sequence (RFC 8941 §3.3.5); `undefined` for all else.
 *
 * As that RFC would have it (§4.2.7), missing padding and padding bits that are not zero are overlooked: the octets are
 * the same. Parameters, up to 256 characters of them, are ignored, since RFC 9440 defines none and does not
 * forbid them.
 *
 * @example readByteSequence(":AQI=:") // two octets
 */
export function readByteSequence(value: string): Uint8Array | undefined {
  // The parser would read whatever else an item may be, and thousands of parameters.
  const end = value.indexOf(":", value.indexOf(":") + 1);
  if (!/^ *:/.test(value) || value.length - end > longestParameters) return undefined;
  try {
    const item: unknown = parseItem(value)[0];
    return item instanceof ArrayBuffer ? new Uint8Array(item) : undefined;
  } catch {
    // The parser has no error of its own for every mistake, and its messages say where, which nobody needs here.
    return undefined;
  }
}

/**
 * Reads a certificate as RFC 9440 §2.1 writes it: a byte sequence of its DER.
 *
 * @example readCertificateItem(":MIID3TCCAsWgAwIBAgIU…:")
 */
export function readCertificateItem(value: string): CertificateReading {
  const octets = readByteSequence(value);
  return octets === undefined ? unreadable("not_a_byte_sequence") : certificateReading(octets);
}
