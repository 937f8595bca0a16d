import { refuseUnknownOptions } from "../../options/refuse-unknown-options.ts";
import { optionError } from "../../options/option-error.ts";

/**
 * The deviations of introspection answers from RFC 7662 that are accepted; each is off by default.
 *
 * None of them makes a token active that the answer does not call active.
 */
export interface Tolerances {
  /** `active` as `"true"` or `"false"`. */
  readonly activeAsString: boolean;
  /** `scope` as an array of scopes. */
  readonly scopeAsArray: boolean;
  /** `exp`, `iat` and `nbf` as decimal text. */
  readonly numericStrings: boolean;
  /** `exp`, `iat` and `nbf` with a fraction, rounded so that the token lives shorter (RFC 7519 §2 allows fractions). */
  readonly fractionalInstants: boolean;
  /** `x5t#S256` with `=` padding. */
  readonly paddedThumbprint: boolean;
  /** `cnf: { "x5t#SHA256": … }` for `x5t#S256`. */
  readonly x5tSHA256: boolean;
  /** A scope `x5t#SHA256:<thumbprint>` is the token's binding, not a scope. */
  readonly bindingInScope: boolean;
  /**
   * `token_type: "JWT"`, which names a format instead of a kind of token: the endpoint introspects access tokens only.
   */
  readonly jwtAsTokenType: boolean;
  /** Only access tokens have a `token_type`. */
  readonly tokenTypeIsForAccessTokens: boolean;
}

/** Exactly the RFC: for our own backend and for JWT access tokens. */
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

/** Accepted from every endpoint: neither changes the meaning. */
const rfc7662: Tolerances = Object.freeze({ ...exact, fractionalInstants: true, paddedThumbprint: true });

const dialects = {
  rfc7662,
  /** `scope: null`; `client_id` a decimal string. Both are read without a tolerance. */
  authlete: rfc7662,
  /** `aud` always an array, `ext`, `token_use`; never a `cnf`. All are read without a tolerance. */
  hydra: rfc7662,
  identityserver4: { ...rfc7662, scopeAsArray: true },
  /**
   * Introspects refresh and ID tokens, too, and says so (`typ`); `cnf` with more members. All are read without a
   * tolerance.
   */
  keycloak: rfc7662,
  /** Introspects refresh tokens, too. */
  "oidc-provider": { ...rfc7662, tokenTypeIsForAccessTokens: true },
  /** A proof-of-possession `jwk` in `cnf` is refused, as in every dialect. */
  pingam: rfc7662,
  spring: { ...rfc7662, activeAsString: true, numericStrings: true, scopeAsArray: true },
  wso2: { ...rfc7662, x5tSHA256: true, bindingInScope: true, jwtAsTokenType: true },
} as const satisfies Record<string, Tolerances>;

/** The name of an introspection dialect: the product whose answers are read, with its deviations. */
export type DialectName = keyof typeof dialects;

/**
 * Checks the option `dialect`: a name, or single tolerances in addition to `rfc7662`.
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
