import {
  childrenOf,
  contentOf,
  encodingOf,
  MalformedDer,
  readDer,
  tags,
  type DerElement,
  readOutermost,
} from "./der.ts";
import { comparableValue, readDirectoryString } from "./attribute-value.ts";
import { expectTag } from "./certificate-parts.ts";

/**
 * A distinguished name prepared for comparison: its RDNs in the order of the certificate (the reverse of RFC 4514's),
 * each the sorted attributes of one RDN; `undefined` for an attribute that matches nothing.
 */
export interface DistinguishedName {
  readonly rdns: readonly (readonly (string | undefined)[])[];
}

/** Joins an attribute's type (content octets of its OBJECT IDENTIFIER in hexadecimal) and its comparable value. */
export function comparableAttribute(type: string, value: string | undefined): string | undefined {
  return value === undefined ? undefined : `${type}=${value}`;
}

/** An RDN is a set (X.501 §9.3): the order of its attributes does not matter. */
export function relativeDistinguishedName(
  attributes: readonly (string | undefined)[],
): readonly (string | undefined)[] {
  return attributes.toSorted();
}

/**
 * Whether two names match by distinguishedNameMatch (RFC 4517 §4.2.15): the same RDNs in the same order, each with the
 * same attributes. An empty name and a name with an incomparable value match nothing.
 *
 * @example matchesDistinguishedName(readDistinguishedName("CN=client-a,O=Example"), readSubject(raw).distinguishedName)
 */
export function matchesDistinguishedName(expected: DistinguishedName, presented: DistinguishedName): boolean {
  if (expected.rdns.length === 0 || expected.rdns.length !== presented.rdns.length) return false;
  return expected.rdns.every((rdn, index) => {
    const other = presented.rdns[index];
    return rdn.length === other?.length && rdn.every((one, at) => one !== undefined && one === other[at]);
  });
}

/** Octets. Comparing the values of a name takes almost a microsecond per character, and anyone can write one. */
const longestName = 2048;

/** Reads a Name from a certificate (RFC 5280 §4.1.2.4); throws {@link MalformedDer}, also for more than 2048 octets. */
export function readName(der: Uint8Array): DistinguishedName {
  if (der.length > longestName) throw new MalformedDer("a Name is too long", { tooMany: true });
  const name = readDer(der);
  if (name.tag !== tags.sequence) throw new MalformedDer("a Name is not a SEQUENCE");
  return { rdns: childrenOf(der, name).map((rdn) => readRelativeName(der, rdn)) };
}

function readRelativeName(der: Uint8Array, rdn: DerElement): readonly (string | undefined)[] {
  const attributes = rdn.tag === tags.set ? childrenOf(der, rdn) : [];
  if (attributes.length === 0) throw new MalformedDer("an RDN is not a SET with something in it");
  return relativeDistinguishedName(attributes.map((attribute) => readAttribute(der, attribute)));
}

function readAttribute(der: Uint8Array, attribute: DerElement): string | undefined {
  const [type, value, ...others] = attribute.tag === tags.sequence ? childrenOf(der, attribute) : [];
  if (type?.tag !== tags.objectIdentifier || value === undefined || others.length > 0) {
    throw new MalformedDer("an attribute is not a type and a value");
  }
  return comparableAttribute(
    Buffer.from(contentOf(der, type)).toString("hex"),
    comparableValue(encodingOf(der, value)),
  );
}

/** The longest names of CAs have a dozen. */
const mostAttributes = 32;

/**
 * Converts a Name, given as DER, into a text that is equal for names that chain in a certificate path.
 *
 * Compares as OpenSSL does, a little more tolerant than RFC 5280 §7.1: string types, the case of ASCII letters and the
 * number of spaces are ignored. Throws {@link MalformedDer}, also for more than 32 attributes.
 *
 * @example chainedName(readCertificateParts(leaf).issuer) === chainedName(readCertificateParts(ca).subject)
 */
export function chainedName(der: Uint8Array): string {
  const rdns = childrenOf(der, expectTag(readOutermost(der), tags.sequence), mostAttributes);
  let left = mostAttributes;
  const texts = rdns.map((rdn) => {
    const attributes = childrenOf(der, expectTag(rdn, tags.set), left);
    left -= attributes.length;
    return attributes
      .map((attribute) => {
        const [type, value] = childrenOf(der, expectTag(attribute, tags.sequence), 2);
        if (value === undefined) throw new MalformedDer("an attribute has no value");
        const typeText = Buffer.from(contentOf(der, expectTag(type, tags.objectIdentifier))).toString("hex");
        return [typeText, chainedValue(encodingOf(der, value))];
      })
      .sort(([oneType = "", one = ""], [otherType = "", other = ""]) =>
        oneType === otherType ? (one < other ? -1 : 1) : oneType < otherType ? -1 : 1,
      );
  });
  return JSON.stringify(texts);
}

function chainedValue(der: Uint8Array): string {
  const read = readDirectoryString(der);
  if (typeof read !== "object") return `octets:${Buffer.from(der).toString("hex")}`;
  const squeezed = read.text
    .replaceAll(/[ \t\n\v\f\r]+/g, " ")
    .replace(/^ /, "")
    .replace(/ $/, "");
  return `text:${squeezed.replaceAll(/[A-Z]+/g, (letters) => letters.toLowerCase())}`;
}
