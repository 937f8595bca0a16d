import { z } from "zod";
import * as member from "./members.ts";
import { defineOperation } from "./operation.ts";

const tokenUpdateRequest = z
  .object({
    accessToken: member.text("The token to change, opaque or JWT; required without `accessTokenHash`."),
    accessTokenHash: member.text("The SHA-256 of the token to change, as base64url."),
    accessTokenExpiresAt: member.instant("The new expiry of the token (0: unchanged)"),
    refreshTokenExpiresAt: member.instant("The new expiry of the grant's refresh token (0: unchanged)"),
    scopes: member.texts("The new scopes of the token (empty: unchanged); the service must have each of them."),
    properties: member.tokenProperties("The new data of the token (empty: unchanged)."),
    certificateThumbprint: member.text("The `x5t#S256` of the certificate to bind the token to."),
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
      .describe("OK: the token was changed. NOT_FOUND: the service has no active token like this."),
    accessToken: z.string().describe("As in the request.").optional(),
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
    "Changes an active access token. After the answer, introspection returns the new facts, for the opaque token and the JWT. The text of a JWT stays as it was signed, so a resource server that only reads the JWT does not see the change.",
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
