/** What is known of a token; which members are `undefined` depends on what the authorization server tells. */
export interface TokenDescription {
  readonly active: true;
  /** Whose token it is (RFC 8414 §2), where that is known. */
  readonly issuer: string | undefined;
  /** The user; `undefined` or the client itself for client credentials. */
  readonly sub: string | undefined;
  readonly clientId: string | undefined;
  readonly scopes: readonly string[];
  /** The resource servers it is meant for; empty when it names none. */
  readonly audience: readonly string[];
  /** Seconds since 1970, as are `iat` and `nbf`. */
  readonly exp: number | undefined;
  readonly iat: number | undefined;
  readonly nbf: number | undefined;
  readonly tokenType: string | undefined;
  /** The thumbprint of the certificate it is bound to (RFC 8705 §3.1). */
  readonly x5tS256: string | undefined;
  /** All that the authorization server said, under its own names. */
  readonly claims: Readonly<Record<string, unknown>>;
}

/** A token that opened the resource; frozen through and through, for the same object serves many requests. */
export interface AccessToken extends TokenDescription {
  /**
   * Aborted when the token is revoked, expires or is no longer what it was (`reason` is an `AccessTokenRefused`), and
   * when nothing can be found out about it for longer than the cache's bound (an `IntrospectionUnavailable`): what was
   * begun with the token ends with it.
   *
   * Not enumerable; costs nothing until it is read. Keep the signal, the token or a listener: what is made of the signal
   * (`AbortSignal.any`) does not keep it, and without the stream of events only signals that are kept are asked about.
   *
   * @example accessToken.signal.addEventListener("abort", () => webSocket.close(1008))
   */
  readonly signal: AbortSignal;
}

/**
 * The token with its signal, which is opened when it is first read; the result is frozen, its members are not looked at.
 *
 * @example withSignal(record.accessToken, () => answers.watch(key, answer, question)).signal.aborted // false
 */
export function withSignal(description: TokenDescription, open: () => AbortSignal): AccessToken {
  let signal: AbortSignal | undefined;
  const get = (): AbortSignal => (signal ??= open());
  const token = Object.defineProperty({ ...description }, "signal", { get, enumerable: false });
  return Object.freeze(token as AccessToken);
}

/**
 * Hands out one and the same token with its signal, and another when that has ended: what was let in anew is not over.
 *
 * (The signal ends with the bound while nobody vouches; the facts may be vouched for again after that.)
 *
 * @example const handOut = withSignals(record.accessToken, open); handOut() === handOut() // true
 */
export function withSignals(description: TokenDescription, open: () => AbortSignal): () => AccessToken {
  let signal: AbortSignal | undefined;
  let token: AccessToken | undefined;
  const renewed = (): AccessToken => {
    signal = undefined;
    return withSignal(description, () => (signal = open()));
  };
  return () => (token = token === undefined || signal?.aborted === true ? renewed() : token);
}

/** Freezes a value of plain objects and arrays and all that is in it; iterative, since depth is the sender's choice. */
export function freezeDeeply<T>(value: T): T {
  const open: unknown[] = [value];
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    if (typeof next !== "object" || next === null || Object.isFrozen(next)) continue;
    Object.freeze(next);
    for (const inner of Object.values(next)) if (typeof inner === "object" && inner !== null) open.push(inner);
  }
  return value;
}
