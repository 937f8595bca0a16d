import type { Logger } from "pino";
import type { Configuration } from "./configuration/configuration.ts";
import type { Clock } from "./engine/dependencies.ts";
import type { Store } from "./store/store.ts";

/** Rows per batch: few enough that a batch does not noticeably delay other writes. */
const batch = 500;

/** The dependencies of the sweep. */
export interface SweepDependencies {
  readonly store: Store;
  readonly clock: Clock;
  readonly log: Logger;
  readonly configuration: Pick<Configuration, "events" | "sweep">;
  /** While the clock may be wrong nothing is deleted: a wrong clock would delete rows that have not expired. */
  readonly isDoubtful?: () => boolean;
}

/** Deletes expired rows and old events in small batches until stopped. */
export function startSweep(dependencies: SweepDependencies): { stop(): void } {
  const { store, clock, log, isDoubtful = () => false } = dependencies;
  const { events, sweep: settings } = dependencies.configuration;
  let stopped = false;
  async function sweep(): Promise<void> {
    if (isDoubtful()) return;
    const [expired, old] = [settings.expiredRetention * 1000, events.retention * 1000];
    while (!stopped && (await store.sweep(clock() - expired, batch)) >= batch);
    while (!stopped && (await store.sweepInvalidationEvents(clock() - old, batch)) >= batch);
  }
  const timer = setInterval(() => {
    sweep().catch((error: unknown) => {
      log.error({ err: error }, "the sweep of expired rows failed");
    });
  }, settings.interval * 1000);
  timer.unref();
  return {
    stop() {
      stopped = true;
      clearInterval(timer);
    },
  };
}
