import type { AccessTokenRefusalCode } from "./access-token-refused.ts";

/**
 * Which check a request failed and what was expected, for the operator: never the token, never what is sent to a caller.
 *
 * Thumbprints are `x5t#S256` values; `undefined` where the check has no such thing.
 */
export interface Diagnosis {
  readonly check:
    | "credentials"
    | "issuer"
    | "introspection"
    | "active"
    | "time"
    | "certificate"
    | "confirmation"
    | "audience"
    | "subject"
    | "scope";
  readonly code: AccessTokenRefusalCode | "introspection_unavailable" | "introspection_malformed";
  readonly expected: string | undefined;
  readonly found: string | undefined;
  readonly reason: string;
}
