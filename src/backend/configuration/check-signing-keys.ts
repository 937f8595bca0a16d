import {
  chooseSigningKey,
  readSigningKeys,
  SigningKeyUnusable,
  type SigningKeys,
} from "../engine/settings/signing-keys.ts";
import type { SigningAlgorithm } from "../../oauth/registered-names.ts";
import type { ClientSettings, ServiceSettings } from "../engine/settings/settings.ts";
import type { Problem } from "./configuration-error.ts";
import { notAKeySet, readKeySet } from "./key-algorithms.ts";

const keyIds = ["accessTokenSignatureKeyId", "idTokenSignatureKeyId", "introspectionSignatureKeyId"] as const;
type KeyId = (typeof keyIds)[number];

/**
 * The requirements of a service's `jwks`: a JWK Set (RFC 7517 §5) with a private key for everything that the service
 * signs, for itself and its clients. Public keys in it belong to former signing keys.
 */
export function* checkSigningKeys(
  settings: ServiceSettings,
  clients: readonly ClientSettings[],
  at: string,
): Generator<Problem> {
  const path = `${at}.jwks`;
  const signingKeys = readKeys(settings.jwks);
  if (signingKeys === undefined) {
    yield { path, sentence: explainKeys(settings.jwks ?? "") };
    return;
  }
  if (settings.jwks !== undefined) yield* checkEach(settings.jwks, signingKeys, path);
  for (const member of keyIds) {
    const kid = settings[member];
    if (kid === undefined || signingKeys.keys.some((key) => key.kid === kid && key.privateKey !== undefined)) continue;
    yield { path: `${at}.${member}`, sentence: "names no private key of jwks" };
  }
  yield* checkAccessTokens(signingKeys, settings, at);
  yield* checkIdTokens(signingKeys, settings, clients, at);
}

function* checkEach(jwks: string, { keys }: SigningKeys, path: string): Generator<Problem> {
  // Symmetric keys are passed over by the reader; a key is named by its place in the text.
  const places: number[] = [];
  for (const [place, { kty }] of (readKeySet(jwks) ?? []).entries()) {
    if (kty !== "oct") places.push(place);
    else yield { path, sentence: `keys[${place}] is a symmetric key: nothing is signed with a secret` };
  }
  if (!keys.some(({ privateKey }) => privateKey !== undefined)) yield { path, sentence: "has no private key" };
  const seen = new Map<string, number>();
  for (const [index, { kid, privateKey, algorithms }] of keys.entries()) {
    const place = places[index] ?? index;
    if (privateKey !== undefined && algorithms.length === 0) {
      const sentence = `keys[${place}] is a private key for no signature: RSA of 2048 bits, P-256, P-384, P-521, Ed25519 are for one, when alg, use and key_ops agree`;
      yield { path, sentence };
    }
    const before = kid === undefined ? undefined : seen.get(kid);
    if (before !== undefined) yield { path, sentence: `keys[${before}] and keys[${place}] have one kid` };
    if (kid !== undefined) seen.set(kid, place);
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

/** Which of the keys it is, and nothing of it: this text may be half of a secret. */
function explainKeys(jwks: string): string {
  const keys = readKeySet(jwks) ?? [];
  const wrong = keys.findIndex((key) => readKeys(JSON.stringify({ keys: [key] })) === undefined);
  if (wrong === -1) return notAKeySet(jwks, " of keys that can be read");
  return `has a key that cannot be read: keys[${wrong}] is incomplete, of an unknown type, or its halves do not belong together`;
}

function* checkAccessTokens(keys: SigningKeys, settings: ServiceSettings, at: string): Generator<Problem> {
  const { accessTokenSignAlg: alg, accessTokenSignatureKeyId: kid } = settings;
  if (alg === undefined) return;
  if (chooseSigningKey(keys, alg, kid) === undefined) {
    yield { path: `${at}.accessTokenSignAlg`, sentence: missing(alg, "accessTokenSignatureKeyId") };
  }
  if (settings.defaultResources.length > 0) return;
  yield {
    path: `${at}.defaultResources`,
    sentence: "is empty: a JWT access token whose request names no resource needs an audience too (RFC 9068 §3)",
  };
}

function* checkIdTokens(
  keys: SigningKeys,
  settings: ServiceSettings,
  clients: readonly ClientSettings[],
  at: string,
): Generator<Problem> {
  if (!settings.supportedScopes.some(({ name }) => name === "openid")) return;
  for (const [index, client] of clients.entries()) {
    const { idTokenSignAlg: alg } = client;
    if (!canHaveIdTokens(client) || chooseSigningKey(keys, alg, settings.idTokenSignatureKeyId) !== undefined) continue;
    yield { path: `${at}.clients[${index}].idTokenSignAlg`, sentence: missing(alg, "idTokenSignatureKeyId") };
  }
}

function canHaveIdTokens({ grantTypes, extension }: ClientSettings): boolean {
  const hasUser = grantTypes.includes("AUTHORIZATION_CODE") || grantTypes.includes("PASSWORD");
  return hasUser && (extension?.requestableScopes?.includes("openid") ?? true);
}

function missing(alg: SigningAlgorithm, member: KeyId): string {
  return `is ${alg}: the service's jwks has no private key for it, or several and ${member} names none of them`;
}
