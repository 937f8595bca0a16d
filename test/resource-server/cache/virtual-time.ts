import type { Schedule } from "../../../src/resource-server/environment.ts";

/** Clocks and timers that stand still until they are moved. */
export interface VirtualTime {
  /** Milliseconds since 1970; may be set. */
  wall: number;
  readonly monotonic: number;
  readonly clocks: {
    readonly clock: () => number;
    readonly monotonicClock: () => number;
    readonly schedule: Schedule;
  };
  /** Moves both clocks, and runs what falls due on the way, each at its time; all that can go on has gone on then. */
  pass(milliseconds: number): Promise<void>;
  /** Until nothing goes on without time passing. */
  settle(): Promise<void>;
  /** Moves the clocks as a process sees it that was too busy for its timers. */
  stall(milliseconds: number): void;
  /** Timers that wait. */
  readonly waiting: () => number;
}

/**
 * Creates a time of its own for a test.
 *
 * @example const time = createVirtualTime(start); openResourceServer(options, time.clocks); await time.pass(1000)
 */
export function createVirtualTime(wall: number): VirtualTime {
  const timers = new Set<{ readonly at: number; readonly callback: () => void }>();
  let monotonic = 5_000;

  const settle = async (): Promise<void> => {
    for (let turn = 0; turn < 3; turn++) await new Promise(setImmediate);
  };

  const time = {
    wall,
    get monotonic() {
      return monotonic;
    },
    clocks: {
      clock: () => time.wall,
      monotonicClock: () => monotonic,
      schedule(callback: () => void, milliseconds: number) {
        const timer = { at: monotonic + Math.max(0, milliseconds), callback };
        timers.add(timer);
        return () => {
          timers.delete(timer);
        };
      },
    },
    async pass(milliseconds: number) {
      const until = monotonic + milliseconds;
      await settle();
      for (;;) {
        const [next] = [...timers].filter(({ at }) => at <= until).sort((a, b) => a.at - b.at);
        if (next === undefined) break;
        time.stall(Math.max(0, next.at - monotonic));
        timers.delete(next);
        next.callback();
        await settle();
      }
      time.stall(until - monotonic);
    },
    settle,
    stall(milliseconds: number) {
      monotonic += milliseconds;
      time.wall += milliseconds;
    },
    waiting: () => timers.size,
  };
  return time;
}
