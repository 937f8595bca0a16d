/** How often OpenSSL may be asked for no other end than its words on a path that is refused already. */
export interface Explanations {
  /** Whether this client has one left, which is then used up; `now` in milliseconds since 1970. */
  take(client: string, now: number): boolean;
}

/** Milliseconds for which the limits hold. */
const window = 60_000;

/**
 * Makes {@link Explanations}: so many a minute for each client, and for all together.
 *
 * @example createExplanations({ ofClient: 4, ofAll: 32 }).take("1/2", Date.now())
 */
export function createExplanations(limits: { readonly ofClient: number; readonly ofAll: number }): Explanations {
  let begin = -Infinity;
  let all = 0;
  const taken = new Map<string, number>();
  return {
    take(client, now) {
      // A clock that was set back begins anew as well.
      if (now < begin || now >= begin + window) {
        begin = now;
        all = 0;
        taken.clear();
      }
      const before = taken.get(client) ?? 0;
      if (all >= limits.ofAll || before >= limits.ofClient) return false;
      all += 1;
      taken.set(client, before + 1);
      return true;
    },
  };
}
