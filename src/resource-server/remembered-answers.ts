import { BackendAnswerMalformed } from "../api-client/backend-answer-malformed.ts";
import { BackendUnavailable } from "../api-client/backend-unavailable.ts";
import { ApiError } from "../api-client/introspection-caller.ts";
import { createAnswerMemory, type MemoryLimits, type Rememberable } from "./answer-memory.ts";
import { createFlights, WaitedTooLong } from "./flights.ts";
import { IntrospectionMalformed } from "./introspection-malformed.ts";
import { IntrospectionUnavailable } from "./introspection-unavailable.ts";

/** Answers by key: remembered ones, and one question at a time for the others. */
export interface RememberedAnswers<Answer> {
  /** At once, when one is remembered that may still be used. */
  recall(key: string): Answer | undefined;
  /** Asks, together with everyone who asks the same now; an answer is remembered, a failure never. */
  ask(
    key: string,
    question: (signal: AbortSignal) => Promise<Answer>,
    signal: AbortSignal | undefined,
  ): Promise<Answer>;
  /** Forgets everything; whoever waits is refused. */
  readonly close: () => void;
}

export interface RememberedAnswersOptions {
  readonly limits: MemoryLimits;
  /** How long one request waits for an answer, milliseconds. */
  readonly patience: number;
  readonly clock: () => number;
  readonly monotonicClock: () => number;
}

/**
 * Creates the cache of one resource server.
 *
 * With a `ttl` of 0 nothing is remembered *or shared*: every request asks for itself. `ask` rejects with
 * {@link IntrospectionUnavailable}, {@link IntrospectionMalformed} or the signal's reason.
 *
 * @example answers.recall(key) ?? (await answers.ask(key, (signal) => askBackend(token, signal), signal))
 */
export function createRememberedAnswers<Answer extends Rememberable>({
  limits,
  patience,
  clock,
  monotonicClock,
}: RememberedAnswersOptions): RememberedAnswers<Answer> {
  const memory = createAnswerMemory<Answer>(limits, clock, monotonicClock);
  const flights = createFlights<Answer>(monotonicClock);
  const shared = limits.ttl > 0;
  let closed = false;

  return {
    recall: (key) => (shared && !closed ? memory.recall(key) : undefined),
    async ask(key, question, signal) {
      if (closed) throw new IntrospectionUnavailable("the resource server is closed");
      const start = async (flightSignal: AbortSignal): Promise<Answer> => {
        const askedAt = monotonicClock();
        const answer = await question(flightSignal);
        if (shared && !closed) memory.keep(key, answer, askedAt);
        return answer;
      };
      try {
        return await flights.join(shared ? key : undefined, start, { patience, signal });
      } catch (error) {
        signal?.throwIfAborted();
        throw explain(error, patience);
      }
    },
    close() {
      closed = true;
      flights.end(new IntrospectionUnavailable("the resource server is closed"));
      memory.clear();
    },
  };
}

/** Whatever went wrong while asking, nothing is known of the token then. */
function explain(error: unknown, patience: number): IntrospectionUnavailable | IntrospectionMalformed {
  if (error instanceof IntrospectionUnavailable || error instanceof IntrospectionMalformed) return error;
  if (error instanceof WaitedTooLong) return new IntrospectionUnavailable(`no answer within ${patience} ms`);
  if (error instanceof BackendAnswerMalformed) return new IntrospectionMalformed(error.message, { cause: error });
  if (error instanceof BackendUnavailable) return new IntrospectionUnavailable(error.message, { cause: error });
  if (error instanceof ApiError) {
    const retryAfter = Number(error.headers["Retry-After"] ?? 1);
    return new IntrospectionUnavailable(`the backend answered ${error.status}: ${error.resultMessage}`, {
      cause: error,
      retryAfter,
    });
  }
  return new IntrospectionUnavailable("the backend failed", { cause: error });
}
