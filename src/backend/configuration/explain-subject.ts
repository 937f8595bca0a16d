import { isIP } from "node:net";
import { MalformedDistinguishedName, readDistinguishedName } from "../../x509/read-distinguished-name.ts";
import { respellDistinguishedName } from "../../x509/respell-distinguished-name.ts";
import { readSubjectExpectation } from "../../x509/subject.ts";
import type { ClientSettings } from "../engine/settings/settings.ts";
import { defectOfUri, firstOutside } from "./explain-uri.ts";

/** RFC 8705 §2.1.2: the five ways to register the subject of a certificate. */
export const subjectMembers = [
  "tlsClientAuthSubjectDn",
  "tlsClientAuthSanDns",
  "tlsClientAuthSanUri",
  "tlsClientAuthSanIp",
  "tlsClientAuthSanEmail",
] as const satisfies readonly (keyof ClientSettings)[];

export type SubjectMember = (typeof subjectMembers)[number];

/** How an operator sees a certificate's subject in the spelling that is compared. */
export const howToPrintSubject = "openssl x509 -in client.pem -noout -subject -nameopt RFC2253";

/**
 * Why no certificate could have this as its subject, and what to do; `undefined` when one could.
 *
 * No value is quoted, except the right spelling of a distinguished name that could be read.
 *
 * @example explainSubject("tlsClientAuthSanIp", "192.0.2.0/24") // "is not an IP address (it has a prefix length), …"
 */
export function explainSubject(member: SubjectMember, text: string): string | undefined {
  if (isWellFormed(member, text)) return undefined;
  if (member === "tlsClientAuthSubjectDn") return explainDistinguishedName(text);
  const { what, why, example } = alternativeNames[member];
  return `is not ${what} (${why(text) ?? "it matches nothing"}), for example ${example}`;
}

function isWellFormed(member: SubjectMember, text: string): boolean {
  try {
    readSubjectExpectation({ [member]: text });
    return true;
  } catch (error) {
    if (error instanceof TypeError && "code" in error && error.code === "ERR_SUBJECT_EXPECTATION") return false;
    throw error;
  }
}

function explainDistinguishedName(text: string): string {
  const spelling = respellDistinguishedName(text);
  const whatToDo =
    spelling === undefined
      ? `write it as ${howToPrintSubject} prints it after subject=, for example CN=client-a,O=Example`
      : `write "${spelling}"`;
  return `is not a distinguished name (RFC 4514): ${reasonOf(text)}; ${whatToDo}`;
}

function reasonOf(text: string): string {
  try {
    readDistinguishedName(text);
    return "it matches nothing";
  } catch (error) {
    if (error instanceof MalformedDistinguishedName) return error.reason;
    throw error;
  }
}

interface AlternativeName {
  readonly what: string;
  readonly why: (text: string) => string | undefined;
  readonly example: string;
}

const alternativeNames = {
  tlsClientAuthSanDns: { what: "a DNS name", why: defectOfDnsName, example: "client-a.example.org" },
  tlsClientAuthSanUri: { what: "a URI", why: defectOfUri, example: "https://client-a.example.org/" },
  tlsClientAuthSanIp: { what: "an IP address", why: defectOfIpAddress, example: "192.0.2.1 or 2001:db8::1" },
  tlsClientAuthSanEmail: { what: "an e-mail address", why: defectOfEmailAddress, example: "a@example.org" },
} satisfies Record<Exclude<SubjectMember, "tlsClientAuthSubjectDn">, AlternativeName>;

function defectOfDnsName(text: string): string {
  if (text === "") return "it is empty";
  if (text.includes("://")) return "it has a scheme: tlsClientAuthSanUri is for URIs";
  if (text.length > 253) return "it is longer than 253 characters";
  const odd = firstOutside(text, /[A-Za-z0-9_.*-]/);
  if (odd !== undefined && !odd.ascii) return `its character ${odd.at} is not ASCII: write the A-label (xn--…)`;
  if (odd !== undefined) return `its character ${odd.at} is not a letter, a digit, a hyphen or a dot`;
  if (text.endsWith(".")) return "it ends with a dot";
  if (text.replace(/^\*\./, "").includes("*")) return "a * may only be its whole first label";
  const labels = text.split(".");
  if (labels.includes(""))
    return `there is nothing between two dots, or before the first, at character ${text.search(/^\.|\.\./) + 1}`;
  if (labels.some(({ length }) => length > 63)) return "a label is longer than 63 characters";
  return "a label begins or ends with a hyphen";
}

function defectOfIpAddress(text: string): string {
  if (text === "") return "it is empty";
  if (text.includes("/")) return "it has a prefix length: one address is registered, not a network";
  if (text.includes("%")) return "it has a zone";
  if (text.includes("[")) return "IPv6 is written without brackets";
  if (/^[0-9.]+:[0-9]+$/.test(text)) return "it has a port";
  if (/^[0-9]+(?:\.[0-9]+){3}$/.test(text)) {
    return /(?:^|\.)0[0-9]/.test(text) ? "it has leading zeros, which some read as octal" : "a number is above 255";
  }
  return "it is neither four decimal numbers nor IPv6";
}

function defectOfEmailAddress(text: string): string {
  if (text === "") return "it is empty";
  const odd = firstOutside(text, /[\x21-\x7e]/);
  if (odd !== undefined) return `its character ${odd.at} is a blank or not ASCII`;
  const at = text.lastIndexOf("@");
  if (at === -1) return "it has no @";
  if (at === 0) return "nothing is before its @";
  const domain = text.slice(at + 1);
  if (domain.startsWith("*") || isIP(domain) !== 0) return "after its @ is no DNS name";
  return `after its @ is no DNS name: ${defectOfDnsName(domain)}`;
}
