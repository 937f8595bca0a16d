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

/** What is to be known of answers to see that a token is no longer what it was. */
export interface ReadsAnswers<Answer> {
  /** Why the answer lets nobody in; `undefined`: it does. */
  readonly refusalOf: (answer: Answer) => AccessTokenRefused | undefined;
  /** What decisions rest on, but for expiry: as long as this text is the same, so is the token. */
  readonly basisOf: (answer: Answer) => string;
}

/** Watched tokens: somebody holds a signal that fires when the token ends. */
export interface LiveTokens<Answer> {
  /**
   * The signal of the token under this key; `certain`: no event can have been missed since the answer was asked for.
   */
  watch(
    key: string,
    answer: Answer,
    question: { readonly askedAt: number; readonly certain: boolean; readonly ask: () => Promise<unknown> },
  ): AbortSignal;
  /** Call for every fresh answer. */
  learn(key: string, answer: Answer, askedAt: number): void;
  /** Asks again for every token that rests on these keys. */
  invalidate(invalidationKeys: readonly string[]): void;
  /** Events were lost: asks for every token again. Call it while the coverage is still what it was. */
  invalidateAll(): void;
  close(): void;
}

export interface LiveTokensOptions<Answer> extends ReadsAnswers<Answer> {
  readonly limits: FreshnessLimits;
  readonly maxWatched: number;
  /** Milliseconds that an answer may take after an event. */
  readonly timeout: number;
  readonly coverage: Coverage;
  readonly monotonicClock: () => number;
  readonly schedule: Schedule;
}

/** Holds no answer: an answer holds the token that was handed out, and the token holds the signal. */
interface Watched {
  readonly key: string;
  readonly controller: AbortController;
  /** What was handed out. The runtime keeps it as long as it is held or has listeners (DOM, AbortSignal.any). */
  held: WeakRef<AbortSignal>;
  readonly basis: string;
  readonly ask: () => Promise<unknown>;
  asking: boolean;
  /** What is known of it; replaced as a whole. */
  token: LiveToken;
  /** Cancels the timer of what is to happen to it before all are looked at again. */
  cancel: () => void;
}

/** Where nothing is remembered there is no bound of the cache's: a live token's, milliseconds. */
const boundWithoutMemory = 10_000;
/** All are looked at so often, milliseconds: what is to happen sooner has a timer of its own. */
const lookEvery = 1000;
/** Live tokens that are asked for at a time. */
const mostAsked = 16;
/** So many entries are searched for a signal that nobody holds, to make room for a new one. */
const mostSearched = 64;

/**
 * Creates the registry of live tokens: it aborts a token's signal when the token was revoked, expired or has changed,
 * or when nothing could be found out about it for longer than the cache's bound.
 *
 * While the stream is whole nothing is asked; without it a token is asked for when half of the bound is over, unless its
 * signal has been let go of. One timer for all, and one for each token to which something is to happen before that.
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
  /** What a signal was made of must live as long as it does: without a listener Node looks there when it is read. */
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

  /** Ends it when its time is over; else sees to it that it is asked for and looked at again in time. */
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
      // It may have been found out about, or be waiting here twice.
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
  return new AccessTokenRefused("token_unknown", { reason: "the token is no longer what it was when it was let in" });
}
