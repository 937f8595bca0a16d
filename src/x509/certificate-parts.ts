import { childrenOf, contentOf, encodingOf, MalformedDer, readOutermost, tags, type DerElement } from "./der.ts";

/** The parts of a certificate (RFC 5280 §4.1); each is a view of its octets, including tag and length. */
export interface CertificateParts {
  /** The signed part. */
  readonly toBeSigned: Uint8Array;
  /** The AlgorithmIdentifier outside the signed part. */
  readonly signatureAlgorithm: Uint8Array;
  /** The octets of the signature; empty if it does not consist of whole octets, as every valid signature does. */
  readonly signature: Uint8Array;
  readonly issuer: Uint8Array;
  readonly subject: Uint8Array;
  /** The SubjectPublicKeyInfo. */
  readonly publicKey: Uint8Array;
  /** The content of the OCTET STRING of each extension of this type. */
  extensions(type: string): readonly Uint8Array[];
}

/** RFC 5280 defines 17. */
const mostExtensions = 64;
/** A TBSCertificate has at most ten. */
const mostFields = 10;

/** Keyed by the octets object: `readCertificate` returns the same object for the same certificate. */
const known = new WeakMap<Uint8Array, CertificateParts>();

/**
 * Finds the parts of a certificate, given as DER, without parsing most of them.
 *
 * Takes a few microseconds for any input: it visits at most about 250 elements. Throws `MalformedDer`. `type` is the
 * content of the OBJECT IDENTIFIER in hexadecimal.
 *
 * @example readCertificateParts(der).extensions("551d11") // the subjectAltName
 */
export function readCertificateParts(der: Uint8Array): CertificateParts {
  const found = known.get(der);
  if (found !== undefined) return found;
  const parts = readParts(der);
  known.set(der, parts);
  return parts;
}

function readParts(der: Uint8Array): CertificateParts {
  const certificate = childrenOf(der, expectTag(readOutermost(der), tags.sequence), 3);
  const [toBeSigned, signatureAlgorithm, signature] = certificate;
  const fields = childrenOf(der, expectTag(toBeSigned, tags.sequence), mostFields);
  // version [0], serialNumber, signature, issuer, validity, subject, subjectPublicKeyInfo, …; version 1 is the default
  // and left out.
  const first = fields[0]?.tag === 0xa0 ? 1 : 0;
  const part = (at: number): Uint8Array => encodingOf(der, expectTag(fields[first + at], tags.sequence));
  const extensions = readExtensions(der, fields.at(-1));
  return {
    toBeSigned: encodingOf(der, expectTag(toBeSigned, tags.sequence)),
    signatureAlgorithm: encodingOf(der, expectTag(signatureAlgorithm, tags.sequence)),
    signature: signatureOf(der, expectTag(signature, tags.bitString)),
    issuer: part(2),
    subject: part(4),
    publicKey: part(5),
    extensions: (type) => extensions.filter((extension) => extension.type === type).map(({ value }) => value),
  };
}

interface Extension {
  readonly type: string;
  readonly value: Uint8Array;
}

function readExtensions(der: Uint8Array, last: DerElement | undefined): readonly Extension[] {
  if (last?.tag !== 0xa3) return [];
  const [list] = childrenOf(der, last, 1);
  return childrenOf(der, expectTag(list, tags.sequence), mostExtensions).map((extension) => {
    const members = childrenOf(der, expectTag(extension, tags.sequence), 3);
    return {
      type: Buffer.from(contentOf(der, expectTag(members[0], tags.objectIdentifier))).toString("hex"),
      value: contentOf(der, expectTag(members.at(-1), tags.octetString)),
    };
  });
}

function signatureOf(der: Uint8Array, element: DerElement): Uint8Array {
  return contentOf(der, element)[0] === 0 ? bitStringOf(der, element) : new Uint8Array();
}

/** Returns the octets of a BIT STRING that consists of whole octets (X.690 §8.6); throws `MalformedDer` for another. */
export function bitStringOf(octets: Uint8Array, element: DerElement): Uint8Array {
  const content = contentOf(octets, element);
  if (content[0] !== 0) throw new MalformedDer("a BIT STRING is not made of whole octets");
  return content.subarray(1);
}

/** Returns the element; throws `MalformedDer` if it is missing or has another tag. */
export function expectTag(element: DerElement | undefined, tag: number): DerElement {
  if (element?.tag !== tag) throw new MalformedDer("an element is missing, or another one stands in its place");
  return element;
}
