import type {
  RefusalCode,
  ActiveTokenFacts,
  PresentedCertificate,
  Requirement,
} from "../../oauth/access-token-decision.ts";
import type { Confirmation } from "../../oauth/confirmation.ts";

/** Why a request was refused: the codes of the decision, and two about the request itself. */
export type AccessTokenRefusalCode = RefusalCode | "credentials_missing" | "request_malformed";

/** The checks of a decision, in their order. */
export type Check =
  | "credentials"
  | "issuer"
  | "introspection"
  | "active"
  | "time"
  | "certificate"
  | "confirmation"
  | "audience"
  | "subject"
  | "scope";

/**
 * The check that a request failed, and what was expected, for the operator. Never contains the token, and is never sent
 * to a caller.
 *
 * Thumbprints are `x5t#S256` values, instants are seconds since 1970; `undefined` if not applicable or unknown. Says
 * that subjects differ, without their values (RFC 7662 §5). Every text is one line of limited length.
 */
export interface Diagnosis {
  readonly check: Check;
  readonly code: AccessTokenRefusalCode | "introspection_unavailable" | "introspection_malformed";
  /** The configured name of the token's actual or required issuer. */
  readonly issuer: string | undefined;
  readonly expected: string | undefined;
  readonly found: string | undefined;
  readonly reason: string;
}

/** Details of a refusal besides its code. */
export interface DiagnosisDetails {
  /** Default: the check of the code. */
  readonly check?: Check | undefined;
  readonly expected?: string | undefined;
  readonly found?: string | undefined;
}

const checks: Readonly<Record<Diagnosis["code"], Check>> = {
  credentials_missing: "credentials",
  request_malformed: "credentials",
  introspection_unavailable: "introspection",
  introspection_malformed: "introspection",
  token_unknown: "active",
  client_locked: "active",
  token_expired: "time",
  token_not_yet_valid: "time",
  certificate_unreadable: "certificate",
  certificate_missing: "confirmation",
  certificate_mismatch: "confirmation",
  confirmation_malformed: "confirmation",
  confirmation_unsupported: "confirmation",
  token_unbound: "confirmation",
  audience_mismatch: "audience",
  subject_missing: "subject",
  subject_mismatch: "subject",
  scope_insufficient: "scope",
};

const longestReason = 300;

/**
 * Creates the diagnosis of a refusal; the check follows from the code unless the details have another.
 *
 * @example diagnose("scope_insufficient", "the token does not cover the scopes", { expected: "pay", found: "read" })
 */
export function diagnose(
  code: Diagnosis["code"],
  reason: string,
  { check = checks[code], expected, found }: DiagnosisDetails = {},
  issuer?: string,
): Diagnosis {
  return Object.freeze({ check, code, issuer, expected, found, reason: oneLine(reason, longestReason) });
}

/**
 * Shortens a text to at most `longest` characters and replaces line breaks and control characters.
 *
 * @example oneLine("two\nlines", 100) // "two?lines"
 */
export function oneLine(text: string, longest: number): string {
  const cut = text.length > longest ? `${text.slice(0, longest - 1)}…` : text;
  return cut.replaceAll(/[\p{Cc}\p{Cs}\u2028\u2029]/gu, "?");
}

/** The inputs of a decision; `facts` are `undefined` if the backend decided and sent none. */
export interface DecisionInputs {
  readonly facts: ActiveTokenFacts | undefined;
  readonly requirement: Requirement;
  readonly presented: PresentedCertificate;
  /** Milliseconds since 1970. */
  readonly now: number;
}

const ways: Readonly<Record<RefusalCode, (inputs: DecisionInputs) => DiagnosisDetails>> = {
  token_unknown: () => ({}),
  client_locked: () => ({}),
  token_expired: ({ facts, now }) => ({ expected: `exp after ${Math.floor(now) / 1000}`, found: instant(facts?.exp) }),
  token_not_yet_valid: ({ facts, now }) => ({
    expected: `nbf until ${Math.floor(now) / 1000}`,
    found: instant(facts?.nbf),
  }),
  certificate_unreadable: ({ facts, presented }) => ({
    expected: thumbprintOf(facts?.confirmation),
    found: presented !== undefined && "unreadable" in presented ? whyUnreadable(presented.unreadable) : undefined,
  }),
  confirmation_malformed: () => ({ expected: "cnf x5t#S256", found: "a malformed cnf" }),
  confirmation_unsupported: ({ facts }) => ({
    expected: "cnf x5t#S256",
    found: facts?.confirmation.kind === "unsupported" ? `cnf ${oneLine(facts.confirmation.member, 40)}` : undefined,
  }),
  certificate_missing: ({ facts }) => ({ expected: thumbprintOf(facts?.confirmation), found: "no certificate" }),
  certificate_mismatch: ({ facts, presented }) => ({
    expected: thumbprintOf(facts?.confirmation),
    found: presented !== undefined && "x5tS256" in presented ? presented.x5tS256 : undefined,
  }),
  token_unbound: () => ({ expected: "cnf x5t#S256", found: "no cnf" }),
  audience_mismatch: ({ facts, requirement }) => demandedAndHeld(requirement.resources, facts?.audience),
  // A subject is personal data: to log it on purpose, read it from the event's token.
  subject_missing: () => ({ expected: "a certain subject", found: "no subject" }),
  subject_mismatch: () => ({ expected: "a certain subject", found: "another subject" }),
  scope_insufficient: ({ facts, requirement }) => demandedAndHeld(requirement.scopes, facts?.scopes),
};

/**
 * Returns the details of a refusal; call it only for a refused request.
 *
 * @example evidenceOf("certificate_mismatch", { facts, requirement, presented, now }) // { expected: "A4Dt…", found: "OID_…" }
 */
export function evidenceOf(code: RefusalCode, inputs: DecisionInputs): DiagnosisDetails {
  return ways[code](inputs);
}

/**
 * Compares the required names with those of the token: of limited length, matching names first.
 *
 * @example demandedAndHeld(["pay"], ["read", "write"]) // { expected: "pay", found: "read write" }
 */
export function demandedAndHeld(
  demanded: readonly string[] = [],
  held: readonly string[] | undefined,
): DiagnosisDetails {
  return { expected: listed(demanded), found: held && listed(held, demanded) };
}

const mostNames = 20;
const longestName = 100;

/** A token may have thousands of names; required names are never left out. */
function listed(names: readonly string[], wanted: readonly string[] = []): string {
  const shown = wanted.filter((name) => names.includes(name)).slice(0, mostNames);
  for (const name of names) {
    if (shown.length >= mostNames) break;
    if (!shown.includes(name)) shown.push(name);
  }
  const more = names.length - shown.length;
  const text = shown.map((name) => oneLine(name, longestName)).join(" ");
  return more > 0 ? `${text} (and ${more} more)` : text === "" ? "none" : text;
}

function instant(seconds: number | undefined): string | undefined {
  return seconds === undefined ? undefined : String(seconds);
}

function thumbprintOf(confirmation: Confirmation | undefined): string | undefined {
  return confirmation?.kind === "certificate" ? oneLine(confirmation.x5tS256, 43) : undefined;
}

/** Sources give a code or a few words; a user's source might quote the certificate. */
function whyUnreadable(reason: string): string {
  const quotes = /[A-Za-z0-9+/=]{30}/.test(reason);
  return quotes ? "unreadable" : oneLine(reason, longestName);
}
