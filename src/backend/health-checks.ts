import type { ForwardClock } from "./forward-clock.ts";
import type { ReadinessCheck } from "./readiness.ts";
import type { Store } from "./store/store.ts";

/** The store's checks of readiness. */
export function storeReadiness(store: Pick<Store, "checkSchema" | "probeWrite">): readonly ReadinessCheck[] {
  return [
    { name: "store-read", check: () => store.checkSchema() },
    { name: "store-write", check: () => store.probeWrite() },
  ];
}

/** Names failures of the store that only a restart of the process can repair. */
export function storeLiveness(store: Pick<Store, "hasLostWriter">): readonly string[] {
  return store.hasLostWriter() ? ["store-writer"] : [];
}

/** Checks that the wall clock is not behind the backend's time; while it is, tokens and codes live too long. */
export function clockReadiness(clock: Pick<ForwardClock, "observe" | "behind" | "isBehind">): ReadinessCheck {
  return {
    name: "clock",
    check() {
      // Whoever asks learns of a step at once, also where nothing else is asked of the backend.
      clock.observe();
      if (clock.isBehind()) throw new Error(`the clock is ${clock.behind()} ms behind the time that was acted on`);
    },
  };
}
