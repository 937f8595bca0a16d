import type { StandardIntrospectionAnswer } from "../api-client/introspection-caller.ts";
import type { TokenFacts } from "../oauth/access-token-decision.ts";
import { readConfirmation } from "../oauth/confirmation.ts";
import { freezeDeeply, type TokenDescription } from "./access-token.ts";
import { IntrospectionMalformed } from "./introspection-malformed.ts";
import { IntrospectionUnavailable } from "./introspection-unavailable.ts";

/** What an introspection answer says of a token; frozen, good for every asker. */
export type TokenRecord =
  | { readonly facts: TokenFacts & { readonly active: true }; readonly accessToken: TokenDescription }
  | { readonly facts: TokenFacts & { readonly active: false } };

type Members = Readonly<Record<string, unknown>>;

const inactive: TokenRecord = freezeDeeply({ facts: { active: false, cause: "unknown" } });

/** Later than the year 5138 in seconds: surely milliseconds (introspection answers have seconds, RFC 7662 §2.2). */
const latestInstant = 100_000_000_000;

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
  // The object itself may still be in use where it came from, and what is read here is frozen.
  return readIntrospection(
    typeof responseContent === "string" ? parse(responseContent) : structuredClone(responseContent),
  );
}

/**
 * Reads an RFC 7662 introspection answer strictly: `active` must be a boolean, instants whole seconds.
 *
 * Throws {@link IntrospectionMalformed}, naming the member and never its value. Members not known here stay in
 * `accessToken.claims`; the answer is frozen.
 *
 * @example readIntrospection({ active: true, scope: "read", cnf: { "x5t#S256": "…" } }).facts
 */
export function readIntrospection(answer: unknown): TokenRecord {
  if (typeof answer !== "object" || answer === null || Array.isArray(answer)) {
    throw new IntrospectionMalformed("it is not a JSON object");
  }
  const claims = freezeDeeply(answer as Members);
  if (typeof claims["active"] !== "boolean") throw wrong("active");
  // A refresh token is no credential for an API, in force as it may be (RFC 6749 §1.5).
  if (!claims["active"] || claims["token_use"] === "refresh_token") return inactive;
  const common = {
    active: true,
    exp: instant(claims, "exp"),
    nbf: instant(claims, "nbf"),
    sub: text(claims, "sub"),
    scopes: scopes(claims["scope"]),
    audience: audience(claims["aud"]),
  } as const;
  const confirmation = readConfirmation(claims["cnf"]);
  const accessToken: TokenDescription = {
    ...common,
    issuer: text(claims, "iss"),
    iat: instant(claims, "iat"),
    clientId: text(claims, "client_id"),
    tokenType: text(claims, "token_type"),
    x5tS256: confirmation.kind === "certificate" ? confirmation.x5tS256 : undefined,
    claims,
  };
  return freezeDeeply({ facts: { ...common, confirmation }, accessToken });
}

function parse(json: string): unknown {
  try {
    return JSON.parse(json);
  } catch {
    throw new IntrospectionMalformed("it is not JSON");
  }
}

function instant(claims: Members, name: string): number | undefined {
  const value = claims[name];
  if (value === undefined) return undefined;
  if (!Number.isSafeInteger(value)) throw wrong(name);
  if ((value as number) > latestInstant) throw new IntrospectionMalformed(`${name} looks like milliseconds`);
  return value as number;
}

function text(claims: Members, name: string): string | undefined {
  const value = claims[name];
  if (value !== undefined && typeof value !== "string") throw wrong(name);
  return value;
}

/** `null` is what Authlete answers for "none". */
function scopes(value: unknown): readonly string[] {
  if (value === undefined || value === null) return [];
  if (typeof value !== "string") throw wrong("scope");
  return value.split(" ").filter((token) => token !== "");
}

function audience(value: unknown): readonly string[] {
  if (value === undefined) return [];
  if (typeof value === "string") return [value];
  if (!Array.isArray(value) || !value.every((one) => typeof one === "string")) throw wrong("aud");
  return value;
}

function wrong(member: string): IntrospectionMalformed {
  return new IntrospectionMalformed(`${member} is missing or of the wrong type`);
}
