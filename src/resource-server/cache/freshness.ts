/**
 * What the stream of invalidation events vouches for; instants are of this process's monotonic clock, in milliseconds.
 *
 * Every event that was committed before `lease` has been taken in, provided that it is about an answer that was asked
 * for at `since` or later. `Infinity` and `-Infinity`: it vouches for nothing.
 */
export interface Coverage {
  readonly since: number;
  readonly lease: number;
}

/** What a source without events, or a stream that has not begun, vouches for. */
export const noCoverage: Coverage = Object.freeze({ since: Infinity, lease: -Infinity });

/** An answer, as far as its age goes. */
export interface DatedAnswer {
  /** When the question was sent, on the monotonic clock. */
  readonly askedAt: number;
  /** Whether an event could make it void: it says what it rests on, and that it lets someone in. */
  readonly revocable: boolean;
}

/** How old facts may be, milliseconds. */
export interface FreshnessLimits {
  /** S: since they were asked for. */
  readonly ttl: number;
  /** L: since the stream last vouched for them. */
  readonly lease: number;
}

/**
 * The latest instant at which the answer is known to have been true: no event before it has made it void.
 *
 * When the question was sent, or when the last successful poll of the stream began, if the stream has seen every event
 * since the question.
 *
 * @example certifiedAt({ askedAt: 100, revocable: true }, { since: 50, lease: 900 }) // 900
 */
export function certifiedAt({ askedAt, revocable }: DatedAnswer, { since, lease }: Coverage): number {
  return revocable && askedAt >= since && lease > askedAt ? lease : askedAt;
}

/**
 * Whether an answer may be used at `now`; `maxAge` (milliseconds) is what a route allows, and only ever less.
 *
 * The one rule that docs/staleness.md proves: `now - lease <= L` for what the stream covers, or `now - askedAt <= S`.
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
