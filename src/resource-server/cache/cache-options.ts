import { refuseUnknownOptions } from "../../options/refuse-unknown-options.ts";
import { optionError } from "../../options/option-error.ts";
import type { MemoryLimits } from "./answer-memory.ts";
import { count, duration } from "../../options/read-number.ts";

/** How long answers are reused, in seconds, and how many are kept. */
export interface CacheOptions {
  /** For active tokens (default 10); 0: every request asks. Part of how late a revocation is noticed. */
  readonly ttl?: number;
  /** For tokens that are not (default 1). */
  readonly negativeTtl?: number;
  /** Default 10,000. */
  readonly maxEntries?: number;
  /** Default 1,000; apart, so that random tokens push no good one out. */
  readonly maxNegativeEntries?: number;
  /** How much memory all that may take, about; default 64 MiB. */
  readonly maxBytes?: number;
  /**
   * Whether to follow the source's stream of invalidation events, where it has one (default), so that a revocation is
   * noticed at once and what has not changed is not asked for again.
   */
  readonly push?: boolean;
  /** How long ago the stream must have vouched for a remembered answer at the most (default 1). */
  readonly lease?: number;
  /**
   * While nothing can be found out, facts that lie so much longer back than `ttl` are used rather than none (default 0).
   * It adds to how late a revocation is noticed then; certificate, scopes and expiry are checked as always.
   */
  readonly staleIfUnavailable?: number;
  /** Tokens whose `signal` is looked after at a time; default 10,000. The signals of others end with the bound. */
  readonly maxWatched?: number;
}

/** The option `cache`, checked and completed; times in milliseconds. */
export interface ResolvedCache extends MemoryLimits {
  readonly push: boolean;
  readonly maxWatched: number;
}

const names: ReadonlySet<string> = new Set<keyof CacheOptions>([
  "ttl",
  "negativeTtl",
  "maxEntries",
  "maxNegativeEntries",
  "maxBytes",
  "push",
  "lease",
  "staleIfUnavailable",
  "maxWatched",
]);

const mebibyte = 1024 * 1024;

/**
 * Checks the option `cache` and completes it; times in milliseconds. Throws a `TypeError` with a `code`.
 *
 * @example readCacheOptions({ ttl: 5 }).ttl // 5000
 */
export function readCacheOptions(cache: false | CacheOptions): ResolvedCache {
  const given: unknown = cache;
  if (given === null || (typeof given !== "object" && given !== false)) {
    throw optionError("cache", "must be false or an object");
  }
  if (cache === false) return { ...readCacheOptions({ ttl: 0, negativeTtl: 0 }), maxEntries: 1, maxNegativeEntries: 1 };
  refuseUnknownOptions(cache, names, "cache");
  const { push = true } = cache;
  if (typeof push !== "boolean") throw optionError("cache.push", "must be true or false");
  return {
    ttl: duration("cache.ttl", (cache.ttl ?? 10) * 1000, 0),
    negativeTtl: duration("cache.negativeTtl", (cache.negativeTtl ?? 1) * 1000, 0),
    maxEntries: count("cache.maxEntries", cache.maxEntries ?? 10_000),
    maxNegativeEntries: count("cache.maxNegativeEntries", cache.maxNegativeEntries ?? 1000),
    maxBytes: count("cache.maxBytes", cache.maxBytes ?? 64 * mebibyte, Number.MAX_SAFE_INTEGER),
    push,
    lease: duration("cache.lease", (cache.lease ?? 1) * 1000, 0),
    staleIfUnavailable: duration("cache.staleIfUnavailable", (cache.staleIfUnavailable ?? 0) * 1000, 0),
    maxWatched: count("cache.maxWatched", cache.maxWatched ?? 10_000),
  };
}
