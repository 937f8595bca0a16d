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
 * Puts the question to the source, at `askedAt` on the monotonic clock; the signal is aborted when nobody waits for the
 * answer any more.
 */
export type AskSource<Answer> = (signal: AbortSignal, askedAt: number) => Promise<Answer>;

/** What one request demands of an answer. */
export interface AnswerDemand {
  readonly signal: AbortSignal | undefined;
  /** Milliseconds: facts that were older when the request came will not do; 0: asked for this request alone. */
  readonly maxAge: number | undefined;
}

/** Answers by key: remembered ones, and one question at a time for the others. */
export interface RememberedAnswers<Answer> {
  /** At once, when one is remembered that may still be used; `maxAge` in milliseconds. */
  recall(key: string, maxAge?: number): Answer | undefined;
  /** Asks, together with everyone who asks the same now; an answer is remembered, a failure never. */
  ask(key: string, question: AskSource<Answer>, demand: AnswerDemand): Promise<Answer>;
  /** A signal that is aborted when what the answer says is no longer so. */
  watch(key: string, answer: Answer, question: AskSource<Answer>): AbortSignal;
  /** What rests on these keys is void: what is remembered, and what is on its way. */
  invalidate(invalidationKeys: readonly string[]): void;
  /** So is everything that lets in. */
  invalidateAll(): void;
  /** Forgets everything; whoever waits is refused. */
  readonly close: () => void;
}

export interface RememberedAnswersOptions<Answer> extends ReadsAnswers<Answer> {
  readonly limits: MemoryLimits;
  /** Tokens whose signals are kept, at most. */
  readonly maxWatched: number;
  /** How long one request waits for an answer, and no answer is used that was asked for longer ago; milliseconds. */
  readonly timeout: number;
  readonly queue: QuestionQueue;
  readonly coverage: Coverage;
  /** Called before a question is asked. */
  readonly onQuestion: () => void;
  readonly monotonicClock: () => number;
  readonly schedule: Schedule;
}

const calledOff = new DOMException("The answer would not be used any more.", "AbortError");

/**
 * Creates the cache of one issuer.
 *
 * With a `ttl` of 0 nothing is remembered *or shared*: every request asks for itself. An answer that was made void while
 * it was on its way is asked for once more, and used by nobody. `ask` rejects with {@link IntrospectionUnavailable},
 * {@link IntrospectionMalformed} or the signal's reason.
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

  /** One question and its answer; `undefined`: an event made it void on its way. */
  async function askOnce(question: AskSource<Answer>, key: string, nobodyWaits: AbortSignal, askedAt: number) {
    const open = recent.begin();
    const stop = new AbortController();
    const callOff = (): void => {
      stop.abort(calledOff);
    };
    nobodyWaits.addEventListener("abort", callOff, { once: true });
    let cancel: (() => void) | undefined;
    try {
      // Nothing that comes later than that may be used (docs/staleness.md), or keep a turn.
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
    throw new IntrospectionUnavailable("the answer was void when it came, twice");
  }

  async function ask(key: string, question: AskSource<Answer>, { signal, maxAge }: AnswerDemand): Promise<Answer> {
    if (closed) throw new IntrospectionUnavailable("the resource server is closed");
    options.onQuestion();
    const together = shared && maxAge !== 0 ? key : undefined;
    const notBefore = maxAge === undefined ? undefined : monotonicClock() - maxAge;
    const start = (nobodyWaits: AbortSignal, sent: (at: number) => void) => askTwice(question, key, nobodyWaits, sent);
    try {
      const answer = await requests.join(together, start, { timeout, signal, notBefore });
      // Timers that come late (a busy process) must not make an old answer a new one.
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
        // An event may have come between the decision and now, and nobody kept it.
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

/** Whatever went wrong while asking, nothing is known of the token then. */
function explain(error: unknown, timeout: number): IntrospectionUnavailable | IntrospectionMalformed {
  if (error instanceof IntrospectionUnavailable || error instanceof IntrospectionMalformed) return error;
  if (error instanceof WaitedTooLong) return new IntrospectionUnavailable(`no answer within ${timeout} ms`);
  if (error instanceof BackendAnswerMalformed) return new IntrospectionMalformed(error.message, { cause: error });
  if (error instanceof BackendUnavailable) return new IntrospectionUnavailable(error.message, { cause: error });
  if (error instanceof ApiError) {
    const retryAfter = Number(error.headers["Retry-After"] ?? retryAfterSeconds);
    // Not its words: they go into logs, and a backend may repeat what it was asked.
    const reason = `the backend answered ${error.status} (${error.resultCode})`;
    return new IntrospectionUnavailable(reason, { cause: error, retryAfter });
  }
  return new IntrospectionUnavailable("the backend failed", { cause: error });
}
