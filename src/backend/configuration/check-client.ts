import { X509Certificate } from "node:crypto";
import { checkCertificate } from "../../x509/read-certificate.ts";
import type {
  ClientAuthMethod,
  ClientSettings,
  ServiceSettings,
  AssertionAlgorithm,
} from "../engine/settings/settings.ts";
import { checkAnchors } from "./explain-certificate.ts";
import type { Problem } from "./configuration-error.ts";
import { explainSubject, subjectMembers } from "./explain-subject.ts";
import {
  defectForAssertions,
  defectForCertificates,
  type Jwk,
  notAKeySet,
  readKeySet,
  readPublicKey,
} from "./key-algorithms.ts";

/** RFC 7518 §6: members that only private and symmetric keys have. */
const secretMembers = ["d", "p", "q", "dp", "dq", "qi", "oth", "k"];

/**
 * The requirements of a client's `jwks`: a JWK Set of public keys; with SELF_SIGNED_TLS_CLIENT_AUTH one that contains
 * the accepted certificates (RFC 8705 §2.2.2, RFC 7517 §4.7).
 */
function* checkJwks(client: ClientSettings, at: string): Generator<Problem> {
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
  return "error" in certificate ? undefined : new X509Certificate(certificate.raw);
}

/** RFC 7518 §3.2: a secret has at least as many octets as the hash. */
const octetsNeeded: ReadonlyMap<AssertionAlgorithm, number> = new Map([
  ["HS256", 32],
  ["HS384", 48],
  ["HS512", 64],
]);

/** The requirements of a client that signs assertions: a long enough secret, or a key (RFC 7523 §2.2). */
function* checkAssertions(client: ClientSettings, at: string): Generator<Problem> {
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

/** The requirements of a client beyond its shape, for its service; `at` is its path in the file. */
export function* checkClient(client: ClientSettings, service: ServiceSettings, at: string): Generator<Problem> {
  yield* checkMethod(client, service, at);
  yield* checkSubject(client, at);
  yield* checkAnchors(client.trustedRootCertificates, at);
  if (lacksAnchors(client, service)) {
    yield {
      path: `${at}.tokenAuthMethod`,
      sentence:
        "is TLS_CLIENT_AUTH: that needs trustedRootCertificates, the client's own or the service's (the system's are never used)",
    };
  }
  yield* checkJwks(client, at);
  yield* checkAssertions(client, at);
  yield* checkRedirection(client, at);
  yield* checkScopes(client, service, at);
}

function* checkMethod(client: ClientSettings, service: ServiceSettings, at: string): Generator<Problem> {
  const method = client.tokenAuthMethod;
  const path = `${at}.tokenAuthMethod`;
  if (client.clientType === "CONFIDENTIAL" && method === "NONE") {
    yield { path, sentence: "is NONE: a CONFIDENTIAL client must prove who it is (RFC 6749 §3.2.1)" };
  }
  if (client.clientType === "PUBLIC" && method !== "NONE") {
    yield { path, sentence: `is ${method}: a PUBLIC client has only NONE (RFC 6749 §2.1)` };
  }
  if (!service.supportedTokenAuthMethods.includes(method)) {
    yield { path, sentence: `is ${method}: not one of the service's supportedTokenAuthMethods` };
  }
  if (usesSecret(method) && client.clientSecret === undefined) {
    yield { path: `${at}.clientSecret`, sentence: `is missing: ${method} needs it` };
  }
}

function usesSecret(method: ClientAuthMethod): boolean {
  return method === "CLIENT_SECRET_BASIC" || method === "CLIENT_SECRET_POST" || method === "CLIENT_SECRET_JWT";
}

/** RFC 8705 §2.1.2: exactly one, and one that can be compared. */
function* checkSubject(client: ClientSettings, at: string): Generator<Problem> {
  const given = subjectMembers.filter((member) => client[member] !== undefined);
  if (client.tokenAuthMethod === "TLS_CLIENT_AUTH" && given.length !== 1) {
    const sentence = given.length === 0 ? "none is given" : `given are ${given.join(" and ")}`;
    yield { path: at, sentence: `needs exactly one of ${subjectMembers.join(", ")} with TLS_CLIENT_AUTH: ${sentence}` };
  }
  for (const member of given) {
    const sentence = explainSubject(member, client[member] ?? "");
    if (sentence !== undefined) yield { path: `${at}.${member}`, sentence };
  }
}

function lacksAnchors(client: ClientSettings, service: ServiceSettings): boolean {
  if (client.tokenAuthMethod !== "TLS_CLIENT_AUTH" || !service.mutualTlsValidatePkiCertChain) return false;
  return (client.trustedRootCertificates ?? service.trustedRootCertificates).length === 0;
}

function* checkRedirection({ grantTypes, redirectUris }: ClientSettings, at: string): Generator<Problem> {
  if (!grantTypes.includes("AUTHORIZATION_CODE") || redirectUris.length > 0) return;
  yield { path: `${at}.redirectUris`, sentence: "is empty: AUTHORIZATION_CODE needs one (RFC 9700 §2.1)" };
}

function* checkScopes({ extension }: ClientSettings, service: ServiceSettings, at: string): Generator<Problem> {
  for (const [index, name] of (extension?.requestableScopes ?? []).entries()) {
    if (service.supportedScopes.some((scope) => scope.name === name)) continue;
    const sentence = "is not one of the service's supportedScopes";
    yield { path: `${at}.extension.requestableScopes[${index}]`, sentence };
  }
}
