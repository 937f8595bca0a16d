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

/** A service as it is listed to be compared with a configuration, also one that was deleted. */
export type ListedService = RecordOf<typeof listedServiceColumns>;

/** A client, under the same rules. */
export type ListedClient = RecordOf<typeof listedClientColumns>;

/** How many access and refresh tokens are active. */
export interface LiveTokens {
  readonly count: number;
  /** `false`: there are more rows than are looked at, so there may be more live tokens. */
  readonly complete: boolean;
}

/** The client that a row belongs to, and the versions of its owners that a decision rests on. */
interface Owned {
  readonly clientId: number;
  readonly clientVersion: number;
  readonly serviceVersion: number;
}

/** An access token whose own, grant's, client's and service's rows all stand; it may still have expired. */
export interface StoredAccessToken extends RecordOf<typeof accessTokenColumns>, Owned {
  /** The grant's; `undefined` for a token that stands alone. */
  readonly details: string | undefined;
  /** When the grant's refresh token expires that has not been consumed; `undefined` when there is none. */
  readonly refreshTokenExpiresAt: number | undefined;
}

/** A refresh token with the members of its grant, under the same rules; it may have been consumed. */
export interface StoredRefreshToken extends RecordOf<typeof refreshTokenColumns>, RecordOf<typeof grantColumns>, Owned {
  /** Another took its place. */
  readonly consumption:
    { readonly at: number; readonly sealedAnswer: Uint8Array; readonly successorUsed: boolean } | undefined;
}

/** A ticket whose client's and service's rows stand; it may have expired or been consumed. */
export interface StoredTicket extends RecordOf<typeof ticketColumns>, Owned {
  readonly consumed: boolean;
}

/** An authorization code whose client's and service's rows stand; it may have expired or been consumed. */
export interface StoredCode extends RecordOf<typeof codeColumns>, Owned {
  readonly consumed: boolean;
}

/** Whose access tokens: of a client, of a subject, of both together, or all of a service. */
export interface Owner {
  readonly clientId?: number | undefined;
  readonly subject?: string | undefined;
}

/** The key by which lists are in order: what expires first comes first, then what was issued first. */
export interface TokenPosition {
  readonly expiresAt: number;
  readonly createdAt: number;
  readonly digest: Uint8Array;
}

/** Which access tokens to list; instants in milliseconds. */
export interface AccessTokensQuery extends Owner {
  /** `valid` and `invalid` are told apart as of `now`; only tokens that have not been ended are listed. */
  readonly status: "valid" | "invalid" | "all";
  readonly now: number;
  /** The list begins behind this position; without it, at the first token. */
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

/** Facts of a service that are void since this was committed. */
export interface StoredInvalidationEvent {
  readonly serviceId: number;
  readonly keys: readonly string[];
  /** Where a reader stands who has taken it in. */
  readonly cursor: string;
}

/** What to read of the events. Cursors are texts of the driver's own making, to be handed back as they came. */
export interface InvalidationEventsQuery {
  /** Where the reader stands; without it, at the end of all that is committed. May be any text whatever. */
  readonly after?: string | undefined;
  /** A cursor of this store that it has answered since `after`, to read no further than that. */
  readonly upTo?: string | undefined;
  /** How many events at most, 1 or more. */
  readonly limit: number;
}

/** `reset`: what follows `after` is not known (any more); whatever rests on it is void, and `cursor` is the end. */
export type InvalidationEvents =
  | { readonly reset: true; readonly cursor: string }
  | {
      readonly reset: false;
      /** In the order of their commits. */
      readonly events: readonly StoredInvalidationEvent[];
      /** Where the reader stands after these, and after whatever was passed over. */
      readonly cursor: string;
      /** Whether these were all, as of the moment of the reading. */
      readonly complete: boolean;
    };

/**
 * What is kept. Reads answer facts; the one write is a {@link Command} that carries its own preconditions.
 *
 * Every method rejects with {@link StoreFailure} when the store could not be asked; nothing was then acknowledged.
 */
export interface Store {
  readService(serviceId: number): Promise<StoredService | undefined>;
  /** By number, or by alias: the engine decides which of the two a `client_id` is. */
  readClient(
    serviceId: number,
    by: { clientId: number } | { clientIdAlias: string },
  ): Promise<StoredClient | undefined>;
  /** Services whose ids are above `after`, in the order of their ids. */
  readServicesAfter(after: number, limit: number): Promise<readonly ListedService[]>;
  /** Clients behind that one, in the order of their services' ids and their own. */
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
   * The events that were committed since, of every service: none is ever passed over, none comes twice.
   *
   * A cursor cannot be continued, and the answer is a `reset`, when it is not one of this store's, when an event after
   * it was swept, and when the store has gone back behind it (a backup that was restored).
   */
  readInvalidationEvents(query: InvalidationEventsQuery): Promise<InvalidationEvents>;
  /** Carries a command out, all or nothing; resolves after it is durable. Run twice it does the same. */
  run(command: Command): Promise<CommandOutcome>;
  /** Deletes rows that expired before `expiredBefore` (milliseconds), at most `limit` of a kind; answers how many. */
  sweep(expiredBefore: number, limit: number): Promise<number>;
  /**
   * Deletes events of before an instant in milliseconds, the oldest first, at most `limit`; answers how many. The last
   * of them stays: a reader who stands there has missed nothing.
   */
  sweepInvalidationEvents(createdBefore: number, limit: number): Promise<number>;
  /** Rejects while the store cannot be read, and when its schema is not this version's any more. */
  checkSchema(): Promise<void>;
  /** A write that changes nothing, as durable as a command; rejects while commands would. */
  probeWrite(): Promise<void>;
  /** Whether writes can never succeed again in this process. */
  hasLostWriter(): boolean;
  /** The floor under "now" that {@link Store.keepClock} left, of whichever process; `actedOn` is 0 in a new store. */
  readClock(): Promise<KeptClock>;
  /** Raises the floor to an instant that was acted on; never lowers it. Without `inDoubt` that stays; 0 ends it. */
  keepClock(clock: KeptClock): Promise<void>;
  close(): Promise<void>;
}

/** The greatest instant that was acted on, as far as it was kept. */
export interface KeptClock {
  /** Milliseconds since 1970. */
  readonly actedOn: number;
  /** Nothing was acted on after it: whoever kept it had come to its end. */
  readonly settled: boolean;
  /** The greatest instant that was acted on while the clock's jump there was not believed yet. */
  readonly inDoubt?: number;
}

/**
 * What a store that is opened is, compared with what its path had before. `new`: there was none. `continued`: the same
 * store, at least as far on. `unmarked`: its mark is missing, as beside a copy. `went-back`: an older state of it.
 */
export type StoreOrigin = "new" | "continued" | UnexpectedOrigin;

/** Origins after which watchers of events may rest on what the store does not know. */
export type UnexpectedOrigin = "unmarked" | "another-store" | "another-file" | "went-back";

/** `conflict`: a precondition no longer held and nothing was written; read the facts again and decide again. */
export type CommandOutcome = "done" | "conflict";

/** The store could not be asked, or could not keep what it was given; `cause` is for the operator's log only. */
export class StoreFailure extends Error {
  override readonly name = "StoreFailure";
}
