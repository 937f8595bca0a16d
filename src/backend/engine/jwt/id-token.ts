import type { GrantDetails } from "../grant-details.ts";
import type { Client, Service } from "../management/settings-memo.ts";

/** What an ID token is made of; `issuedAt` in milliseconds. */
export interface IdTokenFacts {
  readonly client: Client;
  readonly clientIdAliasUsed: boolean;
  readonly subject: string;
  /** As the client gets it: `at_hash` is over this text. */
  readonly accessToken: string;
  readonly issuedAt: number;
  readonly details: GrantDetails;
  /** The first of its grant carries the request's nonce. */
  readonly first: boolean;
}

/** Signs an ID token (OpenID Connect Core §2); `undefined` where the service has no key for it. */
export function signIdToken(...[]: [Service, IdTokenFacts]): Promise<string | undefined> {
  return Promise.resolve(undefined);
}
