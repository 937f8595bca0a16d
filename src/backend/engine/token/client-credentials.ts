import type { Context } from "../context.ts";
import type { TokenResponse } from "../../../contract/auth-token.ts";
import type { Form } from "../../../oauth/form.ts";
import { oauthError } from "../answer/oauth-error.ts";
import type { Decided } from "../answer/run-decided.ts";
import type { AuthenticatedClient } from "../client-authentication/client-request.ts";
import { bindToken } from "../grant/binding.ts";
import { accessTokenDuration } from "../grant/durations.ts";
import { type Additions, addToDetails } from "../grant/request-details.ts";
import { forOneAudience, grantResources } from "../grant/resources.ts";
import { grantScopes } from "../grant/scopes.ts";
import { createTokenSet, issueCommand } from "./token-set.ts";

/** Decides over a `client_credentials` request (RFC 6749 §4.4): no user, no refresh token, no grant to outlive it. */
export async function decideClientCredentials(
  context: Context,
  { client, clientIdAliasUsed, certificate }: AuthenticatedClient,
  additions: Additions,
  form: Form,
): Promise<Decided<TokenResponse>> {
  const { service } = context;
  const scope = grantScopes(service, client, form.get("scope"));
  if ("error" in scope) return { outcome: oauthError(service, "invalid_scope", "A052303") };
  const target = forOneAudience(service, grantResources(service, form.getAll("resource")), scope.scopes);
  if ("error" in target) return { outcome: oauthError(service, "invalid_target", target.error) };
  const binding = bindToken(service, client, certificate);
  if ("error" in binding) return { outcome: oauthError(service, "invalid_request", binding.error) };

  const { response, kept } = await createTokenSet(context, {
    service,
    client,
    clientIdAliasUsed,
    grantType: "CLIENT_CREDENTIALS",
    code: "A052001",
    subject: undefined,
    scopes: scope.scopes,
    requestedResources: form.getAll("resource"),
    resources: target.resources,
    x5tS256: binding.x5tS256,
    accessTokenDuration: accessTokenDuration(service, client, additions.accessTokenDuration),
    details: addToDetails({}, additions),
    first: true,
  });
  return { outcome: response, command: issueCommand(context, client, kept) };
}
