import { checkCodeVerifier } from "../../../oauth/code-challenge.ts";
import type { ResultCode } from "../result.ts";

const checked = { ok: undefined, malformed: "A050316", different: "A050315" } as const;

/**
 * What is wrong with the `code_verifier` of an exchange (RFC 7636 §4.6).
 *
 * One that answers no challenge is wrong too: whoever took the challenge out of the authorization request has a code
 * that was not meant for this client's session (RFC 9700 §2.1.1).
 */
export function codeVerifierDefect(
  codeChallenge: string | undefined,
  codeVerifier: string | undefined,
): ResultCode | undefined {
  if (codeChallenge === undefined) return codeVerifier === undefined ? undefined : "A050317";
  return codeVerifier === undefined ? "A050312" : checked[checkCodeVerifier(codeVerifier, codeChallenge)];
}
