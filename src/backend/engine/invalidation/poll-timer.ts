/** Calls `then` after that many milliseconds; returns the function that cancels it. */
export type Wait = (milliseconds: number, then: () => void) => () => void;

/** When the next poll begins. */
export interface PollTimer {
  /** Starts the polls, or has the next one sooner; one that runs already does not count. */
  soon(): void;
  /** Stops polling until {@link PollTimer.soon}. */
  stop(): void;
}

export interface PollTimerOptions {
  readonly monotonicClock: () => number;
  /** Milliseconds from the beginning of one poll to that of the next. */
  readonly interval: number;
  readonly wait?: Wait;
}

/** Milliseconds from one poll to the next requested one: requests that come together share a poll. */
const shortest = 20;

/**
 * Runs a poll every `interval`, one after the other; a slow one delays the next, and none overlaps another.
 *
 * @example createPollTimer(poll, { monotonicClock: () => performance.now(), interval: 250 }).soon()
 */
export function createPollTimer(
  poll: () => Promise<void>,
  { monotonicClock, interval, wait = waitUnreferenced }: PollTimerOptions,
): PollTimer {
  let wanted = false;
  /** The current poll; `again`: another was requested meanwhile. */
  let running: { again: boolean } | undefined;
  let lastBegan = Number.NEGATIVE_INFINITY;
  let cancel: (() => void) | undefined;

  function schedule(after: number): void {
    cancel?.();
    const delay = Math.max(0, lastBegan + after - monotonicClock());
    cancel = wait(delay, () => {
      cancel = undefined;
      void run();
    });
  }

  async function run(): Promise<void> {
    const current: { again: boolean } = { again: false };
    running = current;
    lastBegan = monotonicClock();
    await poll();
    running = undefined;
    if (wanted) schedule(current.again ? shortest : interval);
  }

  return {
    soon() {
      wanted = true;
      if (running === undefined) schedule(shortest);
      else running.again = true;
    },
    stop() {
      wanted = false;
      cancel?.();
      cancel = undefined;
    },
  };
}

/** Does not keep the process alive: a stream's own connection does, where it should. */
function waitUnreferenced(milliseconds: number, then: () => void): () => void {
  const timer = setTimeout(then, milliseconds).unref();
  return () => {
    clearTimeout(timer);
  };
}
