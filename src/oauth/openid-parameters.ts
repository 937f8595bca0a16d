import { isJsonObject, readJsonObject, type JsonObject } from "./json-object.ts";

/** The values of `prompt` (OpenID Connect Core §3.1.2.1, Initiating User Registration §4). */
export type Prompt = "none" | "login" | "consent" | "select_account" | "create";

/** `alone`: `none` is combined with other values, but must be alone. */
export type PromptReading = readonly Prompt[] | { readonly error: "unknown" | "alone" };

/** In the order of what they demand of the user. */
const byDemand: readonly Prompt[] = ["none", "create", "login", "select_account", "consent"];

/**
 * Reads a `prompt` value: words separated by single spaces. Keeps the order and drops duplicates.
 *
 * @example readPrompt("login consent") // ["login", "consent"]
 */
export function readPrompt(text: string): PromptReading {
  const words = [...new Set(text.split(" "))];
  const prompts = words.flatMap((word) => byDemand.find((prompt) => prompt === word) ?? []);
  if (prompts.length < words.length) return { error: "unknown" };
  if (prompts.includes("none") && prompts.length > 1) return { error: "alone" };
  return prompts;
}

/**
 * The value that demands most of the user; `consent` for an empty list (Authlete's API).
 *
 * @example lowestPrompt(["consent", "login"]) // "login"
 */
export function lowestPrompt(prompts: readonly Prompt[]): Prompt {
  return byDemand.find((prompt) => prompts.includes(prompt)) ?? "consent";
}

/** One requested claim (OpenID Connect Core §5.5.1). */
export interface RequestedClaim {
  readonly essential: boolean;
  /** The acceptable values, the preferred one first; empty: any. */
  readonly values: readonly unknown[];
}

/** One half of a `claims` parameter. */
interface ClaimsHalf {
  /** As JSON text. */
  readonly text: string;
  readonly claims: ReadonlyMap<string, RequestedClaim>;
}

/** A `claims` parameter (OpenID Connect Core §5.5). */
export interface ClaimsRequest {
  readonly idToken: ClaimsHalf | undefined;
  readonly userInfo: ClaimsHalf | undefined;
}

/**
 * Reads a `claims` parameter; members other than `id_token` and `userinfo` are ignored.
 *
 * `undefined` if the text is not a JSON object, or if a half or a claim is neither an object nor null.
 *
 * @example readClaimsRequest('{"id_token":{"acr":{"essential":true}}}')?.idToken?.claims.get("acr")
 */
export function readClaimsRequest(text: string): ClaimsRequest | undefined {
  const request = readJsonObject(text);
  if (request === undefined) return undefined;
  const idToken = readHalf(ownMember(request, "id_token"));
  const userInfo = readHalf(ownMember(request, "userinfo"));
  return idToken === "malformed" || userInfo === "malformed" ? undefined : { idToken, userInfo };
}

/** The claims that scopes stand for (OpenID Connect Core §5.4). */
const claimsOfScopes: ReadonlyMap<string, readonly string[]> = new Map([
  [
    "profile",
    `name family_name given_name middle_name nickname preferred_username profile picture website gender birthdate
    zoneinfo locale updated_at`.split(/\s+/),
  ],
  ["email", ["email", "email_verified"]],
  ["address", ["address"]],
  ["phone", ["phone_number", "phone_number_verified"]],
]);

/**
 * The names of the claims that these scopes request from the UserInfo endpoint (OpenID Connect Core §5.4).
 *
 * @example scopeClaims(["openid", "email"]) // ["email", "email_verified"]
 */
export function scopeClaims(scopes: readonly string[]): string[] {
  return scopes.flatMap((scope) => claimsOfScopes.get(scope) ?? []);
}

function readHalf(half: unknown): ClaimsHalf | "malformed" | undefined {
  if (half === undefined || half === null) return undefined;
  if (!isJsonObject(half)) return "malformed";
  const claims = new Map<string, RequestedClaim>();
  for (const [name, requested] of Object.entries(half)) {
    const read = readRequestedClaim(requested);
    if (read === undefined) return "malformed";
    claims.set(name, read);
  }
  return { text: JSON.stringify(half), claims };
}

function readRequestedClaim(requested: unknown): RequestedClaim | undefined {
  if (requested === null) return { essential: false, values: [] };
  if (!isJsonObject(requested)) return undefined;
  const essential = ownMember(requested, "essential") ?? false;
  const values = ownMember(requested, "values") ?? [];
  if (typeof essential !== "boolean" || !Array.isArray(values)) return undefined;
  const value = ownMember(requested, "value");
  return { essential, values: value === undefined ? values : [value] };
}

/** Inherited members do not count; the JSON may contain the name `__proto__`. */
function ownMember(object: JsonObject, name: string): unknown {
  return Object.hasOwn(object, name) ? object[name] : undefined;
}
