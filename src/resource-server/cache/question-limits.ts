import { optionError } from "../../api-client/option-error.ts";
import type { TurnLimits } from "./question-turns.ts";
import { count } from "../read-number.ts";

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
  for (const name of Object.keys(questions)) {
    if (!names.has(name)) throw optionError(`questions.${name}`, "is not an option");
  }
  return {
    maxConcurrent: count("questions.maxConcurrent", questions.maxConcurrent ?? 64),
    maxQueued: count("questions.maxQueued", questions.maxQueued ?? 1000),
  };
}
