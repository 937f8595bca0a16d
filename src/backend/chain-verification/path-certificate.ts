import { createPublicKey, hash, type KeyObject } from "node:crypto";
import { readCertificateParts, type CertificateParts } from "../../x509/certificate-parts.ts";
import { chainedName } from "../../x509/distinguished-name.ts";
import { childrenOf, contentOf, MalformedDer, readOutermost } from "../../x509/der.ts";
import { checkCertificate } from "../../x509/read-certificate.ts";
import { keyDefect } from "./key-defect.ts";
import { readSignatureAlgorithm, type SignatureAlgorithm } from "./signature-algorithm.ts";

/** A certificate of a path, as far as it is looked at before OpenSSL is asked. */
export interface PathCertificate {
  readonly der: Uint8Array;
  /** SHA-256 of the octets, in base64url. */
  readonly thumbprint: string;
  readonly parts: CertificateParts;
  /** Comparable texts. */
  readonly issuer: string;
  readonly subject: string;
  /** In hexadecimal; `undefined` when the certificate has none. */
  readonly keyIdentifier: string | undefined;
  readonly issuersKeyIdentifier: string | undefined;
  /** `undefined` for an anchor with an unaccepted algorithm: an anchor's own signature is not checked. */
  readonly algorithm: SignatureAlgorithm | undefined;
}

/** Octets: the largest certificates of authorities; most have less than a quarter of it. */
const largestCertificate = 8192;

/** 2.5.29.14 and 2.5.29.35 (RFC 5280 §4.2.1.2, §4.2.1.1). */
const subjectKeyIdentifier = "551d0e";
const authorityKeyIdentifier = "551d23";

/** A certificate that is not used, and why, for the operator. */
export interface Unfit {
  readonly error: string;
}

/**
 * Reads a certificate that a client sent, from DER: no key is decoded and no signature is checked. `named` is how a
 * reason calls it.
 *
 * @example readSentCertificate(der, "intermediate 1")
 */
export function readSentCertificate(der: Uint8Array, named: string): PathCertificate | Unfit {
  if (der.length > largestCertificate) return { error: `${named} cannot be read: too_large` };
  const read = readPathCertificate(der, named);
  if ("error" in read || read.algorithm !== undefined) return read;
  return { error: `the signature of ${named} is by an algorithm that is not accepted` };
}

/** As {@link readSentCertificate}, of one that the operator trusts. */
export function readPathCertificate(der: Uint8Array, named: string): PathCertificate | Unfit {
  try {
    const parts = readCertificateParts(der);
    const key = orUnreadable(() => keyDefect(parts.publicKey));
    if (key !== undefined) return { error: `the key of ${named} ${key}` };
    const algorithm = readSignatureAlgorithm(parts.signatureAlgorithm);
    return {
      der,
      thumbprint: hash("sha256", der, "base64url"),
      parts,
      issuer: chainedName(parts.issuer),
      subject: chainedName(parts.subject),
      keyIdentifier: readKeyIdentifier(parts),
      issuersKeyIdentifier: readIssuersKeyIdentifier(parts),
      algorithm,
    };
  } catch (error) {
    if (!(error instanceof MalformedDer)) throw error;
    return { error: `${named} cannot be read: ${error.tooMany ? "too_large" : reasonOf(der)}` };
  }
}

/** OpenSSL may read a key that this reader rejects: it accepts BER inside a BIT STRING. */
function orUnreadable(defect: () => string | undefined): string | undefined {
  try {
    return defect();
  } catch (error) {
    if (!(error instanceof MalformedDer)) throw error;
    return "cannot be read";
  }
}

/** The strict reader's error; `not_a_certificate` when it finds none. */
function reasonOf(der: Uint8Array): string {
  const certificate = checkCertificate(der);
  return "error" in certificate ? certificate.error : "not_a_certificate";
}

/** Whether a certificate names another as its issuer, by name and key identifier (RFC 5280 §6.1). */
export function namesAsIssuer(certificate: PathCertificate, issuer: PathCertificate): boolean {
  if (certificate.issuer !== issuer.subject) return false;
  const { issuersKeyIdentifier: asked } = certificate;
  return asked === undefined || issuer.keyIdentifier === undefined || asked === issuer.keyIdentifier;
}

const keys = new WeakMap<PathCertificate, KeyObject>();

/** The key of a certificate, decoded once; throws what `node:crypto` throws of one that it cannot use. */
export function publicKeyOf(certificate: PathCertificate): KeyObject {
  const known = keys.get(certificate);
  if (known !== undefined) return known;
  const key = createPublicKey({ key: Buffer.from(certificate.parts.publicKey), format: "der", type: "spki" });
  keys.set(certificate, key);
  return key;
}

function readKeyIdentifier(parts: CertificateParts): string | undefined {
  const [value] = parts.extensions(subjectKeyIdentifier);
  return value && hexOf(contentOf(value, readOutermost(value)));
}

function readIssuersKeyIdentifier(parts: CertificateParts): string | undefined {
  const [value] = parts.extensions(authorityKeyIdentifier);
  const identifier = value && childrenOf(value, readOutermost(value), 3).find(({ tag }) => tag === 0x80);
  return value && identifier && hexOf(contentOf(value, identifier));
}

function hexOf(octets: Uint8Array): string {
  return Buffer.from(octets).toString("hex");
}
