import { childrenOf, contentOf, encodingOf, MalformedDer, readDer, tags, type DerElement } from "./der.ts";
import { comparableValue } from "./attribute-value.ts";

/**
 * A distinguished name in a form made for comparing: its RDNs in the order of the certificate (which is the reverse of
 * RFC 4514's), each the sorted attributes of one RDN, `undefined` where an attribute can match nothing.
 */
export interface DistinguishedName {
  readonly rdns: readonly (readonly (string | undefined)[])[];
}

/** One attribute: `type` the content octets of its OBJECT IDENTIFIER in hexadecimal, `value` in comparable form. */
export function comparableAttribute(type: string, value: string | undefined): string | undefined {
  return value === undefined ? undefined : `${type}=${value}`;
}

/** An RDN is a set (X.501 §9.3): in which order its attributes are written says nothing. */
export function relativeDistinguishedName(
  attributes: readonly (string | undefined)[],
): readonly (string | undefined)[] {
  return attributes.toSorted();
}

/**
 * Whether two names are the same by distinguishedNameMatch (RFC 4517 §4.2.15): RDN by RDN in order, each with the same
 * attributes. An empty name, and one with a value that cannot be compared, match nothing.
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

/** Octets. To compare the values of a name takes most of a microsecond a character, and anyone may write one. */
const longestName = 2048;

/**
 * Reads a Name as it stands in a certificate (RFC 5280 §4.1.2.4); throws {@link MalformedDer}, also for more than 2048
 * octets.
 */
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
