import { z } from "zod";
import * as member from "./members.ts";
import { defineOperation } from "./operation.ts";

const longestPatch = 65_536;

const members = {
  pretty: member.flag("Whether to indent the document."),
  patch: z
    .string()
    .max(longestPatch)
    .nullish()
    .describe("A JSON Patch (RFC 6902) to apply to the document, as JSON text."),
};

const serviceConfigurationQuery = z.object(members).meta({ id: "ServiceConfigurationQuery" });
const serviceConfigurationRequest = z.object(members).meta({ id: "ServiceConfigurationRequest" });

const serviceConfigurationResponse = z
  .looseObject({})
  .meta({ id: "ServiceConfigurationResponse", description: "Authorization server metadata (RFC 8414 §2)." });

export type ServiceConfigurationRequest = z.infer<typeof serviceConfigurationRequest>;
export type ServiceConfigurationResponse = z.infer<typeof serviceConfigurationResponse>;

const described = {
  path: "/service/configuration",
  caller: "service",
  summary: "The metadata of the authorization server",
  description:
    "Returns the document that the authorization server publishes at `/.well-known/oauth-authorization-server` and `/.well-known/openid-configuration` (RFC 8414, OpenID Connect Discovery, RFC 8705 §3.3 and §5). It has only what is configured and works. A JSON Patch can change it.",
  response: serviceConfigurationResponse,
  idempotent: true,
  example: {
    request: { pretty: true },
    response: {
      issuer: "https://as.example.com",
      token_endpoint: "https://as.example.com/token",
      tls_client_certificate_bound_access_tokens: true,
    },
  },
} as const;

export const serviceConfiguration = defineOperation({
  ...described,
  operationId: "service_configuration_api",
  method: "GET",
  request: serviceConfigurationQuery,
});

/** The same with POST, for patches that are too long for a URL. */
export const serviceConfigurationPost = defineOperation({
  ...described,
  operationId: "service_configuration_api_post",
  method: "POST",
  request: serviceConfigurationRequest,
});
