/**
 * A conditional write as plain data: what to write, and what must still be true for it.
 *
 * `attempt` is random and drawn anew for each decision, never for a repetition: a store that finds its own
 * attempt already applied answers `done`, so a command may be run again after a lost connection.
 */
export type Command = PutConfiguration | IssueTokens | RevokeAccessToken | EndGrant;

interface Attempt {
  /** 16 random octets. */
  readonly attempt: Uint8Array;
}

/**
 * Makes the services and clients marked `source: configuration` exactly these; others are not touched.
 *
 * A row whose `settingsTag` is unchanged keeps its version. One that is left out is deleted, and its tokens with it
 * are no longer valid. `conflict` when an id is taken by a row of another source.
 */
export interface PutConfiguration extends Attempt {
  readonly name: "put-configuration";
  /** Milliseconds since 1970. */
  readonly changedAt: number;
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

/** Keeps the tokens of one token answer; `conflict` unless service and client still have the versions decided upon. */
export interface IssueTokens extends Attempt {
  readonly name: "issue-tokens";
  readonly serviceId: number;
  readonly serviceVersion: number;
  readonly clientId: number;
  readonly clientVersion: number;
  /** Absent for a token that stands alone (client credentials). */
  readonly grant?: { readonly grantId: string };
  readonly subject: string | undefined;
  readonly createdAt: number;
  readonly accessToken: {
    readonly digest: Uint8Array;
    readonly grantType: string;
    readonly scopes: readonly string[];
    readonly resources: readonly string[];
    readonly expiresAt: number;
    readonly x5tS256: string | undefined;
    readonly clientIdAliasUsed: boolean;
    readonly properties: string | undefined;
  };
  /** Only together with `grant`: the family it belongs to. */
  readonly refreshToken?: {
    readonly digest: Uint8Array;
    readonly scopes: readonly string[];
    readonly resources: readonly string[];
    readonly expiresAt: number;
  };
}

/** Ends one access token (RFC 7009 §2); `conflict` when it is not in force any more. */
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
