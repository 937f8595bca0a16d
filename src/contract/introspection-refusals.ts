import type { RefusalCode } from "../oauth/access-token-decision.ts";

/** The answer of `auth/introspection` to a refusal. */
export interface RefusedIntrospection {
  readonly action: "UNAUTHORIZED" | "FORBIDDEN";
  /** The `error` of the challenge in `responseContent` (RFC 6750 §3.1). */
  readonly error: "invalid_token" | "insufficient_scope" | "invalid_request";
  /** The usual one first. */
  readonly resultCodes: readonly [string, ...string[]];
}

const unauthorized = { action: "UNAUTHORIZED", error: "invalid_token" } as const;
const forbidden = { action: "FORBIDDEN" } as const;

/**
 * The answer of `auth/introspection` to each refusal of the decision (Authlete's API, RFC 6750 §3.1).
 *
 * The backend writes its answers by this table, and the library reads them by it. If two refusals share a result code, the
 * library reads the first one.
 */
export const introspectionRefusals = {
  token_unknown: { ...unauthorized, resultCodes: ["A057302"] },
  token_not_yet_valid: { ...unauthorized, resultCodes: ["A057302"] },
  client_locked: { ...unauthorized, resultCodes: ["A097303"] },
  // Without a refresh token, with a valid one, with an expired one.
  token_expired: { ...unauthorized, resultCodes: ["A065303", "A065301", "A065302"] },
  certificate_missing: { ...unauthorized, resultCodes: ["A065304"] },
  certificate_mismatch: { ...unauthorized, resultCodes: ["A065305"] },
  certificate_unreadable: { ...unauthorized, resultCodes: ["A065307"] },
  confirmation_malformed: { ...unauthorized, resultCodes: ["A065306"] },
  confirmation_unsupported: { ...unauthorized, resultCodes: ["A065306"] },
  token_unbound: { ...unauthorized, resultCodes: ["A065306"] },
  audience_mismatch: { ...unauthorized, resultCodes: ["A064303"] },
  subject_missing: { ...forbidden, error: "invalid_request", resultCodes: ["A066301"] },
  subject_mismatch: { ...forbidden, error: "invalid_request", resultCodes: ["A066302"] },
  // Too few scopes, no scopes.
  scope_insufficient: { ...forbidden, error: "insufficient_scope", resultCodes: ["A064302", "A064301"] },
} as const satisfies Record<RefusalCode, RefusedIntrospection>;

/** The refusal for an unknown result code. */
const otherwise = { UNAUTHORIZED: "token_unknown", FORBIDDEN: "scope_insufficient" } as const;

const refusalsByAnswer = new Map<string, RefusalCode>();
for (const [refusal, { action, resultCodes }] of Object.entries(introspectionRefusals)) {
  for (const resultCode of resultCodes) {
    const answer = `${action} ${resultCode}`;
    if (!refusalsByAnswer.has(answer)) refusalsByAnswer.set(answer, refusal as RefusalCode);
  }
}

/**
 * The refusal for an answer of `auth/introspection`. The action decides the status, the code adds details.
 *
 * @example readRefusal("UNAUTHORIZED", "A065306") // "confirmation_malformed"
 */
export function readRefusal(action: RefusedIntrospection["action"], resultCode: string): RefusalCode {
  return refusalsByAnswer.get(`${action} ${resultCode}`) ?? otherwise[action];
}
