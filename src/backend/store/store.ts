import type { RecordOf } from "./columns.ts";
import type { Command, TokenOwner } from "./command.ts";
import type {
  accessTokenColumns,
  clientColumns,
  codeColumns,
  grantColumns,
  listedClientColumns,
  listedServiceColumns,
  refreshTokenColumns,
  serviceColumns,
  ticketColumns,
} from "./tables.ts";

/** A service's settings as kept. */
export type StoredService = RecordOf<typeof serviceColumns>;

/** A client's settings as kept. */
export interface StoredClient extends RecordOf<typeof clientColumns> {
  readonly serviceVersion: number;
}

/** A service as listed for a comparison with a configuration; it may have been deleted. */
export type ListedService = RecordOf<typeof listedServiceColumns>;

/** The same for a client. */
export type ListedClient = RecordOf<typeof listedClientColumns>;

/** How many access and refresh tokens are active. */
export interface LiveTokens {
  readonly count: number;
  /** `false`: there are more rows than are looked at, so there may be more live tokens. */
  readonly complete: boolean;
}

/** The client of a row, and the versions of its owners that a decision depends on. */
interface Owned {
  readonly clientId: number;
  readonly clientVersion: number;
  readonly serviceVersion: number;
}

/** An access token whose own row, grant, client and service all stand; it may have expired. */
export interface StoredAccessToken extends RecordOf<typeof accessTokenColumns>, Owned {
  /** The grant's details; `undefined` for a token without a grant. */
  readonly details: string | undefined;
  /** The expiry of the grant's refresh token that has not been consumed; `undefined` when there is none. */
  readonly refreshTokenExpiresAt: number | undefined;
}

/** A refresh token with the members of its grant, all standing; it may have been consumed. */
export interface StoredRefreshToken extends RecordOf<typeof refreshTokenColumns>, RecordOf<typeof grantColumns>, Owned {
  /** Another took its place. */
  readonly consumption:
    { readonly at: number; readonly sealedAnswer: Uint8Array; readonly successorUsed: boolean } | undefined;
}

/** A ticket whose client and service stand; it may have expired or been consumed. */
export interface StoredTicket extends RecordOf<typeof ticketColumns>, Owned {
  readonly consumed: boolean;
}

/** An authorization code whose client and service stand; it may have expired or been consumed. */
export interface StoredCode extends RecordOf<typeof codeColumns>, Owned {
  readonly consumed: boolean;
}

/** Whose access tokens: of a client, of a subject, of both together, or all of a service. */
export interface Owner {
  readonly clientId?: number | undefined;
  readonly subject?: string | undefined;
}

/** The order of lists: by expiry, then by time of issue, then by digest. */
export interface TokenPosition {
  readonly expiresAt: number;
  readonly createdAt: number;
  readonly digest: Uint8Array;
}

/** Which access tokens to list; instants in milliseconds. */
export interface AccessTokensQuery extends Owner {
  /** `valid` and `invalid` are as of `now`; ended tokens are not listed. */
  readonly status: "valid" | "invalid" | "all";
  readonly now: number;
  /** The list begins after this position; without it, at the first token. */
  readonly after?: TokenPosition | undefined;
  /** A slice of what follows: from `start`, before `end`. */
  readonly start: number;
  readonly end: number;
  /** How many rows are looked at for the slice, and how many for the count: the work is bounded by it, 1 or more. */
  readonly most: number;
}

/** A slice of the tokens that a query finds. */
export interface AccessTokens {
  /** From the first token on, wherever the slice begins. */
  readonly totalCount: number;
  /** There are more rows than were looked at: `totalCount` is a lower bound. */
  readonly moreThanCounted: boolean;
  readonly tokens: readonly ListedAccessToken[];
  /** Behind which the list goes on; `undefined`: there is no more. A slice may be short, even empty, with more to come. */
  readonly next: TokenPosition | undefined;
}

/** Whose tokens to count, as of `now` in milliseconds. */
export interface TokenCountQuery {
  readonly of: Owner | { readonly grantId: string };
  readonly now: number;
  /** How many rows of a kind are looked at, 1 or more. */
  readonly most: number;
}

export interface TokenCount {
  readonly count: number;
  /** There are more rows than were looked at: `count` is a lower bound. */
  readonly moreThanCounted: boolean;
}

/** An active access token, with its grant's refresh token that has not been consumed. */
export interface ListedAccessToken extends StoredAccessToken {
  readonly refreshToken:
    { readonly digest: Uint8Array; readonly scopes: readonly string[]; readonly expiresAt: number } | undefined;
  /** When its grant last gave tokens for a refresh token; `undefined`: never. */
  readonly lastRefreshedAt: number | undefined;
}

/** Facts of a service that became invalid with this commit. */
export interface StoredInvalidationEvent {
  readonly serviceId: number;
  readonly keys: readonly string[];
  /** The reader's position after this event. */
  readonly cursor: string;
}

/** Which events to read. Cursors are opaque texts of the driver, returned unchanged. */
export interface InvalidationEventsQuery {
  /** The reader's position; without it, the end of all committed events. May be any text. */
  readonly after?: string | undefined;
  /** A cursor of this store that it has answered since `after`, to read no further than that. */
  readonly upTo?: string | undefined;
  /** How many events at most, 1 or more. */
  readonly limit: number;
}

/**
 * `reset`: the events after `after` are unknown; everything that depends on them is invalid, and `cursor` is the end.
 */
export type InvalidationEvents =
  | { readonly reset: true; readonly cursor: string }
  | {
      readonly reset: false;
      /** In the order of their commits. */
      readonly events: readonly StoredInvalidationEvent[];
      /** The reader's position after these events and any that were skipped. */
      readonly cursor: string;
      /** Whether these were all, as of the moment of the reading. */
      readonly complete: boolean;
    };

/**
 * The stored facts. Reads return facts; the only write is a {@link Command} with its own preconditions.
 *
 * Every method rejects with {@link StoreFailure} when the store failed; nothing was then acknowledged.
 */
export interface Store {
  readService(serviceId: number): Promise<StoredService | undefined>;
  /** By number, or by alias: the engine decides which of the two a `client_id` is. */
  readClient(
    serviceId: number,
    by: { clientId: number } | { clientIdAlias: string },
  ): Promise<StoredClient | undefined>;
  /** Services with ids above `after`, ordered by id. */
  readServicesAfter(after: number, limit: number): Promise<readonly ListedService[]>;
  /** Clients after that one, ordered by their services' ids and their own. */
  readClientsAfter(after: { serviceId: number; clientId: number }, limit: number): Promise<readonly ListedClient[]>;
  /** How many tokens would end with a client or a service; counted within a bound. */
  readLiveTokens(owner: TokenOwner, now: number): Promise<LiveTokens>;
  /** By the digest of either of its forms, the opaque identifier or the JWT; `digest` of the answer is the former's. */
  readAccessToken(serviceId: number, digest: Uint8Array): Promise<StoredAccessToken | undefined>;
  readRefreshToken(serviceId: number, digest: Uint8Array): Promise<StoredRefreshToken | undefined>;
  readTicket(serviceId: number, digest: Uint8Array): Promise<StoredTicket | undefined>;
  readCode(serviceId: number, digest: Uint8Array): Promise<StoredCode | undefined>;
  /** This and the count look at many rows: off the calling thread, one after the other; too many at once are refused. */
  listAccessTokens(serviceId: number, query: AccessTokensQuery): Promise<AccessTokens>;
  /** How many access and refresh tokens are active: neither ended, nor consumed, nor expired. */
  countTokens(serviceId: number, query: TokenCountQuery): Promise<TokenCount>;
  /**
   * The events committed since then, of every service: none is skipped, none comes twice.
   *
   * The answer is a `reset` when the cursor is not one of this store's, when an event after it was swept, and when the
   * store is an older state than the cursor (a restored backup).
   */
  readInvalidationEvents(query: InvalidationEventsQuery): Promise<InvalidationEvents>;
  /**
   * Carries a command out, all or nothing; resolves when it is durable. Running it twice has the same effect as once.
   */
  run(command: Command): Promise<CommandOutcome>;
  /** Deletes rows that expired before `expiredBefore` (milliseconds), at most `limit` of a kind; answers how many. */
  sweep(expiredBefore: number, limit: number): Promise<number>;
  /**
   * Deletes events before an instant in milliseconds, the oldest first, at most `limit`; returns their number. The last
   * of them stays: a reader at that position has missed nothing.
   */
  sweepInvalidationEvents(createdBefore: number, limit: number): Promise<number>;
  /** Rejects while the store cannot be read, and when its schema is no longer this version's. */
  checkSchema(): Promise<void>;
  /** A write that changes nothing, as durable as a command; rejects while commands would. */
  probeWrite(): Promise<void>;
  /** Whether writes can never succeed again in this process. */
  hasLostWriter(): boolean;
  /** The floor under "now" that {@link Store.keepClock} stored, in any process; `actedOn` is 0 in a new store. */
  readClock(): Promise<KeptClock>;
  /** Raises the floor to an instant that was acted on; never lowers it. Without `inDoubt` that stays; 0 ends it. */
  keepClock(clock: KeptClock): Promise<void>;
  close(): Promise<void>;
}

/** The greatest instant that was acted on, as far as it was kept. */
export interface KeptClock {
  /** Milliseconds since 1970. */
  readonly actedOn: number;
  /** No later instant was used: the process that stored it has stopped. */
  readonly settled: boolean;
  /** The greatest instant that was acted on while the clock's jump there was not believed yet. */
  readonly inDoubt?: number;
}

/**
 * An opened store compared with the former store at its path. `new`: there was none. `continued`: the same store, not
 * older. `unmarked`: its mark is missing, as beside a copy. `went-back`: an older state of it.
 */
export type StoreOrigin = "new" | "continued" | UnexpectedOrigin;

/** Origins after which watchers may have cached what the store does not know. */
export type UnexpectedOrigin = "unmarked" | "another-store" | "another-file" | "went-back";

/** `conflict`: a precondition no longer held and nothing was written; read the facts again and decide again. */
export type CommandOutcome = "done" | "conflict";

/** The store could not be read or written; `cause` is for the operator's log only. */
export class StoreFailure extends Error {
  override readonly name = "StoreFailure";
}
