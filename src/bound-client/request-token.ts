import type { Agent } from "node:https";
import { requestAuthorizationServer } from "./authorization-server-request.ts";
import { discoverTokenEndpoint, type TokenEndpoint } from "./authorization-server-metadata.ts";
import { type TokenEndpointAuthentication, authenticationParameters } from "./token-endpoint-authentication.ts";
import type { RequestToken } from "./presenter.ts";
import { readTokenAnswer } from "./read-token-answer.ts";

/** An issuer whose metadata says where, or the place itself. */
export type AuthorizationServer = { readonly issuer: string; readonly tokenEndpoint?: undefined } | TokenEndpoint;

export interface TokenRequestOptions {
  readonly authorizationServer: AuthorizationServer;
  readonly clientId: string;
  readonly authentication: TokenEndpointAuthentication;
  /** Milliseconds, for each of metadata, the program's assertion and the token. */
  readonly timeout: number;
}

/**
 * Creates the token request of the client credentials grant (RFC 6749 §4.4) over mutual TLS.
 *
 * The metadata is read once, and again after a token request that failed: the endpoint may have moved. Rejects with
 * `TokenRequestRefused`, `AuthorizationServerUnavailable`, `AuthorizationServerMalformed`, or what the program's own
 * `clientAssertion` threw.
 *
 * @example const { accessToken } = await requestToken({ scopes: ["read"], resources: [] }, agent, signal)
 */
export function createTokenRequest(options: TokenRequestOptions): RequestToken {
  const { authorizationServer, clientId, authentication, timeout } = options;
  let known: TokenEndpoint | undefined;

  async function endpointOf(agent: Agent, signal: AbortSignal): Promise<TokenEndpoint> {
    if (authorizationServer.tokenEndpoint !== undefined) return authorizationServer;
    known ??= await discoverTokenEndpoint(authorizationServer.issuer, { agent, timeout, signal });
    return known;
  }

  return async ({ scopes, resources }, agent, signal) => {
    const endpoint = await endpointOf(agent, signal);
    const { form, headers } = await authenticationParameters(clientId, authentication, endpoint, { timeout, signal });
    const parameters = new URLSearchParams([["grant_type", "client_credentials"], ...form]);
    if (scopes.length !== 0) parameters.append("scope", scopes.join(" "));
    for (const resource of resources) parameters.append("resource", resource);
    const request = { what: "The token endpoint", url: endpoint.tokenEndpoint, form: parameters.toString(), headers };
    try {
      return readTokenAnswer(await requestAuthorizationServer(request, { agent, timeout, signal }));
    } catch (error) {
      known = undefined;
      throw error;
    }
  };
}
