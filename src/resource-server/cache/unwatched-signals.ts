import { AccessTokenRefused } from "../refusal/access-token-refused.ts";
import { IntrospectionUnavailable } from "../refusal/introspection-unavailable.ts";
import type { Schedule } from "../environment.ts";

/** Signals of tokens that are not requested again: each is aborted at the end of the bound or at the token's expiry. */
export interface UnwatchedSignals {
  /** When the bound ends and when the token expires, both on the monotonic clock. */
  open(times: { readonly endsAt: number; readonly expiresAt: number }): AbortSignal;
  /** Aborts all signals. */
  close(): void;
}

export interface UnwatchedSignalsOptions {
  readonly monotonicClock: () => number;
  readonly schedule: Schedule;
}

/**
 * Creates the signals for which the registry of live tokens has no room.
 *
 * @example createUnwatchedSignals({ monotonicClock, schedule }).open({ endsAt, expiresAt })
 */
export function createUnwatchedSignals({ monotonicClock, schedule }: UnwatchedSignalsOptions): UnwatchedSignals {
  const endings = new Set<(reason: Error) => void>();
  return {
    open({ endsAt, expiresAt }) {
      const controller = new AbortController();
      const left = Math.min(endsAt, expiresAt) - monotonicClock();
      const finish = (reason: Error): void => {
        cancel();
        endings.delete(finish);
        controller.abort(reason);
      };
      const onTime = (): void => {
        finish(expiresAt <= monotonicClock() ? new AccessTokenRefused("token_expired") : unconfirmed());
      };
      const cancel = schedule(onTime, Math.max(0, left), "background");
      endings.add(finish);
      if (!(left > 0)) onTime();
      return controller.signal;
    },
    close() {
      for (const finish of [...endings]) finish(unconfirmed());
    },
  };
}

/**
 * The reason of a signal whose token could not be confirmed in time.
 *
 * @example controller.abort(unconfirmed())
 */
export function unconfirmed(): IntrospectionUnavailable {
  return new IntrospectionUnavailable("the token could not be confirmed for longer than the cache's bound");
}
