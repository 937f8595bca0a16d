import type { Tolerances } from "./dialects.ts";

type Members = Readonly<Record<string, unknown>>;

/**
 * Members that name the kind of a token, by their letters only: `typ` (Keycloak), `token_type` (RFC 7662 §2.2; the kind
 * at older Hydra and Salesforce), `token_use` (Hydra, Cognito), `tokenName` (PingAM), and similar names.
 */
const namesKind = /^(typ|(issued)?token(typ|type|use|usage|kind|name|class|category|purpose))$/;
/** Members that may mean anything, and that name the kind at some servers (Curity's `purpose`, FusionAuth's `tty`). */
const mayNameKind: ReadonlySet<string> = new Set(["type", "kind", "use", "usage", "purpose", "tty"]);

const accessToken: ReadonlySet<string> = new Set(["access", "accesstoken", "at", "atjwt"]);
/** Access token types (RFC 6750, RFC 9449 §5; `PoP` RFC 9201 §8.2, `mac`): they are treated as bindings. */
const boundTypes: ReadonlySet<string> = new Set(["dpop", "pop", "mac"]);
const bearer: ReadonlySet<string> = new Set(["bearer", "bearertoken"]);
const otherToken = /^(refresh|offlinetoken|logout|id(entity)?(token)?$|idt$|rt$|authorizationcode)/;

/** The server chooses the length of a name. */
const longestName = 32;

/**
 * Returns why the claims are not those of an access token: a member that names the kind must name an access token, and
 * an unknown spelling is rejected. `undefined` without an objection.
 *
 * Quotes the member's name, never its value. The types of RFC 6749 §7.1 (Bearer, DPoP, …) belong to access tokens.
 *
 * @example kindDefect({ typ: "Refresh" }, exact) // "its typ does not name an access token"
 */
export function kindDefect(claims: Members, tolerances: Tolerances): string | undefined {
  for (const [name, value] of Object.entries(claims)) {
    // Authlete writes null for no value.
    if (value === undefined || value === null) continue;
    const letters = lettersOf(name);
    const kind = spelling(value);
    const shown = name.slice(0, longestName);
    if (mayNameKind.has(letters) && kind !== undefined && otherToken.test(kind)) {
      return `its ${shown} does not name an access token`;
    }
    if (!namesKind.test(letters)) continue;
    if (kind === "jwt") {
      if (tolerances.jwtAsTokenType) continue;
      return `its ${shown} names a format, not a kind of token (dialect: { jwtAsTokenType: true } reads it)`;
    }
    const known = kind !== undefined && (accessToken.has(kind) || bearer.has(kind) || boundTypes.has(kind));
    if (!known) return `its ${shown} does not name an access token`;
  }
  return undefined;
}

/**
 * Returns the member that gives an access token a bound type (`DPoP`, `PoP`, `mac`).
 *
 * @example boundTypeMember({ token_type: "DPoP" }) // "token_type"
 */
export function boundTypeMember(claims: Members): string | undefined {
  return Object.keys(claims)
    .find((name) => namesKind.test(lettersOf(name)) && boundTypes.has(spelling(claims[name]) ?? ""))
    ?.slice(0, longestName);
}

/**
 * Reduces a member's name to its letters and digits: `token_use`, `tokenUse` and `Token-Use` become equal.
 *
 * @example lettersOf("token_use") // "tokenuse"
 */
export function lettersOf(name: string): string {
  return name.toLowerCase().replaceAll(/[^a-z0-9]/g, "");
}

/** `application/at+jwt`, `access_token` and the URN of RFC 8693 §3 are accepted spellings. */
function spelling(value: unknown): string | undefined {
  if (typeof value !== "string") return undefined;
  return lettersOf(value.replace(/^(urn:ietf:params:oauth:token-type:|application\/)/i, ""));
}
