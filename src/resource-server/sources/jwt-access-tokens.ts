import { readCompactJwt, type UnverifiedJwt } from "../../oauth/compact-jwt.ts";
import { bothConfirmations } from "../../oauth/confirmation.ts";
import { optionError } from "../../options/option-error.ts";
import { refuseUnknownOptions } from "../../options/refuse-unknown-options.ts";
import { freezeDeeply } from "../decision/access-token.ts";
import { IntrospectionMalformed } from "../refusal/introspection-unavailable.ts";
import { readAlgorithms, type IssuerKeysOptions, openKeyRing } from "./issuer-keys.ts";
import { checkedSource } from "./checked-source.ts";
import { exact } from "./dialects.ts";
import { checkIssuerIdentifier, discover } from "./discovery.ts";
import { type FactsAnswer, type FactsSource, issuerInTokens } from "./facts-source.ts";
import { type ActiveRecord, inactiveBecause, readClaims, type TokenRecord } from "./introspection-answer.ts";
import { issuerConnectionNames, type IssuerConnectionOptions, openIssuerConnection } from "./issuer-connection.ts";

/** JWT access tokens (RFC 9068), verified here with the issuer's public keys. */
export interface JwtAccessTokensOptions extends IssuerKeysOptions, IssuerConnectionOptions {
  /** The exact `iss`. */
  readonly issuer: string;
  /** The names of this API at the issuer: `aud` must have one of them. */
  readonly audience: string | readonly string[];
  /** Signature algorithms to accept; asymmetric ones. Default: RS256, PS256, ES256, EdDSA. */
  readonly algorithms?: readonly string[];
  /** The tolerated clock difference to the issuer in seconds (default 0): added to `exp`, subtracted from `nbf`. */
  readonly clockTolerance?: number;
  /** Checks each valid token, too, because a JWT does not show that it was revoked. */
  readonly introspection?: FactsSource;
}

const names = new Set([
  ...issuerConnectionNames,
  ...["issuer", "audience", "jwks", "jwksUri", "algorithms", "clockTolerance", "introspection"],
]);

/** Instants in a JWT may have a fraction (RFC 7519 §2). */
const claimsOfJwt = Object.freeze({ ...exact, fractionalInstants: true });

/**
 * Creates a source that verifies JWT access tokens (RFC 9068 §4): signature, `typ`, `iss` and `aud` once per token;
 * `exp`, `nbf` and the confirmation on every request, as for any source.
 *
 * Without `jwks` or `jwksUri` the keys are found by the issuer's metadata (RFC 8414). Unavailable keys are an outage
 * and say nothing about a token. Throws a `TypeError` with a `code` for wrong options.
 *
 * @example createResourceServer({ source: jwtAccessTokens({ issuer, audience: "https://api.example.com" }) })
 */
export function jwtAccessTokens(options: JwtAccessTokensOptions): FactsSource {
  if (typeof options !== "object" || (options as unknown) === null) throw optionError("options", "must be an object");
  refuseUnknownOptions(options, names);
  const { issuer, jwks, jwksUri, clockTolerance = 0, allowInsecure = false } = options;
  const fetched = jwks === undefined && jwksUri === undefined;
  checkIssuerIdentifier(issuer, { fetched, allowInsecure });
  const audience = readAudience(options.audience);
  const algorithms = readAlgorithms("algorithms", options.algorithms);
  if (!(Number.isSafeInteger(clockTolerance) && clockTolerance >= 0 && clockTolerance <= 300)) {
    throw optionError("clockTolerance", "must be a whole number of seconds, 300 at most");
  }
  if (options.introspection !== undefined) checkIntrospection(options.introspection, issuer);
  const introspection = options.introspection && checkedSource(options.introspection);
  const connection = openIssuerConnection(options, undefined);
  const ring = openKeyRing(options, connection, fetched ? discover(issuer, connection) : undefined);

  async function check(token: string): Promise<TokenRecord> {
    const jwt = readCompactJwt(token);
    if (jwt === undefined) return inactiveBecause("it is no JWT in the one canonical form");
    // The cheap checks first: no key is fetched for a token of another issuer.
    const defect = claimedDefect(jwt) ?? (await ring.defect(token, algorithms));
    return defect === undefined ? readVerified(jwt) : inactiveBecause(`the JWT is refused: ${defect}`);
  }

  function claimedDefect({ header, payload }: UnverifiedJwt): string | undefined {
    if (!isAccessTokenType(header["typ"])) return "its typ is not at+jwt";
    if (header["crit"] !== undefined) return "it has critical header parameters";
    // A JWT must not have an unencoded payload (RFC 7797 §7).
    if (header["b64"] !== undefined && header["b64"] !== true) return "its payload is not encoded (b64)";
    if (!algorithms.includes(header["alg"] as string)) return "its algorithm is not accepted";
    if (payload["iss"] !== issuer) return "it is another issuer's";
    if (!namesOneOf(payload["aud"], audience)) return "it is not meant for this API (aud)";
    return payload["exp"] === undefined ? "it has no exp" : undefined;
  }

  function readVerified({ payload }: UnverifiedJwt): TokenRecord {
    try {
      const record = readClaims(payload, claimsOfJwt);
      return "accessToken" in record ? withTolerance(record, clockTolerance) : record;
    } catch (error) {
      if (error instanceof IntrospectionMalformed) return inactiveBecause(`the JWT is refused: ${error.reason}`);
      throw error;
    }
  }

  const source: FactsSource = {
    issuer,
    claims: (token) => readCompactJwt(token)?.payload["iss"] === issuer,
    checksAudience: true,
    events: introspection?.events,
    async ask(token, how): Promise<FactsAnswer> {
      const record = await check(token);
      // The claims take about three quarters of the token.
      const local = { record, invalidationKeys: [], size: token.length, reusable: true };
      if (introspection === undefined || !("accessToken" in record)) return local;
      const answer = confirmedBy(record, await introspection.ask(token, how));
      if (!("accessToken" in answer.record) || namesOneOf(answer.record.facts.audience, audience)) return answer;
      return { ...answer, record: inactiveBecause("the introspection answer is not meant for this API (aud)") };
    },
    async close() {
      await Promise.all([connection.close(), introspection?.close()]);
    },
  };
  issuerInTokens.set(source, issuer);
  return source;
}

/** `typ` is a media type: case-insensitive, with or without its prefix (RFC 9068 §4, RFC 7515 §4.1.9). */
function isAccessTokenType(typ: unknown): boolean {
  return typeof typ === "string" && typ.toLowerCase().replace(/^application\//, "") === "at+jwt";
}

function namesOneOf(aud: unknown, audience: readonly string[]): boolean {
  const named: readonly unknown[] = Array.isArray(aud) ? aud : [aud];
  return named.some((one) => typeof one === "string" && audience.includes(one));
}

function withTolerance(record: ActiveRecord, clockTolerance: number): ActiveRecord {
  const { exp, nbf } = record.facts;
  if (clockTolerance === 0 || exp === undefined) return record;
  const facts = { ...record.facts, exp: exp + clockTolerance, nbf: nbf === undefined ? nbf : nbf - clockTolerance };
  return freezeDeeply({ ...record, facts });
}

function readAudience(given: unknown): readonly string[] {
  const audience: unknown = typeof given === "string" ? [given] : given;
  if (!Array.isArray(audience) || audience.length === 0 || !audience.every((one) => typeof one === "string" && one)) {
    throw optionError("audience", "must be a name of this API or an array of names");
  }
  return [...(audience as string[])];
}

function checkIntrospection(introspection: FactsSource, issuer: string): void {
  if (typeof (introspection as unknown) !== "object" || typeof introspection.ask !== "function") {
    throw optionError("introspection", "must be a source of facts");
  }
  if (introspection.issuer !== undefined && introspection.issuer !== issuer) {
    throw optionError("introspection", "must be the same issuer's");
  }
}

/**
 * Combines a token's own claims with its introspection answer: the facts of the answer, unless the token is stricter.
 *
 * Returns an inactive answer unchanged. Throws {@link IntrospectionMalformed} if issuer, subject or client differ,
 * because the owner of the token is then unknown.
 *
 * @example confirmedBy(record, await introspection.ask(token, { signal }))
 */
function confirmedBy(local: ActiveRecord, answer: FactsAnswer): FactsAnswer {
  const { record } = answer;
  if (!("accessToken" in record)) return answer;
  for (const name of ["issuer", "sub", "clientId"] as const) {
    const [said, answered] = [local.accessToken[name], record.accessToken[name]];
    if (said !== undefined && answered !== undefined && said !== answered) {
      throw new IntrospectionMalformed(`it contradicts the token: ${name}`);
    }
  }
  const confirmation = bothConfirmations(local.facts.confirmation, record.facts.confirmation);
  const common = {
    exp: least(local.facts.exp, record.facts.exp),
    nbf: most(local.facts.nbf, record.facts.nbf),
    sub: record.facts.sub ?? local.facts.sub,
    // An answer without `aud` keeps the token's audience; one with `aud` may have narrowed it.
    audience: record.facts.audience.length > 0 ? record.facts.audience : local.facts.audience,
  };
  const { accessToken } = record;
  return {
    ...answer,
    record: freezeDeeply({
      ...record,
      facts: { ...record.facts, ...common, confirmation },
      accessToken: {
        ...accessToken,
        ...common,
        issuer: accessToken.issuer ?? local.accessToken.issuer,
        clientId: accessToken.clientId ?? local.accessToken.clientId,
        iat: accessToken.iat ?? local.accessToken.iat,
        exp: least(local.accessToken.exp, accessToken.exp),
        nbf: most(local.accessToken.nbf, accessToken.nbf),
        x5tS256: confirmation.kind === "certificate" ? confirmation.x5tS256 : undefined,
      },
    }),
  };
}

function least(one: number | undefined, other: number | undefined): number | undefined {
  return one === undefined || other === undefined ? (one ?? other) : Math.min(one, other);
}

function most(one: number | undefined, other: number | undefined): number | undefined {
  return one === undefined || other === undefined ? (one ?? other) : Math.max(one, other);
}
