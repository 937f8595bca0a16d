import type { Client, Service } from "../settings/service-and-client.ts";

/**
 * In seconds: the clocks of several nodes differ by less. A token issued further in the future is not yet valid: it was
 * issued while a clock was wrong.
 */
export const clockTolerance = 60;

/** Whether something that was issued at `createdAt` can be used at `now`; all in milliseconds since 1970. */
export function isValidAt(issued: { readonly createdAt: number; readonly expiresAt: number }, now: number): boolean {
  return now >= issued.createdAt - clockTolerance * 1000 && now < issued.expiresAt;
}

/** The lifetime of an access token in seconds; `requested` by the API caller overrides the settings, unless it is 0 or `null`. */
export function accessTokenDuration(service: Service, client: Client, requested: number | null | undefined): number {
  return firstGiven(requested, client.settings.extension?.accessTokenDuration) ?? service.settings.accessTokenDuration;
}

/** The same of a refresh token. */
export function refreshTokenDuration(service: Service, client: Client, requested: number | null | undefined): number {
  return (
    firstGiven(requested, client.settings.extension?.refreshTokenDuration) ?? service.settings.refreshTokenDuration
  );
}

/** The first value that is set; 0 and `null` count as not set (Authlete's API). */
export function firstGiven(...durations: readonly (number | null | undefined)[]): number | undefined {
  return durations.find((duration) => (duration ?? 0) > 0) ?? undefined;
}

/**
 * An expiry rounded down to the second, like `exp`, so that no answer promises more than is honoured. In milliseconds.
 */
export function expiryAfter(instant: number, duration: number): number {
  return wholeSeconds(instant + duration * 1000);
}

/** An instant in milliseconds as the seconds of `exp`. */
export function wholeSeconds(instant: number): number {
  return Math.floor(instant / 1000) * 1000;
}
