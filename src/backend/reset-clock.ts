import type { Configuration } from "./configuration/configuration.ts";
import type { Clock } from "./engine/dependencies.ts";
import { describeRestoredStore } from "./restored-store.ts";
import { resetSqliteClock, type ClockReset } from "./store/sqlite/reset-sqlite-clock.ts";

/** How the clock of a store is reset. */
export interface ClockResetOptions {
  /** Tokens may end that were issued later than the new time; otherwise such a reset is refused. */
  readonly endTokens?: boolean;
  /** Told, in a sentence, when the store was restored, copied or replaced: the next start will not notice it any more. */
  readonly warn?: (sentence: string) => void;
}

/**
 * Makes a store forget a clock that was wrong: time begins anew at `clock`. What was issued later than that is gone;
 * what had expired by the wrong clock only, and was not swept, is valid again.
 *
 * No backend may run on the store. Throws `StoreFailure`, also where tokens would end that nobody has allowed to.
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
