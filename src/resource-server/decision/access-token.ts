/** A token's facts; which members are `undefined` depends on the answers of the authorization server. */
export interface TokenDescription {
  readonly active: true;
  /** The issuer identifier (RFC 8414 §2), if known. */
  readonly issuer: string | undefined;
  /** The user; `undefined` or the client for client credentials. */
  readonly sub: string | undefined;
  readonly clientId: string | undefined;
  readonly scopes: readonly string[];
  /** The audience; empty if the token names none. */
  readonly audience: readonly string[];
  /** Seconds since 1970, as are `iat` and `nbf`. */
  readonly exp: number | undefined;
  readonly iat: number | undefined;
  readonly nbf: number | undefined;
  readonly tokenType: string | undefined;
  /** The thumbprint of the certificate to which it is bound (RFC 8705 §3.1). */
  readonly x5tS256: string | undefined;
  /** All members of the authorization server's answer, under their own names. */
  readonly claims: Readonly<Record<string, unknown>>;
}

/** A token that was granted access; deeply frozen, because the same object serves many requests. */
export interface AccessToken extends TokenDescription {
  /**
   * Aborted when the token is revoked, expires or changes (`reason` is an `AccessTokenRefused`), and when it could not
   * be confirmed for longer than the cache's bound (an `IntrospectionUnavailable`). Use it to end what was started with
   * the token.
   *
   * Not enumerable; costs nothing until it is read. Keep a reference to the signal or the token, or add a listener: a
   * signal derived from it (`AbortSignal.any`) does not keep it alive, and without the stream of events only live
   * signals are checked.
   *
   * @example accessToken.signal.addEventListener("abort", () => webSocket.close(1008))
   */
  readonly signal: AbortSignal;
}

/**
 * Returns the token with its signal, which is created at the first read; freezes the token, not its members.
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
 * Returns the same token with its signal each time, and a new one after the signal was aborted: a token that was
 * granted access again is not over.
 *
 * (The signal is aborted at the end of the bound without confirmation; later the facts may be confirmed again.)
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

/** Freezes a value of plain objects and arrays deeply; iterative, because the sender chooses the depth. */
export function freezeDeeply<T>(value: T): T {
  const open: unknown[] = [value];
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    if (typeof next !== "object" || next === null || Object.isFrozen(next)) continue;
    Object.freeze(next);
    for (const inner of Object.values(next)) if (typeof inner === "object" && inner !== null) open.push(inner);
  }
  return value;
}
