import { hash } from "node:crypto";

/** 32 octets in base64url: 42 characters, and one of those that can end them. */
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

/** `malformed`: no client that follows RFC 7636 §4.1 sends such a one. */
export type CodeVerifierCheck = "ok" | "malformed" | "different";

/**
 * Checks a `code_verifier` against the `code_challenge` that the authorization request carried (RFC 7636 §4.6, S256).
 *
 * Neither is a secret by now that time could tell: the challenge went through the browser, and it is compared as a hash.
 *
 * @example checkCodeVerifier("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk", "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM") // "ok"
 */
export function checkCodeVerifier(verifier: string, challenge: string): CodeVerifierCheck {
  if (!codeVerifier.test(verifier)) return "malformed";
  return hash("sha256", verifier, "base64url") === challenge ? "ok" : "different";
}
