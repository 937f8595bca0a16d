/**
 * Entry `certbound/authorization-server`: what an authorization server needs to leave every decision to the backend.
 */
export type { OnBackendFailure } from "./ask-backend.ts";
export type { CertificateOptions } from "./certificate-for-backend.ts";
export type { Endpoint, EndpointAnswer, EndpointRequest } from "./endpoint.ts";
export {
  basicResourceServers,
  introspectionEndpoint,
  type AuthenticateResourceServer,
  type IntrospectionEndpointOptions,
  type ResourceServerIdentity,
} from "./introspection-endpoint.ts";
export { nodeHandler, type Endpoints } from "./node-handler.ts";
export { revocationEndpoint, tokenEndpoint, type ClientEndpointOptions } from "./token-endpoint.ts";
