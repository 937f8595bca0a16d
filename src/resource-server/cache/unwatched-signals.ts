import { AccessTokenRefused } from "../refusal/access-token-refused.ts";
import { IntrospectionUnavailable } from "../refusal/introspection-unavailable.ts";
import type { Schedule } from "../environment.ts";

/** Signals of tokens that nobody asks for: each ends when the bound is over, or at the token's expiry. */
export interface UnwatchedSignals {
  /** When the bound is over and when the token expires, both on the monotonic clock. */
  open(times: { readonly endsAt: number; readonly expiresAt: number }): AbortSignal;
  /** Ends them all. */
  close(): void;
}

export interface UnwatchedSignalsOptions {
  readonly monotonicClock: () => number;
  readonly schedule: Schedule;
}

/**
 * Creates the place of signals for which there is no room in the registry of live tokens.
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
 * Why a signal ends about whose token nothing was found out.
 *
 * @example controller.abort(unconfirmed())
 */
export function unconfirmed(): IntrospectionUnavailable {
  return new IntrospectionUnavailable("nothing was found out for longer than the cache's bound");
}
