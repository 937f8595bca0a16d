import { LRUCache } from "lru-cache";
import { type DatedAnswer, certifiedAt, type Coverage, type FreshnessLimits, isFresh } from "./freshness.ts";
import { createKeyIndex } from "./invalidations.ts";

/** An answer that may be cached. */
export interface Rememberable {
  /**
   * Whether it is about an active token; other answers are kept separately, so that random tokens do not evict good
   * ones.
   */
  readonly positive: boolean;
  /** When it expires, on the monotonic clock; `Infinity` if never. */
  readonly expiresAt: number;
  /**
   * The invalidation keys of the answer: an event with one of them invalidates it. None: no event can invalidate it,
   * and the stream does not extend its use.
   */
  readonly invalidationKeys?: readonly string[] | undefined;
  /** The approximate size of the text it was made from, in octets. */
  readonly size?: number | undefined;
  /** `false`: for this request only. */
  readonly reusable?: boolean | undefined;
}

/** Limits of the cache; times in milliseconds, 0 disables. */
export interface MemoryLimits extends FreshnessLimits {
  readonly negativeTtl: number;
  /** How much older answers may be while the source is unavailable. */
  readonly staleIfUnavailable: number;
  readonly maxEntries: number;
  readonly maxNegativeEntries: number;
  /** Of both kinds together, approximately. */
  readonly maxBytes: number;
}

export interface AnswerMemory<Answer> {
  /** Returns an answer that may be used now; `maxAge` in milliseconds. */
  recall(key: string, maxAge?: number): Answer | undefined;
  /** Returns a positive answer that may be used while the source is unavailable. */
  recallStale(key: string, maxAge?: number): Answer | undefined;
  /** Whether exactly this answer is cached. */
  holds(key: string, answer: Answer): boolean;
  /** `askedAt` is when the request was sent, on the monotonic clock. */
  keep(key: string, answer: Answer, askedAt: number): void;
  /** Removes the answers with any of these keys. */
  invalidate(invalidationKeys: readonly string[]): void;
  /** Removes the positive answers. */
  clearPositives(): void;
  clear(): void;
}

interface Entry<Answer> extends DatedAnswer {
  readonly key: string;
  readonly answer: Answer;
}

/**
 * The memory of an answer, estimated high: entry, key, index, signal, and the objects made from its text (measured with
 * answers of 0.2 to 23 kB: 3.3 kB plus 2.2 octets per character).
 */
const sizeOf = ({ answer }: { answer: Rememberable }): number => 3072 + 3 * Math.ceil(answer.size ?? 0);
/** The share of the negative answers in `maxBytes`. */
const negativeShare = 1 / 16;

/**
 * Creates a bounded cache of answers; the age of an answer counts from when its request was *sent*.
 *
 * Ages are measured on the monotonic clock; the stream of events extends the use of an answer ({@link isFresh}), a hit
 * never does. `expiresAt` is on the same clock, so setting the wall clock neither ends nor revives an answer. An answer
 * replaces every answer that was requested earlier, even if it is not cached itself, and none that was requested later.
 *
 * @example memory.keep(tokenDigestText(token), answer, askedAt)
 */
export function createAnswerMemory<Answer extends Rememberable>(
  limits: MemoryLimits,
  coverage: Coverage,
  monotonicClock: () => number,
): AnswerMemory<Answer> {
  const index = createKeyIndex<Entry<Answer>>();
  const bounded = (max: number, maxSize: number) =>
    new LRUCache<string, Entry<Answer>>({
      max,
      maxSize: Math.max(1, Math.floor(maxSize)),
      sizeCalculation: sizeOf,
      dispose: (entry) => {
        index.remove(entry.answer.invalidationKeys ?? [], entry);
      },
    });
  const positives = bounded(limits.maxEntries, limits.maxBytes * (1 - negativeShare));
  const negatives = bounded(limits.maxNegativeEntries, limits.maxBytes * negativeShare);
  const negativeLimits: FreshnessLimits = { ttl: limits.negativeTtl, lease: 0 };
  const uncovered = limits.ttl + limits.staleIfUnavailable;

  const isAlive = ({ answer }: Entry<Answer>, now: number): boolean => now < answer.expiresAt;

  return {
    recall(key, maxAge) {
      const now = monotonicClock();
      const positive = positives.get(key);
      if (positive !== undefined) {
        if (!isAlive(positive, now)) positives.delete(key);
        else if (isFresh(positive, coverage, limits, now, maxAge)) return positive.answer;
        return undefined;
      }
      const negative = negatives.get(key);
      if (negative === undefined) return undefined;
      if (isAlive(negative, now) && isFresh(negative, coverage, negativeLimits, now, maxAge)) return negative.answer;
      return undefined;
    },
    recallStale(key, maxAge = Infinity) {
      if (limits.staleIfUnavailable === 0) return undefined;
      const now = monotonicClock();
      const entry = positives.get(key);
      if (entry === undefined || !isAlive(entry, now)) return undefined;
      return now - certifiedAt(entry, coverage) <= Math.min(uncovered, maxAge) ? entry.answer : undefined;
    },
    holds: (key, answer) => positives.peek(key)?.answer === answer,
    keep(key, answer, askedAt) {
      const known = positives.peek(key) ?? negatives.peek(key);
      if (known !== undefined && known.askedAt > askedAt) return;
      const [into, other, ttl] = answer.positive
        ? [positives, negatives, limits.ttl]
        : [negatives, positives, limits.negativeTtl];
      other.delete(key);
      into.delete(key);
      if (ttl === 0 || answer.reusable === false) return;
      const { invalidationKeys = [] } = answer;
      const entry = { key, answer, askedAt, revocable: answer.positive && invalidationKeys.length > 0 };
      into.set(key, entry);
      // An entry larger than the cache was not stored.
      if (into.peek(key) === entry) index.add(invalidationKeys, entry);
    },
    invalidate(invalidationKeys) {
      for (const { key, answer } of index.under(invalidationKeys)) {
        (answer.positive ? positives : negatives).delete(key);
      }
    },
    clearPositives() {
      positives.clear();
    },
    clear() {
      positives.clear();
      negatives.clear();
    },
  };
}
