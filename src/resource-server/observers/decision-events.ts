import { callHarmlessly } from "../../serving/call-harmlessly.ts";
import type { AccessToken } from "../decision/access-token.ts";
import type { Diagnosis } from "../refusal/diagnosis.ts";
import type { ResourceServerClocks, Warning } from "../environment.ts";

/**
 * The event of a decision, for the operator; it contains no secrets.
 *
 * It can be logged as a whole: the token's facts, which are personal data, are shown only if they are read explicitly.
 */
export interface DecisionEvent {
  readonly outcome: "granted" | "refused" | "unavailable";
  readonly code: "granted" | Diagnosis["code"];
  /** The configured name of the token's actual or required issuer. */
  readonly issuer: string | undefined;
  readonly clientId: string | undefined;
  /** Whether the facts were cached or requested; `undefined`: none were needed or available. */
  readonly facts: "remembered" | "asked" | undefined;
  /** When `authorize` was called, milliseconds since 1970. */
  readonly startedAt: number;
  /** The time from then to the decision in milliseconds, on the monotonic clock. */
  readonly duration: number;
  /** The token is unbound and its client's tokens were bound before; once for each loss. */
  readonly bindingLost: boolean;
  /** Why it was refused or could not be decided. */
  readonly diagnosis: Diagnosis | undefined;
  /** The token, if known, even if it was refused; neither `JSON.stringify` nor `inspect` shows it. */
  readonly accessToken: AccessToken | undefined;
}

/** Called with every decision after it was made; its errors are ignored. */
export type OnDecision = (event: DecisionEvent) => unknown;

/** The result of a decision. */
interface Decided {
  readonly issuer: string | undefined;
  readonly facts?: DecisionEvent["facts"];
  readonly accessToken?: AccessToken | undefined;
  readonly bindingLost?: boolean | undefined;
  /** Absent if granted. */
  readonly diagnosis?: Diagnosis;
}

/** Calls all observers synchronously, in the asynchronous context of the caller; throws nothing. */
type Tell = (decided: Decided) => void;

export interface DecisionObservers {
  /** Call it when `authorize` is called, and the returned function when the decision is made. */
  begin(): Tell;
}

/** A private field is not shown when an event is logged as a whole. */
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
 * Combines the observers of decisions; `undefined` without any, so that nothing is measured.
 *
 * An observer that throws or rejects affects neither the request nor other observers; the operator is warned once.
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
    const message = "A function given as onDecision failed. No decision depends on it.";
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
