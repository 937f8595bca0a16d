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
