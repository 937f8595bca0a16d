import type { Wait } from "../../../../src/backend/engine/invalidation/poll-timer.ts";

/** A monotonic clock and its timers, moved by hand. */
export interface HandTimer {
  readonly now: () => number;
  readonly wait: Wait;
  /** Lets so many milliseconds go by, timers in their order; what they set off has come to rest after each. */
  readonly pass: (milliseconds: number) => Promise<void>;
  /** How long the timers that wait were set for. */
  readonly waiting: () => number[];
}

export function createHandTimer(): HandTimer {
  let now = 1_000;
  const timers = new Set<{ readonly at: number; readonly then: () => void }>();
  return {
    now: () => now,
    wait(milliseconds, then) {
      const timer = { at: now + milliseconds, then };
      timers.add(timer);
      return () => timers.delete(timer);
    },
    async pass(milliseconds) {
      const until = now + milliseconds;
      await settled();
      for (;;) {
        const [due] = [...timers].filter(({ at }) => at <= until).sort((one, other) => one.at - other.at);
        if (due === undefined) break;
        timers.delete(due);
        now = Math.max(now, due.at);
        due.then();
        await settled();
      }
      now = until;
    },
    waiting: () => [...timers].map(({ at }) => at - now),
  };
}

/** Everything that needs nothing but turns of the event loop has been done. */
export async function settled(): Promise<void> {
  for (let turn = 0; turn < 5; turn++) await new Promise((resolve) => setImmediate(resolve));
}
