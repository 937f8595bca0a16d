import type { Context } from "../context.ts";
import type { StoredTicket } from "../../store/store.ts";
import type { Client, Service } from "../settings/service-and-client.ts";
import { grantResources } from "../grant/resources.ts";
import { grantScopes } from "../grant/scopes.ts";
import { isRegisteredRedirectUri } from "./find-redirect-uri.ts";
import { requiresCodeChallenge } from "./read-authorization-request.ts";
import { readTicketRequest, type TicketRequest } from "./ticket-request.ts";

/** The request of a ticket and its client as of now; `client` is `undefined` when the answer may no longer go there. */
export interface StandingRequest {
  readonly request: TicketRequest;
  readonly client: Client | undefined;
}

/** Reads a ticket's request again: a client that was locked, or that gave its redirect URI up, gets no answer. */
export async function standingRequest({ settings, service }: Context, ticket: StoredTicket): Promise<StandingRequest> {
  const request = readTicketRequest(ticket.request);
  const client = await settings.clientAt(service, ticket.clientId, ticket.clientVersion);
  const reachable =
    client !== undefined && !client.settings.locked && isRegisteredRedirectUri(client, request.target.redirectUri);
  return { request, client: reachable ? client : undefined };
}

/** The scopes and resources that the request can still get. */
export interface StandingGrant {
  readonly scopes: readonly string[];
  readonly resources: readonly string[];
}

/**
 * Decides again over what may have changed since the user was asked: the grant type, PKCE, the resources and the scopes.
 *
 * Scopes that service or client no longer have are dropped; `undefined` when the request would not be accepted now.
 */
export function standingGrant(service: Service, client: Client, request: TicketRequest): StandingGrant | undefined {
  const allowed =
    service.settings.supportedGrantTypes.includes("AUTHORIZATION_CODE") &&
    client.settings.grantTypes.includes("AUTHORIZATION_CODE") &&
    (request.codeChallenge !== undefined || !requiresCodeChallenge(service, client));
  const target = grantResources(service, request.resources);
  if (!allowed || "error" in target) return undefined;
  if (request.scopes.length === 0) return { scopes: [], resources: target.resources };
  const scope = grantScopes(service, client, request.scopes.join(" "));
  return "error" in scope ? undefined : { scopes: scope.scopes, resources: target.resources };
}
