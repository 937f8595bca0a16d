import type { KeyObject } from "node:crypto";
import { CompactSign, SignJWT } from "jose";

/** The protected header; `alg` must fit the key. */
export interface JwtHeader {
  readonly alg: string;
  readonly typ: string;
  readonly kid: string | undefined;
  /** Additional parameters; those in `ownHeaderParameters` are ignored. */
  readonly more?: Readonly<Record<string, unknown>>;
}

/** Parameters that affect signing, verification or parsing (RFC 7515 §4.1, RFC 7797 §3); callers must not set them. */
export const ownHeaderParameters: ReadonlySet<string> = new Set(
  "alg typ kid cty crit b64 jku jwk x5u x5c x5t x5t#S256 enc zip epk apu apv iv tag p2s p2c".split(" "),
);

/**
 * Signs a JWT in the JWS compact form (RFC 7519 §7.1). Members that are `undefined` are left out.
 *
 * Rejects with a `TypeError` if the key does not fit the algorithm.
 *
 * @example await signJwt({ iss, exp }, privateKey, { alg: "ES256", typ: "at+jwt", kid: "k1" })
 */
export function signJwt(
  payload: Readonly<Record<string, unknown>>,
  key: KeyObject,
  { alg, typ, kid, more = {} }: JwtHeader,
): Promise<string> {
  const harmless = Object.fromEntries(Object.entries(more).filter(([name]) => !ownHeaderParameters.has(name)));
  return new CompactSign(Buffer.from(JSON.stringify(payload)))
    .setProtectedHeader({ ...harmless, alg, typ, ...(kid !== undefined && { kid }) })
    .sign(key);
}

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
