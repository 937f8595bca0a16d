import { X509Certificate } from "node:crypto";
import type { ClientSettings } from "../engine/settings/settings.ts";
import { checkCertificate } from "../../x509/read-certificate.ts";
import type { Problem } from "./configuration-error.ts";
import { defectForCertificates, notAKeySet, readKeySet, readPublicKey, type Jwk } from "./key-algorithms.ts";

/** RFC 7518 §6: members that only private and symmetric keys have. */
const secretMembers = ["d", "p", "q", "dp", "dq", "qi", "oth", "k"];

/**
 * What a client's `jwks` must be: a JWK Set of public keys, and with SELF_SIGNED_TLS_CLIENT_AUTH one that says which
 * certificates count (RFC 8705 §2.2.2, RFC 7517 §4.7).
 */
export function* checkJwks(client: ClientSettings, at: string): Generator<Problem> {
  const selfSigned = client.tokenAuthMethod === "SELF_SIGNED_TLS_CLIENT_AUTH";
  if (client.jwks === undefined) {
    if (selfSigned && client.jwksUri === undefined) {
      yield { path: `${at}.jwks`, sentence: "is missing: SELF_SIGNED_TLS_CLIENT_AUTH needs it, or jwksUri" };
    }
    return;
  }
  if (client.jwksUri !== undefined) yield { path: `${at}.jwksUri`, sentence: "cannot stand beside jwks" };
  const keys = readKeySet(client.jwks);
  if (keys === undefined) {
    yield { path: `${at}.jwks`, sentence: notAKeySet(client.jwks) };
    return;
  }
  for (const [index, key] of keys.entries()) {
    const sentence = problemOfKey(key);
    if (sentence !== undefined) yield { path: `${at}.jwks`, sentence: `keys[${index}] ${sentence}` };
  }
  if (selfSigned) yield* checkRegistration(keys, client.selfSignedCertificateKeyId, at);
}

function* checkRegistration(keys: readonly Jwk[], keyId: string | undefined, at: string): Generator<Problem> {
  if (keyId === undefined) {
    const sentence = defectForCertificates(keys);
    if (sentence !== undefined) yield { path: `${at}.jwks`, sentence };
    return;
  }
  const named = keys.filter((key) => key.kid === keyId);
  if (named.length === 1 && named.every(hasCertificate)) return;
  const sentence =
    named.length > 1 ? "names more than one key of jwks" : "names no key of jwks that carries a certificate (x5c)";
  yield { path: `${at}.selfSignedCertificateKeyId`, sentence };
}

function hasCertificate(key: Jwk): boolean {
  return key.x5c !== undefined;
}

function problemOfKey(key: Jwk): string | undefined {
  if (secretMembers.some((member) => Object.hasOwn(key, member))) return "is a private or symmetric key";
  if (key.x5c === undefined) return undefined;
  const certificate = readFirst(key.x5c);
  if (certificate === undefined) return "has an x5c whose first entry is not a certificate (base64 of DER)";
  const publicKey = readPublicKey(key);
  if (publicKey === undefined) return "is not a public key";
  return certificate.publicKey.equals(publicKey) ? undefined : "is not the key of the certificate in its x5c";
}

function readFirst([base64]: readonly string[]): X509Certificate | undefined {
  const der = Buffer.from(base64 ?? "", "base64");
  if (der.length === 0 || der.toString("base64") !== base64) return undefined;
  const certificate = checkCertificate(der);
  return "unreadable" in certificate ? undefined : new X509Certificate(certificate.raw);
}
