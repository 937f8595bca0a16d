import { isJsonObject, readJsonObject, type JsonObject } from "./json-object.ts";

/** The values of `prompt` (OpenID Connect Core §3.1.2.1, Initiating User Registration §4). */
export type Prompt = "none" | "login" | "consent" | "select_account" | "create";

/** `alone`: `none` stands beside others. */
export type PromptReading = readonly Prompt[] | { readonly error: "unknown" | "alone" };

/** What asks most of the user first. */
const byDemand: readonly Prompt[] = ["none", "create", "login", "select_account", "consent"];

/**
 * Reads a `prompt` value: words with one blank between them; order kept, duplicates dropped. `none` stands alone.
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
 * The one of them that demands most of the user; `consent` when there is none (Authlete's API).
 *
 * @example lowestPrompt(["consent", "login"]) // "login"
 */
export function lowestPrompt(prompts: readonly Prompt[]): Prompt {
  return byDemand.find((prompt) => prompts.includes(prompt)) ?? "consent";
}

/** One claim as it was asked for (OpenID Connect Core §5.5.1). */
export interface RequestedClaim {
  readonly essential: boolean;
  /** The values that will do, the preferred one first; empty: any. */
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
 * Reads a `claims` parameter; members besides `id_token` and `userinfo` are not understood and do not count.
 *
 * `undefined` for what is no JSON object, and for a half or a claim in it that is neither an object nor null.
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
 * The names of the claims that these scopes ask the UserInfo endpoint for (OpenID Connect Core §5.4).
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

/** A text may say `__proto__`; what an object inherits it never said. */
function ownMember(object: JsonObject, name: string): unknown {
  return Object.hasOwn(object, name) ? object[name] : undefined;
}
