import { z } from "zod";
import { tokenResponse } from "./auth-token.ts";
import * as member from "./members.ts";
import { defineOperation } from "./operation.ts";

const tokenIssueRequest = z
  .object({
    ticket: member.text("The ticket of an answer of `auth/token` whose `action` was PASSWORD; can be used once."),
    subject: member.text(
      "The authenticated user: 1 to 100 characters of printable ASCII, different from all client ids.",
    ),
    properties: z.array(member.property).max(100).nullish().describe("Data to store with the tokens."),
    jwtAtClaims: member.text(
      "Additional claims of the JWT access token, as JSON text of an object. The claims that the backend sets itself are refused.",
    ),
    accessToken: member.text("A token value chosen by the caller. Not supported: a request with a value is refused."),
    accessTokenDuration: member.duration("The token's lifetime in seconds; 0: the client's or the service's own."),
    refreshTokenDuration: member.duration(
      "The refresh token's lifetime in seconds; 0: the client's or the service's own.",
    ),
  })
  .meta({ id: "TokenIssueRequest" });

const tokenIssueResponse = tokenResponse
  .omit({ username: true, password: true, ticket: true, previousRefreshTokenUsed: true })
  .extend({
    action: z
      .enum(["INTERNAL_SERVER_ERROR", "OK"])
      .describe("What the authorization server does next: 500 or 200 with `responseContent`."),
  })
  .meta({ id: "TokenIssueResponse" });

export type TokenIssueRequest = z.infer<typeof tokenIssueRequest>;
export type TokenIssueResponse = z.infer<typeof tokenIssueResponse>;

export const authTokenIssue = defineOperation({
  operationId: "auth_token_issue_api",
  method: "POST",
  path: "/auth/token/issue",
  caller: "service",
  summary: "Issue the tokens of a password grant",
  description:
    "Issues the tokens of a token request with `grant_type=password`, after the authorization server has checked the password. They are bound to the certificate of that request.",
  request: tokenIssueRequest,
  response: tokenIssueResponse,
  v2Type: "tokenIssueResponse",
  idempotent: false,
  unsupported: ["accessToken"],
  example: {
    request: { ticket: "4dFXH0RIBpx5gQN1kk6Q6J6YyBDVRNhnGFgFg0Jbcn4", subject: "john" },
    response: {
      resultCode: "A054001",
      resultMessage: "[A054001] The tokens of the password grant were issued.",
      action: "OK",
      responseContent:
        '{"access_token":"JDGiiM9PuWT63FIwGjG9eYlGi-aZMq6CQ2IB475JUxs","scope":"read","token_type":"Bearer","expires_in":3600}',
      accessToken: "JDGiiM9PuWT63FIwGjG9eYlGi-aZMq6CQ2IB475JUxs",
      accessTokenExpiresAt: 1_640_419_200_000,
      accessTokenDuration: 3600,
      grantType: "PASSWORD",
      clientId: 4_326_385_670,
      clientIdAliasUsed: false,
      clientAuthMethod: "TLS_CLIENT_AUTH",
      subject: "john",
      scopes: ["read"],
    },
  },
});
