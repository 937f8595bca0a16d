import { createPublicKey, X509Certificate } from "node:crypto";
import { localKeys, type IssuerKeys } from "../../../jose/verify-signature.ts";
import type { KeySet, RemoteJwks } from "../dependencies.ts";
import type { Client } from "../settings/service-and-client.ts";

/** Results computed once for a key set and its keys; each stays the same object while the set is the latest. */
const verifiers = new WeakMap<KeySet, IssuerKeys>();
const registrations = new WeakMap<Key, Registration>();

/**
 * Tests the client's keys: the registered ones, or those at its `jwksUri`.
 *
 * If no key passes, the keys at the `jwksUri` are fetched again, as often as `remoteJwks` allows, and tested again: the
 * client may have changed them (RFC 8705 §2.2.2). Rejects with `RemoteJwksFailure` when no keys are available.
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
 * Whether a key set registers this certificate: as `x5c[0]` of a key that belongs to the certificate (RFC 8705 §2.2.2,
 * RFC 7517 §4.7). `keyId` selects the one key that counts.
 *
 * Octets are compared first, so that in a set of any size only the matching certificate is decoded.
 */
export function registers(keySet: KeySet, keyId: string | undefined, certificate: Uint8Array): boolean {
  return keySet.keys.some((key) => (keyId === undefined || key["kid"] === keyId) && isKeyOf(key, certificate));
}

type Key = KeySet["keys"][number];

/** The certificate of a key, as DER, and whether the two belong together, once that was needed. */
interface Registration {
  readonly der: Uint8Array | undefined;
  fits?: boolean;
}

/** A key with an unusable `x5c` registers nothing; the client's other keys remain valid. */
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
