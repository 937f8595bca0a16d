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
   * Resolves when the question may be asked, at once where fewer than `maxConcurrent` are under way; call the result
   * when the question has been answered.
   *
   * Throws {@link IntrospectionUnavailable} when too many questions wait; rejects with the signal's reason when it is
   * aborted while the question waits.
   */
  enter(signal: AbortSignal): Release | Promise<Release>;
}

type Release = () => void;

/**
 * Creates the queue in front of one issuer: an outage there must not become one here, by ever more that waits.
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
      if (waiting.size >= maxQueued) throw new IntrospectionUnavailable("too many questions wait for an answer");
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
