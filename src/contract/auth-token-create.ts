import { z } from "zod";
import * as member from "./members.ts";
import { defineOperation } from "./operation.ts";

const tokenCreateRequest = z
  .object({
    grantType: member.text("The grant type of the token: AUTHORIZATION_CODE, PASSWORD or CLIENT_CREDENTIALS."),
    clientId: member.clientNumber("The client's number; required without `clientIdentifier`."),
    clientIdentifier: member.text("The client's number or alias."),
    subject: member.text("The user; required for every grant type except CLIENT_CREDENTIALS, which has none."),
    scopes: member.texts("The scopes of the token; the service must have each of them."),
    accessTokenDuration: member.duration("The token's lifetime in seconds; 0: the client's or the service's own."),
    refreshTokenDuration: member.duration("The refresh token's lifetime in seconds; 0: the service's own."),
    properties: member.tokenProperties("Data to store with the token."),
    clientIdAliasUsed: member.flag("Whether the token names the client by its alias."),
    accessToken: member.text(
      "The value of the token, chosen by the caller: 22 to 512 characters (RFC 6750 §2.1), unguessable.",
    ),
    refreshToken: member.text("The value of the refresh token; the same rules apply."),
    certificateThumbprint: member.text(
      "The `x5t#S256` of the certificate that the token is bound to (RFC 8705 §3.1); required if the client's tokens are bound.",
    ),
    resources: member.texts("The resources that the token is for (RFC 8707); default: the service's."),
    acr: member.text("How the user was authenticated."),
    authTime: z
      .int()
      .min(0)
      .max(253_402_300_799)
      .nullish()
      .describe("When the user was authenticated, in seconds since 1970.")
      .meta({ format: "int64" }),
    jwtAtClaims: member.text(
      "Additional claims of a JWT access token, as JSON text of an object. The claims that the backend sets itself are refused.",
    ),
    accessTokenPersistent: member.unsupportedFlag,
    forExternalAttachment: member.unsupportedFlag,
    dpopKeyThumbprint: member.unsupportedText,
    authorizationDetails: member.unsupported,
    sessionId: member.unsupportedText,
    clientEntityIdUsed: member.unsupportedFlag,
    metadataDocumentUsed: member.unsupportedFlag,
  })
  .meta({ id: "TokenCreateRequest" });

const tokenCreateResponse = z
  .looseObject({
    ...member.result,
    action: z
      .enum(["INTERNAL_SERVER_ERROR", "BAD_REQUEST", "FORBIDDEN", "OK"])
      .describe("OK: the token is active. BAD_REQUEST: the request is invalid."),
    accessToken: z.string().optional(),
    jwtAccessToken: z.string().describe("The token as a JWT, if the service issues JWTs (RFC 9068).").optional(),
    tokenType: z.string().optional(),
    expiresIn: member.seconds("The token's lifetime").optional(),
    expiresAt: member.milliseconds("When the token expires").optional(),
    refreshToken: z.string().optional(),
    refreshTokenExpiresAt: member.milliseconds("When the refresh token expires").optional(),
    refreshTokenScopes: z.array(z.string()).describe("The scopes that a refresh can request.").optional(),
    grantType: member.grantType.optional(),
    clientId: member.identifier("The client's number.").optional(),
    clientIdentifier: z.string().describe("The client as the token names it.").optional(),
    subject: z.string().optional(),
    scopes: z.array(z.string()).optional(),
    properties: z.array(member.property).optional(),
  })
  .meta({ id: "TokenCreateResponse" });

export type TokenCreateRequest = z.infer<typeof tokenCreateRequest>;
export type TokenCreateResponse = z.infer<typeof tokenCreateResponse>;

export const authTokenCreate = defineOperation({
  operationId: "auth_token_create_api",
  method: "POST",
  path: "/auth/token/create",
  caller: "service",
  summary: "Create an access token",
  description:
    "Creates a token without a request of the client, on the caller's responsibility: the client's own permissions are not checked. If service and client require bound tokens, `certificateThumbprint` is required, so that an omission cannot create an unbound token (RFC 8705 §3.4). A refresh token is issued if service and client have the grant type REFRESH_TOKEN.",
  request: tokenCreateRequest,
  response: tokenCreateResponse,
  v2Type: "tokenCreateResponse",
  idempotent: false,
  unsupported: [
    "accessTokenPersistent",
    "forExternalAttachment",
    "dpopKeyThumbprint",
    "authorizationDetails",
    "sessionId",
    "clientEntityIdUsed",
    "metadataDocumentUsed",
  ],
  example: {
    request: {
      grantType: "AUTHORIZATION_CODE",
      clientId: 4_326_385_670,
      subject: "user-1",
      scopes: ["read"],
      certificateThumbprint: "A4DtL2JmUMhAsvJj5tKyn64SqzmuXbMrJa0n761y5v0",
    },
    response: {
      resultCode: "A109001",
      resultMessage: "[A109001] The access token was created.",
      action: "OK",
      accessToken: "JDGiiM9PuWT63FIwGjG9eYlGi-aZMq6CQ2IB475JUxs",
      tokenType: "Bearer",
      expiresIn: 3600,
      expiresAt: 1_640_419_200_000,
      grantType: "AUTHORIZATION_CODE",
      clientId: 4_326_385_670,
      clientIdentifier: "4326385670",
      subject: "user-1",
      scopes: ["read"],
    },
  },
});
