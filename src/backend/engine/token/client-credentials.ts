import type { TokenRequest, TokenResponse } from "../../../contract/auth-token.ts";
import type { Property } from "../../../contract/members.ts";
import type { Form } from "../../../oauth/form.ts";
import { formatScope } from "../../../oauth/scope.ts";
import { tokenDigest } from "../../../oauth/token-digest.ts";
import type { AuthenticatedClient } from "../client-request.ts";
import { newAttempt } from "../attempt.ts";
import type { Dependencies } from "../dependencies.ts";
import type { Service } from "../management/settings-memo.ts";
import { oauthError } from "../oauth-error.ts";
import { propertyMembers } from "../public-properties.ts";
import { result } from "../result.ts";
import type { Decided } from "../run-decided.ts";
import { bindToken } from "./binding.ts";
import { grantResources } from "./resources.ts";
import { grantScopes } from "./scopes.ts";

/** 256 bits: a guess succeeds with a probability far below 2^-160 (RFC 6749 §10.10). */
const tokenOctets = 32;
/** Members of a token answer that no property may take (RFC 6749 §5.1). */
const reserved = "access_token token_type expires_in refresh_token scope id_token error error_description error_uri"
  .split(" ")
  .concat("authorization_details", "grant_id", "c_nonce", "c_nonce_expires_in", "device_secret");

/** Decides over a `client_credentials` request (RFC 6749 §4.4): no user, no refresh token, no grant to outlive it. */
export function decideClientCredentials(
  { clock, random }: Dependencies,
  service: Service,
  { client, clientIdAliasUsed, certificate }: AuthenticatedClient,
  request: TokenRequest,
  form: Form,
): Decided<TokenResponse> {
  const { settings } = client;
  if (settings.clientType === "PUBLIC") return { outcome: oauthError(service, "unauthorized_client", "A052301") };
  if (!settings.grantTypes.includes("CLIENT_CREDENTIALS")) {
    return { outcome: oauthError(service, "unauthorized_client", "A047302") };
  }
  const scope = grantScopes(service, client, form.get("scope"));
  if ("refused" in scope) return { outcome: oauthError(service, "invalid_scope", "A052303") };
  const target = grantResources(service, form.getAll("resource"));
  if ("refusedWith" in target) return { outcome: oauthError(service, "invalid_target", target.refusedWith) };
  const binding = bindToken(service, client, certificate);
  if ("refusedWith" in binding) return { outcome: oauthError(service, "invalid_request", binding.refusedWith) };

  const accessToken = Buffer.from(random(tokenOctets)).toString("base64url");
  const createdAt = clock();
  const duration = lifetimeOf(request, client.settings.extension?.accessTokenDuration, service);
  // To the second, as `exp` will say it: no answer promises a moment more than will be honoured.
  const expiresAt = Math.floor(createdAt / 1000 + duration) * 1000;
  const properties = request.properties ?? undefined;
  const outcome = tokenResponse({
    service,
    client: settings,
    clientIdAliasUsed,
    accessToken,
    duration,
    expiresAt,
    properties,
    scopes: scope.scopes,
    requestedResources: form.getAll("resource"),
    resources: target.resources,
  });
  return {
    outcome,
    command: {
      name: "issue-tokens",
      attempt: newAttempt(random),
      serviceId: service.settings.apiKey,
      serviceVersion: service.version,
      clientId: settings.clientId,
      clientVersion: client.version,
      subject: undefined,
      createdAt,
      accessToken: {
        digest: tokenDigest(accessToken),
        grantType: "CLIENT_CREDENTIALS",
        scopes: scope.scopes,
        resources: target.resources,
        expiresAt,
        x5tS256: binding.x5tS256,
        clientIdAliasUsed,
        properties: properties === undefined ? undefined : JSON.stringify(properties),
      },
    },
  };
}

/** The caller's wish, else the client's, else the service's lifetime; in seconds, 0 meaning "none given". */
function lifetimeOf(request: TokenRequest, ofClient: number | undefined, service: Service): number {
  const wished = request.accessTokenDuration ?? 0;
  if (wished > 0) return wished;
  return ofClient !== undefined && ofClient > 0 ? ofClient : service.settings.accessTokenDuration;
}

interface IssuedToken {
  readonly service: Service;
  readonly client: AuthenticatedClient["client"]["settings"];
  readonly clientIdAliasUsed: boolean;
  readonly accessToken: string;
  readonly duration: number;
  readonly expiresAt: number;
  readonly properties: Property[] | undefined;
  readonly scopes: readonly string[];
  readonly requestedResources: readonly string[];
  readonly resources: readonly string[];
}

function tokenResponse(issued: IssuedToken): TokenResponse {
  const { service, client, scopes, resources } = issued;
  const content = {
    access_token: issued.accessToken,
    ...(scopes.length === 0 ? {} : { scope: formatScope(scopes) }),
    token_type: service.settings.accessTokenType,
    expires_in: issued.duration,
  };
  return {
    ...result("A052001"),
    action: "OK",
    responseContent: JSON.stringify({ ...content, ...propertyMembers(issued.properties, content, reserved) }),
    accessToken: issued.accessToken,
    accessTokenExpiresAt: issued.expiresAt,
    accessTokenDuration: issued.duration,
    grantType: "CLIENT_CREDENTIALS",
    clientId: client.clientId,
    ...(client.clientIdAlias === undefined ? {} : { clientIdAlias: client.clientIdAlias }),
    clientIdAliasUsed: issued.clientIdAliasUsed,
    clientAuthMethod: client.tokenAuthMethod,
    ...(scopes.length === 0 ? {} : { scopes: [...scopes] }),
    ...(issued.properties === undefined ? {} : { properties: issued.properties }),
    ...(issued.requestedResources.length === 0 ? {} : { resources: [...issued.requestedResources] }),
    ...(resources.length === 0 ? {} : { accessTokenResources: [...resources] }),
    ...(service.settings.attributes.length === 0 ? {} : { serviceAttributes: [...service.settings.attributes] }),
    ...(client.attributes.length === 0 ? {} : { clientAttributes: [...client.attributes] }),
  };
}
