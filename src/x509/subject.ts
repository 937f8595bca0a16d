import { readCertificateParts } from "./certificate-parts.ts";
import { childrenOf, contentOf, MalformedDer, readDer, tags } from "./der.ts";
import { matchesDistinguishedName, readName, type DistinguishedName } from "./distinguished-name.ts";
import { MalformedCertificate } from "./malformed-certificate.ts";
import { MalformedDistinguishedName, readDistinguishedName } from "./read-distinguished-name.ts";

/** The subject of a certificate and the entries of its subjectAltName, as encoded. */
export interface Subject {
  readonly distinguishedName: DistinguishedName;
  readonly san: SubjectAltName;
}

/** Entries with NUL or with characters outside IA5String are left out: they match nothing. */
interface SubjectAltName {
  readonly dns: readonly string[];
  readonly uri: readonly string[];
  readonly email: readonly string[];
  /** 4 or 16 octets. */
  readonly ip: readonly Uint8Array[];
}

/** Octets. Names are read before the certificate is verified, and anyone can make one: reading must be cheap. */
const largestCertificate = 8192;

/** 2.5.29.17 (RFC 5280 §4.2.1.6). */
const subjectAltName = "551d11";

const none: SubjectAltName = Object.freeze({ dns: [], uri: [], email: [], ip: [] });

/**
 * Reads subject and subjectAltName of a certificate, given the DER that `readCertificate` returned.
 *
 * Throws {@link MalformedCertificate} if either violates RFC 5280 §4.1.2.6 or §4.2.1.6, or if there are two
 * subjectAltNames.
 *
 * @example readSubject(readCertificate(pem).raw).san.dns // ["client-a.example.org"]
 */
export function readSubject(raw: Uint8Array): Subject {
  const known = subjects.get(raw);
  if (known !== undefined) return known;
  if (raw.length > largestCertificate) throw new MalformedCertificate("too_large");
  const subject = { distinguishedName: readSubjectName(raw), san: readSubjectAltName(raw) };
  subjects.set(raw, subject);
  return subject;
}

/** Keyed by the octets object, which `readCertificate` returns again for the same certificate. */
const subjects = new WeakMap<Uint8Array, Subject>();

/**
 * Whether a certificate, given as DER, has the registered subject (RFC 8705 §2.1.2); `false` if it cannot be read.
 *
 * Only the registered kind of name is compared. A DN matches by RFC 4517 §4.2.15; a DNS name ignoring ASCII case, with
 * `*` as a literal; a URI octet for octet, including scheme and host; an IP address by its octets, so that
 * `::ffff:192.0.2.1` is not `192.0.2.1`; an e-mail address with the case of its local part.
 *
 * @example checkSubject(readSubjectExpectation({ tlsClientAuthSanDns: "a.example" }), readCertificate(pem).raw)
 */
export function checkSubject(expected: SubjectExpectation, raw: Uint8Array): boolean {
  try {
    return matches(expected, readSubject(raw));
  } catch (error) {
    if (error instanceof MalformedCertificate) return false;
    throw error;
  }
}

function matches(expected: SubjectExpectation, { distinguishedName, san }: Subject): boolean {
  switch (expected.kind) {
    case "dn":
      return matchesDistinguishedName(expected.distinguishedName, distinguishedName);
    case "sanDns":
      return san.dns.some((dns) => dns.toLowerCase() === expected.dns);
    case "sanUri":
      return san.uri.includes(expected.uri);
    case "sanIp":
      return san.ip.some((ip) => Buffer.compare(ip, expected.ip) === 0);
    case "sanEmail":
      return san.email.some((email) => isSameMailbox(expected.email, readEmailAddress(email)));
  }
}

function isSameMailbox(expected: EmailAddress, presented: EmailAddress | undefined): boolean {
  return presented?.localPart === expected.localPart && presented.domain === expected.domain;
}

function readSubjectName(raw: Uint8Array): DistinguishedName {
  return orMalformed(() => readName(readCertificateParts(raw).subject));
}

function readSubjectAltName(raw: Uint8Array): SubjectAltName {
  return orMalformed(() => {
    const [names, second] = readCertificateParts(raw).extensions(subjectAltName);
    if (second !== undefined) throw new MalformedDer("there are two subjectAltNames");
    return names === undefined ? none : readGeneralNames(names);
  });
}

/** A name that cannot be read makes the certificate malformed. */
function orMalformed<Result>(read: () => Result): Result {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof MalformedDer)) throw error;
    throw new MalformedCertificate(error.tooMany ? "too_large" : "not_a_certificate");
  }
}

/** The tags of the nine kinds in their order (RFC 5280 §4.2.1.6). */
const generalNameTags: ReadonlySet<number> = new Set([0xa0, 0x81, 0x82, 0xa3, 0xa4, 0xa5, 0x86, 0x87, 0x88]);

function readGeneralNames(der: Uint8Array): SubjectAltName {
  const names = readDer(der);
  if (names.tag !== tags.sequence) throw new MalformedDer("a subjectAltName is not a SEQUENCE");
  const entries = childrenOf(der, names);
  if (!entries.every(({ tag }) => generalNameTags.has(tag))) throw new MalformedDer("an entry is not a GeneralName");
  const contents = (tag: number): Buffer[] =>
    entries.filter((entry) => entry.tag === tag).map((entry) => Buffer.from(contentOf(der, entry)));
  return {
    email: contents(0x81).flatMap(readIa5),
    dns: contents(0x82).flatMap(readIa5),
    uri: contents(0x86).flatMap(readIa5),
    ip: contents(0x87).filter(({ length }) => length === 4 || length === 16),
  };
}

/** All or nothing: stopping at a NUL would read another name than the one the CA signed. */
function readIa5(content: Buffer): string[] {
  return content.every((octet) => octet > 0 && octet < 0x80) ? [content.toString("latin1")] : [];
}

const ipv4 = /^(0|[1-9]\d{0,2})\.(0|[1-9]\d{0,2})\.(0|[1-9]\d{0,2})\.(0|[1-9]\d{0,2})$/;
const ipv6Group = /^[0-9A-Fa-f]{1,4}$/;

/**
 * Reads an IP address into the 4 or 16 octets that a certificate has for it (RFC 5280 §4.2.1.6).
 *
 * IPv4 in dotted decimal without leading zeros (some readers take them as octal), IPv6 in any abbreviation (RFC 4291
 * §2.2). `undefined` for anything else: zone ids, prefixes, brackets, spaces.
 *
 * @example readIpAddress("2001:db8::1")
 */
export function readIpAddress(text: string): Uint8Array | undefined {
  return text.includes(":") ? readIpv6(text) : readIpv4(text);
}

function readIpv4(text: string): Uint8Array | undefined {
  const octets = ipv4.exec(text)?.slice(1).map(Number);
  return octets?.every((octet) => octet <= 255) === true ? Uint8Array.from(octets) : undefined;
}

function readIpv6(text: string): Uint8Array | undefined {
  const [before, after, ...others] = text.split("::");
  const head = readGroups(before ?? "", after === undefined);
  if (head === undefined || others.length > 0) return undefined;
  if (after === undefined) return head.length === 16 ? Uint8Array.from(head) : undefined;
  const tail = readGroups(after, true);
  // :: stands for at least one group of zeros.
  if (tail === undefined || head.length + tail.length > 14) return undefined;
  const zeros = Array<number>(16 - head.length - tail.length).fill(0);
  return Uint8Array.from([...head, ...zeros, ...tail]);
}

/** The octets of one side of `::`; the last 4 may be written as IPv4. */
function readGroups(text: string, last: boolean): readonly number[] | undefined {
  if (text === "") return [];
  const octets: number[] = [];
  const groups = text.split(":");
  for (const [index, group] of groups.entries()) {
    if (ipv6Group.test(group)) {
      const value = Number.parseInt(group, 16);
      octets.push(value >> 8, value & 0xff);
      continue;
    }
    const embedded = last && index === groups.length - 1 ? readIpv4(group) : undefined;
    if (embedded === undefined) return undefined;
    octets.push(...embedded);
  }
  return octets;
}

/** The registered subject value of a `tls_client_auth` client (RFC 8705 §2.1.2), prepared for comparison. */
export type SubjectExpectation =
  | { readonly kind: "dn"; readonly distinguishedName: DistinguishedName }
  /** In lower case. */
  | { readonly kind: "sanDns"; readonly dns: string }
  | { readonly kind: "sanUri"; readonly uri: string }
  | { readonly kind: "sanIp"; readonly ip: Uint8Array }
  | { readonly kind: "sanEmail"; readonly email: EmailAddress };

interface EmailAddress {
  readonly localPart: string;
  /** In lower case. */
  readonly domain: string;
}

/** Client metadata of RFC 8705 §2.1.2, under the API's names; `undefined` is the same as left out. */
export interface SubjectMembers {
  readonly tlsClientAuthSubjectDn?: string | undefined;
  readonly tlsClientAuthSanDns?: string | undefined;
  readonly tlsClientAuthSanUri?: string | undefined;
  readonly tlsClientAuthSanIp?: string | undefined;
  readonly tlsClientAuthSanEmail?: string | undefined;
}

/** One or more labels of letters, digits, `-` and `_`; the first may be `*`, which is a literal here. */
const dnsName = /^(?:\*\.)?(?:(?!-)[A-Za-z0-9_-]{1,63}(?<!-)\.)*(?!-)[A-Za-z0-9_-]{1,63}(?<!-)$/;
const longestDnsName = 253;

/** A scheme, then URI characters (RFC 3986); a comparison of ASCII needs no more. */
const uri = /^[A-Za-z][A-Za-z0-9+.-]*:[A-Za-z0-9\-._~:/?#[\]@!$&'()*+,;=%]+$/;

const visible = /^[\x21-\x7E]+$/;

/** What is wrong with a value, as the predicate of a sentence. */
interface Problem {
  readonly error: string;
}

const readers = {
  tlsClientAuthSubjectDn: (text) => ({ kind: "dn", distinguishedName: readDistinguishedName(text) }),
  tlsClientAuthSanDns: (text) =>
    isDnsName(text) ? { kind: "sanDns", dns: text.toLowerCase() } : { error: "is not a DNS name" },
  tlsClientAuthSanUri: (text) => (uri.test(text) ? { kind: "sanUri", uri: text } : { error: "is not an absolute URI" }),
  tlsClientAuthSanIp: (text) => {
    const ip = readIpAddress(text);
    return ip === undefined ? { error: "is not an IPv4 or IPv6 address" } : { kind: "sanIp", ip };
  },
  tlsClientAuthSanEmail: (text) => {
    const email = readEmailAddress(text);
    return email === undefined ? { error: "is not an e-mail address" } : { kind: "sanEmail", email };
  },
} satisfies Record<keyof SubjectMembers, (text: string) => SubjectExpectation | Problem>;

/**
 * Reads the expected subject value of a client (RFC 8705 §2.1.2).
 *
 * Throws a `TypeError` with the code `ERR_SUBJECT_EXPECTATION` for no value, for more than one, and for a value that no
 * certificate can match: a malformed name, a DNS name with a trailing dot or non-ASCII characters, an IPv4 address with
 * leading zeros. The message names the member and never quotes its value.
 *
 * @example readSubjectExpectation({ tlsClientAuthSanDns: "client-a.example.org" })
 */
export function readSubjectExpectation(members: SubjectMembers): SubjectExpectation {
  const names = Object.keys(readers) as (keyof SubjectMembers)[];
  const [given, second] = names.filter((name) => members[name] !== undefined);
  if (given === undefined || second !== undefined) {
    throw expectationError(`Exactly one of ${names.join(", ")} is needed (RFC 8705 §2.1.2).`);
  }
  const expectation = readMember(given, members[given] ?? "");
  if ("error" in expectation) throw expectationError(`${given} ${expectation.error}.`);
  return expectation;
}

function readMember(name: keyof SubjectMembers, text: string): SubjectExpectation | Problem {
  try {
    return readers[name](text);
  } catch (error) {
    if (!(error instanceof MalformedDistinguishedName)) throw error;
    throw expectationError(`${name}: ${error.message}`, error);
  }
}

/** The parts of an e-mail address; `undefined` for any other text. A quoted mailbox may contain an `@`. */
function readEmailAddress(text: string): EmailAddress | undefined {
  const at = text.lastIndexOf("@");
  const localPart = text.slice(0, Math.max(at, 0));
  const domain = text.slice(at + 1);
  if (!visible.test(localPart) || !isDnsName(domain) || domain.startsWith("*")) return undefined;
  return { localPart, domain: domain.toLowerCase() };
}

function isDnsName(text: string): boolean {
  return text.length <= longestDnsName && dnsName.test(text);
}

function expectationError(message: string, cause?: Error): TypeError {
  return Object.assign(new TypeError(message, { cause }), { code: "ERR_SUBJECT_EXPECTATION" });
}
