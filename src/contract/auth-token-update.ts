import { z } from "zod";
import * as member from "./members.ts";
import { defineOperation } from "./operation.ts";

const tokenUpdateRequest = z
  .object({
    accessToken: member.text("The token to change, in either form; needed unless `accessTokenHash` is given."),
    accessTokenHash: member.text("The same by the SHA-256 of the token, as base64url."),
    accessTokenExpiresAt: member.instant("When the token is to expire, 0: as before"),
    refreshTokenExpiresAt: member.instant("When the refresh token of its grant is to expire, 0: as before"),
    scopes: member.texts("The scopes that the token is to have, none: as before; the service must have each of them."),
    properties: member.tokenProperties("The data that is to be kept with the token, none: as before."),
    certificateThumbprint: member.text("The `x5t#S256` of the certificate that the token is to be bound to."),
    tokenId: member.unsupportedText,
    refreshToken: member.unsupportedText,
    refreshTokenHash: member.unsupportedText,
    accessTokenExpiresAtUpdatedOnScopeUpdate: member.unsupportedFlag,
    refreshTokenExpiresAtUpdatedOnScopeUpdate: member.unsupportedFlag,
    accessTokenPersistent: member.unsupportedFlag,
    accessTokenValueUpdated: member.unsupportedFlag,
    dpopKeyThumbprint: member.unsupportedText,
    authorizationDetails: member.unsupported,
    forExternalAttachment: member.unsupportedFlag,
  })
  .meta({ id: "TokenUpdateRequest" });

const tokenUpdateResponse = z
  .looseObject({
    ...member.result,
    action: z
      .enum(["INTERNAL_SERVER_ERROR", "BAD_REQUEST", "FORBIDDEN", "NOT_FOUND", "OK"])
      .describe("OK: the change is active. NOT_FOUND: the service has no such active token."),
    accessToken: z.string().describe("As the request has it.").optional(),
    tokenType: z.string().optional(),
    accessTokenExpiresAt: member.milliseconds("When the token expires").optional(),
    refreshTokenExpiresAt: member.milliseconds("When the refresh token expires").optional(),
    scopes: z.array(z.string()).optional(),
    properties: z.array(member.property).optional(),
  })
  .meta({ id: "TokenUpdateResponse" });

export type TokenUpdateRequest = z.infer<typeof tokenUpdateRequest>;
export type TokenUpdateResponse = z.infer<typeof tokenUpdateResponse>;

export const authTokenUpdate = defineOperation({
  operationId: "auth_token_update_api",
  method: "POST",
  path: "/auth/token/update",
  caller: "service",
  summary: "Change an access token",
  description:
    "Changes what an active access token allows. Introspection says the new facts from the answer on, by either form of the token; the text of a JWT that has been handed out stays as it was signed, so a resource server that only reads the JWT does not learn of it.",
  request: tokenUpdateRequest,
  response: tokenUpdateResponse,
  v2Type: "tokenUpdateResponse",
  idempotent: true,
  unsupported: [
    "tokenId",
    "refreshToken",
    "refreshTokenHash",
    "accessTokenExpiresAtUpdatedOnScopeUpdate",
    "refreshTokenExpiresAtUpdatedOnScopeUpdate",
    "accessTokenPersistent",
    "accessTokenValueUpdated",
    "dpopKeyThumbprint",
    "authorizationDetails",
    "forExternalAttachment",
  ],
  example: {
    request: { accessToken: "JDGiiM9PuWT63FIwGjG9eYlGi-aZMq6CQ2IB475JUxs", scopes: ["read"] },
    response: {
      resultCode: "A135001",
      resultMessage: "[A135001] The access token was changed.",
      action: "OK",
      accessToken: "JDGiiM9PuWT63FIwGjG9eYlGi-aZMq6CQ2IB475JUxs",
      tokenType: "Bearer",
      accessTokenExpiresAt: 1_640_419_200_000,
      scopes: ["read"],
    },
  },
});
