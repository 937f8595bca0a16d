/** What a resource server gets from the program that creates it: clocks, timers, randomness, and warnings. */

/** The clocks of a resource server. */
export interface ResourceServerClocks {
  /** Milliseconds since 1970. */
  readonly clock: () => number;
  /** Milliseconds that never go back. */
  readonly monotonicClock: () => number;
}

/** What a source gets from the composition root. */
export interface Ambient {
  /** Milliseconds since 1970. */
  readonly clock: () => number;
  /** Returns `count` random octets. */
  readonly randomBytes: (count: number) => Uint8Array;
}

/** The argument of `onWarning`: something the operator should know that has not failed a request. */
export interface Warning {
  readonly code: string;
  readonly message: string;
  /** The error that was thrown, if any. */
  readonly cause?: unknown;
}

/**
 * Runs the callback once after a delay in milliseconds; the returned function cancels it.
 *
 * `background`: the timer does not keep the process alive.
 */
export type Schedule = (callback: () => void, milliseconds: number, kind?: "background") => () => void;

/** `setTimeout` treats a longer delay as 1 ms. */
const longest = 2_147_483_647;

/**
 * The timers of the process.
 *
 * @example const cancel = systemSchedule(giveUp, 2000)
 */
export const systemSchedule: Schedule = (callback, milliseconds, kind) => {
  const timer = setTimeout(callback, Math.min(milliseconds, longest));
  if (kind === "background") timer.unref();
  return () => {
    clearTimeout(timer);
  };
};
