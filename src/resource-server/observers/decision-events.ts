import { callHarmlessly } from "../../serving/call-harmlessly.ts";
import type { AccessToken } from "../decision/access-token.ts";
import type { Diagnosis } from "../refusal/diagnosis.ts";
import type { ResourceServerClocks, Warning } from "../environment.ts";

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

/** What was decided; whatever is left out there was not. */
interface Decided {
  readonly issuer: string | undefined;
  readonly facts?: DecisionEvent["facts"];
  readonly accessToken?: AccessToken | undefined;
  readonly bindingLost?: boolean | undefined;
  /** Absent: granted. */
  readonly diagnosis?: Diagnosis;
}

/** Tells everyone, at once and in the asynchronous context of the caller; throws nothing. */
type Tell = (decided: Decided) => void;

export interface DecisionObservers {
  /** To be called when a request is put, and what it returns when that is decided. */
  begin(): Tell;
}

/** What is private is not shown when an event is logged as a whole. */
class Decision implements DecisionEvent {
  readonly outcome: DecisionEvent["outcome"];
  readonly code: DecisionEvent["code"];
  readonly issuer: string | undefined;
  readonly clientId: string | undefined;
  readonly facts: DecisionEvent["facts"];
  readonly startedAt: number;
  readonly duration: number;
  readonly bindingLost: boolean;
  readonly diagnosis: Diagnosis | undefined;
  readonly #accessToken: AccessToken | undefined;

  constructor(startedAt: number, duration: number, decided: Decided) {
    const { issuer, accessToken, facts, bindingLost = false, diagnosis } = decided;
    this.outcome = outcomeOf(diagnosis);
    this.code = diagnosis?.code ?? "granted";
    this.issuer = issuer;
    this.clientId = accessToken?.clientId;
    this.facts = facts;
    this.startedAt = startedAt;
    this.duration = duration;
    this.bindingLost = bindingLost;
    this.diagnosis = diagnosis;
    this.#accessToken = accessToken;
    Object.freeze(this);
  }

  get accessToken(): AccessToken | undefined {
    return this.#accessToken;
  }
}

function outcomeOf(diagnosis: Diagnosis | undefined): DecisionEvent["outcome"] {
  if (diagnosis === undefined) return "granted";
  return diagnosis.check === "introspection" ? "unavailable" : "refused";
}

/**
 * Makes one of the functions that want to be told of decisions; `undefined` when there are none, and nothing is measured.
 *
 * One that throws, or rejects, harms neither the request nor the others; the operator is warned once.
 *
 * @example const observers = createDecisionObservers([logDecision], { warn, clock, monotonicClock })
 */
export function createDecisionObservers(
  functions: readonly OnDecision[],
  { warn, clock, monotonicClock }: ResourceServerClocks & { readonly warn: (warning: Warning) => void },
): DecisionObservers | undefined {
  if (functions.length === 0) return undefined;
  let warned = false;
  const failed = (cause: unknown): void => {
    if (warned) return;
    warned = true;
    const message = "A function that is told of decisions (onDecision) failed. No decision depends on it.";
    warn({ code: "CERTBOUND_OBSERVER_FAILED", message, cause });
  };
  return {
    begin() {
      const startedAt = clock();
      const since = monotonicClock();
      return (decided) => {
        const event = new Decision(startedAt, monotonicClock() - since, decided);
        for (const observe of functions) callHarmlessly(() => observe(event), failed);
      };
    },
  };
}
