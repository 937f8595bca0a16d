import { hash } from "node:crypto";

/** 32 octets in base64url: 43 characters, of which the last has only four significant bits. */
const s256Challenge = /^[A-Za-z0-9_-]{42}[AEIMQUYcgkosw048]$/;

/** RFC 7636 §4.1: 43 to 128 of the unreserved characters. */
const codeVerifier = /^[A-Za-z0-9._~-]{43,128}$/;

/**
 * Whether a text can be a `code_challenge` of the method S256 (RFC 7636 §4.2).
 *
 * @example isCodeChallenge("E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM") // true
 */
export function isCodeChallenge(text: string): boolean {
  return s256Challenge.test(text);
}

/** `malformed`: violates RFC 7636 §4.1. */
export type CodeVerifierCheck = "ok" | "malformed" | "different";

/**
 * Checks a `code_verifier` against the `code_challenge` that the authorization request carried (RFC 7636 §4.6, S256).
 *
 * The comparison need not take constant time: the challenge is known to the browser, and the verifier is hashed.
 *
 * @example checkCodeVerifier("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk", "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM") // "ok"
 */
export function checkCodeVerifier(verifier: string, challenge: string): CodeVerifierCheck {
  if (!codeVerifier.test(verifier)) return "malformed";
  return hash("sha256", verifier, "base64url") === challenge ? "ok" : "different";
}
