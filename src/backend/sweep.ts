import type { Logger } from "pino";
import type { Clock } from "./engine/dependencies.ts";
import type { Store } from "./store/store.ts";

/** Once a minute: no one waits for it, and an expired row does no harm but its space. */
const interval = 60_000;
/** Rows a batch: few enough that a batch delays no one's write noticeably. */
const batch = 500;
/** An expired token answers "expired" for this long before it is unknown, in milliseconds. */
const keptAfterExpiry = 600_000;

/** A reader of invalidation events that was away for longer than this begins anew, in milliseconds. */
const eventRetention = 3_600_000;

/**
 * Deletes expired rows and old events in small batches until stopped; nothing while `isDoubtful` says that the clock
 * may be wrong, since a wrong clock would delete for good what has not expired.
 */
export function startSweep(
  store: Store,
  clock: Clock,
  log: Logger,
  isDoubtful: () => boolean = () => false,
): { stop(): void } {
  let stopped = false;
  async function sweep(): Promise<void> {
    if (isDoubtful()) return;
    while (!stopped && (await store.sweep(clock() - keptAfterExpiry, batch)) >= batch);
    while (!stopped && (await store.sweepInvalidationEvents(clock() - eventRetention, batch)) >= batch);
  }
  const timer = setInterval(() => {
    sweep().catch((error: unknown) => {
      log.error({ err: error }, "the sweep of expired rows failed");
    });
  }, interval);
  timer.unref();
  return {
    stop() {
      stopped = true;
      clearInterval(timer);
    },
  };
}
