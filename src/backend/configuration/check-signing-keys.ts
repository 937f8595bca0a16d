import { createPrivateKey } from "node:crypto";
import type { ClientSettings, ServiceSettings, SigningAlgorithm } from "../engine/management/settings.ts";
import type { Problem } from "./configuration-error.ts";
import { algorithmsOfKey, readKeySet, type Jwk } from "./key-algorithms.ts";

const keyIdMembers = [
  "accessTokenSignatureKeyId",
  "idTokenSignatureKeyId",
  "introspectionSignatureKeyId",
] as const satisfies readonly (keyof ServiceSettings)[];

/**
 * What a service's `jwks` must be: a JWK Set of asymmetric keys, among them those that its own settings and its clients'
 * need (RFC 9068 §2.1, OpenID Connect Core §3.1.3.7). A key without its private half is one of former times.
 */
export function* checkSigningKeys(
  service: ServiceSettings,
  clients: readonly ClientSettings[],
  at: string,
): Generator<Problem> {
  const keys = service.jwks === undefined ? [] : readKeySet(service.jwks);
  if (keys === undefined) {
    yield { path: `${at}.jwks`, sentence: "is not a JWK Set (RFC 7517 §5) as JSON text" };
    return;
  }
  yield* checkKeys(keys, service, at);
  const signing = keys.filter(isPrivate);
  for (const member of keyIdMembers) {
    const keyId = service[member];
    if (keyId === undefined || signing.some(({ kid }) => kid === keyId)) continue;
    yield { path: `${at}.${member}`, sentence: "names no private key of jwks" };
  }
  yield* checkAccessTokens(signing, service, at);
  yield* checkIdTokens(signing, service, clients, at);
}

function* checkKeys(keys: readonly Jwk[], { jwks }: ServiceSettings, at: string): Generator<Problem> {
  const path = `${at}.jwks`;
  if (jwks !== undefined && !keys.some(isPrivate)) yield { path, sentence: "has no private key" };
  const first = new Map<string, number>();
  for (const [index, key] of keys.entries()) {
    const sentence = problemOf(key);
    if (sentence !== undefined) yield { path, sentence: `keys[${index}] ${sentence}` };
    if (key.kid === undefined) continue;
    const before = first.get(key.kid);
    if (before === undefined) first.set(key.kid, index);
    else yield { path, sentence: `keys[${index}] has the kid of keys[${before}]` };
  }
}

function problemOf(key: Jwk): string | undefined {
  if (key.kty === "oct") return "is symmetric: nothing is signed with a secret";
  if (isPrivate(key) && !isReadable(key)) return "is not a private key that can be read";
  if (algorithmsOfKey(key).length > 0) return undefined;
  return "is not a key for signatures by RS, PS, ES or EdDSA (RSA from 2048 bits; kty, crv, alg, use and key_ops must agree)";
}

/** RFC 7518 §6: `d` is in every private key. */
function isPrivate(key: Jwk): boolean {
  return Object.hasOwn(key, "d");
}

/** node:crypto's own words for a bad key may quote it. */
function isReadable(key: Jwk): boolean {
  try {
    createPrivateKey({ key: key, format: "jwk" });
    return true;
  } catch {
    return false;
  }
}

function* checkAccessTokens(signing: readonly Jwk[], service: ServiceSettings, at: string): Generator<Problem> {
  const { accessTokenSignAlg, accessTokenSignatureKeyId } = service;
  if (accessTokenSignAlg === undefined) return;
  const missing = missingKey(signing, accessTokenSignAlg, accessTokenSignatureKeyId, "accessTokenSignatureKeyId");
  if (missing !== undefined) yield { path: `${at}.accessTokenSignAlg`, sentence: missing };
  if (service.defaultResources.length > 0) return;
  yield {
    path: `${at}.defaultResources`,
    sentence: "is empty: a JWT access token whose request names no resource needs an audience too (RFC 9068 §3)",
  };
}

function* checkIdTokens(
  signing: readonly Jwk[],
  service: ServiceSettings,
  clients: readonly ClientSettings[],
  at: string,
): Generator<Problem> {
  if (!service.supportedScopes.some(({ name }) => name === "openid")) return;
  for (const [index, client] of clients.entries()) {
    if (!canHaveIdTokens(client)) continue;
    const { idTokenSignAlg } = client;
    const missing = missingKey(signing, idTokenSignAlg, service.idTokenSignatureKeyId, "idTokenSignatureKeyId");
    if (missing !== undefined) yield { path: `${at}.clients[${index}].idTokenSignAlg`, sentence: missing };
  }
}

function canHaveIdTokens({ grantTypes, extension }: ClientSettings): boolean {
  const hasUser = grantTypes.includes("AUTHORIZATION_CODE") || grantTypes.includes("PASSWORD");
  return hasUser && (extension?.requestableScopes?.includes("openid") ?? true);
}

/** Of the keys that fit an algorithm the one that is named counts, else the only one. */
function missingKey(
  signing: readonly Jwk[],
  algorithm: SigningAlgorithm,
  keyId: string | undefined,
  member: (typeof keyIdMembers)[number],
): string | undefined {
  const fitting = signing.filter((key) => algorithmsOfKey(key).includes(algorithm));
  if (fitting.length === 1 || fitting.some(({ kid }) => kid !== undefined && kid === keyId)) return undefined;
  return fitting.length === 0
    ? `is ${algorithm}: the service's jwks has no private key for it`
    : `is ${algorithm}: several keys of the service's jwks fit it, and ${member} names none of them`;
}
