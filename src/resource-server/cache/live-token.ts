import { certifiedAt, type Coverage } from "./freshness.ts";

// What is known of one token that somebody watches, as values: each change makes the next. Instants are of the monotonic
// clock, in milliseconds.

/** What the latest usable answer says. */
export interface LatestAnswer {
  /** When the question was sent. */
  readonly askedAt: number;
  readonly expiresAt: number;
  /** The invalidation keys that the answer rests on. */
  readonly keys: readonly string[];
  /** Whether the stream of events may vouch for the answer. */
  readonly revocable: boolean;
}

interface Common {
  readonly latest: LatestAnswer;
  /** The latest instant at which the token is known to have been good, apart from what the stream vouches for now. */
  readonly goodAt: number;
  /** Not to be asked for before. */
  readonly retryAt: number;
}

/** Nothing is known against the latest answer: asked for again when half of the bound is over. */
interface Trusted extends Common {
  readonly state: "trusted";
}

/** An event came, or events were lost, after the latest answer: asked for at once. */
interface Doubted extends Common {
  readonly state: "doubted";
  /** The signal ends then without another answer; `Infinity`: only the bound ends it. */
  readonly answerBy: number;
}

export type LiveToken = Trusted | Doubted;

/** A token that was just handed out; without `certain`, an event may have been missed since the question. */
export function handedOut(latest: LatestAnswer, certain: boolean, answerBy: number): LiveToken {
  const common = { latest, goodAt: latest.askedAt, retryAt: -Infinity };
  return certain ? { state: "trusted", ...common } : { state: "doubted", ...common, answerBy };
}

/** Another answer that says the same. */
export function answeredAgain(token: LiveToken, latest: LatestAnswer): LiveToken {
  return { state: "trusted", latest, goodAt: Math.max(token.goodAt, latest.askedAt), retryAt: -Infinity };
}

/** An event about the token came: an answer has to follow by `answerBy`. */
export function eventCame(token: LiveToken, coverage: Coverage, answerBy: number): LiveToken {
  return doubted(token, coverage, Math.min(answerByOf(token), answerBy));
}

/** Events were lost; `coverage` is still what it was before. */
export function eventsWereLost(token: LiveToken, coverage: Coverage): LiveToken {
  return doubted(token, coverage, answerByOf(token));
}

/** The question failed. */
export function askingFailed(token: LiveToken, retryAt: number): LiveToken {
  return { ...token, retryAt };
}

/** From here on the stream vouches no more for what was known before. */
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

/** When the signal ends because nothing was found out; its expiry, `latest.expiresAt`, apart. */
export function endsAt(token: LiveToken, coverage: Coverage, bound: number): number {
  return Math.min(knownGoodAt(token, coverage) + bound, answerByOf(token));
}

/**
 * When the token has to be asked for again; `Infinity`: never.
 *
 * A signal that nobody holds any more is not asked for, unless an event came: a signal made of it may still be in use.
 */
export function dueAt(token: LiveToken, coverage: Coverage, bound: number, isHeld: boolean): number {
  if (!isHeld && answerByOf(token) === Infinity) return Infinity;
  if (token.state === "doubted") return token.retryAt;
  return Math.max(knownGoodAt(token, coverage) + bound / 2, token.retryAt);
}
