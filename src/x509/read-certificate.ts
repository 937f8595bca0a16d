import { hash, X509Certificate } from "node:crypto";
import { createCertificateMemo } from "./certificate-memo.ts";
import { childrenOf, MalformedDer, readDer, tags } from "./der.ts";
import { MalformedCertificate, type MalformedCertificateReason } from "./malformed-certificate.ts";
import { certificateBlocks, readPem } from "./pem.ts";

/** A client's certificate, as far as the decision about an access token needs it. */
export interface ClientCertificate {
  /** SHA-256 of its DER in base64url: 43 characters (RFC 8705 §3.1). */
  readonly x5tS256: string;
}

/** With its DER, for checks that need it; `raw` is shared and must not be changed. */
export interface ReadCertificate extends ClientCertificate {
  readonly raw: Uint8Array;
}

/** Characters of PEM or octets of DER: larger than any certificate, small enough to be parsed quickly. */
const largestInput = 65_536;

/**
 * Valid certificates only, by the exact PEM text and by the digest of the exact octets. Two memos: in a single one, the
 * text of a digest sent as PEM would find the certificate of that digest.
 */
const byText = createCertificateMemo<ReadCertificate>({ maxEntries: 4096, maxOctets: 16_777_216 });
const byDigest = createCertificateMemo<ReadCertificate>({ maxEntries: 4096, maxOctets: 16_777_216 });

/**
 * Reads exactly one X.509 certificate and computes its thumbprint (RFC 8705 §3.1).
 *
 * Accepts PEM text, newlines flattened or not (RFC 7468), DER octets, or an `X509Certificate` of `node:crypto`. Does
 * not check validity or trust: an expired certificate has a thumbprint, too. Throws {@link MalformedCertificate} for
 * any other input, and a `TypeError` for a value of another type.
 *
 * @example readCertificate(pem).x5tS256 // "A4DtL2JmUMhAsvJj5tKyn64SqzmuXbMrJa0n761y5v0"
 */
export function readCertificate(input: string | Uint8Array | X509Certificate): ReadCertificate {
  if (typeof input === "string") return readText(input);
  if (input instanceof X509Certificate) return { x5tS256: thumbprint(input.raw), raw: input.raw };
  if (input instanceof Uint8Array) return readOctets(input);
  const message = "A certificate must be a string (PEM), a Uint8Array (DER) or an X509Certificate.";
  throw Object.assign(new TypeError(message), { code: "ERR_INVALID_ARG_TYPE" });
}

/**
 * Reads a certificate that a peer sent: returns the certificate, or the reason why it cannot be read.
 *
 * @example checkCertificate(pem) // { x5tS256, raw } or { error: "not_der" }
 */
export function checkCertificate(
  input: string | Uint8Array,
): ReadCertificate | { readonly error: MalformedCertificateReason } {
  try {
    return readCertificate(input);
  } catch (error) {
    if (error instanceof MalformedCertificate) return { error: error.reason };
    throw error;
  }
}

/**
 * Reads the certificates of a file that a person provides, at least one, in the order of the file (RFC 7468 §2).
 *
 * Ignores text around the blocks. Throws {@link MalformedCertificate}, with the `place` of the certificate: no
 * certificate, a private key, a block of another kind, a certificate that `readCertificate` rejects.
 *
 * @example readCertificates(await readFile("ca-bundle.pem", "utf8")).length // 137
 */
export function readCertificates(file: string): readonly [ReadCertificate, ...ReadCertificate[]] {
  const [first, ...others] = certificateBlocks(file);
  const readAt = (block: string, place: number): ReadCertificate => {
    const certificate = checkCertificate(block);
    if ("error" in certificate) throw new MalformedCertificate(certificate.error, place);
    return certificate;
  };
  return [readAt(first, 1), ...others.map((block, index) => readAt(block, index + 2))];
}

function readText(text: string): ReadCertificate {
  const known = byText.get(text);
  if (known !== undefined) return known;
  if (text.length > largestInput) throw new MalformedCertificate("too_large");
  const certificate = readOctets(readPem(text));
  byText.set(text, certificate, text.length + certificate.raw.length);
  return certificate;
}

function readOctets(octets: Uint8Array): ReadCertificate {
  if (octets.length === 0) throw new MalformedCertificate("empty");
  if (octets.length > largestInput) throw new MalformedCertificate("too_large");
  const x5tS256 = thumbprint(octets);
  const known = byDigest.get(x5tS256);
  if (known !== undefined) return known;
  checkDer(octets);
  const certificate = { x5tS256, raw: parse(octets) };
  byDigest.set(x5tS256, certificate, certificate.raw.length);
  return certificate;
}

/** OpenSSL parses it. It searches the octets for PEM first, so its result must be exactly these octets. */
function parse(octets: Uint8Array): Uint8Array {
  let raw: Uint8Array;
  try {
    ({ raw } = new X509Certificate(octets));
  } catch {
    throw new MalformedCertificate("not_a_certificate");
  }
  if (Buffer.compare(raw, octets) !== 0) throw new MalformedCertificate("not_a_certificate");
  return raw;
}

function checkDer(octets: Uint8Array): void {
  try {
    const outermost = readDer(octets);
    if (outermost.tag !== tags.sequence) throw new MalformedCertificate("not_a_certificate");
    // Every private key format begins with a version number; a certificate begins with a SEQUENCE.
    if (childrenOf(octets, outermost)[0]?.tag === tags.integer) throw new MalformedCertificate("private_key");
  } catch (error) {
    if (!(error instanceof MalformedDer)) throw error;
    throw new MalformedCertificate(error.trailing ? "trailing_bytes" : error.tooMany ? "too_large" : "not_der");
  }
}

function thumbprint(der: Uint8Array): string {
  return hash("sha256", der, "base64url");
}
