import { LRUCache } from "lru-cache";
import type { ChainVerdict } from "../engine/dependencies.ts";

/** The instants (milliseconds) between which a verdict is valid; `until` is excluded. */
export interface Period {
  readonly from: number;
  readonly until: number;
}

interface Remembered extends Period {
  readonly verdict: ChainVerdict;
}

/** Verdicts by the digest of their question. */
export interface VerdictMemo {
  get(key: string, now: number): ChainVerdict | undefined;
  set(key: string, verdict: ChainVerdict, period: Period): void;
  clear(): void;
}

/** Refusals are cached separately, and fewer: anyone can produce any number of untrusted certificates. */
export function createVerdictMemo(limits: { trusted: number; refused: number }): VerdictMemo {
  const trusted = new LRUCache<string, Remembered>({ max: limits.trusted });
  const refused = new LRUCache<string, Remembered>({ max: limits.refused });
  return {
    get(key, now) {
      const remembered = trusted.get(key) ?? refused.get(key);
      return remembered !== undefined && isWithin(remembered, now) ? remembered.verdict : undefined;
    },
    set(key, verdict, period) {
      const [is, isNot] = verdict.trusted ? [trusted, refused] : [refused, trusted];
      is.set(key, { verdict, ...period });
      isNot.delete(key);
    },
    clear() {
      trusted.clear();
      refused.clear();
    },
  };
}

/** Before `from` as well: a clock that was set back may be before a notBefore again. */
export function isWithin({ from, until }: Period, now: number): boolean {
  return from <= now && now < until;
}
