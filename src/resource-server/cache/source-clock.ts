import type { ResourceServerClocks, Warning } from "../environment.ts";

/** The clock of an issuer, by which `exp` and `nbf` are set, as far as its answers show it. */
export interface SourceClock {
  /**
   * Returns the offset from the monotonic clock to the issuer's time (milliseconds since 1970), according to one
   * answer.
   *
   * `askedAt` is when the request was sent, on the monotonic clock; `answeredAt` is what the issuer's clock showed
   * after that. Without it, this process's wall clock is read once instead.
   */
  offsetOf(askedAt: number, answeredAt: number | undefined): number;
}

export interface SourceClockOptions extends ResourceServerClocks {
  readonly issuer: string | undefined;
  readonly warn: (warning: Warning) => void;
}

/** Clocks that differ by more milliseconds cause a warning. */
const tolerated = 5_000;

/**
 * Creates the clock of one issuer.
 *
 * The issuer's time is assigned to the instant when the request was *sent*: the answer was made later, so a token never
 * expires later here than at the issuer. The first answer that shows that this process's wall clock is off by more than
 * 5 s causes a warning; that clock is used for nothing else.
 *
 * @example const now = monotonicClock() + sourceClock.offsetOf(askedAt, answer.answeredAt)
 */
export function createSourceClock({ issuer, warn, clock, monotonicClock }: SourceClockOptions): SourceClock {
  let warned = false;

  /** The wall clock's error lies between two bounds: the answer was made when the request was sent, or just now. */
  function look(askedAt: number, answeredAt: number): void {
    const wall = clock();
    const ahead = wall - (monotonicClock() - askedAt) - answeredAt;
    const behind = answeredAt - wall;
    if (warned || !(Math.max(ahead, behind) > tolerated)) return;
    warned = true;
    const error = ahead > behind ? `${Math.round(ahead / 1000)} s ahead of` : `${Math.round(behind / 1000)} s behind`;
    warn({
      code: "CERTBOUND_CLOCK_OFFSET",
      message:
        `The clock of this machine is ${error} that of ${issuer ?? "the authorization server"}. The expiry of tokens is checked by ` +
        "the latter and a monotonic clock; checks by the wall clock of this machine (JWT access tokens, signed " +
        "answers, certificates) are not. Correct the clock of the machine that is wrong (NTP).",
    });
  }

  return {
    offsetOf(askedAt, answeredAt) {
      if (answeredAt === undefined) return clock() - monotonicClock();
      look(askedAt, answeredAt);
      return answeredAt - askedAt;
    },
  };
}
