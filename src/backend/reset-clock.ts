import type { Configuration } from "./configuration/configuration.ts";
import type { Clock } from "./engine/dependencies.ts";
import { describeRestoredStore } from "./restored-store.ts";
import { resetSqliteClock, type ClockReset } from "./store/sqlite/reset-sqlite-clock.ts";

/** How the clock of a store is reset. */
export interface ClockResetOptions {
  /** Tokens may end that were issued later than the new time; otherwise such a reset is refused. */
  readonly endTokens?: boolean;
  /** Called with a sentence when the store was restored, copied or replaced: the next start will not detect it. */
  readonly warn?: (sentence: string) => void;
}

/**
 * Sets a store's time to `clock`, after a clock was wrong. Deletes what was issued later than that. What expired only
 * by the wrong clock, and was not swept, is valid again.
 *
 * No backend may run on the store. Throws `StoreFailure`, also when tokens would end and `endTokens` is not set.
 *
 * @example resetClock(await readConfiguration({ path, env: process.env }), Date.now, { endTokens: true })
 */
export function resetClock(
  { store }: Pick<Configuration, "store">,
  clock: Clock,
  { endTokens = false, warn = () => undefined }: ClockResetOptions = {},
): ClockReset {
  return resetSqliteClock(store.sqlite, clock(), {
    endTokens,
    report(origin) {
      warn(describeRestoredStore(origin));
    },
  });
}
