/** The level of a log line. */
export type CallLevel = "info" | "warn" | "error";

/**
 * What an outcome means to the operator, and so the level of its line in the log:
 * - `done`: what was asked for was done;
 * - `ordinary`: refused, as it happens every day (a token has expired, a user declines, a form lacks a parameter);
 * - `refusal`: a client or a token was refused for a reason that the operator should see;
 * - `caller`: the program that calls the API is wrong;
 * - `fault`: the backend could not do its work.
 */
export const levels = {
  done: "info",
  ordinary: "info",
  refusal: "warn",
  caller: "warn",
  fault: "error",
} as const satisfies Record<string, CallLevel>;

export type OutcomeKind = keyof typeof levels;

/** What a result code means to the operator, and what to do about it, in a sentence or two. */
export interface Advice {
  readonly kind: OutcomeKind;
  readonly todo: string;
}

/** Advice for each code of a table of sentences. */
export type AdviceFor<Sentences> = Readonly<Record<keyof Sentences, Advice>>;

const of =
  (kind: OutcomeKind) =>
  (todo: string): Advice =>
    Object.freeze({ kind, todo });

export const ordinary = of("ordinary");
export const refusal = of("refusal");
export const callerIsWrong = of("caller");
export const fault = of("fault");
export const done = of("done")("Nothing.");

/** A request that is not what the RFC or the API describes. */
export const fixRequest = (what: string): Advice => ordinary(`Change the client's program: ${what}`);

/** A parameter that a request of a client may have once. */
export const sendOnce = (name: string): Advice => fixRequest(`send \`${name}\` once.`);

/** A parameter that a request of a client lacks. */
export const sendParameter = (name: string): Advice => fixRequest(`send \`${name}\`.`);
