/**
 * The period that the stream of invalidation events covers; instants on this process's monotonic clock, in
 * milliseconds.
 *
 * Every event that was committed before `lease` has been processed, if it concerns an answer that was requested at
 * `since` or later. `Infinity` and `-Infinity`: it covers nothing.
 */
export interface Coverage {
  readonly since: number;
  readonly lease: number;
}

/** The coverage of a source without events, or of a stream that has not started. */
export const noCoverage: Coverage = Object.freeze({ since: Infinity, lease: -Infinity });

/** What is needed of an answer to compute its age. */
export interface DatedAnswer {
  /** When the request was sent, on the monotonic clock. */
  readonly askedAt: number;
  /** Whether an event can invalidate it: it is positive and has invalidation keys. */
  readonly revocable: boolean;
}

/** How old facts may be, in milliseconds. */
export interface FreshnessLimits {
  /** S: since they were requested. */
  readonly ttl: number;
  /** L: since the stream last confirmed them. */
  readonly lease: number;
}

/**
 * The latest instant at which the answer is known to have been true: no event before it has invalidated the answer.
 *
 * When the request was sent, or when the last successful poll of the stream began, if the stream has covered every
 * event since the request.
 *
 * @example certifiedAt({ askedAt: 100, revocable: true }, { since: 50, lease: 900 }) // 900
 */
export function certifiedAt({ askedAt, revocable }: DatedAnswer, { since, lease }: Coverage): number {
  return revocable && askedAt >= since && lease > askedAt ? lease : askedAt;
}

/**
 * Whether an answer may be used at `now`; `maxAge` (milliseconds) of a route can only make this stricter.
 *
 * The rule that docs/staleness.md proves: `now - lease <= L` for answers that the stream covers, or `now - askedAt <=
 * S`.
 *
 * @example isFresh({ askedAt: 0, revocable: true }, { since: 0, lease: 59_500 }, { ttl: 10_000, lease: 1000 }, 60_000)
 */
export function isFresh(
  asked: DatedAnswer,
  coverage: Coverage,
  limits: FreshnessLimits,
  now: number,
  maxAge = Infinity,
): boolean {
  const age = now - certifiedAt(asked, coverage);
  if (!(age <= maxAge)) return false;
  if (now - asked.askedAt <= limits.ttl) return true;
  return asked.revocable && asked.askedAt >= coverage.since && age <= limits.lease;
}
