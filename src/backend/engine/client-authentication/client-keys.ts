import { createPublicKey, X509Certificate } from "node:crypto";
import { localKeys, type IssuerKeys } from "../../../jose/verify-signature.ts";
import { MalformedCertificate } from "../../../x509/malformed-certificate.ts";
import { readCertificate } from "../../../x509/read-certificate.ts";
import type { KeySet, RemoteJwks } from "../dependencies.ts";
import type { Client } from "../management/settings-memo.ts";

/** A certificate that a key set registers, as DER. */
interface Registration {
  readonly kid: unknown;
  readonly der: Uint8Array;
}

/** What is worked out of a key set once: the set is the same object for as long as it is the latest. */
const verifiers = new WeakMap<KeySet, IssuerKeys>();
const registrations = new WeakMap<KeySet, readonly Registration[]>();

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
 */
export function registers(keySet: KeySet, keyId: string | undefined, certificate: Uint8Array): boolean {
  return registrationsOf(keySet).some(
    ({ kid, der }) => (keyId === undefined || kid === keyId) && Buffer.compare(der, certificate) === 0,
  );
}

function registrationsOf(keySet: KeySet): readonly Registration[] {
  const known = registrations.get(keySet);
  if (known !== undefined) return known;
  const found = keySet.keys.flatMap((key) => readRegistration(key) ?? []);
  registrations.set(keySet, found);
  return found;
}

/** What a client serves is its own affair: a key with an unusable `x5c` registers nothing, and the others stand. */
function readRegistration(key: KeySet["keys"][number]): Registration | undefined {
  const x5c: readonly unknown[] = Array.isArray(key["x5c"]) ? key["x5c"] : [];
  if (typeof x5c[0] !== "string") return undefined;
  try {
    const { raw } = readCertificate(Buffer.from(x5c[0], "base64"));
    return isKeyOf(key, raw) ? { kid: key["kid"], der: raw } : undefined;
  } catch (error) {
    if (error instanceof MalformedCertificate) return undefined;
    throw error;
  }
}

/** node:crypto's own words for a bad key may quote it. */
function isKeyOf(key: KeySet["keys"][number], certificate: Uint8Array): boolean {
  try {
    const publicKey = createPublicKey({ key, format: "jwk" });
    return new X509Certificate(certificate).publicKey.equals(publicKey);
  } catch {
    return false;
  }
}
