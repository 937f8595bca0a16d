import { optionError } from "../api-client/option-error.ts";
import type { MemoryLimits } from "./answer-memory.ts";
import { count, duration } from "./read-number.ts";

/** How long answers are reused, in seconds, and how many are kept. */
export interface CacheOptions {
  /** For tokens in force (default 10); 0: every request asks. Part of how late a revocation is noticed. */
  readonly ttl?: number;
  /** For tokens that are not (default 1). */
  readonly negativeTtl?: number;
  /** Default 10,000. */
  readonly maxEntries?: number;
  /** Default 1,000; apart, so that random tokens push no good one out. */
  readonly maxNegativeEntries?: number;
}

const names: ReadonlySet<string> = new Set<keyof CacheOptions>([
  "ttl",
  "negativeTtl",
  "maxEntries",
  "maxNegativeEntries",
]);

/**
 * Checks the option `cache` and completes it; times in milliseconds. Throws a `TypeError` with a `code`.
 *
 * @example readCacheOptions({ ttl: 5 }).ttl // 5000
 */
export function readCacheOptions(cache: false | CacheOptions): MemoryLimits {
  const given: unknown = cache;
  if (given === null || (typeof given !== "object" && given !== false)) {
    throw optionError("cache", "must be false or an object");
  }
  if (cache === false) return { ttl: 0, negativeTtl: 0, maxEntries: 1, maxNegativeEntries: 1 };
  for (const name of Object.keys(cache)) if (!names.has(name)) throw optionError(`cache.${name}`, "is not an option");
  return {
    ttl: duration("cache.ttl", (cache.ttl ?? 10) * 1000, 0),
    negativeTtl: duration("cache.negativeTtl", (cache.negativeTtl ?? 1) * 1000, 0),
    maxEntries: count("cache.maxEntries", cache.maxEntries ?? 10_000),
    maxNegativeEntries: count("cache.maxNegativeEntries", cache.maxNegativeEntries ?? 1000),
  };
}
