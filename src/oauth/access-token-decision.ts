import type { Confirmation } from "./confirmation.ts";

/** What is known of a token that is in force; `exp`, `nbf` and `iat` in seconds since 1970 (RFC 7662 §2.2). */
export interface ActiveTokenFacts {
  readonly active: true;
  readonly exp: number | undefined;
  readonly nbf: number | undefined;
  readonly sub: string | undefined;
  readonly scopes: readonly string[];
  /** The resource servers the token is meant for (`aud`); empty: the token names none. */
  readonly audience: readonly string[];
  readonly confirmation: Confirmation;
}

/** The token is not in force; why is for the operator only. */
export interface InactiveTokenFacts {
  readonly active: false;
  readonly cause: "unknown" | "client_locked";
}

export type TokenFacts = ActiveTokenFacts | InactiveTokenFacts;

/** What a route demands of a token; whatever is left out is not demanded. */
export interface Requirement {
  /** All of these must be covered. */
  readonly scopes?: readonly string[];
  /** Must be the token's subject, exactly. */
  readonly subject?: string;
  /** All of these must be among the token's audience; a token that names none is refused. */
  readonly resources?: readonly string[];
  /** `required`: only a certificate-bound token will do. `if-bound`: an unbound one too, a bound one must match. */
  readonly binding: "required" | "if-bound";
}

/** The certificate of the connection: none, one that could not be read (with the reason), or its thumbprint. */
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

const granted: AccessTokenDecision = Object.freeze({ granted: true });

/**
 * Decides whether a token, presented over a connection with this certificate, opens a route.
 *
 * Pure: no clock, no I/O. `now` is in milliseconds since 1970; at `exp` the token is dead to the millisecond.
 * The same function serves the backend's introspection and the library (RFC 8705 §3, RFC 6750 §3.1).
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
  if (facts.exp !== undefined && now >= facts.exp * 1000) return refused("token_expired");
  if (facts.nbf !== undefined && now < facts.nbf * 1000) return refused("token_not_yet_valid");
  const unconfirmed = checkConfirmation(facts.confirmation, requirement.binding, certificate);
  if (unconfirmed !== undefined) return refused(unconfirmed);
  if (!covers(facts.audience, requirement.resources)) return refused("audience_mismatch");
  if (requirement.subject !== undefined && facts.sub !== requirement.subject) {
    return refused(facts.sub === undefined ? "subject_missing" : "subject_mismatch");
  }
  if (!covers(facts.scopes, requirement.scopes)) return refused("scope_insufficient");
  return granted;
}

/** The proof of possession (RFC 7800 §3, RFC 8705 §3): `undefined` when it holds. */
function checkConfirmation(
  confirmation: Confirmation,
  binding: Requirement["binding"],
  certificate: PresentedCertificate,
): RefusalCode | undefined {
  if (certificate !== undefined && "unreadable" in certificate) return "certificate_unreadable";
  switch (confirmation.kind) {
    case "malformed":
      return "confirmation_malformed";
    case "unsupported":
      return "confirmation_unsupported";
    case "none":
      return binding === "required" ? "token_unbound" : undefined;
    case "certificate":
      if (certificate === undefined) return "certificate_missing";
      return certificate.x5tS256 === confirmation.x5tS256 ? undefined : "certificate_mismatch";
  }
}

function covers(held: readonly string[], demanded: readonly string[] | undefined): boolean {
  return demanded === undefined || demanded.every((one) => held.includes(one));
}

function refused(code: RefusalCode): AccessTokenDecision {
  return { granted: false, code };
}
