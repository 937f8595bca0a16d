import type { GrantDetails } from "../grant-details.ts";
import type { Client, Service } from "../management/settings-memo.ts";

/** What a JWT access token says (RFC 9068 §2.2); instants in milliseconds. */
export interface AccessTokenClaims {
  readonly client: Client;
  readonly clientIdAliasUsed: boolean;
  readonly subject: string | undefined;
  readonly scopes: readonly string[];
  readonly resources: readonly string[];
  readonly x5tS256: string | undefined;
  readonly issuedAt: number;
  readonly expiresAt: number;
  /** The opaque identifier, which is the `jti` (Authlete's API). */
  readonly accessToken: string;
  readonly grantType: string;
  readonly details: GrantDetails;
}

/** The JWT form of an access token, or `undefined` where the service has opaque ones only. */
export function signAccessTokenJwt(...[]: [Service, AccessTokenClaims]): Promise<string | undefined> {
  return Promise.resolve(undefined);
}
