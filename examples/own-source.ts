/**
 * Facts about tokens from a table of your own, for `createResourceServer({ source: ownSource(table) })`: here sessions
 * that another program writes.
 *
 * A source finds a token's row and returns its facts, under the names of RFC 7662. The library checks them as strictly
 * as an authorization server's answer, and decides whether the token opens a route (expiry, scopes, audience,
 * certificate).
 */
import { createHash } from "node:crypto";
import { type FactsAnswer, type FactsSource, IntrospectionUnavailable, readTokenFacts } from "certbound";

/** A row of the table, found by the SHA-256 of the token. The table does not contain the token. */
export interface SessionRow {
  readonly user: string;
  readonly clientId: string;
  readonly scopes: readonly string[];
  readonly audience: string;
  /** Milliseconds since 1970, as are all instants of that table. */
  readonly endsAt: number;
  /** SHA-256 of the client's certificate in base64url; `null` for an unbound session. */
  readonly certificateSha256: string | null;
}

export interface SessionTable {
  /** Rejects when the table cannot be read. */
  find(tokenDigest: string, signal: AbortSignal): Promise<SessionRow | undefined>;
  /** The clock of `endsAt`, in milliseconds since 1970; it may be another machine's. */
  now(): number;
  close(): Promise<void>;
}

export function ownSource(table: SessionTable): FactsSource {
  return {
    issuer: "https://sessions.example.com",
    async ask(token, { signal }): Promise<FactsAnswer> {
      const digest = createHash("sha256").update(token).digest("base64url");
      const answeredAt = table.now();
      const row = await table.find(digest, signal).catch((cause: unknown) => {
        // Not `active: false`: the lookup failed, so nothing is known about the token.
        throw new IntrospectionUnavailable("the session table cannot be read", { cause });
      });
      const said = row === undefined ? { active: false } : claimsOf(row);
      return {
        record: readTokenFacts(said),
        answeredAt,
        // No keys, because there is no stream of events: the answer is cached for cache.ttl at most.
        invalidationKeys: [],
        size: 500,
        reusable: true,
      };
    },
    close: () => table.close(),
  };
}

function claimsOf({ user, clientId, scopes, audience, endsAt, certificateSha256 }: SessionRow): object {
  return {
    active: true,
    iss: "https://sessions.example.com",
    sub: user,
    client_id: clientId,
    scope: scopes.join(" "),
    aud: audience,
    // Seconds, by RFC 7662.
    exp: Math.floor(endsAt / 1000),
    ...(certificateSha256 === null ? {} : { cnf: { "x5t#S256": certificateSha256 } }),
  };
}
