import { createPublicKey, X509Certificate } from "node:crypto";
import { localKeys, type IssuerKeys } from "../../../jose/verify-signature.ts";
import type { KeySet, RemoteJwks } from "../dependencies.ts";
import type { Client } from "../settings/service-and-client.ts";

/** What is worked out of a key set and its keys once: each is the same object for as long as the set is the latest. */
const verifiers = new WeakMap<KeySet, IssuerKeys>();
const registrations = new WeakMap<Key, Registration>();

/**
 * Puts a question to the client's keys: those that are registered, or those at its `jwksUri`.
 *
 * When the answer is no, keys at a `jwksUri` are had anew, as often as `remoteJwks` allows, and asked again: the client
 * may have changed them (RFC 8705 §2.2.2). Rejects with `RemoteJwksFailure` when there are none to ask.
 */
export async function askClientKeys(
  { settings, keySet }: Client,
  remoteJwks: RemoteJwks,
  question: (keys: KeySet) => boolean | Promise<boolean>,
): Promise<boolean> {
  if (settings.jwksUri === undefined) return keySet !== undefined && question(keySet);
  const known = await remoteJwks.latest(settings.jwksUri);
  if (await question(known)) return true;
  const renewed = await remoteJwks.renewed(settings.jwksUri, known);
  return renewed !== known && question(renewed);
}

/** The keys of a set, for checking signatures. */
export function verifiersOf(keySet: KeySet): IssuerKeys {
  const known = verifiers.get(keySet);
  if (known !== undefined) return known;
  const keys = localKeys(keySet);
  verifiers.set(keySet, keys);
  return keys;
}

/**
 * Whether a key set registers this certificate: as `x5c[0]` of a key, which is that of the certificate
 * (RFC 8705 §2.2.2, RFC 7517 §4.7). `keyId` picks the one key that counts.
 *
 * Octets are compared first: of a set of any size, the one key that has the certificate is decoded.
 */
export function registers(keySet: KeySet, keyId: string | undefined, certificate: Uint8Array): boolean {
  return keySet.keys.some((key) => (keyId === undefined || key["kid"] === keyId) && isKeyOf(key, certificate));
}

type Key = KeySet["keys"][number];

/** The certificate of a key, as DER, and once it has been asked for, whether the two belong together. */
interface Registration {
  readonly der: Uint8Array | undefined;
  fits?: boolean;
}

/** What a client serves is its own affair: a key with an unusable `x5c` registers nothing, and the others stand. */
function isKeyOf(key: Key, certificate: Uint8Array): boolean {
  const registration = registrations.get(key) ?? { der: readRegistration(key) };
  registrations.set(key, registration);
  if (registration.der === undefined || Buffer.compare(registration.der, certificate) !== 0) return false;
  return (registration.fits ??= haveOneKey(key, certificate));
}

function readRegistration(key: Key): Uint8Array | undefined {
  const x5c: readonly unknown[] = Array.isArray(key["x5c"]) ? key["x5c"] : [];
  return typeof x5c[0] === "string" ? Buffer.from(x5c[0], "base64") : undefined;
}

/** node:crypto's own words for a bad key may quote it. */
function haveOneKey(key: Key, certificate: Uint8Array): boolean {
  try {
    const publicKey = createPublicKey({ key, format: "jwk" });
    return new X509Certificate(certificate).publicKey.equals(publicKey);
  } catch {
    return false;
  }
}
