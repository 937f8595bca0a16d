import type { AccessToken } from "../decision/access-token.ts";
import type { Diagnosis } from "../refusal/diagnosis.ts";

/**
 * What a resource server tells its operator of every decision; nothing in it opens anything.
 *
 * It may be logged as a whole: the token's facts, which are personal data, have to be taken out of it on purpose.
 */
export interface DecisionEvent {
  readonly outcome: "granted" | "refused" | "unavailable";
  readonly code: "granted" | Diagnosis["code"];
  /** The configured name of the issuer whose token it is, or would have to be. */
  readonly issuer: string | undefined;
  readonly clientId: string | undefined;
  /** Whether the facts were remembered or asked for; `undefined`: none were needed or to be had. */
  readonly facts: "remembered" | "asked" | undefined;
  /** When the request was put, milliseconds since 1970. */
  readonly startedAt: number;
  /** Milliseconds from then to the decision, on the monotonic clock. */
  readonly duration: number;
  /** With this token a client whose tokens were bound has come with one that is not; once for each loss. */
  readonly bindingLost: boolean;
  /** Why it was refused, or not decided. */
  readonly diagnosis: Diagnosis | undefined;
  /** The token as far as it is known, also when it was refused; neither `JSON.stringify` nor `inspect` shows it. */
  readonly accessToken: AccessToken | undefined;
}

/** Told of every decision, after it was made; what it throws, or rejects with, is nobody's. */
export type OnDecision = (event: DecisionEvent) => unknown;
