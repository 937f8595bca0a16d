import { z } from "zod";
import * as member from "./members.ts";
import { defineOperation } from "./operation.ts";

const authorizationFailReason = z
  .enum([
    "UNKNOWN",
    "NOT_LOGGED_IN",
    "MAX_AGE_NOT_SUPPORTED",
    "EXCEEDS_MAX_AGE",
    "DIFFERENT_SUBJECT",
    "ACR_NOT_SATISFIED",
    "DENIED",
    "SERVER_ERROR",
    "NOT_AUTHENTICATED",
    "ACCOUNT_SELECTION_REQUIRED",
    "CONSENT_REQUIRED",
    "INTERACTION_REQUIRED",
    "INVALID_TARGET",
    "INVALID_SCOPE",
    "UNAUTHORIZED_CLIENT",
    "TEMPORARILY_UNAVAILABLE",
  ])
  .meta({ id: "AuthorizationFailReason" });

const authorizationFailRequest = z
  .object({
    ticket: member.text("The ticket of `auth/authorization`."),
    reason: authorizationFailReason.nullish().describe("Why the request is rejected."),
    description: member.text("The description for the client, instead of the reason's own sentence."),
  })
  .meta({ id: "AuthorizationFailRequest" });

const authorizationFailResponse = z
  .looseObject({
    ...member.result,
    action: z
      .enum(["INTERNAL_SERVER_ERROR", "BAD_REQUEST", "LOCATION", "FORM"])
      .describe(
        "What the authorization server does next: 500, 400, a redirect to `responseContent`, or 200 with `responseContent` as HTML.",
      ),
    responseContent: z.string().describe("The JSON body, the URL or the page.").optional(),
  })
  .meta({ id: "AuthorizationFailResponse" });

export type AuthorizationFailReason = z.infer<typeof authorizationFailReason>;
export type AuthorizationFailRequest = z.infer<typeof authorizationFailRequest>;
export type AuthorizationFailResponse = z.infer<typeof authorizationFailResponse>;

export const authAuthorizationFail = defineOperation({
  operationId: "auth_authorization_fail_api",
  method: "POST",
  path: "/auth/authorization/fail",
  caller: "service",
  summary: "Reject an authorization request",
  description:
    "Uses up the ticket and returns the authorization response with the error for the reason (RFC 6749 §4.1.2.1, OpenID Connect Core §3.1.2.6).",
  request: authorizationFailRequest,
  response: authorizationFailResponse,
  v2Type: "authorizationFailResponse",
  idempotent: false,
  example: {
    request: { ticket: "e4iPTH2JrEFqbY8l9zYHQ7aQoXhUY9z4FPFBPF1UCQM", reason: "DENIED" },
    response: {
      resultCode: "A060306",
      resultMessage: "[A060306] The user denied the request.",
      action: "LOCATION",
      responseContent:
        "https://client.example.com/cb?error=access_denied&error_description=%5BA060306%5D+The+user+denied+the+request.&state=af0ifjsldkj&iss=https%3A%2F%2Fas.example.com",
    },
  },
});
