import { createPublicKey, type KeyObject } from "node:crypto";
import { z } from "zod";
import type { SigningAlgorithm } from "../engine/management/settings.ts";

const jwk = z.looseObject({
  kty: z.string(),
  kid: z.string().optional(),
  alg: z.string().optional(),
  use: z.string().optional(),
  key_ops: z.array(z.string()).optional(),
  x5c: z.array(z.string()).optional(),
});
const jwkSet = z.looseObject({ keys: z.array(jwk) });

/** A key of a JWK Set (RFC 7517 §4), with the members that are looked at. */
export type Jwk = z.infer<typeof jwk>;

/** The keys of a JWK Set; `undefined` for a text that is none. */
export function readKeySet(text: string): readonly Jwk[] | undefined {
  try {
    return jwkSet.safeParse(JSON.parse(text)).data?.keys;
  } catch {
    return undefined;
  }
}

/** The public half of a key; `undefined` for what is no key: node:crypto's own words for it may quote it. */
export function readPublicKey(key: Jwk): KeyObject | undefined {
  try {
    return createPublicKey({ key: key, format: "jwk" });
  } catch {
    return undefined;
  }
}

/**
 * What a key can sign or check: by its type and size, and by what it says of itself (RFC 7517 §4.2 to §4.4).
 *
 * @example algorithmsOfKey({ kty: "EC", crv: "P-256", x, y, use: "sig" }) // ["ES256"]
 */
export function algorithmsOfKey(key: Jwk): readonly SigningAlgorithm[] {
  if (key.use !== undefined && key.use !== "sig") return [];
  if (key.key_ops !== undefined && !key.key_ops.some((operation) => operation === "sign" || operation === "verify")) {
    return [];
  }
  const publicKey = key.kty === "oct" ? undefined : readPublicKey(key);
  const possible = publicKey === undefined ? [] : algorithmsOfType(publicKey);
  return possible.filter((algorithm) => key.alg === undefined || key.alg === algorithm);
}

/** RFC 7518 §3.3: a shorter modulus must not be used. */
const shortestModulus = 2048;

function algorithmsOfType({ asymmetricKeyType, asymmetricKeyDetails }: KeyObject): readonly SigningAlgorithm[] {
  const { modulusLength = 0, namedCurve = "" } = asymmetricKeyDetails ?? {};
  if (asymmetricKeyType === "rsa") return modulusLength < shortestModulus ? [] : rsaAlgorithms;
  if (asymmetricKeyType === "ed25519") return ["EdDSA"];
  return asymmetricKeyType === "ec" ? (algorithmsOfCurve.get(namedCurve) ?? []) : [];
}

const rsaAlgorithms = ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512"] as const;

const algorithmsOfCurve: ReadonlyMap<string, readonly SigningAlgorithm[]> = new Map([
  ["prime256v1", ["ES256"]],
  ["secp384r1", ["ES384"]],
  ["secp521r1", ["ES512"]],
]);
