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
