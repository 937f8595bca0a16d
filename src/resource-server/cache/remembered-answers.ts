import { BackendAnswerMalformed, BackendUnavailable } from "../../api-client/backend-unavailable.ts";
import { ApiError } from "../../api-client/introspection-caller.ts";
import { retryAfterSeconds } from "../../serving/server-timeouts.ts";
import { IntrospectionMalformed, IntrospectionUnavailable } from "../refusal/introspection-unavailable.ts";
import { createAnswerMemory, type MemoryLimits, type Rememberable } from "./answer-memory.ts";
import { createSharedRequests, WaitedTooLong } from "./shared-requests.ts";
import type { QuestionQueue } from "./question-queue.ts";
import type { Coverage } from "./freshness.ts";
import { createLiveTokens, type ReadsAnswers } from "./live-tokens.ts";
import { createRecentInvalidations } from "./invalidations.ts";
import type { Schedule } from "../environment.ts";

/**
 * Sends the request to the source, at `askedAt` on the monotonic clock; the signal is aborted when nobody waits for the
 * answer any more.
 */
export type AskSource<Answer> = (signal: AbortSignal, askedAt: number) => Promise<Answer>;

/** What an API request requires of an answer. */
export interface AnswerDemand {
  readonly signal: AbortSignal | undefined;
  /** Milliseconds: facts must not have been older when the API request came; 0: they are requested for it alone. */
  readonly maxAge: number | undefined;
}

/** Answers by key: cached ones, and at most one request at a time for the others. */
export interface RememberedAnswers<Answer> {
  /** Returns a cached answer that may still be used; `maxAge` in milliseconds. */
  recall(key: string, maxAge?: number): Answer | undefined;
  /** Requests the answer, shared by all concurrent callers of the same key; caches answers, never failures. */
  ask(key: string, question: AskSource<Answer>, demand: AnswerDemand): Promise<Answer>;
  /** Returns a signal that is aborted when the answer is no longer true. */
  watch(key: string, answer: Answer, question: AskSource<Answer>): AbortSignal;
  /** Invalidates answers with these keys, also those that have not arrived yet. */
  invalidate(invalidationKeys: readonly string[]): void;
  /** Invalidates all positive answers, also those that have not arrived yet. */
  invalidateAll(): void;
  /** Clears the cache and rejects all waiting callers. */
  readonly close: () => void;
}

export interface RememberedAnswersOptions<Answer> extends ReadsAnswers<Answer> {
  readonly limits: MemoryLimits;
  /** The maximum number of watched tokens. */
  readonly maxWatched: number;
  /**
   * How long a caller waits for an answer, and the maximum age of an arriving answer since its request; milliseconds.
   */
  readonly timeout: number;
  readonly queue: QuestionQueue;
  readonly coverage: Coverage;
  /** Called before each request. */
  readonly onQuestion: () => void;
  readonly monotonicClock: () => number;
  readonly schedule: Schedule;
}

const calledOff = new DOMException("The answer would not be used any more.", "AbortError");

/**
 * Creates the cache of one issuer.
 *
 * With a `ttl` of 0 nothing is cached *or shared*: every caller sends its own request. An answer that was invalidated
 * before it arrived is not used, but requested once more. `ask` rejects with {@link IntrospectionUnavailable}, {@link
 * IntrospectionMalformed} or the signal's reason.
 *
 * @example answers.recall(key) ?? (await answers.ask(key, (stop, askedAt) => askBackend(token, stop, askedAt), { signal, maxAge }))
 */
export function createRememberedAnswers<Answer extends Rememberable>(
  options: RememberedAnswersOptions<Answer>,
): RememberedAnswers<Answer> {
  const { limits, timeout, queue, coverage, monotonicClock, schedule } = options;
  const memory = createAnswerMemory<Answer>(limits, coverage, monotonicClock);
  const requests = createSharedRequests<Answer>(monotonicClock, schedule);
  const recent = createRecentInvalidations();
  const askedAts = new WeakMap<Answer, number>();
  const live = createLiveTokens<Answer>(options);
  const shared = limits.ttl > 0;
  let closed = false;

  const askedAtOf = (answer: Answer): number => askedAts.get(answer) ?? -Infinity;

  /** Sends one request; `undefined`: an event invalidated the answer before it arrived. */
  async function askOnce(question: AskSource<Answer>, key: string, nobodyWaits: AbortSignal, askedAt: number) {
    const open = recent.begin();
    const stop = new AbortController();
    const callOff = (): void => {
      stop.abort(calledOff);
    };
    nobodyWaits.addEventListener("abort", callOff, { once: true });
    let cancel: (() => void) | undefined;
    try {
      // A later answer must not be used (docs/staleness.md), and must not keep its place in the queue.
      const tooLate = new Promise<never>((_, reject) => {
        const giveUp = (): void => {
          reject(new WaitedTooLong());
          callOff();
        };
        cancel = schedule(giveUp, timeout, "background");
      });
      const answer = await Promise.race([question(stop.signal, askedAt), tooLate]);
      if (answer.positive && open.isInvalidated(answer.invalidationKeys ?? [])) return undefined;
      askedAts.set(answer, askedAt);
      if (closed) return answer;
      if (shared) memory.keep(key, answer, askedAt);
      live.learn(key, answer, askedAt);
      return answer;
    } finally {
      cancel?.();
      open.end();
    }
  }

  async function askTwice(
    question: AskSource<Answer>,
    key: string,
    nobodyWaits: AbortSignal,
    sent: (at: number) => void,
  ): Promise<Answer> {
    for (let times = 0; times < 2; times++) {
      const entry = queue.enter(nobodyWaits);
      const release = typeof entry === "function" ? entry : await entry;
      nobodyWaits.addEventListener("abort", release, { once: true });
      try {
        const now = monotonicClock();
        sent(now);
        const answer = await askOnce(question, key, nobodyWaits, now);
        if (answer !== undefined) return answer;
      } finally {
        release();
      }
    }
    throw new IntrospectionUnavailable("the answer was invalidated before it arrived, twice");
  }

  async function ask(key: string, question: AskSource<Answer>, { signal, maxAge }: AnswerDemand): Promise<Answer> {
    if (closed) throw new IntrospectionUnavailable("the resource server is closed");
    options.onQuestion();
    const together = shared && maxAge !== 0 ? key : undefined;
    const notBefore = maxAge === undefined ? undefined : monotonicClock() - maxAge;
    const start = (nobodyWaits: AbortSignal, sent: (at: number) => void) => askTwice(question, key, nobodyWaits, sent);
    try {
      const answer = await requests.join(together, start, { timeout, signal, notBefore });
      // A timer that fires late in a busy process must not make an old answer a fresh one.
      if (!(monotonicClock() - askedAtOf(answer) <= timeout)) throw new WaitedTooLong();
      return answer;
    } catch (error) {
      signal?.throwIfAborted();
      const reason = explain(error, timeout);
      const mayBeStale = reason instanceof IntrospectionUnavailable && maxAge !== 0;
      const stale = mayBeStale ? memory.recallStale(key, maxAge) : undefined;
      if (stale === undefined) throw reason;
      return stale;
    }
  }

  return {
    recall: (key, maxAge) => (shared && !closed && maxAge !== 0 ? memory.recall(key, maxAge) : undefined),
    ask,
    watch: (key, answer, question) =>
      live.watch(key, answer, {
        askedAt: askedAtOf(answer),
        // An event may have come between the decision and now without being recorded.
        certain: closed || coverage.since === Infinity || memory.holds(key, answer),
        ask: () => ask(key, question, { signal: undefined, maxAge: 0 }),
      }),
    invalidate(invalidationKeys) {
      memory.invalidate(invalidationKeys);
      recent.note(invalidationKeys);
      live.invalidate(invalidationKeys);
    },
    invalidateAll() {
      memory.clearPositives();
      recent.noteAll();
      live.invalidateAll();
    },
    close() {
      closed = true;
      requests.end(new IntrospectionUnavailable("the resource server is closed"));
      memory.clear();
      live.close();
    },
  };
}

/** A failed request says nothing about the token. */
function explain(error: unknown, timeout: number): IntrospectionUnavailable | IntrospectionMalformed {
  if (error instanceof IntrospectionUnavailable || error instanceof IntrospectionMalformed) return error;
  if (error instanceof WaitedTooLong) return new IntrospectionUnavailable(`no answer within ${timeout} ms`);
  if (error instanceof BackendAnswerMalformed) return new IntrospectionMalformed(error.message, { cause: error });
  if (error instanceof BackendUnavailable) return new IntrospectionUnavailable(error.message, { cause: error });
  if (error instanceof ApiError) {
    const retryAfter = Number(error.headers["Retry-After"] ?? retryAfterSeconds);
    // Not its message, which would go into logs: a backend may repeat the request in it.
    const reason = `the backend answered ${error.status} (${error.resultCode})`;
    return new IntrospectionUnavailable(reason, { cause: error, retryAfter });
  }
  return new IntrospectionUnavailable("the backend failed", { cause: error });
}
