import { z } from "zod";
import * as member from "./members.ts";
import { defineOperation } from "./operation.ts";

const revocationRequest = z
  .object({
    parameters: member.text("The revocation request as it arrived: the complete form-encoded body (RFC 7009 §2.1)."),
    clientId: member.text("The user id of the request's Basic credentials, form-decoded; overrides `parameters`."),
    clientSecret: member.text("The password of the request's Basic credentials, form-decoded."),
    clientCertificate: member.certificatePem,
    clientCertificatePath: member.texts("The rest of the client's certificate chain, without the leaf, each as PEM."),
    oauthClientAttestation: member.text("Not supported: a request with a value is refused."),
    oauthClientAttestationPop: member.text("Not supported: a request with a value is refused."),
  })
  .meta({ id: "RevocationRequest" });

const revocationResponse = z
  .looseObject({
    ...member.result,
    action: z
      .enum(["INTERNAL_SERVER_ERROR", "INVALID_CLIENT", "BAD_REQUEST", "OK"])
      .describe("What the authorization server does next: 500, 401 or 400, 400, or 200 without a body."),
    responseContent: z.string().describe("The JSON body to send to the client, as text; absent on OK.").optional(),
  })
  .meta({ id: "RevocationResponse" });

export type RevocationRequest = z.infer<typeof revocationRequest>;
export type RevocationResponse = z.infer<typeof revocationResponse>;

export const authRevocation = defineOperation({
  operationId: "auth_revocation_api",
  method: "POST",
  path: "/auth/revocation",
  caller: "service",
  summary: "Process a revocation request (RFC 7009)",
  description:
    "Authenticates the client and revokes its token; an unknown token gets the same answer. After the answer, introspection reports the token as inactive.",
  request: revocationRequest,
  response: revocationResponse,
  v2Type: "revocationResponse",
  idempotent: true,
  unsupported: ["oauthClientAttestation", "oauthClientAttestationPop"],
  example: {
    request: {
      parameters: "token=JDGiiM9PuWT63FIwGjG9eYlGi-aZMq6CQ2IB475JUxs&client_id=4326385670",
      clientCertificate:
        "-----BEGIN CERTIFICATE-----\nMIIBBjCBrAIBAjAKBggqhkjOPQQDAjAPMQ0wCwYD…\n-----END CERTIFICATE-----\n",
    },
    response: {
      resultCode: "A113001",
      resultMessage: "[A113001] The token is unknown, expired or revoked.",
      action: "OK",
    },
  },
});
