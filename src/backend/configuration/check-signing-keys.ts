import { chooseSigningKey, readSigningKeys, SigningKeyUnusable, type SigningKeys } from "../engine/jwt/signing-keys.ts";
import type { ServiceSettings } from "../engine/management/settings.ts";
import type { Problem } from "./configuration-error.ts";

const keyIds = ["accessTokenSignatureKeyId", "idTokenSignatureKeyId", "introspectionSignatureKeyId"] as const;

/**
 * What a service's `jwks` must be: a JWK Set (RFC 7517 §5) with a private key for whatever the service is to sign; a
 * public key beside them is one that signed before.
 */
export function* checkSigningKeys(settings: ServiceSettings, at: string): Generator<Problem> {
  const path = `${at}.jwks`;
  const signingKeys = readKeys(settings.jwks);
  if (signingKeys === undefined) {
    // The reader's reasons are for an operator too, but this text may be half of a secret: none is quoted.
    yield { path, sentence: "is not a JWK Set of keys that can be read (RFC 7517 §5), as JSON text" };
    return;
  }
  yield* checkEach(signingKeys, path);
  for (const member of keyIds) {
    const kid = settings[member];
    if (kid === undefined || signingKeys.keys.some((key) => key.kid === kid && key.algorithms.length > 0)) continue;
    yield { path: `${at}.${member}`, sentence: "names no key of jwks that signs" };
  }
  const { accessTokenSignAlg: alg, accessTokenSignatureKeyId: kid } = settings;
  if (alg !== undefined && chooseSigningKey(signingKeys, alg, kid) === undefined) {
    const sentence = `is ${alg}: jwks has no private key for it, or several and accessTokenSignatureKeyId names none of them`;
    yield { path: `${at}.accessTokenSignAlg`, sentence };
  }
}

function* checkEach({ keys }: SigningKeys, path: string): Generator<Problem> {
  const seen = new Set<string>();
  for (const [index, { kid, privateKey, algorithms }] of keys.entries()) {
    if (privateKey !== undefined && algorithms.length === 0) {
      yield {
        path,
        sentence: `keys[${index}] is for no signature: RSA of 2048 bits, P-256, P-384, P-521, Ed25519 are`,
      };
    }
    if (kid !== undefined && seen.has(kid)) yield { path, sentence: `keys[${index}] has the kid of another key` };
    if (kid !== undefined) seen.add(kid);
  }
}

function readKeys(jwks: string | undefined): SigningKeys | undefined {
  try {
    return readSigningKeys(jwks);
  } catch (error) {
    if (error instanceof SigningKeyUnusable) return undefined;
    throw error;
  }
}
