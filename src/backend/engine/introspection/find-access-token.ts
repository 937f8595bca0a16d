import type { Context } from "../context.ts";
import type { TokenFacts } from "../../../oauth/access-token-decision.ts";
import { type Confirmation, isThumbprint } from "../../../oauth/confirmation.ts";
import { tokenDigest } from "../../../oauth/token-digest.ts";
import type { StoredAccessToken } from "../../store/store.ts";
import type { Client } from "../settings/service-and-client.ts";
import { clockTolerance } from "../grant/durations.ts";

/** An access token and its client as stored now, and the facts for the decision. */
export interface KnownAccessToken {
  readonly token: StoredAccessToken;
  /** The digest of the form that was asked about: the identifier's or the JWT's. */
  readonly presented: Uint8Array;
  readonly client: Client;
  readonly facts: TokenFacts;
}

/** Looks an access token up by its digest; `undefined` when the service has no such active token. */
export async function findAccessToken(
  { store, settings, service }: Context,
  accessToken: string,
): Promise<KnownAccessToken | undefined> {
  const presented = tokenDigest(accessToken);
  const token = await store.readAccessToken(service.settings.apiKey, presented);
  if (token === undefined) return undefined;
  const client = await settings.clientAt(service, token.clientId, token.clientVersion);
  return client === undefined ? undefined : { token, presented, client, facts: factsOf(token, client) };
}

function factsOf(token: StoredAccessToken, client: Client): TokenFacts {
  if (client.settings.locked) return { active: false, cause: "client_locked" };
  return {
    active: true,
    exp: expOf(token),
    nbf: Math.floor(token.createdAt / 1000) - clockTolerance,
    sub: token.subject,
    scopes: token.scopes,
    audience: token.resources,
    confirmation: confirmationOf(token.x5tS256),
  };
}

/** `exp` has the precision of a second: the token dies at the second that was announced (RFC 7662 §2.2). */
export function expOf(token: { readonly expiresAt: number }): number {
  return Math.floor(token.expiresAt / 1000);
}

/** The seconds that an active token has left at `now` (milliseconds since 1970), to the millisecond. */
export function secondsLeftOf(token: { readonly expiresAt: number }, now: number): number {
  return Math.max(0, (expOf(token) * 1000 - now) / 1000);
}

function confirmationOf(x5tS256: string | undefined): Confirmation {
  if (x5tS256 === undefined) return { kind: "none" };
  // A damaged row must not read as "not bound".
  return isThumbprint(x5tS256) ? { kind: "certificate", x5tS256 } : { kind: "malformed" };
}
