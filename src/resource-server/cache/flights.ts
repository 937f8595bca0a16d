import { optionError } from "../../options/option-error.ts";
import { count } from "../../options/read-number.ts";
import { refuseUnknownOptions } from "../../options/refuse-unknown-options.ts";
import { IntrospectionUnavailable } from "../refusal/introspection-unavailable.ts";
import { type Schedule, systemSchedule } from "./schedule.ts";

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
  refuseUnknownOptions(questions, names, "questions");
  return {
    maxConcurrent: count("questions.maxConcurrent", questions.maxConcurrent ?? 64),
    maxQueued: count("questions.maxQueued", questions.maxQueued ?? 1000),
  };
}

/** How many questions a resource server asks one issuer at a time, and how many more may wait for their turn. */
export interface TurnLimits {
  readonly maxConcurrent: number;
  readonly maxQueued: number;
}

export interface QuestionTurns {
  /**
   * Gives a turn at once when one is free, else when it is due; the turn is ended by calling what it is.
   *
   * Throws {@link IntrospectionUnavailable} when too many wait already; a turn that is waited for is not given any more
   * when the signal is aborted, and rejects with its reason.
   */
  take(signal: AbortSignal): EndTurn | Promise<EndTurn>;
}

type EndTurn = () => void;

/**
 * Creates the queue in front of one issuer: an outage there must not become one here, by ever more that waits.
 *
 * @example const turn = turns.take(signal); const end = typeof turn === "function" ? turn : await turn
 */
export function createQuestionTurns({ maxConcurrent, maxQueued }: TurnLimits): QuestionTurns {
  let taken = 0;
  const queue = new Set<() => void>();

  function give(): EndTurn {
    let ended = false;
    return () => {
      if (ended) return;
      ended = true;
      const [next] = queue;
      if (next === undefined) {
        taken -= 1;
        return;
      }
      queue.delete(next);
      next();
    };
  }

  return {
    take(signal) {
      signal.throwIfAborted();
      if (taken < maxConcurrent) {
        taken += 1;
        return give();
      }
      if (queue.size >= maxQueued) throw new IntrospectionUnavailable("too many questions wait for an answer");
      return new Promise((resolve, reject) => {
        const onTurn = (): void => {
          signal.removeEventListener("abort", onAbort);
          resolve(give());
        };
        const onAbort = (): void => {
          queue.delete(onTurn);
          reject(signal.reason as Error);
        };
        signal.addEventListener("abort", onAbort, { once: true });
        queue.add(onTurn);
      });
    },
  };
}

/**
 * Starts the work; its signal is aborted when nobody waits any more. `sent` is called when the question goes out, with
 * the monotonic clock's instant; before that, whoever joins is in time.
 */
type Start<Result> = (signal: AbortSignal, sent: (at: number) => void) => Promise<Result>;

/** Who waits for a result. */
interface Waiter {
  /** Milliseconds. */
  readonly patience: number;
  readonly signal?: AbortSignal | undefined;
  /** A question that went out before this instant is too old for this waiter. */
  readonly notBefore?: number | undefined;
}

export interface Flights<Result> {
  /**
   * Waits for the result of the flight under this key, starting one when there is none.
   *
   * Rejects with the flight's failure, with the signal's reason when it is aborted, with {@link WaitedTooLong} when
   * `patience` is over. Without a key nothing is shared.
   */
  join(key: string | undefined, start: Start<Result>, waiter: Waiter): Promise<Result>;
  /** Ends every flight; whoever waits is told `reason`. */
  end(reason: Error): void;
}

/** One waiter's own deadline has passed; the flight may go on for others. */
export class WaitedTooLong extends Error {
  override readonly name = "WaitedTooLong";
}

/** Made once: an error of its own would hold on to the flight by its stack, and the signal to the error. */
const nobodyWaits = new DOMException("Nobody waits for the answer any more.", "AbortError");

interface Flight<Result> {
  landed: Promise<Result>;
  readonly controller: AbortController;
  /** `Infinity`: not yet. */
  sentAt: number;
  waiting: number;
}

/** Carries a failure from a flight to those who wait for it, to tell it from a waiter's own end. */
class FlightFailed extends Error {}

/**
 * Makes one piece of work out of many concurrent wishes for the same.
 *
 * A flight belongs to nobody: whoever started it may leave while others wait. A failure reaches the one who started
 * the flight; the others try once more, together, within what is left of their own patience.
 *
 * @example flights.join(digest, (signal) => ask(token, signal), { patience: 2000, signal })
 */
export function createFlights<Result>(
  monotonicClock: () => number,
  schedule: Schedule = systemSchedule,
): Flights<Result> {
  const flights = new Map<string, Flight<Result>>();
  const enders = new Set<(reason: Error) => void>();

  function takeOff(key: string | undefined, start: Start<Result>): Flight<Result> {
    const controller = new AbortController();
    const unlanded = new Promise<never>(() => undefined);
    const flight: Flight<Result> = { landed: unlanded, controller, sentAt: Infinity, waiting: 0 };
    const sent = (at: number): void => {
      flight.sentAt = at;
    };
    flight.landed = (async () => start(controller.signal, sent))().finally(() => {
      forget(key, flight);
    });
    flight.landed.catch(() => undefined);
    if (key !== undefined) flights.set(key, flight);
    return flight;
  }

  /** The flight that others have begun under this key, where it is not too old. */
  function underWay(key: string | undefined, notBefore = -Infinity): Flight<Result> | undefined {
    const flight = key === undefined ? undefined : flights.get(key);
    return flight !== undefined && flight.sentAt >= notBefore ? flight : undefined;
  }

  function forget(key: string | undefined, flight: Flight<Result>): void {
    if (key !== undefined && flights.get(key) === flight) flights.delete(key);
  }

  function wait(
    key: string | undefined,
    flight: Flight<Result>,
    patience: number,
    signal: AbortSignal | undefined,
  ): Promise<Result> {
    return new Promise((resolve, reject) => {
      const leave = (settle: () => void): void => {
        cancel();
        signal?.removeEventListener("abort", onAbort);
        enders.delete(end);
        flight.waiting -= 1;
        if (flight.waiting === 0) {
          forget(key, flight);
          flight.controller.abort(nobodyWaits);
        }
        settle();
      };
      const end = (reason: Error): void => {
        leave(() => {
          reject(reason);
        });
      };
      const onAbort = (): void => {
        end(signal?.reason as Error);
      };
      const cancel = schedule(() => {
        end(new WaitedTooLong());
      }, patience);
      signal?.addEventListener("abort", onAbort, { once: true });
      enders.add(end);
      flight.waiting += 1;
      flight.landed.then(
        (result) => {
          if (enders.has(end))
            leave(() => {
              resolve(result);
            });
        },
        (error: unknown) => {
          if (enders.has(end)) end(new FlightFailed("", { cause: error }));
        },
      );
    });
  }

  return {
    async join(key, start, { patience, signal, notBefore }) {
      signal?.throwIfAborted();
      const arrived = monotonicClock();
      const others = underWay(key, notBefore);
      try {
        return await wait(key, others ?? takeOff(key, start), patience, signal);
      } catch (error) {
        if (!(error instanceof FlightFailed)) throw error;
        if (others === undefined) throw error.cause;
      }
      signal?.throwIfAborted();
      const left = patience - (monotonicClock() - arrived);
      if (left <= 0) throw new WaitedTooLong();
      const next = underWay(key, notBefore) ?? takeOff(key, start);
      try {
        return await wait(key, next, left, signal);
      } catch (error) {
        throw error instanceof FlightFailed ? error.cause : error;
      }
    },
    end(reason) {
      for (const end of [...enders]) end(reason);
    },
  };
}
