import type { Configuration } from "./configuration/configuration.ts";
import type { Clock } from "./engine/dependencies.ts";
import { resetSqliteClock, type ClockReset } from "./store/sqlite/reset-sqlite-clock.ts";

/**
 * Sets a store's time to `clock`, after a clock was wrong. Deletes what was issued later than that. What had expired
 * only by the wrong clock, and was not swept, is valid again.
 *
 * No backend may run on the store. Throws `StoreFailure`.
 *
 * @example resetClock(await readConfiguration({ path, env: process.env }), Date.now)
 */
export function resetClock({ store }: Pick<Configuration, "store">, clock: Clock): ClockReset {
  return resetSqliteClock(store.sqlite, clock());
}
