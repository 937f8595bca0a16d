import { signJwt } from "../../../jose/sign-jwt.ts";
import { formatScope } from "../../../oauth/scope.ts";
import { clientIdOf, type NamedClient } from "../settings/find-client.ts";
import type { GrantDetails } from "../grant/grant-details.ts";
import type { Service } from "../settings/service-and-client.ts";
import { claimsOfCaller, ownClaimsOfAccessToken } from "./own-claims.ts";
import { accessTokenKey } from "../settings/signing-keys.ts";

/** The contents of a JWT access token (RFC 9068 §2.2); instants in milliseconds. */
export interface AccessTokenClaims extends NamedClient {
  readonly subject: string | undefined;
  readonly scopes: readonly string[];
  readonly resources: readonly string[];
  readonly x5tS256: string | undefined;
  readonly issuedAt: number;
  readonly expiresAt: number;
  /** The opaque identifier, which is the `jti` (Authlete's API). */
  readonly accessToken: string;
  readonly grantType: string;
  readonly details: GrantDetails;
}

/**
 * The JWT form of an access token, or `undefined` where the service has opaque ones only (RFC 9068 §2).
 *
 * Its audience is that of the token; one that names no resource is for the service itself, by its issuer identifier (§3).
 * Rejects with {@link SigningKeyUnusable} when the service has no key for it.
 */
export async function signAccessTokenJwt(service: Service, claims: AccessTokenClaims): Promise<string | undefined> {
  const key = accessTokenKey(service);
  if (key === undefined) return undefined;
  const { alg, kid, privateKey } = key;
  return signJwt(payloadOf(service, claims), privateKey, { alg, typ: "at+jwt", kid });
}

function payloadOf(service: Service, claims: AccessTokenClaims): Readonly<Record<string, unknown>> {
  const { issuer } = service.settings;
  const { x5tS256, scopes, resources, details } = claims;
  const clientId = clientIdOf(claims);
  const ours = {
    iss: issuer,
    // The client where there is no user: no subject may be the name of one (RFC 9068 §2.2, RFC 9700 §4.15).
    sub: claims.subject ?? clientId,
    aud: audienceOf(resources, issuer),
    exp: Math.floor(claims.expiresAt / 1000),
    iat: Math.floor(claims.issuedAt / 1000),
    jti: claims.accessToken,
    client_id: clientId,
    ...(scopes.length !== 0 && { scope: formatScope(scopes) }),
    ...(x5tS256 !== undefined && { cnf: { "x5t#S256": x5tS256 } }),
    ...(details.authTime !== undefined && { auth_time: details.authTime }),
    ...(details.acr !== undefined && { acr: details.acr }),
  };
  return { ...claimsOfCaller(details.jwtAtClaims, ownClaimsOfAccessToken), ...ours };
}

/** One audience is a text, several are an array (RFC 7519 §4.1.3). */
function audienceOf(resources: readonly string[], issuer: string): string | readonly string[] {
  const [only = issuer, ...others] = resources;
  return others.length === 0 ? only : resources;
}
