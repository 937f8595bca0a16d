import type { UnverifiedJwt } from "../../../oauth/compact-jwt.ts";
import type { Client, Service } from "../settings/service-and-client.ts";
import type { AssertionAlgorithm } from "../settings/settings.ts";
import { notAuthenticated, type ClientEndpoint, type NotAuthenticated } from "./client-authentication.ts";

/** The one `client_assertion_type` there is (RFC 7523 §2.2). */
export const jwtBearer = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/** Seconds from now, beyond the tolerance for clocks: an assertion that is good for longer is refused. */
const longestLife = 600;

/** The requirements of an assertion; `now` in milliseconds since 1970. */
export interface AssertionExpectation {
  readonly client: Client;
  readonly service: Service;
  readonly endpoint: ClientEndpoint;
  readonly algorithms: readonly AssertionAlgorithm[];
  readonly now: number;
}

/** Claims that fit; instants in milliseconds since 1970. */
export interface AssertionClaims {
  readonly jti: string;
  /** From then on the assertion is refused for its age. */
  readonly refusedFrom: number;
}

/**
 * Checks everything in an assertion except the signature (RFC 7523 §3, OpenID Connect Core §9).
 *
 * `allowableClockSkew` is added to `exp` and subtracted from `nbf` and `iat`, to the second. Of the header only `alg`,
 * `crit` and `b64` are read here; `jwk`, `jku`, `x5c` and `x5u` are never read.
 *
 * @example checkAssertion(jwt, { client, service, endpoint: "token_endpoint", algorithms: ["ES256"], now })
 */
export function checkAssertion(
  { header, payload }: UnverifiedJwt,
  expected: AssertionExpectation,
): AssertionClaims | NotAuthenticated {
  const { client, service, now } = expected;
  if (header["crit"] !== undefined) return notAuthenticated("A157312", "it has critical header parameters");
  // No JWT's payload is unencoded (RFC 7797 §7).
  if (header["b64"] !== undefined && header["b64"] !== true)
    return notAuthenticated("A157312", "its payload is not encoded");
  if (typeof header["alg"] !== "string") return notAuthenticated("A157306");
  if (!expected.algorithms.some((algorithm) => algorithm === header["alg"])) {
    return notAuthenticated(client.settings.tokenAuthMethod === "CLIENT_SECRET_JWT" ? "A157307" : "A157308");
  }
  const { iss, sub, aud, exp, nbf, iat, jti } = payload;
  if (iss === undefined) return notAuthenticated("A157313");
  if (!names(client, iss)) return notAuthenticated("A157314");
  if (sub === undefined) return notAuthenticated("A157315");
  if (sub !== iss) return notAuthenticated("A157316");
  if (aud === undefined) return notAuthenticated("A157317");
  if (!isMeantFor(aud, service, expected.endpoint)) return notAuthenticated("A157318");

  const skew = service.settings.allowableClockSkew * 1000;
  if (!isInstant(exp)) return notAuthenticated("A157319");
  if (now > exp * 1000 + skew) return notAuthenticated("A157320");
  if (exp * 1000 > now + longestLife * 1000 + skew) return notAuthenticated("A157358");
  if (nbf !== undefined && !(isInstant(nbf) && nbf * 1000 <= now + skew)) return notAuthenticated("A157321");
  if (iat !== undefined && !(isInstant(iat) && iat * 1000 <= now + skew)) return notAuthenticated("A157322");
  if (typeof jti !== "string" || jti === "") return notAuthenticated("A157323");
  return { jti, refusedFrom: Math.floor(exp * 1000 + skew) + 1 };
}

/** By the number that is its identifier, or by the alias where that is enabled. */
function names({ settings }: Client, iss: unknown): boolean {
  return iss === String(settings.clientId) || (settings.clientIdAliasEnabled && iss === settings.clientIdAlias);
}

/** The service's issuer, or the endpoint that was called, by its own URL or that for mutual TLS (RFC 8705 §5). */
function isMeantFor(aud: unknown, { settings }: Service, endpoint: ClientEndpoint): boolean {
  const audiences: readonly (string | undefined)[] = [
    settings.issuer,
    settings.tokenEndpoint,
    ...(endpoint === "revocation_endpoint" ? [settings.revocationEndpoint] : []),
    ...settings.mtlsEndpointAliases
      .filter(({ name }) => name === "token_endpoint" || name === endpoint)
      .map(({ uri }) => uri),
  ];
  const named: readonly unknown[] = Array.isArray(aud) ? aud : [aud];
  return named.some((one) => typeof one === "string" && audiences.includes(one));
}

/** A NumericDate may have a fraction (RFC 7519 §2); 1e999, which JSON reads as infinity, is refused. */
function isInstant(value: unknown): value is number {
  return typeof value === "number" && Number.isFinite(value);
}
