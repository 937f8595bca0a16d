import { z } from "zod";
import * as member from "./members.ts";
import { defineOperation } from "./operation.ts";

const introspectionRequest = z
  .object({
    token: member.text("The access token as the API received it, without the scheme."),
    scopes: member.texts("Scopes that the token must have, all of them."),
    subject: member.text("The subject that the token must have."),
    clientCertificate: member.certificatePem,
    resources: member.texts("Resources that the token must be for, all of them (RFC 8707)."),
    htm: member.text("The HTTP method of the API request; only used with `dpop`."),
    htu: member.text("The URL of the API request; only used with `dpop`."),
    dpop: member.text("A DPoP proof. Not supported: a request with a value is refused."),
    dpopNonceRequired: member.flag("Not supported: a request with `true` is refused."),
    acrValues: member.texts("Not supported: a request with a value is refused."),
    maxAge: member.duration("Not supported: a request with a value other than 0 is refused."),
    uri: member.text("Not supported: a request with a value is refused."),
    targetUri: member.text("Not supported: a request with a value is refused."),
    message: member.text("Not supported: a request with a value is refused."),
    headers: z.array(member.pair).max(1000).nullish().describe("Not supported: a request with a value is refused."),
    requiredComponents: member.texts("Not supported: a request with a value is refused."),
    requestBodyContained: member.flag("Not supported: a request with `true` is refused."),
  })
  .meta({ id: "IntrospectionRequest" });

const introspectionResponse = z
  .looseObject({
    ...member.result,
    action: z
      .enum(["INTERNAL_SERVER_ERROR", "BAD_REQUEST", "UNAUTHORIZED", "FORBIDDEN", "OK"])
      .describe("What the API does next: 500, 400, 401 or 403 with `responseContent` as WWW-Authenticate, or serve."),
    responseContent: z
      .string()
      .describe("The value of WWW-Authenticate; on OK a value for errors that the API finds later itself.")
      .optional(),
    clientId: member.identifier("The client's number.").optional(),
    clientIdAlias: z.string().optional(),
    clientIdAliasUsed: z.boolean().optional(),
    subject: z.string().describe("The user; absent for client credentials.").optional(),
    scopes: z.array(z.string()).optional(),
    scopeDetails: z.array(member.scope).optional(),
    existent: z.boolean().describe("Whether the token is known.").optional(),
    usable: z.boolean().describe("Whether it has not expired.").optional(),
    sufficient: z.boolean().describe("Whether it has the required scopes; true if none are required.").optional(),
    refreshable: z.boolean().describe("Whether its refresh token can get a new one.").optional(),
    expiresAt: member.milliseconds("When the token expires").optional(),
    expiresIn: member.secondsLeft.optional(),
    properties: z.array(member.property).optional(),
    certificateThumbprint: z
      .string()
      .describe("`x5t#S256` of the certificate that the token is bound to (RFC 8705 §3.1).")
      .optional(),
    accessTokenResources: z.array(z.string()).describe("The resources that the token is for.").optional(),
    serviceAttributes: z.array(member.pair).optional(),
    clientAttributes: z.array(member.pair).optional(),
    grantType: member.grantType.optional(),
    acr: z.string().describe("How the user was authenticated.").optional(),
    authTime: member.seconds("When the user was authenticated, since 1970").optional(),
    consentedClaims: z.array(z.string()).describe("The claims that the user consented to.").optional(),
  })
  .meta({ id: "IntrospectionResponse" });

export type IntrospectionRequest = z.infer<typeof introspectionRequest>;
export type IntrospectionResponse = z.infer<typeof introspectionResponse>;

export const authIntrospection = defineOperation({
  operationId: "auth_introspection_api",
  method: "POST",
  path: "/auth/introspection",
  caller: "service",
  summary: "Decide about an access token",
  description:
    "Decides whether this token, presented with this certificate, gives access to a resource that requires these scopes, this subject and these resources (RFC 6750 §3, RFC 8705 §3).",
  request: introspectionRequest,
  response: introspectionResponse,
  v2Type: "introspectionResponse",
  idempotent: true,
  unsupported: [
    "dpop",
    "dpopNonceRequired",
    "acrValues",
    "maxAge",
    "uri",
    "targetUri",
    "message",
    "headers",
    "requiredComponents",
    "requestBodyContained",
  ],
  example: {
    request: {
      token: "JDGiiM9PuWT63FIwGjG9eYlGi-aZMq6CQ2IB475JUxs",
      scopes: ["read"],
      clientCertificate:
        "-----BEGIN CERTIFICATE-----\nMIIBBjCBrAIBAjAKBggqhkjOPQQDAjAPMQ0wCwYD…\n-----END CERTIFICATE-----\n",
    },
    response: {
      resultCode: "A056001",
      resultMessage: "[A056001] The access token is valid.",
      action: "OK",
      responseContent: 'Bearer error="invalid_request"',
      certificateThumbprint: "A4DtL2JmUMhAsvJj5tKyn64SqzmuXbMrJa0n761y5v0",
      clientId: 4_326_385_670,
      clientIdAliasUsed: false,
      existent: true,
      expiresAt: 1_640_419_200_000,
      expiresIn: 3599.75,
      grantType: "CLIENT_CREDENTIALS",
      refreshable: false,
      scopes: ["read"],
      sufficient: true,
      usable: true,
    },
  },
});
