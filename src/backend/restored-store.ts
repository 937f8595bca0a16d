import type { Logger } from "pino";
import type { UnexpectedOrigin } from "./store/store.ts";

const whatWasFound = {
  unmarked: "the mark beside it is missing, as it is beside a copy",
  "another-store": "the mark beside it is of another store",
  "another-file": "it is another file than the one that the mark beside it was written for",
  "went-back": "it lacks writes that were acknowledged",
} satisfies Record<UnexpectedOrigin, string>;

/** Logs once that the store was restored, copied or replaced, with the operator's next step. */
export function reportRestoredStore(log: Logger, origin: UnexpectedOrigin): void {
  log.error({ restored: origin }, describeRestoredStore(origin));
}

/** The finding, and the operator's next step. */
export function describeRestoredStore(origin: UnexpectedOrigin): string {
  return (
    `The store was restored, copied or replaced: ${whatWasFound[origin]}. Every watcher of invalidation events is told to ` +
    "forget what it remembers. Tokens that were issued after the copy was made are unknown. Tokens that were revoked " +
    "after it are valid again until they expire: revoke them again, or all tokens of the clients and users concerned " +
    '("After a restored backup" in docs/operating.md).'
  );
}
