import { ApiError, type OpenInvalidationEvents } from "../../api-client/introspection-caller.ts";
import type { Coverage } from "./freshness.ts";
import type { Schedule } from "../environment.ts";
import { createStreamPosition, type StreamPositionParts } from "./stream-position.ts";

/** Follows one issuer's stream of invalidation events and reconnects as needed. */
export interface StreamFollower {
  readonly coverage: Coverage;
  /** Opens the stream; does nothing if it is open. */
  start(): void;
  close(): void;
}

export interface StreamFollowerOptions extends StreamPositionParts {
  readonly open: OpenInvalidationEvents;
  /** L: how long ago the stream may have confirmed an answer, in milliseconds. */
  readonly lease: number;
  readonly schedule: Schedule;
  /** Called once, when the issuer refuses the stream to this caller. */
  readonly onRefused: (status: number) => void;
}

/** Because clocks drift, an older connection is replaced, right after a heartbeat; milliseconds. */
const anchorFor = 30_000;
/** The same if the first heartbeat was so slow that the lease lags behind. */
const poorAnchorFor = 5_000;
/** A connection without a heartbeat for so long is dead; milliseconds. */
const longestSilence = 10_000;
const shortestPause = 100;
const longestPause = 5_000;
const pauseAfterRefusal = 60_000;
/** After a connection that lasted so long, the next pause is short again. */
const wholeAfter = 5_000;

/** Status codes that ask to retry later; other 4xx are the fault of the caller or of the request. */
const temporary: ReadonlySet<number> = new Set([408, 425, 429]);

/**
 * Creates the follower of a stream. It does not keep the process alive and runs until it is closed.
 *
 * @example const stream = createStreamFollower({ open: source.events, lease: 1000, … }); stream.start()
 */
export function createStreamFollower(options: StreamFollowerOptions): StreamFollower {
  const { monotonicClock, schedule } = options;
  const position = createStreamPosition(options);
  let started = false;
  let closed = false;
  let refused = false;
  let failures = 0;
  let stop = new AbortController();
  let wake = (): void => undefined;

  /** Reads one connection until it ends; throws its error. */
  async function readConnection(): Promise<"again" | "later"> {
    stop = new AbortController();
    const { signal } = stop;
    let cancel = (): void => undefined;
    const giveUp = (): void => {
      stop.abort();
    };
    const expectHeartbeat = (): void => {
      cancel();
      cancel = schedule(giveUp, longestSilence, "background");
    };
    const openedAt = monotonicClock();
    position.opening();
    const iterator = options.open({ cursor: position.cursor }, { signal })[Symbol.asyncIterator]();
    try {
      expectHeartbeat();
      for (;;) {
        const next = await orStopped(iterator.next(), signal);
        if (next === undefined || next.done === true) return "later";
        position.take(next.value);
        if (next.value.type !== "heartbeat") continue;
        expectHeartbeat();
        const age = monotonicClock() - openedAt;
        if (age > wholeAfter) failures = 0;
        const poor = (position.anchoredAfter ?? 0) > options.lease / 2;
        if (age > (poor ? poorAnchorFor : anchorFor)) return "again";
      }
    } finally {
      cancel();
      stop.abort();
      // Not awaited: the promise of a user's source may never settle.
      iterator.return?.().catch(() => undefined);
    }
  }

  async function follow(): Promise<void> {
    while (!closed) {
      const pause = await readConnection().then(
        (when) => (when === "again" ? 0 : nextPause()),
        (error: unknown) => (isRefusal(error) ? pauseAfter(error) : nextPause()),
      );
      if (pause > 0) await wait(pause);
    }
  }

  function nextPause(): number {
    failures += 1;
    return Math.min(longestPause, shortestPause * 2 ** (failures - 1));
  }

  function pauseAfter({ status }: ApiError): number {
    if (!refused) options.onRefused(status);
    refused = true;
    return pauseAfterRefusal;
  }

  function wait(milliseconds: number): Promise<void> {
    return new Promise((resolve) => {
      if (closed) {
        resolve();
        return;
      }
      const cancel = schedule(resolve, milliseconds, "background");
      wake = (): void => {
        cancel();
        resolve();
      };
    });
  }
  return {
    coverage: position.coverage,
    start() {
      if (started || closed) return;
      started = true;
      void follow();
    },
    close() {
      closed = true;
      stop.abort();
      wake();
    },
  };
}

/** A new promise for each message: a single one would keep all messages in memory while the connection lasts. */
function orStopped<Value>(next: Promise<Value>, signal: AbortSignal): Promise<Value | undefined> {
  return new Promise((resolve, reject) => {
    const onStop = (): void => {
      resolve(undefined);
    };
    if (signal.aborted) onStop();
    signal.addEventListener("abort", onStop, { once: true });
    next.then(resolve, reject).finally(() => {
      signal.removeEventListener("abort", onStop);
    });
  });
}

function isRefusal(error: unknown): error is ApiError {
  return error instanceof ApiError && error.status >= 400 && error.status < 500 && !temporary.has(error.status);
}
