import { z } from "zod";
import { ticketInfo } from "./auth-authorization-ticket-info.ts";
import * as member from "./members.ts";
import { defineOperation } from "./operation.ts";

/** The end of year 9999: an instant in milliseconds by mistake is beyond it. */
const lastInstant = 253_402_300_799;

const authorizationIssueRequest = z
  .object({
    ticket: member.text("The ticket of `auth/authorization`."),
    subject: member.text(
      "The user: 1 to 100 characters of visible ASCII that name no client (RFC 9700 §4.15). Must be the user that the request asks for, if it asks for one.",
    ),
    sub: member.text("In the place of `subject` in the ID token only; under the same rules."),
    authTime: z
      .int()
      .min(0)
      .max(lastInstant)
      .nullish()
      .describe(
        "When the user was authenticated, in seconds since 1970; 0: not given. Must be given when the request has `max_age` or demands `auth_time`.",
      )
      .meta({ format: "int64" }),
    acr: member.text("The authentication context class that was met; must be one of those demanded, if any is."),
    claims: member.text(
      "Claims for the ID token, as the text of a JSON object; none of those that the backend answers for itself.",
    ),
    properties: z.array(member.property).max(100).nullish().describe("Data to keep with the tokens."),
    scopes: member.texts(
      "The scopes to grant in the place of those asked for; each one that the service has and the client may have.",
    ),
    idtHeaderParams: member.text("More header members for the ID token, as the text of a JSON object."),
    consentedClaims: member.texts("The claims that the user agreed to have released."),
    jwtAtClaims: member.text(
      "More claims for access tokens that are JWTs, as the text of a JSON object. The claims that the backend sets itself are refused.",
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
    responseContent: z.string().describe("The JSON body, the address or the page.").optional(),
    authorizationCode: z.string().describe("The code that `responseContent` carries.").optional(),
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
    "For a user who is authenticated and agrees: uses the ticket up and answers the authorization response with a code (RFC 6749 §4.1.2). When the caller's own members are wrong, the ticket stays good.",
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
