import type { AccessToken } from "./access-token.ts";
import type { AccessTokenRefusalCode } from "./access-token-refused.ts";
import type { Diagnosis } from "./diagnosis.ts";

/**
 * What a resource server tells its operator of every decision; nothing in it opens anything.
 *
 * `duration` in milliseconds, from the request's question to the decision.
 */
export interface DecisionEvent {
  readonly outcome: "granted" | "refused" | "unavailable";
  readonly code: "granted" | AccessTokenRefusalCode | "introspection_unavailable" | "introspection_malformed";
  /** The issuer that was asked, where it has a name. */
  readonly issuer: string | undefined;
  /** Whether the facts were remembered or asked for; `undefined`: none were needed or to be had. */
  readonly facts: "remembered" | "asked" | undefined;
  /** The token as far as it is known, also when it was refused. */
  readonly accessToken: AccessToken | undefined;
  readonly duration: number;
  /** Why it was refused, or not decided. */
  readonly diagnosis: Diagnosis | undefined;
}

/** Told of every decision, after it was made; what it throws is nobody's. */
export type OnDecision = (event: DecisionEvent) => void;
