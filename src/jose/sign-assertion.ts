import type { KeyObject } from "node:crypto";
import { SignJWT } from "jose";

/**
 * Signs the claims of a client's assertion (RFC 7523 §2.2).
 *
 * @example await signAssertion({ iss: clientId, sub: clientId, aud, jti, iat, exp }, key, { alg: "ES256", kid: undefined })
 */
export function signAssertion(
  claims: Readonly<Record<string, string | number>>,
  key: KeyObject,
  { alg, kid }: { readonly alg: string; readonly kid: string | undefined },
): Promise<string> {
  return new SignJWT({ ...claims }).setProtectedHeader({ alg, ...(kid !== undefined && { kid }) }).sign(key);
}
