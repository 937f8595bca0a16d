import { hash } from "node:crypto";
import { signJwt } from "../../../jose/sign-jwt.ts";
import { signatureDefect } from "../../../jose/verify-signature.ts";
import { readCompactJwt } from "../../../oauth/compact-jwt.ts";
import { isSameAlgorithm, type SigningAlgorithm, signingAlgorithms } from "../../../oauth/registered-names.ts";
import { clientIdOf, type NamedClient } from "../settings/find-client.ts";
import type { GrantDetails } from "../grant/grant-details.ts";
import type { Service } from "../settings/service-and-client.ts";
import { claimsOfCaller, ownClaimsOfIdToken } from "./own-claims.ts";
import { chooseSigningKey } from "../settings/signing-keys.ts";

/** Whom an ID token of ours is about, and for whom it was made. */
export interface IdTokenHint {
  readonly subject: string;
  readonly audience: readonly string[];
}

/**
 * Reads an `id_token_hint` (OpenID Connect Core §3.1.2.1): signed with a key of the service, by the service.
 *
 * `undefined` for everything else. It may have expired: it is a hint, and proves nothing of the user.
 */
export async function readIdTokenHint(service: Service, text: string): Promise<IdTokenHint | undefined> {
  const jwt = readCompactJwt(text);
  if (jwt === undefined) return undefined;
  const { typ } = jwt.header;
  // An access token as a JWT (RFC 9068) has the same issuer and the same keys.
  if (typ !== undefined && (typeof typ !== "string" || typ.toUpperCase() !== "JWT")) return undefined;
  const { iss, sub, aud } = jwt.payload;
  if (iss !== service.settings.issuer || typeof sub !== "string" || sub === "") return undefined;
  const audience: unknown[] = Array.isArray(aud) ? aud : [aud];
  if (!audience.every((value) => typeof value === "string")) return undefined;
  if ((await signatureDefect(text, service.signingKeys.verificationKeys, signingAlgorithms)) !== undefined)
    return undefined;
  return { subject: sub, audience };
}

/** The contents of an ID token; `issuedAt` in milliseconds. */
export interface IdTokenFacts extends NamedClient {
  readonly subject: string;
  /** As the client gets it: `at_hash` is over this text. */
  readonly accessToken: string;
  readonly issuedAt: number;
  readonly details: GrantDetails;
  /** The first of its grant carries the request's nonce. */
  readonly first: boolean;
}

/**
 * Signs an ID token (OpenID Connect Core §2) by the client's algorithm; `undefined` when the service has no key for it.
 *
 * Its `typ` is JWT, so that it is not taken for an access token (RFC 9068 §5).
 */
export async function signIdToken(service: Service, facts: IdTokenFacts): Promise<string | undefined> {
  const { idTokenSignAlg } = facts.client.settings;
  const key = chooseSigningKey(service.signingKeys, idTokenSignAlg, service.settings.idTokenSignatureKeyId);
  if (key === undefined) return undefined;
  const { alg, kid, privateKey } = key;
  const more = facts.details.idToken?.headerParams;
  return signJwt(payloadOf(service, facts, alg), privateKey, {
    alg,
    typ: "JWT",
    kid,
    ...(more !== undefined && { more }),
  });
}

function payloadOf(service: Service, facts: IdTokenFacts, alg: SigningAlgorithm): Readonly<Record<string, unknown>> {
  const { details, subject, first } = facts;
  const { idToken = {}, authTime, acr } = details;
  const { settings } = facts.client;
  const iat = Math.floor(facts.issuedAt / 1000);
  const audience = clientIdOf(facts);
  return {
    ...claimsOfCaller(idToken.claims, ownClaimsOfIdToken),
    iss: service.settings.issuer,
    sub: idToken.sub ?? subject,
    aud: idToken.audType === "array" ? [audience] : audience,
    exp: iat + (settings.extension?.idTokenDuration ?? service.settings.idTokenDuration),
    iat,
    ...(authTime !== undefined && { auth_time: authTime }),
    ...(first && idToken.nonce !== undefined && { nonce: idToken.nonce }),
    ...(acr !== undefined && { acr }),
    at_hash: leftHalf(alg, facts.accessToken),
  };
}

/** The left half of a hash by the hash of the signature (OpenID Connect Core §3.1.3.6); for Ed25519 that is SHA-512. */
function leftHalf(alg: SigningAlgorithm, text: string): string {
  const bits = isSameAlgorithm(alg, "Ed25519") ? "512" : alg.slice(2);
  const digest = hash(`sha${bits}`, text, "buffer");
  return digest.subarray(0, digest.length / 2).toString("base64url");
}
