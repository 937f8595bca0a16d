/** What a token is wanted for. */
export interface TokenTarget {
  /** Scope tokens (RFC 6749 §3.3); empty: the request names none. */
  readonly scopes: readonly string[];
  /** The APIs that it is meant for (RFC 8707 §2). */
  readonly resources: readonly string[];
}

/** A token that is kept. */
export interface HeldToken {
  readonly accessToken: string;
  /** Milliseconds since 1970. */
  readonly expiresAt: number;
  readonly scopes: readonly string[];
}

/** A token as the authorization server gave it. */
export interface IssuedToken {
  readonly accessToken: string;
  /** Seconds from when it was asked for. */
  readonly expiresIn: number;
  /** `undefined`: what was asked for (RFC 6749 §5.1). */
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
  /** At once while one is active, else when it has come. Rejects with what the request for it rejects with. */
  obtain(target: TokenTarget): Promise<HeldToken>;
  /** Drops a token that an API refused, unless another has taken its place. */
  forget(accessToken: string): void;
  /** Drops everything and ends the requests under way. */
  end(): void;
}

interface Kept extends HeldToken {
  /** On the monotonic clock. */
  readonly renewFrom: number;
  readonly usableUntil: number;
  /** How long after a renewal that failed the next one is tried. */
  readonly pause: number;
}

interface Place {
  kept: Kept | undefined;
  flight: Promise<Kept> | undefined;
  /** On the monotonic clock: no renewal before. */
  pausedUntil: number;
}

/** A minute before the end, or the last tenth of a life shorter than ten. */
const longestMargin = 60_000;

/**
 * Keeps one token for each target and asks for another before it ends.
 *
 * A life counts from when the token was asked for, on both clocks: setting the wall clock back lengthens none. In its
 * last minute (or tenth) the token is still given while another is fetched beside; so a renewal that fails is noticed
 * only at the end. Whoever wants the same target meanwhile waits for the same answer.
 *
 * @example const { accessToken } = await tokens.obtain({ scopes: ["read"], resources: [] })
 */
export function createBoundTokens(
  request: (target: TokenTarget, signal: AbortSignal) => Promise<IssuedToken>,
  { clock, monotonicClock }: TokenClocks,
): BoundTokens {
  const places = new Map<string, Place>();
  const ended = new AbortController();

  const inForce = (kept: Kept): boolean => monotonicClock() < kept.usableUntil && clock() < kept.expiresAt;

  const fetchInto = (place: Place, target: TokenTarget): Promise<Kept> => {
    place.flight ??= fetchToken(target)
      .then((kept) => (place.kept = kept))
      .finally(() => {
        place.flight = undefined;
      });
    return place.flight;
  };

  async function fetchToken(target: TokenTarget): Promise<Kept> {
    const askedAt = { wall: clock(), monotonic: monotonicClock() };
    const { accessToken, expiresIn, scopes = target.scopes } = await request(target, ended.signal);
    const life = expiresIn * 1000;
    const margin = Math.min(longestMargin, life / 10);
    return {
      accessToken,
      expiresAt: askedAt.wall + life,
      scopes,
      usableUntil: askedAt.monotonic + life,
      renewFrom: askedAt.monotonic + life - margin,
      pause: margin / 4,
    };
  }

  function renew(place: Place, target: TokenTarget, { pause }: Kept): void {
    if (place.flight !== undefined || monotonicClock() < place.pausedUntil) return;
    fetchInto(place, target).catch(() => {
      place.pausedUntil = monotonicClock() + pause;
    });
  }

  /** Programs that ask for ever new scopes must not fill the memory. */
  function sweep(): void {
    for (const [key, { kept, flight }] of places) {
      if (flight === undefined && (kept === undefined || !inForce(kept))) places.delete(key);
    }
  }

  return {
    async obtain(target) {
      const key = JSON.stringify([target.scopes, target.resources]);
      let place = places.get(key);
      if (place === undefined) {
        sweep();
        place = { kept: undefined, flight: undefined, pausedUntil: -Infinity };
        places.set(key, place);
      }
      const { kept } = place;
      if (kept === undefined || !inForce(kept)) return fetchInto(place, target);
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
