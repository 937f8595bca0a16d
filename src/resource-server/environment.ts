/** What a resource server is handed by the program that creates it: clocks, timers, randomness, and where warnings go. */

/** The clocks of a resource server. */
export interface ResourceServerClocks {
  /** Milliseconds since 1970. */
  readonly clock: () => number;
  /** Milliseconds that never go back. */
  readonly monotonicClock: () => number;
}

/** What a source cannot make itself: read in the composition root and handed down. */
export interface Ambient {
  /** Milliseconds since 1970. */
  readonly clock: () => number;
  /** So many random octets. */
  readonly randomBytes: (count: number) => Uint8Array;
}

/** What `onWarning` is told: something an operator should know that has failed no request. */
export interface Warning {
  readonly code: string;
  readonly message: string;
  /** What was thrown, where something was. */
  readonly cause?: unknown;
}

/**
 * Runs the callback once, after so many milliseconds; what it returns calls that off.
 *
 * `background`: nothing that the process must stay alive for.
 */
export type Schedule = (callback: () => void, milliseconds: number, kind?: "background") => () => void;

/** `setTimeout` takes a longer time for none at all. */
const longest = 2_147_483_647;

/**
 * The process's own timers.
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
