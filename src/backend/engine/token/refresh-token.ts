import type { Context } from "../context.ts";
import type { TokenResponse } from "../../../contract/auth-token.ts";
import type { Form } from "../../../oauth/form.ts";
import { tokenDigest } from "../../../oauth/token-digest.ts";
import type { StoredRefreshToken } from "../../store/store.ts";
import { oauthError } from "../answer/oauth-error.ts";
import type { ResultCode } from "../answer/result.ts";
import { type Decided, newAttempt } from "../answer/run-decided.ts";
import type { AuthenticatedClient } from "../client-authentication/client-request.ts";
import type { CertificateOfRequest } from "../client-authentication/presented-certificate.ts";
import { bindToken } from "../grant/binding.ts";
import { accessTokenDuration, isValidAt } from "../grant/durations.ts";
import { readGrantDetails } from "../grant/grant-details.ts";
import { type Additions, addToDetails } from "../grant/request-details.ts";
import { forOneAudience, narrowResources } from "../grant/resources.ts";
import { grantStanding, narrowScopes } from "../grant/scopes.ts";
import type { Client } from "../settings/service-and-client.ts";
import type { GrantType } from "../settings/settings.ts";
import { successorOf } from "./new-refresh-token.ts";
import { openSealedAnswer, type RefreshQuestion, sealAnswer } from "./sealed-answer.ts";
import { createTokenSet, issueCommand } from "./token-set.ts";

type Reuse = NonNullable<StoredRefreshToken["consumption"]> & { readonly value: string; readonly grantId: string };

/** How long an answer that may not have arrived is given again; in milliseconds. */
const window = 30_000;

/**
 * Decides over a refresh token that was replaced by another (RFC 9700 §4.14.2).
 *
 * A client that did not get its answer asks again: within 30 s, until the successor is used, the same request gets the
 * same answer, and nothing is written. Later, somebody else must have one of the two tokens: the grant ends. A
 * different request within the 30 s comes from a client with two processes, one of which has the old token: it gets no
 * token and ends nothing, since otherwise a client's race with itself would log its user out.
 */
function decideReuse(
  { clock, random, service }: Context,
  { at, successorUsed, sealedAnswer, value, grantId }: Reuse,
  question: RefreshQuestion,
): Decided<TokenResponse> {
  const now = clock();
  // Both ways: a clock that was set back must not keep the window open until it has caught up.
  if (!successorUsed && now < at + window && now > at - window) {
    const response = openSealedAnswer(value, question, sealedAnswer);
    if (response !== undefined) return { outcome: { ...response, previousRefreshTokenUsed: true } };
    return { outcome: oauthError(service, "invalid_grant", "A053305", "it was just used, for another request") };
  }
  const serviceId = service.settings.apiKey;
  return {
    outcome: oauthError(service, "invalid_grant", "A053305", "it was used before: all tokens of its grant have ended"),
    command: { name: "end-grant", attempt: newAttempt(random), serviceId, grantId, endedAt: now },
  };
}

/**
 * Decides over a `refresh_token` request (RFC 6749 §6): a new access token, bound to the certificate of this request.
 *
 * A request of another client, or without the certificate that a public client's refresh token is bound to (RFC 8705
 * §4), changes nothing, whether the token was used or not.
 */
export async function decideRefreshToken(
  context: Context,
  { client, clientIdAliasUsed, certificate }: AuthenticatedClient,
  additions: Additions,
  form: Form,
): Promise<Decided<TokenResponse>> {
  const { service } = context;
  const { store, clock, random } = context;
  const value = form.get("refresh_token");
  if (value === undefined) return { outcome: oauthError(service, "invalid_request", "A053301") };
  const token = await store.readRefreshToken(service.settings.apiKey, tokenDigest(value));
  if (token === undefined) return { outcome: oauthError(service, "invalid_grant", "A053305") };
  if (token.x5tS256 !== undefined) context.note?.({ boundTo: token.x5tS256 });
  const now = clock();
  const defect = defectOf(token, client, certificate, now);
  if (defect !== undefined) return { outcome: oauthError(service, "invalid_grant", defect) };
  const question: RefreshQuestion = {
    x5tS256: certificate && thumbprintOf(certificate),
    scope: form.get("scope"),
    resources: form.getAll("resource"),
  };
  if (token.consumption !== undefined) {
    return decideReuse(context, { value, grantId: token.grantId, ...token.consumption }, question);
  }
  const standing = grantStanding(service, client, token.scopes);
  const scope = "error" in standing ? standing : narrowScopes(standing.scopes, question.scope);
  if ("error" in scope) return { outcome: oauthError(service, "invalid_scope", "A053309") };
  const target = forOneAudience(service, narrowResources(token.resources, question.resources), scope.scopes);
  if ("error" in target) return { outcome: oauthError(service, "invalid_target", target.error) };
  const binding = bindToken(service, client, certificate);
  if ("error" in binding) return { outcome: oauthError(service, "invalid_request", binding.error) };

  const refreshToken = successorOf(service, client, {
    token,
    value,
    x5tS256: binding.x5tS256,
    requestedDuration: additions.refreshTokenDuration,
    now,
  });
  const { response, kept } = await createTokenSet(context, {
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
    accessTokenDuration: accessTokenDuration(service, client, additions.accessTokenDuration),
    details: addToDetails(readGrantDetails(token.details), additions),
    refreshToken,
    first: false,
  });
  const { digest, grantId } = token;
  const source =
    refreshToken.kept === undefined
      ? ({ kind: "refresh-token", digest, sealedAnswer: sealAnswer(value, question, response, random) } as const)
      : ({ kind: "kept-refresh-token", digest, expiresAt: changeOf(token.expiresAt, refreshToken.expiresAt) } as const);
  const command = issueCommand(context, client, kept, { source, grant: { grantId } });
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

/** An unreadable certificate differs from none; no thumbprint is this short. */
function thumbprintOf(certificate: CertificateOfRequest): string {
  return "x5tS256" in certificate ? certificate.x5tS256 : "unreadable";
}

function changeOf(before: number, after: number): number | undefined {
  return before === after ? undefined : after;
}
