import type { ResourceServerClocks, Warning } from "../environment.ts";

/** The clock that an issuer's `exp` and `nbf` are set by, as far as its answers show it. */
export interface SourceClock {
  /**
   * Returns what to add to the monotonic clock for the issuer's time (milliseconds since 1970), according to one
   * answer.
   *
   * `askedAt` is when its question was sent, on the monotonic clock; `answeredAt` what the issuer's clock showed after
   * that, or `undefined`: then this process's wall clock is used instead, once.
   */
  offsetOf(askedAt: number, answeredAt: number | undefined): number;
}

export interface SourceClockOptions extends ResourceServerClocks {
  readonly issuer: string | undefined;
  readonly warn: (warning: Warning) => void;
}

/** Milliseconds: clocks that differ by more are worth a warning. */
const tolerated = 5_000;

/**
 * Creates the clock of one issuer.
 *
 * The issuer's instant is assigned to the time when the question was *sent*: the answer was made later, so a token
 * never ends later here than at the issuer. The first answer that shows this process's wall clock to be off by more
 * than 5 s causes a warning; that clock is used for nothing else.
 *
 * @example const now = monotonicClock() + sourceClock.offsetOf(askedAt, answer.answeredAt)
 */
export function createSourceClock({ issuer, warn, clock, monotonicClock }: SourceClockOptions): SourceClock {
  let warned = false;

  /** The wall clock's error is known to lie between what it would be if the answer was made at once, and just now. */
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
        `The clock of this machine is ${error} that of ${issuer ?? "the authorization server"}. Tokens are counted by ` +
        "the latter, and by a monotonic clock; what is checked here by the wall clock alone (JWT access tokens, signed " +
        "answers, certificates) is not. Set the clock of the machine that is wrong (NTP).",
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
