import type { ForwardClock } from "./forward-clock.ts";
import type { ReadinessCheck } from "./readiness.ts";
import type { Store } from "./store/store.ts";

/** What of the store must hold while requests are taken. */
export function storeReadiness(store: Pick<Store, "checkSchema" | "probeWrite">): readonly ReadinessCheck[] {
  return [
    { name: "store-read", check: () => store.checkSchema() },
    { name: "store-write", check: () => store.probeWrite() },
  ];
}

/** Names what of the store only a new start of the process can mend. */
export function storeLiveness(store: Pick<Store, "hasLostWriter">): readonly string[] {
  return store.hasLostWriter() ? ["store-writer"] : [];
}

/** Whether the wall clock is where the backend's time is. Behind it, tokens and codes live longer than they should. */
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
