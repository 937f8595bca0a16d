import type { Configuration } from "./configuration/configuration.ts";
import type { Clock } from "./engine/dependencies.ts";
import { resetSqliteClock, type ClockReset } from "./store/sqlite/reset-sqlite-clock.ts";

/**
 * Makes a store forget a clock that was wrong: time begins anew at `clock`. What was issued later than that is gone;
 * what had expired by the wrong clock only, and was not swept, is valid again.
 *
 * No backend may run on the store. Throws `StoreFailure`.
 *
 * @example resetClock(await readConfiguration({ path, env: process.env }), Date.now)
 */
export function resetClock({ store }: Pick<Configuration, "store">, clock: Clock): ClockReset {
  return resetSqliteClock(store.sqlite, clock());
}
