import { z } from "zod";
import * as member from "./members.ts";
import { defineOperation } from "./operation.ts";

const serviceJwksGetRequest = z
  .object({
    includePrivateKeys: member.flag("Whether to include the private keys; the answer is then a secret."),
    pretty: member.flag("Whether to indent the document."),
  })
  .meta({ id: "ServiceJwksGetRequest" });

const serviceJwksGetResponse = z
  .looseObject({ keys: z.array(z.looseObject({ kty: z.string() }).meta({ id: "Jwk", description: "RFC 7517 §4." })) })
  .meta({ id: "ServiceJwksGetResponse", description: "A JWK Set (RFC 7517 §5)." });

export type ServiceJwksGetRequest = z.infer<typeof serviceJwksGetRequest>;
export type ServiceJwksGetResponse = z.infer<typeof serviceJwksGetResponse>;

export const serviceJwksGet = defineOperation({
  operationId: "service_jwks_get_api",
  method: "GET",
  path: "/service/jwks/get",
  caller: "service",
  summary: "The keys of the authorization server",
  description:
    "Returns the JWK Set that the authorization server publishes at its `jwks_uri`, or nothing if it has no keys.",
  request: serviceJwksGetRequest,
  response: serviceJwksGetResponse.optional(),
  idempotent: true,
  example: {
    request: { includePrivateKeys: false, pretty: true },
    response: {
      keys: [
        {
          kty: "EC",
          crv: "P-256",
          kid: "2026-11",
          x: "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",
          y: "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0",
        },
      ],
    },
  },
});
