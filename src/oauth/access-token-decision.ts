import type { Confirmation } from "./confirmation.ts";

/** Facts about an active token; `exp` and `nbf` in seconds since 1970 (RFC 7662 §2.2). */
export interface ActiveTokenFacts {
  readonly active: true;
  readonly exp: number | undefined;
  readonly nbf: number | undefined;
  readonly sub: string | undefined;
  readonly scopes: readonly string[];
  /** The resource servers that the token is for (`aud`); empty: the token names none. */
  readonly audience: readonly string[];
  readonly confirmation: Confirmation;
}

/** The token is inactive. The cause is for the operator only. */
export interface InactiveTokenFacts {
  readonly active: false;
  readonly cause: "unknown" | "client_locked";
}

export type TokenFacts = ActiveTokenFacts | InactiveTokenFacts;

/** What a route requires of a token; missing members require nothing. */
export interface Requirement {
  /** The token must have all of these. */
  readonly scopes?: readonly string[];
  /** Must equal the token's subject. */
  readonly subject?: string;
  /** All of these must be in the token's audience. A token without an audience is rejected. */
  readonly resources?: readonly string[];
  /** `required`: accepts bound tokens only. `if-bound`: also accepts unbound tokens; a bound token must still match. */
  readonly binding: "required" | "if-bound";
}

/** The certificate of the connection: none, unreadable (with the reason), or its thumbprint. */
export type PresentedCertificate = undefined | { readonly unreadable: string } | { readonly x5tS256: string };

export type RefusalCode =
  | "token_unknown"
  | "client_locked"
  | "token_expired"
  | "token_not_yet_valid"
  | "certificate_unreadable"
  | "confirmation_malformed"
  | "confirmation_unsupported"
  | "certificate_missing"
  | "certificate_mismatch"
  | "token_unbound"
  | "audience_mismatch"
  | "subject_missing"
  | "subject_mismatch"
  | "scope_insufficient";

export type AccessTokenDecision = { readonly granted: true } | { readonly granted: false; readonly code: RefusalCode };

/** SHA-256 in unpadded base64url. */
const thumbprintLength = 43;

const granted: AccessTokenDecision = Object.freeze({ granted: true });

/**
 * Decides whether a token, presented over a connection with this certificate, gives access to a route (RFC 8705 §3,
 * RFC 6750 §3.1).
 *
 * Pure: no clock, no I/O. `now` is in milliseconds since 1970. The token is active from exactly `nbf` and expires at
 * exactly `exp`. If a time is not a number, the token is rejected. Both the backend's introspection and the library use
 * this function.
 *
 * @example decideAccess(facts, { scopes: ["read"], binding: "required" }, { x5tS256 }, Date.now())
 */
export function decideAccess(
  facts: TokenFacts,
  requirement: Requirement,
  certificate: PresentedCertificate,
  now: number,
): AccessTokenDecision {
  if (!facts.active) return refused(facts.cause === "client_locked" ? "client_locked" : "token_unknown");
  if (!isBefore(now, facts.exp)) return refused("token_expired");
  if (!isReached(now, facts.nbf)) return refused("token_not_yet_valid");
  const proof = checkConfirmation(facts.confirmation, requirement.binding, certificate);
  if (proof !== "holds") return refused(proof);
  if (!covers(facts.audience, requirement.resources)) return refused("audience_mismatch");
  if (requirement.subject !== undefined && facts.sub !== requirement.subject) {
    return refused(facts.sub === undefined ? "subject_missing" : "subject_mismatch");
  }
  if (!covers(facts.scopes, requirement.scopes)) return refused("scope_insufficient");
  return granted;
}

// Both state what must hold, because comparisons with NaN are false: the token is then rejected.

function isBefore(now: number, exp: number | undefined): boolean {
  return exp === undefined || now < exp * 1000;
}

function isReached(now: number, nbf: number | undefined): boolean {
  return nbf === undefined || now >= nbf * 1000;
}

/** The proof of possession (RFC 7800 §3, RFC 8705 §3). */
function checkConfirmation(
  confirmation: Confirmation,
  binding: Requirement["binding"],
  certificate: PresentedCertificate,
): RefusalCode | "holds" {
  if (certificate !== undefined && "unreadable" in certificate) return "certificate_unreadable";
  switch (confirmation.kind) {
    case "none":
      return binding === "if-bound" ? "holds" : "token_unbound";
    case "certificate":
      // Two empty strings would compare equal. Only the length is checked, because the reader has checked the characters.
      if (confirmation.x5tS256.length !== thumbprintLength) return "confirmation_malformed";
      if (certificate === undefined) return "certificate_missing";
      return certificate.x5tS256 === confirmation.x5tS256 ? "holds" : "certificate_mismatch";
    case "unsupported":
      return "confirmation_unsupported";
    case "malformed":
    default:
      // JavaScript callers may pass an unknown kind, which must not count as checked.
      return "confirmation_malformed";
  }
}

/** A loop, because a closure would be allocated for every request. */
function covers(held: readonly string[], demanded: readonly string[] | undefined): boolean {
  if (demanded === undefined) return true;
  for (const one of demanded) if (!held.includes(one)) return false;
  return true;
}

function refused(code: RefusalCode): AccessTokenDecision {
  return { granted: false, code };
}
