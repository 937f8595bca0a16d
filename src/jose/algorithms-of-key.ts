import type { KeyObject } from "node:crypto";
import {
  ecdsaAlgorithms,
  ed25519Algorithms,
  isSameAlgorithm,
  rsaAlgorithms,
  type SigningAlgorithm,
} from "../oauth/registered-names.ts";

/** The members of a JWK that restrict its use (RFC 7517 §4.2 to §4.4); unvalidated. */
export interface KeyUse {
  readonly alg?: unknown;
  readonly use?: unknown;
  readonly key_ops?: unknown;
}

/** Bits. RFC 7518 §3.3: a shorter modulus must not be used. */
const shortestModulus = 2048;

/**
 * The algorithms that a key can sign or verify with: those of its type and size that `alg`, `use` and `key_ops` allow
 * (RFC 7517 §4). `key` is either half of the pair.
 *
 * @example algorithmsOfKey({ use: "sig" }, publicKey, "verify") // ["ES256"]
 */
export function algorithmsOfKey(
  { alg, use, key_ops: operations }: KeyUse,
  key: KeyObject,
  operation: "sign" | "verify",
): readonly SigningAlgorithm[] {
  if (use !== undefined && use !== "sig") return [];
  if (Array.isArray(operations) && !operations.includes(operation)) return [];
  const possible = algorithmsOfType(key);
  if (alg === undefined) return possible;
  if (typeof alg !== "string") return [];
  // For signing the name must be equal, because verifiers may compare the `alg` of key and signature.
  return possible.filter((one) => (operation === "sign" ? one === alg : isSameAlgorithm(one, alg)));
}

function algorithmsOfType({ asymmetricKeyType, asymmetricKeyDetails = {} }: KeyObject): readonly SigningAlgorithm[] {
  const { modulusLength = 0, namedCurve } = asymmetricKeyDetails;
  if (asymmetricKeyType === "rsa") return modulusLength < shortestModulus ? [] : rsaAlgorithms;
  if (asymmetricKeyType === "ed25519") return ed25519Algorithms;
  return asymmetricKeyType === "ec" ? (algorithmsOfCurve.get(namedCurve) ?? []) : [];
}

/** By OpenSSL's names of the curves, which Node reports. */
const algorithmsOfCurve: ReadonlyMap<string | undefined, readonly SigningAlgorithm[]> = new Map([
  ["prime256v1", [ecdsaAlgorithms["P-256"]]],
  ["secp384r1", [ecdsaAlgorithms["P-384"]]],
  ["secp521r1", [ecdsaAlgorithms["P-521"]]],
]);
