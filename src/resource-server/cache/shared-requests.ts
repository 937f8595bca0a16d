import { type Schedule, systemSchedule } from "../environment.ts";

/**
 * Starts the work; its signal is aborted when nobody waits any more. Calls `sent` when the request is sent, with the
 * instant on the monotonic clock; callers that join before that get a fresh result.
 */
type Start<Result> = (signal: AbortSignal, sent: (at: number) => void) => Promise<Result>;

/** A caller that waits for a result. */
interface Waiter {
  /** Milliseconds. */
  readonly timeout: number;
  readonly signal?: AbortSignal | undefined;
  /** A request that was sent before this instant is too old for this caller. */
  readonly notBefore?: number | undefined;
}

export interface SharedRequests<Result> {
  /**
   * Waits for the result of the request under this key; starts one if none is under way.
   *
   * Rejects with the request's error, with the signal's reason when it is aborted, and with {@link WaitedTooLong} after
   * `timeout`. Without a key nothing is shared.
   */
  join(key: string | undefined, start: Start<Result>, waiter: Waiter): Promise<Result>;
  /** Ends every request; all callers reject with `reason`. */
  end(reason: Error): void;
}

/** The timeout of one caller has passed; the request may go on for others. */
export class WaitedTooLong extends Error {
  override readonly name = "WaitedTooLong";
}

/** Created once: a new error would reference the request by its stack, and the signal the error. */
const nobodyWaits = new DOMException("Nobody waits for the answer any more.", "AbortError");

interface SharedRequest<Result> {
  result: Promise<Result>;
  readonly controller: AbortController;
  /** `Infinity`: not sent yet. */
  sentAt: number;
  waiting: number;
}

/** Wraps the error of a request, to distinguish it from a caller's own timeout or abort. */
class RequestFailed extends Error {}

/**
 * Shares one request among concurrent callers that need the same result.
 *
 * The caller that started a request may leave while others wait. An error rejects the caller that started the request;
 * the others share one more attempt, within the rest of their own timeouts.
 *
 * @example requests.join(digest, (signal) => ask(token, signal), { timeout: 2000, signal })
 */
export function createSharedRequests<Result>(
  monotonicClock: () => number,
  schedule: Schedule = systemSchedule,
): SharedRequests<Result> {
  const requests = new Map<string, SharedRequest<Result>>();
  const enders = new Set<(reason: Error) => void>();

  function begin(key: string | undefined, start: Start<Result>): SharedRequest<Result> {
    const controller = new AbortController();
    const pending = new Promise<never>(() => undefined);
    const request: SharedRequest<Result> = { result: pending, controller, sentAt: Infinity, waiting: 0 };
    const sent = (at: number): void => {
      request.sentAt = at;
    };
    request.result = (async () => start(controller.signal, sent))().finally(() => {
      forget(key, request);
    });
    request.result.catch(() => undefined);
    if (key !== undefined) requests.set(key, request);
    return request;
  }

  /** The request under this key, if it is not too old. */
  function underWay(key: string | undefined, notBefore = -Infinity): SharedRequest<Result> | undefined {
    const request = key === undefined ? undefined : requests.get(key);
    return request !== undefined && request.sentAt >= notBefore ? request : undefined;
  }

  function forget(key: string | undefined, request: SharedRequest<Result>): void {
    if (key !== undefined && requests.get(key) === request) requests.delete(key);
  }

  function wait(
    key: string | undefined,
    request: SharedRequest<Result>,
    timeout: number,
    signal: AbortSignal | undefined,
  ): Promise<Result> {
    return new Promise((resolve, reject) => {
      const leave = (settle: () => void): void => {
        cancel();
        signal?.removeEventListener("abort", onAbort);
        enders.delete(end);
        request.waiting -= 1;
        if (request.waiting === 0) {
          forget(key, request);
          request.controller.abort(nobodyWaits);
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
      }, timeout);
      signal?.addEventListener("abort", onAbort, { once: true });
      enders.add(end);
      request.waiting += 1;
      request.result.then(
        (result) => {
          if (enders.has(end))
            leave(() => {
              resolve(result);
            });
        },
        (error: unknown) => {
          if (enders.has(end)) end(new RequestFailed("", { cause: error }));
        },
      );
    });
  }

  return {
    async join(key, start, { timeout, signal, notBefore }) {
      signal?.throwIfAborted();
      const arrived = monotonicClock();
      const others = underWay(key, notBefore);
      try {
        return await wait(key, others ?? begin(key, start), timeout, signal);
      } catch (error) {
        if (!(error instanceof RequestFailed)) throw error;
        if (others === undefined) throw error.cause;
      }
      signal?.throwIfAborted();
      const left = timeout - (monotonicClock() - arrived);
      if (left <= 0) throw new WaitedTooLong();
      const next = underWay(key, notBefore) ?? begin(key, start);
      try {
        return await wait(key, next, left, signal);
      } catch (error) {
        throw error instanceof RequestFailed ? error.cause : error;
      }
    },
    end(reason) {
      for (const end of [...enders]) end(reason);
    },
  };
}
