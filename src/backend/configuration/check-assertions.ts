import type { AssertionAlgorithm, ClientSettings } from "../engine/management/settings.ts";
import type { Problem } from "./configuration-error.ts";
import { defectForAssertions, readKeySet } from "./key-algorithms.ts";

/** RFC 7518 §3.2: a secret has at least as many octets as the hash. */
const octetsNeeded: ReadonlyMap<AssertionAlgorithm, number> = new Map([
  ["HS256", 32],
  ["HS384", 48],
  ["HS512", 64],
]);

/** What a client needs that signs assertions: a secret that is long enough, or a key (RFC 7523 §2.2). */
export function* checkAssertions(client: ClientSettings, at: string): Generator<Problem> {
  const { tokenAuthMethod: method, tokenAuthSignAlg: algorithm } = client;
  const octets = algorithm === undefined ? undefined : octetsNeeded.get(algorithm);
  if (algorithm !== undefined) {
    const fits = method === (octets === undefined ? "PRIVATE_KEY_JWT" : "CLIENT_SECRET_JWT");
    if (!fits) yield { path: `${at}.tokenAuthSignAlg`, sentence: `is ${algorithm}: not for ${method}` };
  }
  if (method === "CLIENT_SECRET_JWT" && client.clientSecret !== undefined) {
    const needed = octets ?? 32;
    if (Buffer.byteLength(client.clientSecret) < needed) {
      const sentence = `is too short: ${algorithm ?? "HS256"} needs ${needed} octets (RFC 7518 §3.2)`;
      yield { path: `${at}.clientSecret`, sentence };
    }
  }
  if (method === "PRIVATE_KEY_JWT") yield* checkKey(client, at);
}

function* checkKey({ jwks, jwksUri, tokenAuthSignAlg }: ClientSettings, at: string): Generator<Problem> {
  if (jwks === undefined) {
    if (jwksUri === undefined) {
      yield { path: `${at}.jwks`, sentence: "is missing: PRIVATE_KEY_JWT needs it, or jwksUri" };
    }
    return;
  }
  const keys = readKeySet(jwks);
  const sentence = keys && defectForAssertions(keys, tokenAuthSignAlg);
  if (sentence !== undefined) yield { path: `${at}.jwks`, sentence };
}
