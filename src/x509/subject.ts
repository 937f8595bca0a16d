import { readCertificateParts } from "./certificate-parts.ts";
import { childrenOf, contentOf, MalformedDer, readDer, tags } from "./der.ts";
import { matchesDistinguishedName, readName, type DistinguishedName } from "./distinguished-name.ts";
import { MalformedCertificate } from "./malformed-certificate.ts";
import { readEmailAddress, type EmailAddress, type SubjectExpectation } from "./subject-expectation.ts";

export { readSubjectExpectation, type SubjectExpectation } from "./subject-expectation.ts";

/** Whom a certificate says it is for: its subject and the entries of its subjectAltName, as they are in it. */
export interface Subject {
  readonly distinguishedName: DistinguishedName;
  readonly san: SubjectAltName;
}

/** An entry with characters that IA5String does not have, or with NUL, is left out: it can be equal to nothing. */
interface SubjectAltName {
  readonly dns: readonly string[];
  readonly uri: readonly string[];
  readonly email: readonly string[];
  /** 4 or 16 octets. */
  readonly ip: readonly Uint8Array[];
}

/** Octets. Names are read before anything is proved, of certificates that anyone can make: it must not cost much. */
const largestCertificate = 8192;

/** 2.5.29.17 (RFC 5280 §4.2.1.6). */
const subjectAltName = "551d11";

const none: SubjectAltName = Object.freeze({ dns: [], uri: [], email: [], ip: [] });

/**
 * Reads subject and subjectAltName of a certificate, given as the DER that `readCertificate` has answered.
 *
 * Throws {@link MalformedCertificate} where either is not what RFC 5280 §4.1.2.6 and §4.2.1.6 say, or the second is
 * there twice.
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

/** By the octets that `readCertificate` hands out again for the same certificate. */
const subjects = new WeakMap<Uint8Array, Subject>();

/**
 * Whether a certificate, given as DER, is for the registered subject (RFC 8705 §2.1.2); one that cannot be read is not.
 *
 * Only the registered kind of name counts. A DN matches by RFC 4517 §4.2.15; a DNS name without regard to ASCII case,
 * `*` standing for nothing but itself; a URI octet for octet, scheme and host included; an IP address by its octets,
 * so that `::ffff:192.0.2.1` is not `192.0.2.1`; an e-mail address with the case of its local part.
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

/** What cannot be read is not a certificate that names anyone. */
function orMalformed<Result>(read: () => Result): Result {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof MalformedDer)) throw error;
    throw new MalformedCertificate(error.tooMany ? "too_large" : "not_a_certificate");
  }
}

/** Of the nine kinds in their order (RFC 5280 §4.2.1.6), each in the one form that DER has for it. */
const generalNameTags: ReadonlySet<number> = new Set([0xa0, 0x81, 0x82, 0xa3, 0xa4, 0xa5, 0x86, 0x87, 0x88]);

function readGeneralNames(der: Uint8Array): SubjectAltName {
  const names = readDer(der);
  if (names.tag !== tags.sequence) throw new MalformedDer("a subjectAltName is not a SEQUENCE");
  const entries = childrenOf(der, names);
  if (!entries.every(({ tag }) => generalNameTags.has(tag))) throw new MalformedDer("an entry is no GeneralName");
  const contents = (tag: number): Buffer[] =>
    entries.filter((entry) => entry.tag === tag).map((entry) => Buffer.from(contentOf(der, entry)));
  return {
    email: contents(0x81).flatMap(readIa5),
    dns: contents(0x82).flatMap(readIa5),
    uri: contents(0x86).flatMap(readIa5),
    ip: contents(0x87).filter(({ length }) => length === 4 || length === 16),
  };
}

/** All of it or nothing: who stops at a NUL reads another name than the authority has signed. */
function readIa5(content: Buffer): string[] {
  return content.every((octet) => octet > 0 && octet < 0x80) ? [content.toString("latin1")] : [];
}
