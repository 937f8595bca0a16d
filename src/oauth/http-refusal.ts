import type { RefusalCode } from "./access-token-decision.ts";

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
