import type { Agent } from "node:https";
import { discoverTokenEndpoint, type TokenEndpoint } from "./authorization-server-metadata.ts";
import { type AuthorizationServerResponse, requestAuthorizationServer } from "./authorization-server-request.ts";
import type { IssuedToken } from "./bound-tokens.ts";
import type { RequestToken } from "./presenter.ts";
import { type TokenEndpointAuthentication, authenticationParameters } from "./token-endpoint-authentication.ts";
import { AuthorizationServerMalformed, TokenRequestRefused } from "./token-errors.ts";

/** An issuer, whose metadata names the token endpoint, or the token endpoint itself. */
export type AuthorizationServer = { readonly issuer: string; readonly tokenEndpoint?: undefined } | TokenEndpoint;

export interface TokenRequestOptions {
  readonly authorizationServer: AuthorizationServer;
  readonly clientId: string;
  readonly authentication: TokenEndpointAuthentication;
  /** Milliseconds for each step: metadata, the program's assertion, the token. */
  readonly timeout: number;
}

/**
 * Creates the token request of the client credentials grant (RFC 6749 §4.4) over mutual TLS.
 *
 * The metadata is fetched once, and again after a failed token request, because the endpoint may have moved. Rejects with
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

/** A b64token (RFC 6750 §2.1), with a limit of length. */
const bearerToken = /^[A-Za-z0-9._~+/-]{1,16384}={0,16}$/;

/**
 * Reads the response of a token endpoint (RFC 6749 §5).
 *
 * Throws {@link TokenRequestRefused} for an OAuth error, and {@link AuthorizationServerMalformed} for a malformed
 * response: a type other than Bearer, a token that fits no header, no lifetime.
 *
 * @example readTokenAnswer({ status: 200, json: { access_token: "a", token_type: "Bearer", expires_in: 3600 } })
 */
function readTokenAnswer({ status, json }: AuthorizationServerResponse): IssuedToken {
  const error = json?.["error"];
  if (status >= 400 && typeof error === "string" && error !== "") {
    const description = json?.["error_description"];
    throw new TokenRequestRefused(error, typeof description === "string" ? description : undefined, status);
  }
  if (status !== 200) throw malformed(`has status ${status} and is not an OAuth error`);
  if (json === undefined) throw malformed("is not a JSON object");
  const { access_token: accessToken, token_type: type, expires_in: expiresIn, scope } = json;
  if (typeof accessToken !== "string" || !bearerToken.test(accessToken)) throw malformed("has no usable access_token");
  if (typeof type !== "string" || type.toLowerCase() !== "bearer")
    throw malformed("has a token_type other than Bearer");
  if (typeof expiresIn !== "number" || !Number.isFinite(expiresIn) || expiresIn <= 0) {
    throw malformed("has no usable expires_in");
  }
  if (scope !== undefined && typeof scope !== "string") throw malformed("has a scope that is not a string");
  return { accessToken, expiresIn, scopes: scope?.split(" ").filter((one) => one !== "") };
}

function malformed(defect: string): AuthorizationServerMalformed {
  return new AuthorizationServerMalformed(`The token endpoint: the response ${defect}.`);
}
