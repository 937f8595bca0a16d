import { type Schedule, systemSchedule } from "./schedule.ts";

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
 * Runs one piece of work for many concurrent callers that need the same result.
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
