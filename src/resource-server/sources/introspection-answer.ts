import type { StandardIntrospectionAnswer } from "../../api-client/introspection-caller.ts";
import type { TokenFacts } from "../../oauth/access-token-decision.ts";
import { isScopeToken } from "../../oauth/scope.ts";
import { freezeDeeply, type TokenDescription } from "../decision/access-token.ts";
import { IntrospectionMalformed, IntrospectionUnavailable } from "../refusal/introspection-unavailable.ts";
import { readBinding } from "./answered-binding.ts";
import { latestInstant } from "./checked-members.ts";
import { exact, type Tolerances } from "./dialects.ts";
import { kindDefect } from "./token-kind.ts";

/** The content of an introspection answer about a token; frozen, serves every request. */
export type TokenRecord = ActiveRecord | InactiveRecord;

export interface ActiveRecord {
  readonly facts: TokenFacts & { readonly active: true };
  readonly accessToken: TokenDescription;
  /** For the operator, if the token is refused for its confirmation: the option with which it could be read. */
  readonly remark?: string;
}

export interface InactiveRecord {
  readonly facts: TokenFacts & { readonly active: false };
  /** For the operator: why the token is inactive, if known. Quotes nothing of the token. */
  readonly reason?: string;
}

type Members = Readonly<Record<string, unknown>>;

const inactive: InactiveRecord = freezeDeeply({ facts: { active: false, cause: "unknown" } });

/** Claims that were read here, in any dialect: the record already has their kind and binding. */
const judged = new WeakSet();

/** Records that were read here and meet all rules of `checkedSource`. */
const complete = new WeakSet<object>();

/** Whether a record was read here, so that it is frozen and needs no second check. */
export function isComplete(record: unknown): record is TokenRecord {
  return typeof record === "object" && record !== null && complete.has(record);
}

/** Whether these claims belong to a record that was created here. */
export function isJudged(claims: object): boolean {
  return judged.has(claims);
}

/**
 * Reads the answer of `auth/introspection/standard`; its `responseContent` as text or as the object itself.
 *
 * Throws {@link IntrospectionUnavailable} when the action is not OK, {@link IntrospectionMalformed} as
 * {@link readIntrospection} does.
 *
 * @example readStandardAnswer({ action: "OK", responseContent: '{"active":false}' })
 */
export function readStandardAnswer({ action, resultCode, responseContent }: StandardIntrospectionAnswer): TokenRecord {
  if (action !== "OK") {
    throw new IntrospectionUnavailable(`the backend's action is ${action}${resultCode ? ` (${resultCode})` : ""}`);
  }
  // A copy, because it is frozen here, and its sender may still use the original.
  return readIntrospection(
    typeof responseContent === "string" ? parseJson(responseContent) : structuredClone(responseContent),
  );
}

/**
 * Reads an RFC 7662 introspection answer strictly, except for the tolerances of its dialect.
 *
 * Throws {@link IntrospectionMalformed}, which names the member and never its value. Unknown members stay in
 * `accessToken.claims`; freezes the answer.
 *
 * @example readIntrospection({ active: true, scope: "read", cnf: { "x5t#S256": "…" } }).facts
 */
export function readIntrospection(answer: unknown, tolerances: Tolerances = exact): TokenRecord {
  if (typeof answer !== "object" || answer === null || Array.isArray(answer)) {
    throw new IntrospectionMalformed("it is not a JSON object");
  }
  const claims = freezeDeeply(answer as Members);
  if (!isActive(claims["active"], tolerances)) return inactive;
  if (tolerances.tokenTypeIsForAccessTokens && claims["token_type"] === undefined) {
    return inactiveBecause("it has no token_type, and is no access token");
  }
  return readClaims(claims, tolerances);
}

/**
 * Reads the claims of an active token, from an introspection answer or from the token itself (RFC 9068 §2.2). Another
 * kind of token is inactive for an API: refresh tokens (RFC 6749 §1.5), ID tokens.
 *
 * Throws {@link IntrospectionMalformed} as {@link readIntrospection} does.
 *
 * @example readClaims({ scope: "read", exp: 1900000000 }, exact).facts // { active: true, scopes: ["read"], … }
 */
export function readClaims(given: Members, tolerances: Tolerances): TokenRecord {
  const claims = freezeDeeply(given);
  const tokenType = text(claims, "token_type");
  const defect = kindDefect(claims, tolerances);
  if (defect !== undefined) return inactiveBecause(`it is not an access token: ${defect}`);
  const { confirmation, scopes, remark } = readBinding(claims, readScopes(claims, tolerances), tolerances);
  const common = {
    active: true,
    exp: instant(claims, "exp", tolerances),
    nbf: instant(claims, "nbf", tolerances),
    sub: text(claims, "sub"),
    scopes,
    audience: audience(claims["aud"]),
  } as const;
  const accessToken: TokenDescription = {
    ...common,
    issuer: text(claims, "iss"),
    iat: instant(claims, "iat", tolerances),
    clientId: text(claims, "client_id"),
    tokenType,
    x5tS256: confirmation.kind === "certificate" ? confirmation.x5tS256 : undefined,
    claims,
  };
  judged.add(claims);
  const record: ActiveRecord = {
    facts: { ...common, confirmation },
    accessToken,
    ...(remark !== undefined && { remark }),
  };
  const instants = [common.exp, common.nbf, accessToken.iat];
  if (scopes.every(isScopeToken) && instants.every((one) => one === undefined || one >= -latestInstant)) {
    complete.add(record);
  }
  return freezeDeeply(record);
}

/** Creates the record of an inactive token with the reason for the operator. */
export function inactiveBecause(reason: string): InactiveRecord {
  return freezeDeeply({ facts: { active: false, cause: "unknown" }, reason });
}

function isActive(value: unknown, { activeAsString }: Tolerances): boolean {
  if (typeof value === "boolean") return value;
  if (value !== "true" && value !== "false") throw wrong("active");
  if (!activeAsString) throw wrong("active", "activeAsString");
  return value === "true";
}

/** Parses JSON; throws {@link IntrospectionMalformed}. */
export function parseJson(json: string): unknown {
  try {
    return JSON.parse(json);
  } catch {
    throw new IntrospectionMalformed("it is not JSON");
  }
}

function instant(claims: Members, name: string, tolerances: Tolerances): number | undefined {
  const given = claims[name];
  if (given === undefined) return undefined;
  const value = asNumber(name, given, tolerances);
  if (value > latestInstant) throw new IntrospectionMalformed(`${name} looks like milliseconds`);
  return value;
}

function asNumber(name: string, given: unknown, { numericStrings, fractionalInstants }: Tolerances): number {
  const isDecimal = typeof given === "string" && /^\d{1,16}$/.test(given);
  if (isDecimal && !numericStrings) throw wrong(name, "numericStrings");
  const value: unknown = isDecimal ? Number(given) : given;
  if (Number.isSafeInteger(value)) return value as number;
  if (!Number.isFinite(value) || !Number.isSafeInteger(Math.floor(value as number))) throw wrong(name);
  if (!fractionalInstants) throw wrong(name, "fractionalInstants");
  // Rounded so that the token never lives longer.
  return name === "nbf" ? Math.ceil(value as number) : Math.floor(value as number);
}

function text(claims: Members, name: string): string | undefined {
  const value = claims[name];
  if (value !== undefined && typeof value !== "string") throw wrong(name);
  return value;
}

/** Authlete answers `null` for no scopes. */
function readScopes(claims: Members, { scopeAsArray }: Tolerances): readonly string[] {
  const value = claims["scope"];
  if (value === undefined || value === null) return [];
  if (typeof value === "string") return value.split(" ").filter((token) => token !== "");
  if (!Array.isArray(value)) throw wrong("scope");
  if (!scopeAsArray) throw wrong("scope", "scopeAsArray");
  // A scope with a space would be two scopes elsewhere.
  if (!value.every((one) => typeof one === "string" && /^[^ ]+$/.test(one))) throw wrong("scope");
  return value as string[];
}

function audience(value: unknown): readonly string[] {
  if (value === undefined) return [];
  if (typeof value === "string") return [value];
  if (!Array.isArray(value) || !value.every((one) => typeof one === "string")) throw wrong("aud");
  return value;
}

function wrong(member: string, tolerance?: keyof Tolerances): IntrospectionMalformed {
  const remedy = tolerance === undefined ? "" : ` (dialect: { ${tolerance}: true } reads it)`;
  return new IntrospectionMalformed(`${member} is missing or of the wrong type${remedy}`);
}
