import { LRUCache } from "lru-cache";
import { type DatedAnswer, certifiedAt, type Coverage, type FreshnessLimits, isFresh } from "./freshness.ts";
import { createKeyIndex } from "./invalidations.ts";

/** An answer that may be remembered. */
export interface Rememberable {
  /** Whether it lets anyone in; what does not is kept apart, so that random tokens push no good one out. */
  readonly positive: boolean;
  /** The instant on the monotonic clock at which it expires; `Infinity` if never. */
  readonly expiresAt: number;
  /** What it rests on: an event that names one of these makes it void. None: no event can, and none vouches for it. */
  readonly invalidationKeys?: readonly string[] | undefined;
  /** About how many octets of text it was made of. */
  readonly size?: number | undefined;
  /** `false`: good for the one who asked. */
  readonly reusable?: boolean | undefined;
}

/** How long and how many; times in milliseconds, 0: never. */
export interface MemoryLimits extends FreshnessLimits {
  readonly negativeTtl: number;
  /** How much older than otherwise facts may be while nothing newer can be had. */
  readonly staleIfUnavailable: number;
  readonly maxEntries: number;
  readonly maxNegativeEntries: number;
  /** Of both kinds; about. */
  readonly maxBytes: number;
}

export interface AnswerMemory<Answer> {
  /** An answer that may be used now; `maxAge` in milliseconds. */
  recall(key: string, maxAge?: number): Answer | undefined;
  /** One that lets in and may be used when no newer one can be had. */
  recallStale(key: string, maxAge?: number): Answer | undefined;
  /** Whether this very answer is what is remembered. */
  holds(key: string, answer: Answer): boolean;
  /** `askedAt` is when the question was sent, on the monotonic clock. */
  keep(key: string, answer: Answer, askedAt: number): void;
  /** Forgets what rests on any of these keys. */
  invalidate(invalidationKeys: readonly string[]): void;
  /** Forgets what lets in. */
  clearPositives(): void;
  clear(): void;
}

interface Entry<Answer> extends DatedAnswer {
  readonly key: string;
  readonly answer: Answer;
}

/**
 * What an answer takes in memory, rather too much than too little: entry, key, index, signal, and the objects made of
 * its text (measured with answers of 0.2 to 23 kB: 3.3 kB, and 2.2 octets a character).
 */
const sizeOf = ({ answer }: { answer: Rememberable }): number => 3072 + 3 * Math.ceil(answer.size ?? 0);
/** What the negatives may take of all. */
const negativeShare = 1 / 16;

/**
 * Creates a bounded memory of answers, in which a life is counted from when the question was *sent*.
 *
 * Age is counted by the monotonic clock, and lengthened by what the stream vouches for ({@link isFresh}), never by a
 * hit; the same clock ends a life at `expiresAt`, so that setting the wall clock neither ends a life nor brings one back.
 * An answer never replaces one that was asked later, and always what was known before it, even if it is not to be
 * remembered itself.
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
      // One that is larger than all the room there is has not been taken.
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
