import { z } from "zod";
import * as member from "./members.ts";
import { defineOperation } from "./operation.ts";

const tokenRevokeRequest = z
  .object({
    accessTokenIdentifier: member.text("An access token, in either form, or its SHA-256 as base64url."),
    refreshTokenIdentifier: member.text("A refresh token, or its SHA-256 as base64url."),
    clientIdentifier: member.text("A client's number or alias: every token of it."),
    subject: member.text("A user: every token of theirs; with `clientIdentifier`, every one that this client has."),
  })
  .meta({ id: "TokenRevokeRequest" });

const tokenRevokeResponse = z
  .looseObject({
    ...member.result,
    count: z
      .int()
      .describe(
        "How many access and refresh tokens have ended, counted just before. The first 1,000 of each kind are counted; all have ended.",
      )
      .meta({ format: "int64" }),
    countIsLowerBound: z
      .literal(true)
      .optional()
      .describe(
        "An extension: more may have ended than `count` says, because they are too many or could not be counted.",
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
    "Ends tokens, all of them in one call, and at once however many they are: those that a token's grant has, those of a client, of a user, or of a user with a client. Codes that were not exchanged yet end with them. Each kind of selector ends what it names.",
  request: tokenRevokeRequest,
  response: tokenRevokeResponse,
  v2Type: "tokenRevokeResponse",
  idempotent: true,
  example: {
    request: { clientIdentifier: "4326385670", subject: "user-1" },
    response: { resultCode: "A312001", resultMessage: "[A312001] The tokens were revoked.", count: 2 },
  },
});
