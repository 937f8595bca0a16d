import { createPrivateKey, type KeyObject } from "node:crypto";
import { optionError } from "../../options/option-error.ts";
import { asymmetricAlgorithms } from "./algorithms.ts";
import type { Ambient } from "./facts-source.ts";

/** Authentication by a signed assertion (RFC 7523 §2.2). */
export interface PrivateKeyJwt {
  readonly method: "private_key_jwt";
  readonly clientId: string;
  /** The private key as PEM text or as a JWK. */
  readonly key: string | Readonly<Record<string, unknown>>;
  /** `ES256`, `RS256`, `EdDSA`, …; an asymmetric one. */
  readonly alg: string;
  readonly kid?: string;
  /** What the assertion is meant for: the `issuer` (default where it is known) or the introspection `endpoint`. */
  readonly audience?: "issuer" | "endpoint";
}

/** What an assertion may be meant for. */
interface AssertionAudience {
  readonly issuer: string | undefined;
  readonly endpoint: string;
}

/** Makes the members of a form body that authenticate one attempt. */
export type AuthenticationParameters = (audience: AssertionAudience) => Promise<Readonly<Record<string, string>>>;

/** Seconds. Long enough for clocks that differ a little, short enough that one that leaked is worthless. */
const lifetime = 60;

/**
 * Checks the options of `private_key_jwt`; each call of what it returns signs another assertion, with a `jti` of its own.
 *
 * @example await readPrivateKeyJwt(options, ambient)({ issuer, endpoint }) // { client_id, client_assertion, … }
 */
export function readPrivateKeyJwt(options: PrivateKeyJwt, ambient: Ambient): AuthenticationParameters {
  const { clientId, alg, kid, audience } = options;
  if (!asymmetricAlgorithms.has(alg)) throw optionError("clientAuthentication.alg", "must be an asymmetric algorithm");
  if (kid !== undefined && typeof kid !== "string") throw optionError("clientAuthentication.kid", "must be text");
  if (audience !== undefined && !(["issuer", "endpoint"] as unknown[]).includes(audience)) {
    throw optionError("clientAuthentication.audience", 'must be "issuer" or "endpoint"');
  }
  const key = readKey(options.key);
  return async ({ issuer, endpoint }) => {
    const { signAssertion } = await import("../../jose/sign-jwt.ts");
    const now = Math.floor(ambient.clock() / 1000);
    const claims = {
      iss: clientId,
      sub: clientId,
      aud: audience === "endpoint" ? endpoint : (issuer ?? endpoint),
      jti: Buffer.from(ambient.randomBytes(16)).toString("base64url"),
      iat: now,
      exp: now + lifetime,
    };
    return {
      client_id: clientId,
      client_assertion_type: "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
      client_assertion: await signAssertion(claims, key, { alg, kid }),
    };
  };
}

/** Node's message would quote the key. */
function readKey(key: PrivateKeyJwt["key"]): KeyObject {
  try {
    return typeof key === "string" ? createPrivateKey(key) : createPrivateKey({ key: { ...key }, format: "jwk" });
  } catch {
    throw optionError("clientAuthentication.key", "must be a private key as PEM text or as a JWK");
  }
}
