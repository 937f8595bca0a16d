import type { RefusalCode } from "./access-token-decision.ts";
import { errorText, errorUri } from "./error-text.ts";
import { formatScope, isScopeToken } from "./scope.ts";

/** The status and the `error` of the challenge that answer a refusal (RFC 6750 §3.1). */
export interface ChallengeError {
  readonly status: 400 | 401 | 403;
  readonly error: "invalid_request" | "invalid_token" | "insufficient_scope";
}

const invalidToken: ChallengeError = Object.freeze({ status: 401, error: "invalid_token" });
const insufficientScope: ChallengeError = Object.freeze({ status: 403, error: "insufficient_scope" });

/**
 * What the caller is told for each refusal: `invalid_token` where another token could do, and 403 where this one is
 * good and does not suffice. The challenge for `scope_insufficient` names the demanded `scope` as well.
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

/** A Bearer challenge needs an attribute (RFC 6750 §3); this one says nothing. */
const defaultRealm = "resource";

/**
 * The value of WWW-Authenticate with the scheme Bearer (RFC 6750 §3); it always parses, whatever the texts are.
 *
 * In `realm` and the error texts, characters that do not belong become `?`; a scope token or a URI with such a
 * character would mean something else, and is left out. Without any attribute there is a neutral `realm`.
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

/** Any printable ASCII can stand in a quoted-string; two characters need a backslash (RFC 9110 §5.6.4). */
function quotable(text: string | undefined): string | undefined {
  return text?.replaceAll(/[^\x20-\x7E]/gu, "?").replaceAll(/["\\]/g, "\\$&");
}
