import { z } from "zod";
import { ticketInfo } from "./auth-authorization-ticket-info.ts";
import * as member from "./members.ts";
import { defineOperation } from "./operation.ts";

/** The end of year 9999 in seconds, so that milliseconds by mistake are rejected. */
const lastInstant = 253_402_300_799;

const authorizationIssueRequest = z
  .object({
    ticket: member.text("The ticket of `auth/authorization`."),
    subject: member.text(
      "The user: 1 to 100 characters of visible ASCII that name no client (RFC 9700 §4.15). If the request requires a user, it must be this one.",
    ),
    sub: member.text("Replaces `subject` in the ID token only; the same rules apply."),
    authTime: z
      .int()
      .min(0)
      .max(lastInstant)
      .nullish()
      .describe(
        "When the user was authenticated, in seconds since 1970; 0: not given. Required if the request has `max_age` or requires `auth_time`.",
      )
      .meta({ format: "int64" }),
    acr: member.text("The authentication context class of the login; must be one of the required ones, if any."),
    claims: member.text(
      "Claims for the ID token, as JSON text of an object. The claims that the backend sets itself are refused.",
    ),
    properties: z.array(member.property).max(100).nullish().describe("Data to store with the tokens."),
    scopes: member.texts(
      "The scopes to grant instead of the requested ones. The service must have each of them and the client may have it.",
    ),
    idtHeaderParams: member.text("Additional header members of the ID token, as JSON text of an object."),
    consentedClaims: member.texts("The claims that the user consented to."),
    jwtAtClaims: member.text(
      "Additional claims of JWT access tokens, as JSON text of an object. The claims that the backend sets itself are refused.",
    ),
    idTokenAudType: z.enum(["array", "string"]).nullish().describe("The shape of `aud` in the ID token."),
    claimsForTx: member.text("Not supported: a request with a value is refused."),
    verifiedClaimsForTx: member.texts("Not supported: a request with a value is refused."),
    authorizationDetails: z.looseObject({}).nullish().describe("Not supported: a request with a value is refused."),
    accessToken: member.text("Not supported: a request with a value is refused."),
    accessTokenDuration: member.duration("Not supported: a request with a value other than 0 is refused."),
    sessionId: member.text("Not supported: a request with a value is refused."),
  })
  .meta({ id: "AuthorizationIssueRequest" });

const authorizationIssueResponse = z
  .looseObject({
    ...member.result,
    action: z
      .enum(["INTERNAL_SERVER_ERROR", "BAD_REQUEST", "LOCATION", "FORM"])
      .describe(
        "What the authorization server does next: 500, 400, a redirect to `responseContent`, or 200 with `responseContent` as HTML.",
      ),
    responseContent: z.string().describe("The JSON body, the URL or the page.").optional(),
    authorizationCode: z.string().describe("The code in `responseContent`.").optional(),
    ticketInfo: ticketInfo.optional(),
  })
  .meta({ id: "AuthorizationIssueResponse" });

export type AuthorizationIssueRequest = z.infer<typeof authorizationIssueRequest>;
export type AuthorizationIssueResponse = z.infer<typeof authorizationIssueResponse>;

export const authAuthorizationIssue = defineOperation({
  operationId: "auth_authorization_issue_api",
  method: "POST",
  path: "/auth/authorization/issue",
  caller: "service",
  summary: "Issue an authorization code",
  description:
    "For an authenticated user who has consented: uses up the ticket and returns the authorization response with a code (RFC 6749 §4.1.2). If the members of this request are wrong, the ticket remains usable.",
  request: authorizationIssueRequest,
  response: authorizationIssueResponse,
  v2Type: "authorizationIssueResponse",
  idempotent: false,
  unsupported: [
    "claimsForTx",
    "verifiedClaimsForTx",
    "authorizationDetails",
    "accessToken",
    "accessTokenDuration",
    "sessionId",
  ],
  example: {
    request: { ticket: "e4iPTH2JrEFqbY8l9zYHQ7aQoXhUY9z4FPFBPF1UCQM", subject: "john" },
    response: {
      resultCode: "A040001",
      resultMessage: "[A040001] The authorization request was processed successfully.",
      action: "LOCATION",
      responseContent:
        "https://client.example.com/cb?code=JYLYcvXWQ28zpMmHF1cm8shR5mjVJB8QBqTDLS_AEqA&state=af0ifjsldkj&iss=https%3A%2F%2Fas.example.com",
      authorizationCode: "JYLYcvXWQ28zpMmHF1cm8shR5mjVJB8QBqTDLS_AEqA",
    },
  },
});
