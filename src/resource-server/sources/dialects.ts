import { refuseUnknownOptions } from "../../options/refuse-unknown-options.ts";
import { optionError } from "../../options/option-error.ts";

/**
 * In what an introspection answer may differ from RFC 7662 and still be read; each is off unless switched on.
 *
 * None of them makes a token good that the answer does not call good.
 */
export interface Tolerances {
  /** `active` as `"true"` or `"false"`. */
  readonly activeAsString: boolean;
  /** `scope` as an array of scopes. */
  readonly scopeAsArray: boolean;
  /** `exp`, `iat` and `nbf` as decimal text. */
  readonly numericStrings: boolean;
  /** `exp`, `iat` and `nbf` with a fraction, which only shortens its life (RFC 7519 §2 has such instants). */
  readonly fractionalInstants: boolean;
  /** `x5t#S256` with the `=` that base64url has no need of. */
  readonly paddedThumbprint: boolean;
  /** `cnf: { "x5t#SHA256": … }` for `x5t#S256`. */
  readonly x5tSHA256: boolean;
  /** A scope `x5t#SHA256:<thumbprint>` is the token's binding and no scope. */
  readonly bindingInScope: boolean;
  /** `token_type: "JWT"`, which names a format, for a kind of token: the endpoint introspects access tokens only. */
  readonly jwtAsTokenType: boolean;
  /** Only access tokens have a `token_type`. */
  readonly tokenTypeIsForAccessTokens: boolean;
}

/** Nothing but the RFC: what a backend of ours answers, and what a JWT access token says. */
export const exact: Tolerances = Object.freeze({
  activeAsString: false,
  scopeAsArray: false,
  numericStrings: false,
  fractionalInstants: false,
  paddedThumbprint: false,
  x5tSHA256: false,
  bindingInScope: false,
  jwtAsTokenType: false,
  tokenTypeIsForAccessTokens: false,
});

/** What any endpoint is granted: neither changes what is said. */
const rfc7662: Tolerances = Object.freeze({ ...exact, fractionalInstants: true, paddedThumbprint: true });

const dialects = {
  rfc7662,
  /** `scope: null`; `client_id` a decimal string. Both are read anyway. */
  authlete: rfc7662,
  /** `aud` always an array, `ext`, `token_use`; never a `cnf`. All read anyway. */
  hydra: rfc7662,
  identityserver4: { ...rfc7662, scopeAsArray: true },
  /** Introspects refresh and ID tokens as well, and says so (`typ`); `cnf` with more members. All read anyway. */
  keycloak: rfc7662,
  /** Introspects refresh tokens as well. */
  "oidc-provider": { ...rfc7662, tokenTypeIsForAccessTokens: true },
  /** A proof-of-possession `jwk` in `cnf` is refused, here as everywhere. */
  pingam: rfc7662,
  spring: { ...rfc7662, activeAsString: true, numericStrings: true, scopeAsArray: true },
  wso2: { ...rfc7662, x5tSHA256: true, bindingInScope: true, jwtAsTokenType: true },
} as const satisfies Record<string, Tolerances>;

/** The name of an introspection dialect: whose answers are read, with what is particular to them. */
export type DialectName = keyof typeof dialects;

/**
 * Checks the option `dialect`: a name, or tolerances one by one on top of `rfc7662`.
 *
 * Throws a `TypeError` with a `code` that names the option.
 *
 * @example readDialect("wso2").x5tSHA256 // true
 */
export function readDialect(dialect: DialectName | Partial<Tolerances> = "rfc7662"): Tolerances {
  if (typeof dialect === "string") {
    if (!Object.hasOwn(dialects, dialect)) {
      throw optionError("dialect", `must be one of ${Object.keys(dialects).join(", ")}, or single tolerances`);
    }
    return dialects[dialect];
  }
  if (typeof dialect !== "object" || (dialect as unknown) === null) {
    throw optionError("dialect", "must be a name or an object");
  }
  refuseUnknownOptions(dialect, Object.keys(exact), "dialect");
  for (const [name, value] of Object.entries<unknown>(dialect)) {
    if (typeof value !== "boolean") throw optionError(`dialect.${name}`, "must be true or false");
  }
  return Object.freeze({ ...rfc7662, ...dialect });
}
