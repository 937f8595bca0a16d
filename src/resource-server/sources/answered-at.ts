import { IntrospectionMalformed } from "../refusal/introspection-unavailable.ts";

type Headers = Readonly<Record<string, string | string[] | undefined>>;

/** `Tue, 01 Dec 2026 08:00:00 GMT`; the two obsolete forms of RFC 9110 §5.6.7 are not accepted. */
const imfFixdate = /^[A-Z][a-z]{2}, \d{2} [A-Z][a-z]{2} \d{4} \d{2}:\d{2}:\d{2} GMT$/;
/** An instant in whole seconds was rounded down: the clock showed up to so many milliseconds more. */
const cutOff = 999;

/**
 * Returns the latest time that the server's clock can have shown at its answer, milliseconds since 1970: `Date` (RFC
 * 9110 §6.6.1) plus the `Age` of a cached answer (RFC 9111 §5.1). `undefined` without a usable `Date`.
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
 * Returns the same from an instant in the answer in seconds since 1970, such as `iat`.
 *
 * @example answeredAtByIssue(1796112000) // 1796112000999
 */
export function answeredAtByIssue(seconds: number): number {
  return Number.isInteger(seconds) ? seconds * 1000 + cutOff : seconds * 1000;
}

/**
 * Returns the same from the expiry (milliseconds since 1970) and the seconds left until then, to the millisecond.
 *
 * `member` is the name of the seconds. `undefined` if either is absent; throws {@link IntrospectionMalformed} for
 * seconds that are not a number, negative or too large to be counted in milliseconds.
 *
 * @example answeredAtByLife("expiresIn", 1796112003500, 3.5) // 1796112000000
 */
export function answeredAtByLife(member: string, expiresAt: number | undefined, left: unknown): number | undefined {
  if (left === undefined || left === null) return undefined;
  if (typeof left !== "number" || !(left >= 0 && left <= 100_000_000_000)) {
    throw new IntrospectionMalformed(`${member} is not a number of seconds`);
  }
  return expiresAt === undefined ? undefined : expiresAt - left * 1000;
}

/**
 * Returns the latest of these instants, which leaves a token the least time; `undefined` without any.
 *
 * @example latestOf(undefined, 1796112000999) // 1796112000999
 */
export function latestOf(...instants: readonly (number | undefined)[]): number | undefined {
  const known = instants.filter((one) => one !== undefined);
  return known.length === 0 ? undefined : Math.max(...known);
}
