import type { RefusalCode } from "./access-token-decision.ts";
import { errorText, errorUri } from "./error-text.ts";
import { formatScope, isScopeToken } from "./scope.ts";

/** Status and `error` of the response to a refusal (RFC 6750 §3.1). */
export interface ChallengeError {
  readonly status: 400 | 401 | 403;
  readonly error: "invalid_request" | "invalid_token" | "insufficient_scope";
}

const invalidToken: ChallengeError = Object.freeze({ status: 401, error: "invalid_token" });
const insufficientScope: ChallengeError = Object.freeze({ status: 403, error: "insufficient_scope" });

/**
 * The response to each refusal: `invalid_token` if another token may succeed, and 403 if the token is valid but not
 * sufficient. The challenge for `scope_insufficient` also has the required `scope`.
 */
export const challengeErrors = {
  token_unknown: invalidToken,
  client_locked: invalidToken,
  token_expired: invalidToken,
  token_not_yet_valid: invalidToken,
  certificate_unreadable: invalidToken,
  confirmation_malformed: invalidToken,
  confirmation_unsupported: invalidToken,
  certificate_missing: invalidToken,
  certificate_mismatch: invalidToken,
  token_unbound: invalidToken,
  audience_mismatch: invalidToken,
  subject_missing: insufficientScope,
  subject_mismatch: insufficientScope,
  scope_insufficient: insufficientScope,
} as const satisfies Record<RefusalCode, ChallengeError>;

/** The attributes of a Bearer challenge: RFC 6750 §3, and `resource_metadata` of RFC 9728 §5.1. */
export interface ChallengeParameters {
  readonly realm?: string | undefined;
  /** Scope tokens. */
  readonly scope?: readonly string[] | undefined;
  readonly error?: string | undefined;
  readonly error_description?: string | undefined;
  readonly error_uri?: string | undefined;
  readonly resource_metadata?: string | undefined;
}

/** A neutral value, because a Bearer challenge needs an attribute (RFC 6750 §3). */
const defaultRealm = "resource";

/**
 * Writes the value of WWW-Authenticate with the scheme Bearer (RFC 6750 §3). The result is well-formed for any input.
 *
 * In `realm` and the error texts, forbidden characters become `?`. A scope token or URI with a forbidden character is
 * left out, because a replacement would change its meaning. Without attributes it has a neutral `realm`.
 *
 * @example bearerChallenge({ error: "insufficient_scope", scope: ["read"] }) // 'Bearer error="insufficient_scope", scope="read"'
 */
export function bearerChallenge(parameters: ChallengeParameters): string {
  const attributes: string[] = [];
  const add = (name: string, value: string | undefined): void => {
    if (value !== undefined && value !== "") attributes.push(`${name}="${value}"`);
  };
  add("realm", quotable(parameters.realm));
  add("error", parameters.error === undefined ? undefined : errorText(parameters.error));
  add(
    "error_description",
    parameters.error_description === undefined ? undefined : errorText(parameters.error_description),
  );
  add("error_uri", errorUri(parameters.error_uri));
  add("scope", parameters.scope && formatScope(parameters.scope.filter(isScopeToken)));
  add("resource_metadata", errorUri(parameters.resource_metadata));
  if (attributes.length === 0) add("realm", defaultRealm);
  return `Bearer ${attributes.join(", ")}`;
}

/** A quoted-string has printable ASCII; quotes and backslashes are escaped (RFC 9110 §5.6.4). */
function quotable(text: string | undefined): string | undefined {
  return text?.replaceAll(/[^\x20-\x7E]/gu, "?").replaceAll(/["\\]/g, "\\$&");
}
