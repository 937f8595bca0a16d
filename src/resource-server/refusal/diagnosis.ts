import type { RefusalCode } from "../../oauth/access-token-decision.ts";

/** Why a request does not open the resource: the decision's codes, and two about the request itself. */
export type AccessTokenRefusalCode = RefusalCode | "credentials_missing" | "request_malformed";

/** What a decision looks at, in the order in which it is looked at. */
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
 * Which check a request failed and what was expected, for the operator: never the token, never what is sent to a caller.
 *
 * Thumbprints are `x5t#S256` values, instants seconds since 1970; `undefined` where the check has no such thing or it is
 * not known. Of subjects it says that they differ, never which (RFC 7662 §5). Every text is bounded, and in one line.
 */
export interface Diagnosis {
  readonly check: Check;
  readonly code: AccessTokenRefusalCode | "introspection_unavailable" | "introspection_malformed";
  /** The configured name of the issuer whose token it is, or would have to be. */
  readonly issuer: string | undefined;
  readonly expected: string | undefined;
  readonly found: string | undefined;
  readonly reason: string;
}

/** What a refusal rests on, besides its code. */
export interface DiagnosisDetails {
  /** Where it is another check than the code's own. */
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
 * The diagnosis of a refusal; its check follows from the code unless the evidence says otherwise.
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
 * A text of at most so many characters, in one line.
 *
 * @example oneLine("two\nlines", 100) // "two?lines"
 */
export function oneLine(text: string, longest: number): string {
  const cut = text.length > longest ? `${text.slice(0, longest - 1)}…` : text;
  return cut.replaceAll(/[\p{Cc}\p{Cs}\u2028\u2029]/gu, "?");
}
