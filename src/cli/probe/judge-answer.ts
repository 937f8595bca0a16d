import type { RawAnswer } from "./raw-request.ts";

/** `opened`: the token was good enough; `refused`: it was not; `unclear`: the answer says neither. */
export type Judgement = "opened" | "refused" | "unclear";

/** Malformed, without authorization, forbidden, and too large for a front end to look at. */
const refusals: ReadonlySet<number> = new Set([400, 401, 403, 413, 431]);

/**
 * Says what an answer means for the token that was sent.
 *
 * A 2xx and a 3xx come from behind the check, and so does a 403 for a scope: the token was believed, and covers less
 * (RFC 6750 §3.1). Every other 4xx (404, 429, …) and every 5xx may come from anywhere. No answer is a refusal for what
 * breaks HTTP's grammar, and unclear for all else.
 *
 * @example judgeAnswer({ status: 401, challenge: "" }) // "refused"
 */
export function judgeAnswer(answer: RawAnswer, malformed = false): Judgement {
  if (!("status" in answer)) {
    const ended = answer.reached && answer.failure !== "ETIMEDOUT";
    return malformed && ended ? "refused" : "unclear";
  }
  const { status, challenge } = answer;
  if (status >= 200 && status < 400) return "opened";
  if (status === 403 && /\berror="?insufficient_scope\b/i.test(challenge)) return "opened";
  return refusals.has(status) ? "refused" : "unclear";
}

/**
 * An answer in a few words, for people: its status or why there was none.
 *
 * @example sayAnswer({ failure: "ECONNREFUSED", reached: false }) // "no answer (ECONNREFUSED)"
 */
export function sayAnswer(answer: RawAnswer): string {
  return "status" in answer ? String(answer.status) : `no answer (${answer.failure})`;
}
