import type { Tolerances } from "./dialects.ts";

type Members = Readonly<Record<string, unknown>>;

/**
 * Members that name the kind of a token, by their letters alone: `typ` (Keycloak), `token_type` (RFC 7662 §2.2; the kind
 * at older Hydra and Salesforce), `token_use` (Hydra, Cognito), `tokenName` (PingAM), and their like.
 */
const namesKind = /^(typ|(issued)?token(typ|type|use|usage|kind|name|class|category|purpose))$/;
/** Members that may be about anything, and name the kind at some servers (Curity's `purpose`, FusionAuth's `tty`). */
const mayNameKind: ReadonlySet<string> = new Set(["type", "kind", "use", "usage", "purpose", "tty"]);

const accessToken: ReadonlySet<string> = new Set(["access", "accesstoken", "at", "atjwt"]);
/** Access token types (RFC 6750, RFC 9449 §5; `PoP` RFC 9201 §8.2, `mac`): what they demand is judged as a binding. */
const boundTypes: ReadonlySet<string> = new Set(["dpop", "pop", "mac"]);
const bearer: ReadonlySet<string> = new Set(["bearer", "bearertoken"]);
const otherToken = /^(refresh|offlinetoken|logout|id(entity)?(token)?$|idt$|rt$|authorizationcode)/;

/** A server chose its length. */
const longestName = 32;

/**
 * Why a token is no access token by what is said of it: a member that names its kind must name an access token, and a
 * spelling that is not known refuses. `undefined`: nothing speaks against it.
 *
 * Quotes the member's name, never its value. RFC 6749 §7.1 types (Bearer, DPoP, …) are those of access tokens.
 *
 * @example kindDefect({ typ: "Refresh" }, exact) // "its typ names no access token"
 */
export function kindDefect(claims: Members, tolerances: Tolerances): string | undefined {
  for (const [name, value] of Object.entries(claims)) {
    // Authlete writes null for what it does not say.
    if (value === undefined || value === null) continue;
    const letters = lettersOf(name);
    const kind = spelling(value);
    const shown = name.slice(0, longestName);
    if (mayNameKind.has(letters) && kind !== undefined && otherToken.test(kind)) {
      return `its ${shown} names no access token`;
    }
    if (!namesKind.test(letters)) continue;
    if (kind === "jwt") {
      if (tolerances.jwtAsTokenType) continue;
      return `its ${shown} names a format and no kind of token (dialect: { jwtAsTokenType: true } reads it)`;
    }
    const known = kind !== undefined && (accessToken.has(kind) || bearer.has(kind) || boundTypes.has(kind));
    if (!known) return `its ${shown} names no access token`;
  }
  return undefined;
}

/**
 * The member that says that an access token is of a type which is bound to something (`DPoP`, `PoP`, `mac`).
 *
 * @example boundTypeMember({ token_type: "DPoP" }) // "token_type"
 */
export function boundTypeMember(claims: Members): string | undefined {
  return Object.keys(claims)
    .find((name) => namesKind.test(lettersOf(name)) && boundTypes.has(spelling(claims[name]) ?? ""))
    ?.slice(0, longestName);
}

/**
 * A member's name by its letters and digits alone: `token_use`, `tokenUse` and `Token-Use` are the same.
 *
 * @example lettersOf("token_use") // "tokenuse"
 */
export function lettersOf(name: string): string {
  return name.toLowerCase().replaceAll(/[^a-z0-9]/g, "");
}

/** `application/at+jwt`, `access_token` and the URN of RFC 8693 §3 are spellings like any other. */
function spelling(value: unknown): string | undefined {
  if (typeof value !== "string") return undefined;
  return lettersOf(value.replace(/^(urn:ietf:params:oauth:token-type:|application\/)/i, ""));
}
