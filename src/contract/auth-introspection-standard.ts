import { z } from "zod";
import { signingAlgorithms } from "../oauth/registered-names.ts";
import * as member from "./members.ts";
import { defineOperation } from "./operation.ts";

const standardIntrospectionRequest = z
  .object({
    parameters: member.text("The introspection request as it arrived: the complete form-encoded body (RFC 7662 §2.1)."),
    withHiddenProperties: member.flag("Whether the answer includes hidden properties."),
    rsUri: member.text(
      "The URI of the resource server, which the caller has authenticated. A token for other resource servers is then inactive (RFC 7662 §4), and so is any refresh token. Required for a signed answer, as its `aud`.",
    ),
    httpAcceptHeader: member.text(
      "The Accept header of the introspection request. If it prefers `application/token-introspection+jwt`, the answer is signed (RFC 9701 §4).",
    ),
    introspectionSignAlg: z
      .enum([...signingAlgorithms, ""])
      .nullish()
      .describe("The algorithm of a signed answer; default RS256. The service must have a key for it."),
    introspectionEncryptionAlg: member.text("Not supported: a request with a value is refused."),
    introspectionEncryptionEnc: member.text("Not supported: a request with a value is refused."),
    sharedKeyForSign: member.text("Not supported: a request with a value is refused."),
    sharedKeyForEncryption: member.text("Not supported: a request with a value is refused."),
    publicKeyForEncryption: member.text("Not supported: a request with a value is refused."),
  })
  .meta({ id: "StandardIntrospectionRequest" });

export const standardIntrospectionResponse = z
  .looseObject({
    ...member.result,
    action: z
      .enum(["INTERNAL_SERVER_ERROR", "BAD_REQUEST", "OK", "JWT"])
      .describe(
        "What the authorization server does next: 500, 400 or 200, each with `responseContent` as JSON body; for JWT 200 with it as `application/token-introspection+jwt`.",
      ),
    responseContent: z
      .string()
      .describe("The body to send to the resource server, as text: JSON (RFC 7662 §2.2), or a JWT (RFC 9701 §5).")
      .optional(),
    invalidationKeys: z
      .array(z.string())
      .describe("An invalidation event with one of these keys invalidates this answer.")
      .optional(),
    expiresIn: member.secondsLeft.optional(),
  })
  .meta({ id: "StandardIntrospectionResponse" });

export type StandardIntrospectionRequest = z.infer<typeof standardIntrospectionRequest>;
export type StandardIntrospectionResponse = z.infer<typeof standardIntrospectionResponse>;

export const authIntrospectionStandard = defineOperation({
  operationId: "auth_introspection_standard_api",
  method: "POST",
  path: "/auth/introspection/standard",
  caller: "service",
  summary: "Process an introspection request (RFC 7662, RFC 9701)",
  description:
    "Returns the facts about a token (RFC 7662), including `cnf` (RFC 8705 §3.2). It checks no certificate: the resource server compares the thumbprint. The caller authenticates the resource server. A refresh token is inactive unless the service has `introspectionOfRefreshTokens`.",
  request: standardIntrospectionRequest,
  response: standardIntrospectionResponse,
  v2Type: "standardIntrospectionResponse",
  idempotent: true,
  unsupported: [
    "introspectionEncryptionAlg",
    "introspectionEncryptionEnc",
    "sharedKeyForSign",
    "sharedKeyForEncryption",
    "publicKeyForEncryption",
  ],
  example: {
    request: { parameters: "token=JDGiiM9PuWT63FIwGjG9eYlGi-aZMq6CQ2IB475JUxs" },
    response: {
      resultCode: "A145001",
      resultMessage: "[A145001] Introspection was performed successfully (type=access_token, active=true).",
      action: "OK",
      responseContent:
        '{"active":true,"scope":"read","iss":"https://as.example.com","cnf":{"x5t#S256":"A4DtL2JmUMhAsvJj5tKyn64SqzmuXbMrJa0n761y5v0"},"token_type":"Bearer","iat":1640415600,"exp":1640419200,"client_id":"4326385670"}',
      invalidationKeys: [
        "token:bwcK0esc3ACC3DB2Y5_lESsXE8o9ltc05O89jdN-dg2",
        "client:3693555439:4326385670",
        "service:3693555439",
      ],
      expiresIn: 3599.75,
    },
  },
});
