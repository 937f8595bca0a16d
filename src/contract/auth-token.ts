import { z } from "zod";
import * as member from "./members.ts";
import { defineOperation } from "./operation.ts";

const tokenRequest = z
  .object({
    parameters: member.text("The token request as it arrived: the complete form-encoded body (RFC 6749 §3.2)."),
    clientId: member.text(
      "The user id of the token request's Basic credentials, form-decoded; overrides `parameters`.",
    ),
    clientSecret: member.text("The password of the token request's Basic credentials, form-decoded."),
    clientCertificate: member.certificatePem,
    clientCertificatePath: member.texts(
      "The rest of the client's certificate chain, without the leaf, each as PEM (in the order of RFC 5246 §7.4.2).",
    ),
    properties: z.array(member.property).max(100).nullish().describe("Data to store with the token."),
    accessTokenDuration: member.duration("The token's lifetime in seconds; 0: the client's or the service's own."),
    htm: member.text("The HTTP method of the token request; only used with `dpop`."),
    htu: member.text("The URL of the token request; only used with `dpop`."),
    dpop: member.text("A DPoP proof. Not supported: a request with a value is refused."),
    dpopNonceRequired: member.flag("Not supported: a request with `true` is refused."),
    accessToken: member.text("A token value chosen by the caller. Not supported: a request with a value is refused."),
    refreshTokenDuration: member.duration(
      "The refresh token's lifetime in seconds; 0: the client's or the service's own.",
    ),
    jwtAtClaims: member.text(
      "Additional claims of the JWT access token, as JSON text of an object. The claims that the backend sets itself are refused.",
    ),
    oauthClientAttestation: member.text("Not supported: a request with a value is refused."),
    oauthClientAttestationPop: member.text("Not supported: a request with a value is refused."),
  })
  .meta({ id: "TokenRequest" });

export const tokenResponse = z
  .looseObject({
    ...member.result,
    action: z
      .enum(["INTERNAL_SERVER_ERROR", "INVALID_CLIENT", "BAD_REQUEST", "PASSWORD", "OK"])
      .describe(
        "What the authorization server does next: 500, 401 or 400, 400, or 200 with `responseContent`; for PASSWORD it checks `username` and `password` and calls `auth/token/issue` or `auth/token/fail` with `ticket`.",
      ),
    responseContent: z.string().describe("The JSON body to send to the client, as text.").optional(),
    accessToken: z.string().optional(),
    accessTokenExpiresAt: member.milliseconds("When the token expires").optional(),
    accessTokenDuration: member.seconds("The token's lifetime").optional(),
    jwtAccessToken: z.string().describe("The token as a JWT, if the service issues JWTs (RFC 9068).").optional(),
    refreshToken: z.string().optional(),
    refreshTokenExpiresAt: member.milliseconds("When the refresh token expires").optional(),
    refreshTokenDuration: member.seconds("The refresh token's lifetime").optional(),
    refreshTokenScopes: z.array(z.string()).describe("The scopes that a refresh can request.").optional(),
    idToken: z.string().describe("With the scope `openid` (OpenID Connect Core §3.1.3.3).").optional(),
    username: z.string().describe("For a password grant.").optional(),
    password: z.string().describe("For a password grant.").optional(),
    ticket: z.string().describe("For `auth/token/issue` and `auth/token/fail`; never sent to the client.").optional(),
    grantType: member.grantType.optional(),
    clientId: member.identifier("The client's number.").optional(),
    clientIdAlias: z.string().optional(),
    clientIdAliasUsed: z.boolean().describe("Whether the request named the client by its alias.").optional(),
    subject: z.string().describe("The user; absent for client credentials.").optional(),
    scopes: z.array(z.string()).optional(),
    properties: z.array(member.property).optional(),
    clientAuthMethod: member.clientAuthMethod.optional(),
    resources: z.array(z.string()).describe("The requested resources (RFC 8707).").optional(),
    accessTokenResources: z.array(z.string()).describe("The resources that the token is for.").optional(),
    serviceAttributes: z.array(member.pair).optional(),
    clientAttributes: z.array(member.pair).optional(),
    previousRefreshTokenUsed: z
      .boolean()
      .describe(
        "Whether this is the answer of an earlier request, repeated because its refresh token has not been used yet.",
      )
      .optional(),
  })
  .meta({ id: "TokenResponse" });

export type TokenRequest = z.infer<typeof tokenRequest>;
export type TokenResponse = z.infer<typeof tokenResponse>;

export const authToken = defineOperation({
  operationId: "auth_token_api",
  method: "POST",
  path: "/auth/token",
  caller: "service",
  summary: "Process a token request",
  description:
    "Processes a token request as it arrived at the token endpoint: authenticates the client, and issues tokens for an authorization code, a refresh token or the client itself. They are bound to `clientCertificate` if both service and client require it (RFC 8705 §3).",
  request: tokenRequest,
  response: tokenResponse,
  v2Type: "tokenResponse",
  idempotent: false,
  unsupported: ["dpop", "dpopNonceRequired", "accessToken", "oauthClientAttestation", "oauthClientAttestationPop"],
  example: {
    request: {
      parameters: "grant_type=client_credentials&client_id=4326385670&scope=read",
      clientCertificate:
        "-----BEGIN CERTIFICATE-----\nMIIBBjCBrAIBAjAKBggqhkjOPQQDAjAPMQ0wCwYD…\n-----END CERTIFICATE-----\n",
    },
    response: {
      resultCode: "A052001",
      resultMessage: "[A052001] The token request (grant_type=client_credentials) was processed successfully.",
      action: "OK",
      responseContent:
        '{"access_token":"JDGiiM9PuWT63FIwGjG9eYlGi-aZMq6CQ2IB475JUxs","scope":"read","token_type":"Bearer","expires_in":3600}',
      accessToken: "JDGiiM9PuWT63FIwGjG9eYlGi-aZMq6CQ2IB475JUxs",
      accessTokenExpiresAt: 1_640_419_200_000,
      accessTokenDuration: 3600,
      grantType: "CLIENT_CREDENTIALS",
      clientId: 4_326_385_670,
      clientIdAliasUsed: false,
      scopes: ["read"],
      clientAuthMethod: "TLS_CLIENT_AUTH",
    },
  },
});
