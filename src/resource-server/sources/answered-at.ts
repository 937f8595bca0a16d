import { IntrospectionMalformed } from "../refusal/introspection-unavailable.ts";

type Headers = Readonly<Record<string, string | string[] | undefined>>;

/** `Tue, 01 Dec 2026 08:00:00 GMT`; the two obsolete forms of RFC 9110 §5.6.7 have no place in an answer of today. */
const imfFixdate = /^[A-Z][a-z]{2}, \d{2} [A-Z][a-z]{2} \d{4} \d{2}:\d{2}:\d{2} GMT$/;
/** An instant in whole seconds was cut off: what the clock showed was up to so many milliseconds more. */
const cutOff = 999;

/**
 * What the server's clock showed at the latest when it made the answer, milliseconds since 1970: `Date` (RFC 9110 §6.6.1)
 * and the `Age` of an answer that a cache has kept (RFC 9111 §5.1). `undefined` without a usable `Date`.
 *
 * @example answeredAtByDate({ date: "Tue, 01 Dec 2026 08:00:00 GMT" }) // 1796112000999
 */
export function answeredAtByDate({ date, age }: Headers): number | undefined {
  if (typeof date !== "string" || !imfFixdate.test(date)) return undefined;
  const instant = Date.parse(date);
  if (Number.isNaN(instant)) return undefined;
  const seconds = typeof age === "string" && /^\d{1,9}$/.test(age) ? Number(age) : 0;
  return instant + seconds * 1000 + cutOff;
}

/**
 * The same by an instant in seconds since 1970 that the answer carries, as `iat` does.
 *
 * @example answeredAtByIssue(1796112000) // 1796112000999
 */
export function answeredAtByIssue(seconds: number): number {
  return Number.isInteger(seconds) ? seconds * 1000 + cutOff : seconds * 1000;
}

/**
 * The same by the expiry (milliseconds since 1970) and the seconds that are left until then, to the millisecond.
 *
 * `member` is where they stand. `undefined` where either is absent; throws {@link IntrospectionMalformed} for seconds
 * that are no number, negative or more than a number of milliseconds can be counted with.
 *
 * @example answeredAtByLife("expiresIn", 1796112003500, 3.5) // 1796112000000
 */
export function answeredAtByLife(member: string, expiresAt: number | undefined, left: unknown): number | undefined {
  if (left === undefined || left === null) return undefined;
  if (typeof left !== "number" || !(left >= 0 && left <= 100_000_000_000)) {
    throw new IntrospectionMalformed(`${member} is no number of seconds`);
  }
  return expiresAt === undefined ? undefined : expiresAt - left * 1000;
}

/**
 * The latest of these instants, by which a token has least left; `undefined` when there is none.
 *
 * @example latestOf(undefined, 1796112000999) // 1796112000999
 */
export function latestOf(...instants: readonly (number | undefined)[]): number | undefined {
  const known = instants.filter((one) => one !== undefined);
  return known.length === 0 ? undefined : Math.max(...known);
}
