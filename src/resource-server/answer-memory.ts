import { LRUCache } from "lru-cache";

/** An answer that may be remembered. */
export interface Rememberable {
  /** Whether it lets anyone in; what does not is kept apart, so that random tokens push no good one out. */
  readonly positive: boolean;
  /** Milliseconds since 1970: from then on it is void; `undefined`: it does not end by itself. */
  readonly usableUntil: number | undefined;
}

/** How long and how many; times in milliseconds, 0: never. */
export interface MemoryLimits {
  readonly ttl: number;
  readonly negativeTtl: number;
  readonly maxEntries: number;
  readonly maxNegativeEntries: number;
}

export interface AnswerMemory<Answer> {
  recall(key: string): Answer | undefined;
  /** `askedAt`: when the question was sent, on the monotonic clock. */
  keep(key: string, answer: Answer, askedAt: number): void;
  clear(): void;
}

interface Entry<Answer> {
  readonly answer: Answer;
  readonly askedAt: number;
}

/**
 * Creates a bounded memory of answers, in which a life is counted from when the question was *sent*.
 *
 * A hit never lengthens a life, and nothing outlives `usableUntil`. The wall clock decides about that and the
 * monotonic one about age, both in milliseconds. An answer never replaces one that was asked for later.
 *
 * @example memory.keep(tokenDigestText(token), answer, askedAt)
 */
export function createAnswerMemory<Answer extends Rememberable>(
  limits: MemoryLimits,
  clock: () => number,
  monotonicClock: () => number,
): AnswerMemory<Answer> {
  const positives = new LRUCache<string, Entry<Answer>>({ max: limits.maxEntries });
  const negatives = new LRUCache<string, Entry<Answer>>({ max: limits.maxNegativeEntries });

  const usable = (entry: Entry<Answer>, ttl: number): boolean =>
    monotonicClock() - entry.askedAt <= ttl &&
    (entry.answer.usableUntil === undefined || clock() < entry.answer.usableUntil);

  return {
    recall(key) {
      const positive = positives.get(key);
      if (positive !== undefined) {
        if (usable(positive, limits.ttl)) return positive.answer;
        positives.delete(key);
        return undefined;
      }
      const negative = negatives.get(key);
      if (negative === undefined) return undefined;
      if (usable(negative, limits.negativeTtl)) return negative.answer;
      negatives.delete(key);
      return undefined;
    },
    keep(key, answer, askedAt) {
      const known = positives.peek(key) ?? negatives.peek(key);
      if (known !== undefined && known.askedAt > askedAt) return;
      const [into, other, ttl] = answer.positive
        ? [positives, negatives, limits.ttl]
        : [negatives, positives, limits.negativeTtl];
      other.delete(key);
      if (ttl > 0) into.set(key, { answer, askedAt });
      else into.delete(key);
    },
    clear() {
      positives.clear();
      negatives.clear();
    },
  };
}
