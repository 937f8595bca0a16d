import { z } from "zod";
import * as member from "./members.ts";
import { defineOperation } from "./operation.ts";

const tokenRevokeRequest = z
  .object({
    accessTokenIdentifier: member.text("An access token, opaque or JWT, or its SHA-256 as base64url."),
    refreshTokenIdentifier: member.text("A refresh token, or its SHA-256 as base64url."),
    clientIdentifier: member.text("A client's number or alias; revokes all its tokens."),
    subject: member.text("A user; revokes all their tokens, or with `clientIdentifier` those of this client."),
  })
  .meta({ id: "TokenRevokeRequest" });

const tokenRevokeResponse = z
  .looseObject({
    ...member.result,
    count: z
      .int()
      .describe(
        "The number of revoked access and refresh tokens, counted just before. At most 1,000 of each kind are counted, but all are revoked.",
      )
      .meta({ format: "int64" }),
    countIsLowerBound: z
      .literal(true)
      .optional()
      .describe(
        "An extension: more tokens than `count` may have been revoked, because there are too many or they could not be counted.",
      ),
  })
  .meta({ id: "TokenRevokeResponse" });

export type TokenRevokeRequest = z.infer<typeof tokenRevokeRequest>;
export type TokenRevokeResponse = z.infer<typeof tokenRevokeResponse>;

export const authTokenRevoke = defineOperation({
  operationId: "auth_token_revoke_api",
  method: "POST",
  path: "/auth/token/revoke",
  caller: "service",
  summary: "Revoke tokens by what they have in common",
  description:
    "Revokes tokens in one call, immediately and however many there are: those of a token's grant, of a client, of a user, or of a user with a client. Unused authorization codes are revoked, too. Each kind of selector revokes the tokens that it names.",
  request: tokenRevokeRequest,
  response: tokenRevokeResponse,
  v2Type: "tokenRevokeResponse",
  idempotent: true,
  example: {
    request: { clientIdentifier: "4326385670", subject: "user-1" },
    response: { resultCode: "A312001", resultMessage: "[A312001] The tokens were revoked.", count: 2 },
  },
});
