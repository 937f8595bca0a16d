import type { Context } from "../context.ts";
import type { TokenResponse } from "../../../contract/auth-token.ts";
import type { Property } from "../../../contract/members.ts";
import { formatScope } from "../../../oauth/scope.ts";
import { tokenDigest } from "../../../oauth/token-digest.ts";
import type { IssueTokens } from "../../store/command.ts";
import { result, type ResultCode } from "../answer/result.ts";
import { newAttempt } from "../answer/run-decided.ts";
import type { Dependencies } from "../dependencies.ts";
import { drawSecret } from "../grant/drawn-text.ts";
import { expiryAfter } from "../grant/durations.ts";
import { type GrantDetails, propertyMembers } from "../grant/grant-details.ts";
import { signAccessTokenJwt } from "../jwt/access-token-jwt.ts";
import { signIdToken } from "../jwt/id-token.ts";
import type { Client, Service } from "../settings/service-and-client.ts";
import type { GrantType } from "../settings/settings.ts";

/** Members of a token answer that no property may take (RFC 6749 §5.1). */
const reserved = "access_token token_type expires_in refresh_token scope id_token error error_description error_uri"
  .split(" ")
  .concat("authorization_details", "grant_id", "c_nonce", "c_nonce_expires_in", "device_secret");

/** The tokens that have been decided upon; durations in seconds. */
export interface TokenSetDecision {
  readonly service: Service;
  readonly client: Client;
  readonly clientIdAliasUsed: boolean;
  /** The grant type at the beginning of the grant, which introspection reports. */
  readonly grantType: GrantType;
  /** The grant type of this request, where it is another (REFRESH_TOKEN). */
  readonly requestGrantType?: GrantType;
  readonly code: ResultCode;
  readonly subject: string | undefined;
  readonly scopes: readonly string[];
  readonly requestedResources: readonly string[];
  readonly resources: readonly string[];
  /** The certificate that the access token is bound to. */
  readonly x5tS256: string | undefined;
  readonly accessTokenDuration: number;
  readonly details: GrantDetails;
  readonly refreshToken?: RefreshTokenDecision;
  /** The raw text of the access token, chosen by the API caller; `undefined`: it is drawn. */
  readonly chosenAccessToken?: string | undefined;
  /** Whether these are the first tokens of their grant. */
  readonly first: boolean;
}

/** A refresh token to go with it: a new one, or the one that the client has already. */
export interface RefreshTokenDecision {
  /** The raw text of the one that is kept; `undefined`: a new one is drawn. */
  readonly kept?: string;
  /** The raw text of a new one, chosen by the API caller. */
  readonly chosen?: string | undefined;
  readonly scopes: readonly string[];
  readonly resources: readonly string[];
  /** Milliseconds since 1970. */
  readonly expiresAt: number;
  readonly x5tS256: string | undefined;
}

/** The answer, and the members of the command that keeps its tokens. */
export interface TokenSet {
  readonly response: TokenResponse;
  readonly kept: Pick<IssueTokens, "subject" | "createdAt" | "accessToken" | "refreshToken">;
}

/** Draws and signs the tokens that were decided upon, and writes the answer around them (RFC 6749 §5.1). */
export async function createTokenSet({ clock, random }: Dependencies, decision: TokenSetDecision): Promise<TokenSet> {
  const { service, client, clientIdAliasUsed, subject, scopes, resources, x5tS256, details } = decision;
  const createdAt = clock();
  const accessToken = decision.chosenAccessToken ?? drawSecret(random);
  const expiresAt = expiryAfter(createdAt, decision.accessTokenDuration);
  const jwtAccessToken = await signAccessTokenJwt(service, {
    client,
    clientIdAliasUsed,
    subject,
    scopes,
    resources,
    x5tS256,
    issuedAt: createdAt,
    expiresAt,
    accessToken,
    grantType: decision.grantType,
    details,
  });
  const refreshToken = decision.refreshToken && {
    value: decision.refreshToken.kept ?? decision.refreshToken.chosen ?? drawSecret(random),
    ...decision.refreshToken,
  };
  const forClient = jwtAccessToken ?? accessToken;
  const idToken =
    subject !== undefined && scopes.includes("openid")
      ? await signIdToken(service, {
          client,
          clientIdAliasUsed,
          subject,
          accessToken: forClient,
          issuedAt: createdAt,
          details,
          first: decision.first,
        })
      : undefined;
  return {
    response: tokenResponse(decision, { createdAt, accessToken, jwtAccessToken, expiresAt, refreshToken, idToken }),
    kept: {
      subject,
      createdAt,
      accessToken: {
        digest: tokenDigest(accessToken),
        jwtDigest: jwtAccessToken === undefined ? undefined : tokenDigest(jwtAccessToken),
        grantType: decision.grantType,
        scopes,
        resources,
        expiresAt,
        x5tS256,
        clientIdAliasUsed,
        properties: details.properties,
      },
      ...(refreshToken !== undefined &&
        refreshToken.kept === undefined && {
          refreshToken: {
            digest: tokenDigest(refreshToken.value),
            scopes: refreshToken.scopes,
            resources: refreshToken.resources,
            expiresAt: refreshToken.expiresAt,
            x5tS256: refreshToken.x5tS256,
          },
        }),
    },
  };
}

interface DrawnTokens {
  readonly createdAt: number;
  readonly accessToken: string;
  readonly jwtAccessToken: string | undefined;
  readonly expiresAt: number;
  readonly refreshToken: (RefreshTokenDecision & { readonly value: string }) | undefined;
  readonly idToken: string | undefined;
}

function tokenResponse(decision: TokenSetDecision, drawn: DrawnTokens): TokenResponse {
  const { service, scopes, resources, subject } = decision;
  const client = decision.client.settings;
  const properties = decision.details.properties as Property[] | undefined;
  const { refreshToken, jwtAccessToken, idToken } = drawn;
  const content = {
    access_token: jwtAccessToken ?? drawn.accessToken,
    ...(refreshToken !== undefined && { refresh_token: refreshToken.value }),
    ...(scopes.length !== 0 && { scope: formatScope(scopes) }),
    token_type: service.settings.accessTokenType,
    expires_in: decision.accessTokenDuration,
    ...(idToken !== undefined && { id_token: idToken }),
  };
  return {
    ...result(decision.code),
    action: "OK",
    responseContent: JSON.stringify({ ...content, ...propertyMembers(properties, content, reserved) }),
    accessToken: drawn.accessToken,
    ...(jwtAccessToken !== undefined && { jwtAccessToken }),
    accessTokenExpiresAt: drawn.expiresAt,
    accessTokenDuration: decision.accessTokenDuration,
    ...(refreshToken !== undefined && {
      refreshToken: refreshToken.value,
      refreshTokenExpiresAt: refreshToken.expiresAt,
      refreshTokenDuration: Math.max(0, Math.ceil((refreshToken.expiresAt - drawn.createdAt) / 1000)),
      ...(refreshToken.scopes.length !== 0 && { refreshTokenScopes: [...refreshToken.scopes] }),
    }),
    ...(idToken !== undefined && { idToken }),
    grantType: decision.requestGrantType ?? decision.grantType,
    clientId: client.clientId,
    ...(client.clientIdAlias !== undefined && { clientIdAlias: client.clientIdAlias }),
    clientIdAliasUsed: decision.clientIdAliasUsed,
    clientAuthMethod: client.tokenAuthMethod,
    ...(subject !== undefined && { subject }),
    ...(scopes.length !== 0 && { scopes: [...scopes] }),
    ...(properties !== undefined && { properties }),
    ...(decision.requestedResources.length !== 0 && { resources: [...decision.requestedResources] }),
    ...(resources.length !== 0 && { accessTokenResources: [...resources] }),
    ...(service.settings.attributes.length !== 0 && { serviceAttributes: [...service.settings.attributes] }),
    ...(client.attributes.length !== 0 && { clientAttributes: [...client.attributes] }),
  };
}

/** The command that keeps a token set, for as long as service and client are those that were decided upon. */
export function issueCommand(
  { random, service }: Context,
  client: Client,
  kept: TokenSet["kept"],
  from: Pick<IssueTokens, "source" | "grant"> = {},
): IssueTokens {
  return {
    name: "issue-tokens",
    attempt: newAttempt(random),
    serviceId: service.settings.apiKey,
    serviceVersion: service.version,
    clientId: client.settings.clientId,
    clientVersion: client.version,
    ...kept,
    ...from,
  };
}
