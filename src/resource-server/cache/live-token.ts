import { certifiedAt, type Coverage } from "./freshness.ts";

// The state of one watched token, as immutable values: each change returns the next state. Instants are on the
// monotonic clock, in milliseconds.

/** The latest usable answer. */
export interface LatestAnswer {
  /** When the request was sent. */
  readonly askedAt: number;
  readonly expiresAt: number;
  /** The invalidation keys of the answer. */
  readonly keys: readonly string[];
  /** Whether the stream of events can confirm the answer. */
  readonly revocable: boolean;
}

interface Common {
  readonly latest: LatestAnswer;
  /** The latest instant at which the token is known to have been active, without the current coverage of the stream. */
  readonly goodAt: number;
  /** No request before this instant. */
  readonly retryAt: number;
}

/** Nothing contradicts the latest answer; the next request is due when half of the bound has passed. */
interface Trusted extends Common {
  readonly state: "trusted";
}

/** An event came, or events were lost, after the latest answer; a request is due at once. */
interface Doubted extends Common {
  readonly state: "doubted";
  /** Without another answer the signal is aborted then; `Infinity`: only the bound applies. */
  readonly answerBy: number;
}

export type LiveToken = Trusted | Doubted;

/** The state of a token that was just returned; without `certain`, an event may have been missed since the request. */
export function handedOut(latest: LatestAnswer, certain: boolean, answerBy: number): LiveToken {
  const common = { latest, goodAt: latest.askedAt, retryAt: -Infinity };
  return certain ? { state: "trusted", ...common } : { state: "doubted", ...common, answerBy };
}

/** After another answer with the same content. */
export function answeredAgain(token: LiveToken, latest: LatestAnswer): LiveToken {
  return { state: "trusted", latest, goodAt: Math.max(token.goodAt, latest.askedAt), retryAt: -Infinity };
}

/** After an event about the token; an answer must follow by `answerBy`. */
export function eventCame(token: LiveToken, coverage: Coverage, answerBy: number): LiveToken {
  return doubted(token, coverage, Math.min(answerByOf(token), answerBy));
}

/** After a loss of events; `coverage` is still the one before the loss. */
export function eventsWereLost(token: LiveToken, coverage: Coverage): LiveToken {
  return doubted(token, coverage, answerByOf(token));
}

/** After a failed request. */
export function askingFailed(token: LiveToken, retryAt: number): LiveToken {
  return { ...token, retryAt };
}

/** From now on the stream no longer confirms earlier answers. */
function doubted(token: LiveToken, coverage: Coverage, answerBy: number): Doubted {
  const latest = { ...token.latest, revocable: false };
  return { state: "doubted", latest, goodAt: knownGoodAt(token, coverage), retryAt: -Infinity, answerBy };
}

function answerByOf(token: LiveToken): number {
  return token.state === "doubted" ? token.answerBy : Infinity;
}

function knownGoodAt(token: LiveToken, coverage: Coverage): number {
  return Math.max(token.goodAt, certifiedAt(token.latest, coverage));
}

/** When the signal is aborted without another answer, leaving aside the token's expiry, `latest.expiresAt`. */
export function endsAt(token: LiveToken, coverage: Coverage, bound: number): number {
  return Math.min(knownGoodAt(token, coverage) + bound, answerByOf(token));
}

/**
 * When the next request about the token is due; `Infinity`: never.
 *
 * No request for a signal that was garbage-collected, unless an event came: a signal derived from it may still be in
 * use.
 */
export function dueAt(token: LiveToken, coverage: Coverage, bound: number, isHeld: boolean): number {
  if (!isHeld && answerByOf(token) === Infinity) return Infinity;
  if (token.state === "doubted") return token.retryAt;
  return Math.max(knownGoodAt(token, coverage) + bound / 2, token.retryAt);
}
