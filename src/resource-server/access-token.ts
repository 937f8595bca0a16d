/**
 * A token that opened the resource; frozen through and through, for the same object serves many requests.
 *
 * Which members are `undefined` depends on what the authorization server tells of a token.
 */
export interface AccessToken {
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
