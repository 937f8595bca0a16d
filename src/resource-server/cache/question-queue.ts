import { optionError } from "../../options/option-error.ts";
import { count } from "../../options/read-number.ts";
import { refuseUnknownOptions } from "../../options/refuse-unknown-options.ts";
import { IntrospectionUnavailable } from "../refusal/introspection-unavailable.ts";

/** Limits the cost of an issuer's outage: requests beyond the limits are refused at once. */
export interface QuestionLimits {
  /** Concurrent requests to the issuer; default 64. */
  readonly maxConcurrent?: number;
  /** Requests that may wait for one of those to end, each within its own timeout; default 1,000. */
  readonly maxQueued?: number;
}

const names: ReadonlySet<string> = new Set<keyof QuestionLimits>(["maxConcurrent", "maxQueued"]);

/**
 * Checks the option `questions` and completes it. Throws a `TypeError` with a `code`.
 *
 * @example readQuestionLimits({ maxConcurrent: 16 }) // { maxConcurrent: 16, maxQueued: 1000 }
 */
export function readQuestionLimits(questions: QuestionLimits = {}): Required<QuestionLimits> {
  if (typeof questions !== "object" || (questions as unknown) === null) {
    throw optionError("questions", "must be an object");
  }
  refuseUnknownOptions(questions, names, "questions");
  return {
    maxConcurrent: count("questions.maxConcurrent", questions.maxConcurrent ?? 64),
    maxQueued: count("questions.maxQueued", questions.maxQueued ?? 1000),
  };
}

export interface QuestionQueue {
  /**
   * Resolves when the request may be sent, at once if fewer than `maxConcurrent` are under way; call the result when it
   * was answered.
   *
   * Throws {@link IntrospectionUnavailable} when the queue is full; rejects with the signal's reason when it is aborted
   * while waiting.
   */
  enter(signal: AbortSignal): Release | Promise<Release>;
}

type Release = () => void;

/**
 * Creates the queue in front of one issuer, so that an outage there does not fill this process with waiting requests.
 *
 * @example const entry = queue.enter(signal); const release = typeof entry === "function" ? entry : await entry
 */
export function createQuestionQueue({ maxConcurrent, maxQueued }: Required<QuestionLimits>): QuestionQueue {
  let underWay = 0;
  const waiting = new Set<() => void>();

  function admit(): Release {
    let released = false;
    return () => {
      if (released) return;
      released = true;
      const [next] = waiting;
      if (next === undefined) {
        underWay -= 1;
        return;
      }
      waiting.delete(next);
      next();
    };
  }

  return {
    enter(signal) {
      signal.throwIfAborted();
      if (underWay < maxConcurrent) {
        underWay += 1;
        return admit();
      }
      if (waiting.size >= maxQueued) throw new IntrospectionUnavailable("too many requests wait for an answer");
      return new Promise((resolve, reject) => {
        const onAdmitted = (): void => {
          signal.removeEventListener("abort", onAbort);
          resolve(admit());
        };
        const onAbort = (): void => {
          waiting.delete(onAdmitted);
          reject(signal.reason as Error);
        };
        signal.addEventListener("abort", onAbort, { once: true });
        waiting.add(onAdmitted);
      });
    },
  };
}
