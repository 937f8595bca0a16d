import type { RecordOf } from "./columns.ts";
import type { accessTokenColumns, codeColumns, grantColumns, refreshTokenColumns, ticketColumns } from "./tables.ts";

/**
 * A conditional write as plain data: the new rows, and their preconditions.
 *
 * `attempt` is random and drawn for each decision, never for a repetition: a store that has applied the attempt before
 * answers `done`, so a command may be run again after a lost connection.
 */
export type Command =
  | PutConfiguration
  | KeepTicket
  | UpdateTicket
  | ConsumeTicket
  | IssueCode
  | IssueTokens
  | UseAssertion
  | UpdateToken
  | RevokeAccessToken
  | RevokeTokens
  | EndGrant
  | InvalidateToken;

interface Attempt {
  /** 16 random octets. */
  readonly attempt: Uint8Array;
}

/**
 * Makes the services and clients marked `source: configuration` exactly these; others are unchanged.
 *
 * A row with an unchanged `settingsTag` keeps its version. One that is left out is deleted, and its tokens become
 * invalid. `conflict` when an id is used by a row of another source, and when a row is left out that has or may have
 * live tokens and is not in `mayRemove`.
 */
export interface PutConfiguration extends Attempt {
  readonly name: "put-configuration";
  /** Milliseconds since 1970. */
  readonly changedAt: number;
  /** What may be deleted together with its live tokens, if it is left out. */
  readonly mayRemove: readonly TokenOwner[];
  readonly services: readonly {
    readonly serviceId: number;
    readonly settings: string;
    /** 32 octets that are equal exactly when the settings are; keyed, so that they tell nothing of the secrets. */
    readonly settingsTag: Uint8Array;
    readonly clients: readonly {
      readonly clientId: number;
      readonly clientIdAlias: string | undefined;
      readonly settings: string;
      readonly settingsTag: Uint8Array;
    }[];
  }[];
}

/** A client; without `clientId` a service with all its clients. */
export interface TokenOwner {
  readonly serviceId: number;
  readonly clientId?: number | undefined;
}

/** Members of a command that rests on a service and a client: `conflict` unless both still have these versions. */
export interface DecidedUpon extends Attempt {
  readonly serviceId: number;
  readonly serviceVersion: number;
  readonly clientId: number;
  readonly clientVersion: number;
}

/** Stores a request until the user has decided. */
export interface KeepTicket extends DecidedUpon {
  readonly name: "keep-ticket";
  readonly ticket: RecordOf<typeof ticketColumns>;
}

export type TicketKind = KeepTicket["ticket"]["kind"];

/** Changes the API caller's text; `conflict` when the ticket is not known or has been consumed. */
export interface UpdateTicket extends Attempt {
  readonly name: "update-ticket";
  readonly serviceId: number;
  readonly digest: Uint8Array;
  readonly context: string;
}

/** The request came to nothing: its ticket is of no more use. `conflict` when it is not known or has been consumed. */
export interface ConsumeTicket extends Attempt {
  readonly name: "consume-ticket";
  readonly serviceId: number;
  readonly digest: Uint8Array;
  readonly consumedAt: number;
}

/** Consumes a ticket and keeps the code it leads to, all or nothing; `conflict` when the ticket has been consumed. */
export interface IssueCode extends DecidedUpon {
  readonly name: "issue-code";
  readonly ticketDigest: Uint8Array;
  readonly createdAt: number;
  readonly code: Omit<RecordOf<typeof codeColumns>, "createdAt">;
}

/**
 * Stores the tokens of one token answer and consumes their source, all or nothing.
 *
 * `conflict` unless service and client still have these versions and `source` is valid: known, not consumed, and of a
 * grant that has not ended.
 */
export interface IssueTokens extends DecidedUpon {
  readonly name: "issue-tokens";
  readonly source?: TokenSource;
  /**
   * Absent for a token without a grant (client credentials). With a refresh token as source, it is that token's grant;
   * else it begins here.
   */
  readonly grant?: {
    readonly grantId: string;
    /** Of a new grant. */
    readonly details?: RecordOf<typeof grantColumns>["details"];
  };
  readonly subject: string | undefined;
  readonly createdAt: number;
  readonly accessToken: Omit<RecordOf<typeof accessTokenColumns>, "grantId" | "subject" | "createdAt"> & {
    /** The digest of its JWT form, if it has one; the token is found by either. */
    readonly jwtDigest?: Uint8Array | undefined;
  };
  /** A new one, only together with `grant`. */
  readonly refreshToken?: Omit<RecordOf<typeof refreshTokenColumns>, "grantId" | "createdAt">;
}

/** The source of tokens, used once; all digests are of the raw text. */
export type TokenSource =
  | { readonly kind: "authorization-code"; readonly digest: Uint8Array }
  | { readonly kind: "ticket"; readonly digest: Uint8Array }
  /** Rotation: `refreshToken` replaces it, and `sealedAnswer` is the answer to a repeated request. */
  | { readonly kind: "refresh-token"; readonly digest: Uint8Array; readonly sealedAnswer: Uint8Array }
  /** The refresh token stays; `expiresAt` is its new end, if it gets one. */
  | { readonly kind: "kept-refresh-token"; readonly digest: Uint8Array; readonly expiresAt: number | undefined };

/** Marks the `jti` of a client's assertion as used; `conflict` when it was used before (RFC 7523 §3). */
export interface UseAssertion extends Attempt {
  readonly name: "use-assertion";
  readonly serviceId: number;
  readonly clientId: number;
  /** The digest of the `jti`. */
  readonly digest: Uint8Array;
  /** From then on the assertion is refused for its age. */
  readonly expiresAt: number;
}

/** Changes members of an active access token, and only those given; `conflict` when it is no longer active. */
export interface UpdateToken extends Attempt {
  readonly name: "update-token";
  readonly serviceId: number;
  readonly digest: Uint8Array;
  readonly changedAt: number;
  readonly changes: Partial<
    Pick<RecordOf<typeof accessTokenColumns>, "scopes" | "expiresAt" | "properties" | "x5tS256">
  > & {
    /** The new expiry of its grant's refresh token that has not been consumed. */
    readonly refreshTokenExpiresAt?: number;
  };
}

/**
 * Ends every token of a client, of a subject, or of both together, and the codes that would give more, in one row however
 * many those are; `conflict` only for a service that has never been kept.
 */
export interface RevokeTokens extends Attempt {
  readonly name: "revoke-tokens";
  readonly serviceId: number;
  readonly clientId: number | undefined;
  readonly subject: string | undefined;
  readonly endedAt: number;
}

/** Ends one access token (RFC 7009 §2); `conflict` when it is no longer active. */
export interface RevokeAccessToken extends Attempt {
  readonly name: "revoke-access-token";
  readonly serviceId: number;
  readonly digest: Uint8Array;
  readonly endedAt: number;
}

/** Ends a grant and with it, in this one row, all its access and refresh tokens; `conflict` when it has ended already. */
export interface EndGrant extends Attempt {
  readonly name: "end-grant";
  readonly serviceId: number;
  readonly grantId: string;
  readonly endedAt: number;
}

/**
 * Writes the event of the end of an unknown token, and changes nothing else: a resource server may have cached one that
 * was lost with a restored backup. Never a conflict.
 */
export interface InvalidateToken extends Attempt {
  readonly name: "invalidate-token";
  readonly serviceId: number;
  /** Every digest that the given text may mean. */
  readonly digests: readonly Uint8Array[];
  readonly at: number;
}
