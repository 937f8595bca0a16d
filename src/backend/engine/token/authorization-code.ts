import type { TokenRequest, TokenResponse } from "../../../contract/auth-token.ts";
import type { Form } from "../../../oauth/form.ts";
import { tokenDigest } from "../../../oauth/token-digest.ts";
import type { StoredCode } from "../../store/store.ts";
import { newAttempt } from "../attempt.ts";
import type { AuthenticatedClient } from "../client-request.ts";
import type { Dependencies } from "../dependencies.ts";
import { readGrantDetails, writeGrantDetails } from "../grant-details.ts";
import type { Service } from "../management/settings-memo.ts";
import { oauthError } from "../oauth-error.ts";
import type { ResultCode } from "../result.ts";
import type { Decided } from "../run-decided.ts";
import { isValidAt } from "../validity.ts";
import { bindToken } from "./binding.ts";
import { codeVerifierDefect } from "./code-verifier-defect.ts";
import { accessTokenDuration } from "./durations.ts";
import { issueCommand } from "./issue-command.ts";
import { newRefreshToken } from "./new-refresh-token.ts";
import { addToDetails } from "./request-details.ts";
import { forOneAudience, narrowResources } from "./resources.ts";
import { grantStanding } from "./scopes.ts";
import { createTokenSet } from "./token-set.ts";

/**
 * Decides over an `authorization_code` request (RFC 6749 §4.1.3, RFC 7636 §4.6).
 *
 * Whoever lacks the redirect URI or the verifier changes nothing, whether the code was used or not; only who has all
 * of it and comes twice ends the tokens of the first time (RFC 6749 §4.1.2). A request that is refused for anything
 * after that leaves the code as it was.
 */
export async function decideAuthorizationCode(
  dependencies: Dependencies,
  service: Service,
  { client, clientIdAliasUsed, certificate }: AuthenticatedClient,
  request: TokenRequest,
  form: Form,
): Promise<Decided<TokenResponse>> {
  const { store, clock, random } = dependencies;
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
  if ("refused" in scope) return { outcome: oauthError(service, "invalid_scope", "A050318") };
  const { scopes } = scope;
  const target = forOneAudience(service, narrowResources(code.resources, form.getAll("resource")), scopes);
  if ("refusedWith" in target) return { outcome: oauthError(service, "invalid_target", target.refusedWith) };
  const binding = bindToken(service, client, certificate);
  if ("refusedWith" in binding) return { outcome: oauthError(service, "invalid_request", binding.refusedWith) };

  const details = addToDetails(readGrantDetails(code.details), request);
  const { response, kept } = await createTokenSet(dependencies, {
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
    accessTokenDuration: accessTokenDuration(service, client, request.accessTokenDuration),
    details,
    ...newRefreshToken(service, client, {
      scopes,
      resources: code.resources,
      x5tS256: binding.x5tS256,
      wishedDuration: request.refreshTokenDuration,
      now,
    }),
    first: true,
  });
  const source = { kind: "authorization-code", digest: code.digest } as const;
  const grant = { grantId: code.grantId, details: writeGrantDetails(details) };
  return { outcome: response, command: issueCommand(dependencies, service, client, kept, { source, grant }) };
}

/** The request names the redirect URI exactly when, and exactly as, the authorization request did (RFC 6749 §4.1.3). */
function redirectUriDefect({ redirectUri }: StoredCode, form: Form): ResultCode | undefined {
  const named = form.get("redirect_uri");
  if (named === redirectUri) return undefined;
  if (named === undefined) return "A050308";
  return redirectUri === undefined ? "A050310" : "A050309";
}
