import { randomBytes } from "node:crypto";
import type { FactsSource } from "./sources/facts-source.ts";
import { createIntrospectionEndpoint, type IntrospectionEndpointOptions } from "./sources/introspection-endpoint.ts";

/**
 * Facts from any introspection endpoint (RFC 7662): by its `url`, or by the `issuer` whose metadata names it (RFC 8414).
 *
 * Only what the endpoint says counts: any other status than 200, another media type, a redirect, an answer that is cut
 * or late are an outage, and never "not active". Throws a `TypeError` with a `code` for wrong options.
 *
 * @example const clientAuthentication = { method: "client_secret_basic", clientId: "api", clientSecret } as const;
 * createResourceServer({ source: introspectionEndpoint({ url, clientAuthentication, dialect: "wso2" }) })
 */
export function introspectionEndpoint(options: IntrospectionEndpointOptions): FactsSource {
  return createIntrospectionEndpoint(options, { clock: Date.now, randomBytes });
}
