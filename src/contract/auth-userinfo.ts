import { z } from "zod";
import * as member from "./members.ts";
import { defineOperation } from "./operation.ts";

const userInfoRequest = z
  .object({
    token: member.text("The access token as the userinfo endpoint received it, without the scheme."),
    clientCertificate: member.certificatePem,
    htm: member.text("The HTTP method of the userinfo request; only used with `dpop`."),
    htu: member.text("The URL of the userinfo endpoint; only used with `dpop`."),
    dpop: member.text("A DPoP proof. Not supported: a request with a value is refused."),
    dpopNonceRequired: member.flag("Not supported: a request with `true` is refused."),
    uri: member.text("Not supported: a request with a value is refused."),
    targetUri: member.text("Not supported: a request with a value is refused."),
    message: member.text("Not supported: a request with a value is refused."),
    headers: z.array(member.pair).max(1000).nullish().describe("Not supported: a request with a value is refused."),
    requestBodyContained: member.flag("Not supported: a request with `true` is refused."),
  })
  .meta({ id: "UserInfoRequest" });

const userInfoResponse = z
  .looseObject({
    ...member.result,
    action: z
      .enum(["INTERNAL_SERVER_ERROR", "BAD_REQUEST", "UNAUTHORIZED", "FORBIDDEN", "OK"])
      .describe(
        "What the userinfo endpoint does next: 500, 400, 401 or 403 with `responseContent` as WWW-Authenticate; for OK it collects the claims and calls `auth/userinfo/issue`.",
      ),
    responseContent: z.string().describe("The value of WWW-Authenticate; absent on OK.").optional(),
    token: z.string().describe("The token of the request.").optional(),
    subject: z.string().describe("The user.").optional(),
    scopes: z.array(z.string()).optional(),
    claims: z
      .array(z.string())
      .describe("The names of the requested claims, by scopes and by the parameter `claims`.")
      .optional(),
    userInfoClaims: z
      .string()
      .describe("The `userinfo` part of the parameter `claims`, as JSON text (OpenID Connect Core §5.5).")
      .optional(),
    consentedClaims: z.array(z.string()).describe("The claims that the user has consented to.").optional(),
    clientId: member.identifier("The client's number.").optional(),
    clientIdAlias: z.string().optional(),
    clientIdAliasUsed: z.boolean().optional(),
    properties: z.array(member.property).optional(),
    serviceAttributes: z.array(member.pair).optional(),
    clientAttributes: z.array(member.pair).optional(),
  })
  .meta({ id: "UserInfoResponse" });

export type UserInfoRequest = z.infer<typeof userInfoRequest>;
export type UserInfoResponse = z.infer<typeof userInfoResponse>;

export const authUserinfo = defineOperation({
  operationId: "auth_userinfo_api",
  method: "POST",
  path: "/auth/userinfo",
  caller: "service",
  summary: "Process a userinfo request (OpenID Connect Core §5.3.1)",
  description:
    "Decides whether this token, presented with this certificate, gives access to the userinfo endpoint (RFC 8705 §3), and returns the user and the requested claims.",
  request: userInfoRequest,
  response: userInfoResponse,
  v2Type: "userInfoResponse",
  idempotent: true,
  unsupported: ["dpop", "dpopNonceRequired", "uri", "targetUri", "message", "headers", "requestBodyContained"],
  example: {
    request: {
      token: "JDGiiM9PuWT63FIwGjG9eYlGi-aZMq6CQ2IB475JUxs",
      clientCertificate:
        "-----BEGIN CERTIFICATE-----\nMIIBBjCBrAIBAjAKBggqhkjOPQQDAjAPMQ0wCwYD…\n-----END CERTIFICATE-----\n",
    },
    response: {
      resultCode: "A091001",
      resultMessage: "[A091001] The access token is accepted at the userinfo endpoint.",
      action: "OK",
      token: "JDGiiM9PuWT63FIwGjG9eYlGi-aZMq6CQ2IB475JUxs",
      subject: "user-1",
      scopes: ["openid", "email"],
      claims: ["email", "email_verified"],
      clientId: 4_326_385_670,
      clientIdAliasUsed: false,
    },
  },
});
