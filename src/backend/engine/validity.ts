/**
 * In seconds: clocks of several nodes differ by less. What was issued further ahead is not yet valid: a clock that was
 * wrong issued it, and was set right.
 */
export const clockTolerance = 60;

/** Whether something that was issued at `createdAt` can be used at `now`; all in milliseconds since 1970. */
export function isValidAt(issued: { readonly createdAt: number; readonly expiresAt: number }, now: number): boolean {
  return now >= issued.createdAt - clockTolerance * 1000 && now < issued.expiresAt;
}
