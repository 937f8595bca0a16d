/** The scopes and resources that a token is requested for. */
export interface TokenTarget {
  /** Scope tokens (RFC 6749 §3.3); empty: the request names none. */
  readonly scopes: readonly string[];
  /** The APIs that the token is for (RFC 8707 §2). */
  readonly resources: readonly string[];
}

/** A cached token. */
export interface HeldToken {
  readonly accessToken: string;
  /** Milliseconds since 1970. */
  readonly expiresAt: number;
  readonly scopes: readonly string[];
}

/** A token as the authorization server issued it. */
export interface IssuedToken {
  readonly accessToken: string;
  /** Lifetime in seconds, counted from the request. */
  readonly expiresIn: number;
  /** `undefined`: the requested scopes (RFC 6749 §5.1). */
  readonly scopes: readonly string[] | undefined;
}

export interface TokenClocks {
  /** Milliseconds since 1970. */
  readonly clock: () => number;
  /** Milliseconds that never go back. */
  readonly monotonicClock: () => number;
}

/** Tokens bound to one certificate. */
export interface BoundTokens {
  /** Resolves at once with an active token, or else requests one. Rejects like the token request. */
  obtain(target: TokenTarget): Promise<HeldToken>;
  /** Removes a token that an API rejected, unless it has been replaced already. */
  forget(accessToken: string): void;
  /** Removes all tokens and aborts running requests. */
  end(): void;
}

interface Kept extends HeldToken {
  /** On the monotonic clock. */
  readonly renewFrom: number;
  readonly usableUntil: number;
  /** Milliseconds between a failed renewal and the next attempt. */
  readonly pause: number;
}

interface Place {
  kept: Kept | undefined;
  pending: Promise<Kept> | undefined;
  /** On the monotonic clock: the earliest time of the next renewal. */
  pausedUntil: number;
}

/** Milliseconds before expiry when renewal starts; a tenth of the lifetime if that is shorter. */
const longestMargin = 60_000;

/**
 * Caches one token for each target and renews it before it expires.
 *
 * A lifetime starts when the token is requested, and counts on both clocks: setting the wall clock back does not extend
 * it. In its last minute (or tenth) the token is still returned while a new one is fetched in the background, so a
 * failed renewal is noticed only at expiry. Concurrent calls for the same target share one request.
 *
 * @example const { accessToken } = await tokens.obtain({ scopes: ["read"], resources: [] })
 */
export function createBoundTokens(
  request: (target: TokenTarget, signal: AbortSignal) => Promise<IssuedToken>,
  { clock, monotonicClock }: TokenClocks,
): BoundTokens {
  const places = new Map<string, Place>();
  const ended = new AbortController();

  const isActive = (kept: Kept): boolean => monotonicClock() < kept.usableUntil && clock() < kept.expiresAt;

  const fetchInto = (place: Place, target: TokenTarget): Promise<Kept> => {
    place.pending ??= fetchToken(target)
      .then((kept) => (place.kept = kept))
      .finally(() => {
        place.pending = undefined;
      });
    return place.pending;
  };

  async function fetchToken(target: TokenTarget): Promise<Kept> {
    const requestedAt = { wall: clock(), monotonic: monotonicClock() };
    const { accessToken, expiresIn, scopes = target.scopes } = await request(target, ended.signal);
    const lifetime = expiresIn * 1000;
    const margin = Math.min(longestMargin, lifetime / 10);
    return {
      accessToken,
      expiresAt: requestedAt.wall + lifetime,
      scopes,
      usableUntil: requestedAt.monotonic + lifetime,
      renewFrom: requestedAt.monotonic + lifetime - margin,
      pause: margin / 4,
    };
  }

  function renew(place: Place, target: TokenTarget, { pause }: Kept): void {
    if (place.pending !== undefined || monotonicClock() < place.pausedUntil) return;
    fetchInto(place, target).catch(() => {
      place.pausedUntil = monotonicClock() + pause;
    });
  }

  /** Without this, a program that keeps asking for new scopes would fill the memory. */
  function sweep(): void {
    for (const [key, { kept, pending }] of places) {
      if (pending === undefined && (kept === undefined || !isActive(kept))) places.delete(key);
    }
  }

  return {
    async obtain(target) {
      const key = JSON.stringify([target.scopes, target.resources]);
      let place = places.get(key);
      if (place === undefined) {
        sweep();
        place = { kept: undefined, pending: undefined, pausedUntil: -Infinity };
        places.set(key, place);
      }
      const { kept } = place;
      if (kept === undefined || !isActive(kept)) return fetchInto(place, target);
      if (monotonicClock() >= kept.renewFrom) renew(place, target, kept);
      return kept;
    },
    forget(accessToken) {
      for (const place of places.values()) if (place.kept?.accessToken === accessToken) place.kept = undefined;
    },
    end() {
      ended.abort();
      places.clear();
    },
  };
}
