import type { TokenRequest, TokenResponse } from "../../../contract/auth-token.ts";
import type { Form } from "../../../oauth/form.ts";
import { tokenDigest } from "../../../oauth/token-digest.ts";
import type { StoredRefreshToken } from "../../store/store.ts";
import type { CertificateOfRequest } from "../client-authentication/presented-certificate.ts";
import type { AuthenticatedClient } from "../client-request.ts";
import type { Dependencies } from "../dependencies.ts";
import { readGrantDetails } from "../grant-details.ts";
import type { Client, Service } from "../management/settings-memo.ts";
import type { GrantType } from "../management/settings.ts";
import { oauthError } from "../oauth-error.ts";
import type { ResultCode } from "../result.ts";
import type { Decided } from "../run-decided.ts";
import { isValidAt } from "../validity.ts";
import { bindToken } from "./binding.ts";
import { accessTokenDuration } from "./durations.ts";
import { issueCommand } from "./issue-command.ts";
import { decideReuse } from "./refresh-token-reuse.ts";
import { successorOf } from "./refresh-token-successor.ts";
import { addToDetails } from "./request-details.ts";
import { forOneAudience, narrowResources } from "./resources.ts";
import { grantStanding, narrowScopes } from "./scopes.ts";
import { sealAnswer, type RefreshQuestion } from "./sealed-answer.ts";
import { createTokenSet } from "./token-set.ts";

/**
 * Decides over a `refresh_token` request (RFC 6749 §6): a new access token, bound to the certificate of this request.
 *
 * Whoever is not the client, or lacks the certificate that a public client's refresh token is bound to (RFC 8705 §4),
 * changes nothing, whether it was used or not.
 */
export async function decideRefreshToken(
  dependencies: Dependencies,
  service: Service,
  { client, clientIdAliasUsed, certificate }: AuthenticatedClient,
  request: TokenRequest,
  form: Form,
): Promise<Decided<TokenResponse>> {
  const { store, clock, random } = dependencies;
  const value = form.get("refresh_token");
  if (value === undefined) return { outcome: oauthError(service, "invalid_request", "A053301") };
  const token = await store.readRefreshToken(service.settings.apiKey, tokenDigest(value));
  if (token === undefined) return { outcome: oauthError(service, "invalid_grant", "A053305") };
  if (token.x5tS256 !== undefined) dependencies.note?.({ boundTo: token.x5tS256 });
  const now = clock();
  const defect = defectOf(token, client, certificate, now);
  if (defect !== undefined) return { outcome: oauthError(service, "invalid_grant", defect) };
  const question: RefreshQuestion = {
    x5tS256: certificate && thumbprintOf(certificate),
    scope: form.get("scope"),
    resources: form.getAll("resource"),
  };
  if (token.consumption !== undefined) {
    return decideReuse(dependencies, service, { value, grantId: token.grantId, ...token.consumption }, question);
  }
  const standing = grantStanding(service, client, token.scopes);
  const scope = "refused" in standing ? standing : narrowScopes(standing.scopes, question.scope);
  if ("refused" in scope) return { outcome: oauthError(service, "invalid_scope", "A053309") };
  const target = forOneAudience(service, narrowResources(token.resources, question.resources), scope.scopes);
  if ("refusedWith" in target) return { outcome: oauthError(service, "invalid_target", target.refusedWith) };
  const binding = bindToken(service, client, certificate);
  if ("refusedWith" in binding) return { outcome: oauthError(service, "invalid_request", binding.refusedWith) };

  const refreshToken = successorOf(service, client, {
    token,
    value,
    x5tS256: binding.x5tS256,
    wishedDuration: request.refreshTokenDuration,
    now,
  });
  const { response, kept } = await createTokenSet(dependencies, {
    service,
    client,
    clientIdAliasUsed,
    grantType: token.grantType as GrantType,
    requestGrantType: "REFRESH_TOKEN",
    code: "A053001",
    subject: token.subject,
    scopes: scope.scopes,
    requestedResources: question.resources,
    resources: target.resources,
    x5tS256: binding.x5tS256,
    accessTokenDuration: accessTokenDuration(service, client, request.accessTokenDuration),
    details: addToDetails(readGrantDetails(token.details), request),
    refreshToken,
    first: false,
  });
  const { digest, grantId } = token;
  const source =
    refreshToken.kept === undefined
      ? ({ kind: "refresh-token", digest, sealedAnswer: sealAnswer(value, question, response, random) } as const)
      : ({ kind: "kept-refresh-token", digest, expiresAt: changeOf(token.expiresAt, refreshToken.expiresAt) } as const);
  const command = issueCommand(dependencies, service, client, kept, { source, grant: { grantId } });
  return { outcome: response, command };
}

function defectOf(
  token: StoredRefreshToken,
  client: Client,
  certificate: CertificateOfRequest | undefined,
  now: number,
): ResultCode | undefined {
  if (token.clientId !== client.settings.clientId) return "A053307";
  if (token.x5tS256 !== undefined) {
    if (certificate === undefined) return "A053312";
    if (!("x5tS256" in certificate) || certificate.x5tS256 !== token.x5tS256) return "A053313";
  }
  return isValidAt(token, now) ? undefined : "A053308";
}

/** One that cannot be read is not the same as none; no thumbprint is so short. */
function thumbprintOf(certificate: CertificateOfRequest): string {
  return "x5tS256" in certificate ? certificate.x5tS256 : "unreadable";
}

function changeOf(before: number, after: number): number | undefined {
  return before === after ? undefined : after;
}
