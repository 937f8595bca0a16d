import { AccessTokenRefused } from "../refusal/access-token-refused.ts";
import type { Rememberable } from "./answer-memory.ts";
import { certifiedAt, type Coverage, type FreshnessLimits } from "./freshness.ts";
import {
  answeredAgain,
  askingFailed,
  dueAt,
  endsAt,
  eventCame,
  eventsWereLost,
  handedOut,
  type LatestAnswer,
  type LiveToken,
} from "./live-token.ts";
import { createKeyIndex } from "./invalidations.ts";
import type { Schedule } from "../environment.ts";
import { createUnwatchedSignals, unconfirmed } from "./unwatched-signals.ts";

/** How to see from an answer that a token has changed. */
export interface ReadsAnswers<Answer> {
  /** The refusal for an answer that is not positive; `undefined` for a positive one. */
  readonly refusalOf: (answer: Answer) => AccessTokenRefused | undefined;
  /**
   * The facts that decisions are based on, except expiry, as text: the token is unchanged while this text is the same.
   */
  readonly basisOf: (answer: Answer) => string;
}

/** Watched tokens: for each, a signal was read that is aborted when the token ends. */
export interface LiveTokens<Answer> {
  /**
   * Returns the signal of the token under this key; `certain`: no event can have been missed since the answer was
   * requested.
   */
  watch(
    key: string,
    answer: Answer,
    question: { readonly askedAt: number; readonly certain: boolean; readonly ask: () => Promise<unknown> },
  ): AbortSignal;
  /** Call for every fresh answer. */
  learn(key: string, answer: Answer, askedAt: number): void;
  /** Requests every token with any of these keys again. */
  invalidate(invalidationKeys: readonly string[]): void;
  /** Requests every token again after a loss of events. Call it before the coverage is reset. */
  invalidateAll(): void;
  close(): void;
}

export interface LiveTokensOptions<Answer> extends ReadsAnswers<Answer> {
  readonly limits: FreshnessLimits;
  readonly maxWatched: number;
  /** How long an answer may take after an event, in milliseconds. */
  readonly timeout: number;
  readonly coverage: Coverage;
  readonly monotonicClock: () => number;
  readonly schedule: Schedule;
}

/** Must not reference the answer: the answer holds the token that was returned, and the token holds the signal. */
interface Watched {
  readonly key: string;
  readonly controller: AbortController;
  /**
   * The signal that was returned. The runtime keeps it while it is referenced or has listeners (DOM, AbortSignal.any).
   */
  held: WeakRef<AbortSignal>;
  readonly basis: string;
  readonly ask: () => Promise<unknown>;
  asking: boolean;
  /** Its state; replaced as a whole. */
  token: LiveToken;
  /** Cancels the timer of an action that is due before the next check of all tokens. */
  cancel: () => void;
}

/** The bound without a cache, in milliseconds. */
const boundWithoutMemory = 10_000;
/** The interval of the check of all tokens, in milliseconds; an action that is due earlier has its own timer. */
const lookEvery = 1000;
/** Concurrent requests about live tokens. */
const mostAsked = 16;
/** How many entries are searched for a garbage-collected signal to make room for a new one. */
const mostSearched = 64;

/**
 * Creates the registry of live tokens: it aborts a token's signal when the token was revoked, has expired or has
 * changed, or when it could not be confirmed for longer than the cache's bound.
 *
 * While the stream is intact it sends no requests; without the stream it requests a token when half of the bound has
 * passed, unless its signal was garbage-collected. One timer for all, and one for each token with an earlier action.
 *
 * @example live.watch(key, answer, { askedAt, certain: true, ask: () => askAgain(token) })
 */
export function createLiveTokens<Answer extends Rememberable>(options: LiveTokensOptions<Answer>): LiveTokens<Answer> {
  const { limits, timeout, coverage, monotonicClock, schedule } = options;
  const bound = limits.ttl > 0 ? Math.max(limits.ttl, limits.lease) : boundWithoutMemory;
  const watched = new Map<string, Watched>();
  const index = createKeyIndex<Watched>();
  const unwatched = createUnwatchedSignals({ monotonicClock, schedule });
  let waiting: Watched[] = [];
  let asked = 0;
  let cancelLook: (() => void) | undefined;
  let closed = false;
  /** The controller must live as long as the signal derived from it: without a listener Node reads the state there. */
  const sources = new WeakMap<AbortSignal, AbortController>();

  const toLatest = ({ positive, expiresAt, invalidationKeys: keys = [] }: Answer, askedAt: number): LatestAnswer => ({
    ...{ askedAt, expiresAt, keys },
    revocable: positive && keys.length > 0,
  });
  const deadlineOf = ({ token }: Watched): number => endsAt(token, coverage, bound);
  const dueTimeOf = ({ token, held }: Watched): number => dueAt(token, coverage, bound, held.deref() !== undefined);

  function signalOf(controller: AbortController): AbortSignal {
    const held = AbortSignal.any([controller.signal]);
    sources.set(held, controller);
    return held;
  }

  function end(one: Watched, reason: Error): void {
    if (!watched.delete(one.key)) return;
    one.cancel();
    index.remove(one.token.latest.keys, one);
    one.controller.abort(reason);
  }

  /** Ends the token if it is due; otherwise plans the next request and the next check. */
  function look(one: Watched, now: number): void {
    one.cancel();
    const expires = one.token.latest.expiresAt - monotonicClock();
    const left = deadlineOf(one) - now;
    if (!(expires > 0)) end(one, new AccessTokenRefused("token_expired"));
    else if (!(left > 0)) end(one, unconfirmed());
    else {
      const due = one.asking ? Infinity : dueTimeOf(one) - now;
      if (due <= 0) waiting.push(one);
      const next = Math.min(expires, left, due > 0 ? due : Infinity);
      const comeBack = (): void => {
        comeBackTo(one);
      };
      if (next < lookEvery) one.cancel = schedule(comeBack, Math.max(1, Math.ceil(next)), "background");
    }
  }

  function lookAtAll(): void {
    cancelLook?.();
    cancelLook = undefined;
    const now = monotonicClock();
    waiting = [];
    for (const one of watched.values()) look(one, now);
    waiting.sort((a, b) => deadlineOf(b) - deadlineOf(a));
    askWaiting();
    if (watched.size > 0) cancelLook = schedule(lookAtAll, lookEvery, "background");
  }

  function askWaiting(): void {
    while (asked < mostAsked) {
      const one = waiting.pop();
      if (one === undefined) return;
      // It may have been answered in the meantime, or be in the list twice.
      if (one.asking || watched.get(one.key) !== one || dueTimeOf(one) > monotonicClock()) continue;
      one.asking = true;
      asked += 1;
      void one
        .ask()
        .catch(() => {
          one.token = askingFailed(one.token, monotonicClock() + timeout / 8);
        })
        .then(() => {
          one.asking = false;
          asked -= 1;
          askWaiting();
          comeBackTo(one);
        });
    }
  }

  function comeBackTo(one: Watched): void {
    if (watched.get(one.key) !== one) return;
    look(one, monotonicClock());
    askWaiting();
    if (watched.size > 0) cancelLook ??= schedule(lookAtAll, lookEvery, "background");
  }

  function findRoom(): boolean {
    if (watched.size < options.maxWatched) return true;
    let searched = 0;
    for (const [key, one] of watched) {
      if (one.held.deref() === undefined) {
        end(one, unconfirmed());
        return true;
      }
      if (++searched === mostSearched) return false;
      watched.delete(key);
      watched.set(key, one);
    }
    return false;
  }

  return {
    watch(key, answer, { askedAt, certain, ask }) {
      if (closed) return AbortSignal.abort(unconfirmed());
      const basis = options.basisOf(answer);
      const known = watched.get(key);
      if (known?.basis === basis) {
        const held = known.held.deref();
        if (held !== undefined) return held;
        const anew = signalOf(known.controller);
        known.held = new WeakRef(anew);
        comeBackTo(known);
        return anew;
      }
      if (known !== undefined) {
        if (known.token.latest.askedAt > askedAt) return AbortSignal.abort(changed());
        end(known, changed());
      }
      const latest = toLatest(answer, askedAt);
      if (!findRoom()) {
        const from = certain ? certifiedAt(latest, coverage) : askedAt;
        return unwatched.open({ endsAt: from + bound, expiresAt: answer.expiresAt });
      }
      const controller = new AbortController();
      const held = signalOf(controller);
      const one: Watched = {
        key,
        controller,
        held: new WeakRef(held),
        basis,
        ask,
        asking: false,
        token: handedOut(latest, certain, monotonicClock() + timeout),
        cancel: () => undefined,
      };
      watched.set(key, one);
      index.add(latest.keys, one);
      comeBackTo(one);
      return held;
    },
    learn(key, answer, askedAt) {
      const one = watched.get(key);
      if (one === undefined || askedAt < one.token.latest.askedAt) return;
      const refusal = options.refusalOf(answer);
      if (refusal !== undefined || options.basisOf(answer) !== one.basis) {
        end(one, refusal ?? changed());
        return;
      }
      const latest = toLatest(answer, askedAt);
      index.remove(one.token.latest.keys, one);
      index.add(latest.keys, one);
      one.token = answeredAgain(one.token, latest);
    },
    invalidate(invalidationKeys) {
      const by = monotonicClock() + timeout;
      for (const one of index.under(invalidationKeys)) {
        one.token = eventCame(one.token, coverage, by);
        comeBackTo(one);
      }
    },
    invalidateAll() {
      for (const one of watched.values()) one.token = eventsWereLost(one.token, coverage);
      lookAtAll();
    },
    close() {
      closed = true;
      cancelLook?.();
      for (const one of [...watched.values()]) end(one, unconfirmed());
      unwatched.close();
    },
  };
}

function changed(): AccessTokenRefused {
  return new AccessTokenRefused("token_unknown", { reason: "the token has changed since it was granted access" });
}
