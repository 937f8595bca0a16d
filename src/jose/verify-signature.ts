import { createSecretKey } from "node:crypto";
import { compactVerify, createLocalJWKSet, createRemoteJWKSet, customFetch, errors, type JSONWebKeySet } from "jose";
import { isSameAlgorithm } from "../oauth/registered-names.ts";

/** The public keys of an issuer. */
export type IssuerKeys = ReturnType<typeof createLocalJWKSet>;

/** Why a signature is rejected, for the operator; `undefined`: it is valid. */
export type SignatureDefect = string | undefined;

/** The keys are unavailable or unusable, which says nothing about the token. */
export class KeysUnusable extends Error {
  override readonly name = "KeysUnusable";
}

/** Maximum number of keys without `kid` that are tried for one token. */
const mostCandidates = 5;

/** Keys of a JWK set. Throws {@link KeysUnusable} if it is malformed. */
export function localKeys(jwks: unknown): IssuerKeys {
  try {
    return createLocalJWKSet(usableKeys(jwks) as JSONWebKeySet);
  } catch (error) {
    throw new KeysUnusable("the key set is not usable", { cause: error });
  }
}

/** A shared secret as key for HS256, HS384 and HS512 (RFC 7518 §3.2): its UTF-8 octets. */
export function sharedSecret(secret: string): IssuerKeys {
  const key = createSecretKey(secret, "utf8");
  return (() => Promise.resolve(key)) as unknown as IssuerKeys;
}

export interface RemoteKeysOptions {
  /** Fetches the JSON of the key set; rejections are passed on. */
  readonly fetchJson: () => Promise<string>;
  /** Milliseconds: for one fetch, between fetches for unknown keys, until keys are fetched again. */
  readonly timeout: number;
  readonly cooldown: number;
  readonly maxAge: number;
}

/** Keys that are fetched on first use, when they are too old, and when a token names an unknown key. */
export function remoteKeys(url: URL, { fetchJson, timeout, cooldown, maxAge }: RemoteKeysOptions): IssuerKeys {
  return createRemoteJWKSet(url, {
    timeoutDuration: timeout,
    cooldownDuration: cooldown,
    cacheMaxAge: maxAge,
    [customFetch]: async () => Response.json(usableKeys(JSON.parse(await fetchJson()))),
  }) as IssuerKeys;
}

/**
 * The keys of a set that may verify signatures. Leaves out:
 * - keys that anyone could sign with: published secrets, and RSA with the exponent 1;
 * - keys that make verification slow: RSA of more than 8192 bits, or with a public exponent above 2³².
 *
 * Returns malformed sets unchanged, because jose rejects them.
 */
function usableKeys(jwks: unknown): unknown {
  const { keys } = (typeof jwks === "object" && jwks !== null ? jwks : {}) as { keys?: unknown };
  if (!Array.isArray(keys)) return jwks;
  return { keys: keys.filter((key: unknown) => !isWorthless(key)).map(forVerification) };
}

/**
 * Adapts a key so that jose can verify with it:
 * - drops the `alg` of Ed25519, because jose compares names, and Ed25519 has two; the curve suffices;
 * - drops other operations from `key_ops`, because WebCrypto rejects a public key that may also sign.
 */
function forVerification(key: unknown): unknown {
  if (typeof key !== "object" || key === null || Array.isArray(key)) return key;
  const { kty, alg, crv, key_ops: operations } = key as Readonly<Record<string, unknown>>;
  const hasTwoNames = kty === "OKP" && crv === "Ed25519" && typeof alg === "string" && isSameAlgorithm(alg, "Ed25519");
  const verifies = Array.isArray(operations) && operations.includes("verify");
  return { ...key, ...(hasTwoNames && { alg: undefined }), ...(verifies && { key_ops: ["verify"] }) };
}

function isWorthless(key: unknown): boolean {
  if (typeof key !== "object" || key === null) return false;
  const { kty, n, e } = key as { kty?: unknown; n?: unknown; e?: unknown };
  if (kty !== "RSA") return kty === "oct";
  return (typeof e === "string" && !isExponent(e)) || String(n).length > longestModulus;
}

/** In characters of base64url: 1024 octets, and five. */
const [longestModulus, longestExponent] = [1366, 7];

function isExponent(e: string): boolean {
  if (e.length > longestExponent) return false;
  const octets = Buffer.from(e, "base64url");
  const exponent = octets.length === 0 ? 0 : octets.readUIntBE(0, octets.length);
  return exponent > 1 && exponent <= 2 ** 32;
}

/**
 * Verifies the signature of a JWS in compact form with one of these keys, by one of these algorithms (RFC 7515 §5.2).
 *
 * Ignores keys in the header (`jwk`, `jku`, `x5c`, `x5u`). Rejects with {@link KeysUnusable}, or with the error of fetching
 * the keys, if the signature cannot be checked.
 *
 * @example (await signatureDefect(jws, keys, ["ES256"])) ?? "verified"
 */
export async function signatureDefect(
  jws: string,
  keys: IssuerKeys,
  algorithms: readonly string[],
): Promise<SignatureDefect> {
  const options = { algorithms: [...algorithms] };
  try {
    await compactVerify(jws, keys, options);
    return undefined;
  } catch (error) {
    if (error instanceof errors.JWKSMultipleMatchingKeys) return oneOf(error, jws, options);
    return defectOf(error);
  }
}

async function oneOf(
  candidates: errors.JWKSMultipleMatchingKeys,
  jws: string,
  options: { algorithms: string[] },
): Promise<SignatureDefect> {
  let tried = 0;
  let last: unknown;
  for await (const key of candidates) {
    if (++tried > mostCandidates) return "too many keys fit it: they have no kid";
    try {
      await compactVerify(jws, key, options);
      return undefined;
    } catch (error) {
      // An unusable key must not prevent trying the others.
      if (!(error instanceof errors.JWSSignatureVerificationFailed)) last = error;
    }
  }
  return last === undefined ? "its signature is not the issuer's" : defectOf(last);
}

/** Messages for jose's codes about the token. jose's own messages may quote the header. */
const defects: Readonly<Record<string, string>> = {
  ERR_JWS_SIGNATURE_VERIFICATION_FAILED: "its signature is not the issuer's",
  ERR_JWKS_NO_MATCHING_KEY: "the issuer has no key for it",
  ERR_JOSE_ALG_NOT_ALLOWED: "its algorithm is not accepted",
  ERR_JOSE_NOT_SUPPORTED: "its algorithm is not supported",
  ERR_JWS_INVALID: "it is no JWS",
};

function defectOf(error: unknown): SignatureDefect {
  if (error instanceof errors.JOSEError) {
    const defect = defects[error.code];
    if (defect !== undefined) return defect;
    throw new KeysUnusable("the key set is not usable", { cause: error });
  }
  // From importing a key, for example a point that is not on the curve, or a short modulus.
  const isKey =
    error instanceof TypeError || (error instanceof Error && /^(Data|NotSupported|Syntax)Error$/.test(error.name));
  if (isKey) throw new KeysUnusable("the issuer's key for it is not usable", { cause: error });
  throw error;
}
