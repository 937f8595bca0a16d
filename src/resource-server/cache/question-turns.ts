import { optionError } from "../../options/option-error.ts";
import { count } from "../../options/read-number.ts";
import { refuseUnknownOptions } from "../../options/refuse-unknown-options.ts";
import { IntrospectionUnavailable } from "../refusal/introspection-unavailable.ts";

/** How much an issuer's outage may cost: what would exceed it is refused at once. */
export interface QuestionLimits {
  /** Questions asked at a time; default 64. */
  readonly maxConcurrent?: number;
  /** Questions that wait for one of those to end, each as long as its requests wait; default 1,000. */
  readonly maxQueued?: number;
}

const names: ReadonlySet<string> = new Set<keyof QuestionLimits>(["maxConcurrent", "maxQueued"]);

/**
 * Checks the option `questions` and completes it. Throws a `TypeError` with a `code`.
 *
 * @example readQuestionLimits({ maxConcurrent: 16 }) // { maxConcurrent: 16, maxQueued: 1000 }
 */
export function readQuestionLimits(questions: QuestionLimits = {}): TurnLimits {
  if (typeof questions !== "object" || (questions as unknown) === null) {
    throw optionError("questions", "must be an object");
  }
  refuseUnknownOptions(questions, names, "questions");
  return {
    maxConcurrent: count("questions.maxConcurrent", questions.maxConcurrent ?? 64),
    maxQueued: count("questions.maxQueued", questions.maxQueued ?? 1000),
  };
}

/** How many questions a resource server asks one issuer at a time, and how many more may wait for their turn. */
export interface TurnLimits {
  readonly maxConcurrent: number;
  readonly maxQueued: number;
}

export interface QuestionTurns {
  /**
   * Gives a turn at once when one is free, else when it is due; the turn is ended by calling what it is.
   *
   * Throws {@link IntrospectionUnavailable} when too many wait already; a turn that is waited for is not given any more
   * when the signal is aborted, and rejects with its reason.
   */
  take(signal: AbortSignal): EndTurn | Promise<EndTurn>;
}

type EndTurn = () => void;

/**
 * Creates the queue in front of one issuer: an outage there must not become one here, by ever more that waits.
 *
 * @example const turn = turns.take(signal); const end = typeof turn === "function" ? turn : await turn
 */
export function createQuestionTurns({ maxConcurrent, maxQueued }: TurnLimits): QuestionTurns {
  let taken = 0;
  const queue = new Set<() => void>();

  function give(): EndTurn {
    let ended = false;
    return () => {
      if (ended) return;
      ended = true;
      const [next] = queue;
      if (next === undefined) {
        taken -= 1;
        return;
      }
      queue.delete(next);
      next();
    };
  }

  return {
    take(signal) {
      signal.throwIfAborted();
      if (taken < maxConcurrent) {
        taken += 1;
        return give();
      }
      if (queue.size >= maxQueued) throw new IntrospectionUnavailable("too many questions wait for an answer");
      return new Promise((resolve, reject) => {
        const onTurn = (): void => {
          signal.removeEventListener("abort", onAbort);
          resolve(give());
        };
        const onAbort = (): void => {
          queue.delete(onTurn);
          reject(signal.reason as Error);
        };
        signal.addEventListener("abort", onAbort, { once: true });
        queue.add(onTurn);
      });
    },
  };
}
