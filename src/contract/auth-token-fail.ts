import { z } from "zod";
import * as member from "./members.ts";
import { defineOperation } from "./operation.ts";

const tokenFailReason = z
  .enum([
    "UNKNOWN",
    "INVALID_RESOURCE_OWNER_CREDENTIALS",
    "INVALID_TARGET",
    "INVALID_CLIENT",
    "UNAUTHORIZED_CLIENT",
    "INVALID_SCOPE",
  ])
  .meta({ id: "TokenFailReason" });

const tokenFailRequest = z
  .object({
    ticket: member.text("The ticket of an answer of `auth/token` whose `action` was PASSWORD; can be used once."),
    reason: tokenFailReason
      .nullish()
      .describe(
        "Why no tokens are issued. INVALID_RESOURCE_OWNER_CREDENTIALS becomes the error `invalid_request`, UNKNOWN becomes `server_error`, any other the error of the same name.",
      ),
  })
  .meta({ id: "TokenFailRequest" });

const tokenFailResponse = z
  .looseObject({
    ...member.result,
    action: z
      .enum(["INTERNAL_SERVER_ERROR", "BAD_REQUEST"])
      .describe("What the authorization server does next: 500 or 400 with `responseContent`."),
    responseContent: z.string().describe("The JSON body to send to the client, as text.").optional(),
  })
  .meta({ id: "TokenFailResponse" });

export type TokenFailReason = z.infer<typeof tokenFailReason>;
export type TokenFailRequest = z.infer<typeof tokenFailRequest>;
export type TokenFailResponse = z.infer<typeof tokenFailResponse>;

export const authTokenFail = defineOperation({
  operationId: "auth_token_fail_api",
  method: "POST",
  path: "/auth/token/fail",
  caller: "service",
  summary: "Reject a password grant",
  description: "Creates the error response to a token request with `grant_type=password`, and uses up its ticket.",
  request: tokenFailRequest,
  response: tokenFailResponse,
  v2Type: "tokenFailResponse",
  idempotent: false,
  example: {
    request: {
      ticket: "4dFXH0RIBpx5gQN1kk6Q6J6YyBDVRNhnGFgFg0Jbcn4",
      reason: "INVALID_RESOURCE_OWNER_CREDENTIALS",
    },
    response: {
      resultCode: "A067301",
      resultMessage: "[A067301] The credentials of the resource owner are wrong.",
      action: "BAD_REQUEST",
      responseContent:
        '{"error":"invalid_request","error_description":"[A067301] The credentials of the resource owner are wrong."}',
    },
  },
});
