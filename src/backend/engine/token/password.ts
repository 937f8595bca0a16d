import type { Context } from "../context.ts";
import type { TokenResponse } from "../../../contract/auth-token.ts";
import type { Form } from "../../../oauth/form.ts";
import { tokenDigest } from "../../../oauth/token-digest.ts";
import type { AuthenticatedClient } from "../client-authentication/client-request.ts";
import { drawSecret } from "../grant/drawn-text.ts";
import { oauthError } from "../answer/oauth-error.ts";
import { result } from "../answer/result.ts";
import { type Decided, newAttempt } from "../answer/run-decided.ts";
import { ticketLifetime, writePasswordTicket } from "../grant/ticket.ts";
import { bindToken } from "../grant/binding.ts";
import { type Additions, addToDetails } from "../grant/request-details.ts";
import { forOneAudience, grantResources } from "../grant/resources.ts";
import { grantScopes } from "../grant/scopes.ts";

/**
 * Decides over a `password` request (RFC 6749 §4.3), where service and client both have the grant: RFC 9700 §2.4
 * forbids it.
 *
 * Only the API caller can check the password, so all that is decided here is kept with a ticket until it has.
 */
export function decidePassword(
  { clock, random, service }: Context,
  { client, clientIdAliasUsed, certificate }: AuthenticatedClient,
  additions: Additions,
  form: Form,
): Decided<TokenResponse> {
  const username = form.get("username");
  if (username === undefined) return { outcome: oauthError(service, "invalid_request", "A051301") };
  const password = form.get("password");
  if (password === undefined) return { outcome: oauthError(service, "invalid_request", "A051304") };
  const scope = grantScopes(service, client, form.get("scope"));
  if ("error" in scope) return { outcome: oauthError(service, "invalid_scope", "A051308") };
  const requestedResources = form.getAll("resource");
  const target = forOneAudience(service, grantResources(service, requestedResources), scope.scopes);
  if ("error" in target) return { outcome: oauthError(service, "invalid_target", target.error) };
  const binding = bindToken(service, client, certificate);
  if ("error" in binding) return { outcome: oauthError(service, "invalid_request", binding.error) };

  const ticket = drawSecret(random);
  const createdAt = clock();
  const { settings } = client;
  return {
    outcome: {
      ...result("A051001"),
      action: "PASSWORD",
      username,
      password,
      ticket,
      grantType: "PASSWORD",
      clientId: settings.clientId,
      ...(settings.clientIdAlias !== undefined && { clientIdAlias: settings.clientIdAlias }),
      clientIdAliasUsed,
      clientAuthMethod: settings.tokenAuthMethod,
      ...(scope.scopes.length !== 0 && { scopes: [...scope.scopes] }),
      ...(requestedResources.length !== 0 && { resources: [...requestedResources] }),
    },
    command: {
      name: "keep-ticket",
      attempt: newAttempt(random),
      serviceId: service.settings.apiKey,
      serviceVersion: service.version,
      clientId: settings.clientId,
      clientVersion: client.version,
      ticket: {
        digest: tokenDigest(ticket),
        kind: "password",
        request: writePasswordTicket({
          clientIdAliasUsed,
          scopes: scope.scopes,
          requestedResources,
          resources: target.resources,
          x5tS256: binding.x5tS256,
          accessTokenDuration: additions.accessTokenDuration ?? undefined,
          refreshTokenDuration: additions.refreshTokenDuration ?? undefined,
          details: addToDetails({}, additions),
        }),
        context: undefined,
        createdAt,
        expiresAt: createdAt + ticketLifetime,
      },
    },
  };
}
