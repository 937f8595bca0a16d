import type { Context } from "../context.ts";
import type { TokenResponse } from "../../../contract/auth-token.ts";
import { checkCodeVerifier } from "../../../oauth/code-challenge.ts";
import type { Form } from "../../../oauth/form.ts";
import { tokenDigest } from "../../../oauth/token-digest.ts";
import type { StoredCode } from "../../store/store.ts";
import { oauthError } from "../answer/oauth-error.ts";
import type { ResultCode } from "../answer/result.ts";
import { type Decided, newAttempt } from "../answer/run-decided.ts";
import type { AuthenticatedClient } from "../client-authentication/client-request.ts";
import { bindToken } from "../grant/binding.ts";
import { accessTokenDuration, isValidAt } from "../grant/durations.ts";
import { readGrantDetails, writeGrantDetails } from "../grant/grant-details.ts";
import { type Additions, addToDetails } from "../grant/request-details.ts";
import { forOneAudience, narrowResources } from "../grant/resources.ts";
import { grantStanding } from "../grant/scopes.ts";
import { newRefreshToken } from "./new-refresh-token.ts";
import { createTokenSet, issueCommand } from "./token-set.ts";

const checked = { ok: undefined, malformed: "A050316", different: "A050315" } as const;

/**
 * The error in the `code_verifier` of an exchange (RFC 7636 §4.6).
 *
 * A verifier without a challenge is an error, too: somebody removed the challenge from the authorization request, and
 * the code belongs to another session than this client's (RFC 9700 §2.1.1).
 */
function codeVerifierDefect(
  codeChallenge: string | undefined,
  codeVerifier: string | undefined,
): ResultCode | undefined {
  if (codeChallenge === undefined) return codeVerifier === undefined ? undefined : "A050317";
  return codeVerifier === undefined ? "A050312" : checked[checkCodeVerifier(codeVerifier, codeChallenge)];
}

/**
 * Decides over an `authorization_code` request (RFC 6749 §4.1.3, RFC 7636 §4.6).
 *
 * A request without the redirect URI or the verifier changes nothing, whether the code was used or not. Only a second
 * request with all of them ends the tokens of the first (RFC 6749 §4.1.2). A request that is refused for a later reason
 * leaves the code usable.
 */
export async function decideAuthorizationCode(
  context: Context,
  { client, clientIdAliasUsed, certificate }: AuthenticatedClient,
  additions: Additions,
  form: Form,
): Promise<Decided<TokenResponse>> {
  const { service } = context;
  const { store, clock, random } = context;
  const value = form.get("code");
  if (value === undefined) return { outcome: oauthError(service, "invalid_request", "A050301") };
  const code = await store.readCode(service.settings.apiKey, tokenDigest(value));
  if (code === undefined) return { outcome: oauthError(service, "invalid_grant", "A050305") };
  if (code.clientId !== client.settings.clientId) return { outcome: oauthError(service, "invalid_grant", "A050307") };
  const defect = redirectUriDefect(code, form) ?? codeVerifierDefect(code.codeChallenge, form.get("code_verifier"));
  if (defect !== undefined) return { outcome: oauthError(service, "invalid_grant", defect) };
  const now = clock();
  if (!isValidAt(code, now)) return { outcome: oauthError(service, "invalid_grant", "A050311") };
  if (code.consumed) {
    return {
      outcome: oauthError(service, "invalid_grant", "A050305", "it was used before"),
      command: {
        name: "end-grant",
        attempt: newAttempt(random),
        serviceId: service.settings.apiKey,
        grantId: code.grantId,
        endedAt: now,
      },
      settledByConflict: true,
    };
  }
  const scope = grantStanding(service, client, code.scopes);
  if ("error" in scope) return { outcome: oauthError(service, "invalid_scope", "A050318") };
  const { scopes } = scope;
  const target = forOneAudience(service, narrowResources(code.resources, form.getAll("resource")), scopes);
  if ("error" in target) return { outcome: oauthError(service, "invalid_target", target.error) };
  const binding = bindToken(service, client, certificate);
  if ("error" in binding) return { outcome: oauthError(service, "invalid_request", binding.error) };

  const details = addToDetails(readGrantDetails(code.details), additions);
  const { response, kept } = await createTokenSet(context, {
    service,
    client,
    clientIdAliasUsed,
    grantType: "AUTHORIZATION_CODE",
    code: "A050001",
    subject: code.subject,
    scopes,
    requestedResources: form.getAll("resource"),
    resources: target.resources,
    x5tS256: binding.x5tS256,
    accessTokenDuration: accessTokenDuration(service, client, additions.accessTokenDuration),
    details,
    ...newRefreshToken(service, client, {
      scopes,
      resources: code.resources,
      x5tS256: binding.x5tS256,
      requestedDuration: additions.refreshTokenDuration,
      now,
    }),
    first: true,
  });
  const source = { kind: "authorization-code", digest: code.digest } as const;
  const grant = { grantId: code.grantId, details: writeGrantDetails(details) };
  return { outcome: response, command: issueCommand(context, client, kept, { source, grant }) };
}

/** The request names the redirect URI exactly when, and exactly as, the authorization request did (RFC 6749 §4.1.3). */
function redirectUriDefect({ redirectUri }: StoredCode, form: Form): ResultCode | undefined {
  const named = form.get("redirect_uri");
  if (named === redirectUri) return undefined;
  if (named === undefined) return "A050308";
  return redirectUri === undefined ? "A050310" : "A050309";
}
