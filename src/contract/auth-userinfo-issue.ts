import { z } from "zod";
import * as member from "./members.ts";
import { defineOperation } from "./operation.ts";

const userInfoIssueRequest = z
  .object({
    token: member.text("The access token of the userinfo request."),
    claims: member.text("The claims about the user, as JSON text of an object. A member `sub` is ignored."),
    sub: z
      .string()
      .max(255)
      .nullish()
      .describe("The `sub` of the answer; default: that of the ID token. At most 255 characters."),
    claimsForTx: member.text("Not supported: a request with a value is refused."),
    verifiedClaimsForTx: member.texts("Not supported: a request with a value is refused."),
    requestSignature: member.text("Not supported: a request with a value is refused."),
    headers: z.array(member.pair).max(1000).nullish().describe("Not supported: a request with a value is refused."),
  })
  .meta({ id: "UserInfoIssueRequest" });

const userInfoIssueResponse = z
  .looseObject({
    ...member.result,
    action: z
      .enum(["INTERNAL_SERVER_ERROR", "BAD_REQUEST", "UNAUTHORIZED", "FORBIDDEN", "JSON"])
      .describe(
        "What the userinfo endpoint does next: 500, 400, 401 or 403 with `responseContent` as WWW-Authenticate, or 200 with it as `application/json`.",
      ),
    responseContent: z
      .string()
      .describe("The claims as JSON text (OpenID Connect Core §5.3.2), or the value of WWW-Authenticate.")
      .optional(),
  })
  .meta({ id: "UserInfoIssueResponse" });

export type UserInfoIssueRequest = z.infer<typeof userInfoIssueRequest>;
export type UserInfoIssueResponse = z.infer<typeof userInfoIssueResponse>;

export const authUserinfoIssue = defineOperation({
  operationId: "auth_userinfo_issue_api",
  method: "POST",
  path: "/auth/userinfo/issue",
  caller: "service",
  summary: "Answer a userinfo request (OpenID Connect Core §5.3.2)",
  description:
    "Creates the response of the userinfo endpoint. The token is checked again, but not its certificate, which `auth/userinfo` has checked: always call that first.",
  request: userInfoIssueRequest,
  response: userInfoIssueResponse,
  v2Type: "userInfoIssueResponse",
  idempotent: true,
  unsupported: ["claimsForTx", "verifiedClaimsForTx", "requestSignature", "headers"],
  example: {
    request: {
      token: "JDGiiM9PuWT63FIwGjG9eYlGi-aZMq6CQ2IB475JUxs",
      claims: '{"email":"user@example.com","email_verified":true}',
    },
    response: {
      resultCode: "A096001",
      resultMessage: "[A096001] The userinfo response was created.",
      action: "JSON",
      responseContent: '{"sub":"user-1","email":"user@example.com","email_verified":true}',
    },
  },
});
