/**
 * Entry `certbound/authorization-server`: the endpoints of an authorization server whose decisions the backend makes.
 */
export type { OnBackendFailure } from "./ask-backend.ts";
export { authorizationEndpoint } from "./authorization-endpoint.ts";
export type { CertificateOfConnection, CertificateSource } from "../client-certificate/certificate-source.ts";
export type { CallOptions, Operations } from "../contract/operations.ts";
export type { CertificateOptions } from "./certificate-for-backend.ts";
export {
  discoveryEndpoint,
  jwksEndpoint,
  type DiscoveryEndpointOptions,
  type JwksEndpointOptions,
} from "./discovery-endpoint.ts";
export type { BrowserRequest, Endpoint, EndpointAnswer, EndpointRequest } from "./endpoint.ts";
export { html, type Html, type HtmlValue } from "./interaction/html.ts";
export type { Consents } from "./interaction/interaction-flow.ts";
export type { Consent } from "./interaction/next-step.ts";
export type { AuthorizationEndpointOptions } from "./authorization-endpoint.ts";
export type { ClientView, ConsentView, LoginView, MessageView, Page, Pages, ScopeView } from "./interaction/pages.ts";
export {
  basicResourceServers,
  introspectionEndpoint,
  type AuthenticateResourceServer,
  type IntrospectionEndpointOptions,
  type ResourceServerIdentity,
} from "./serve-introspection.ts";
export { forwardedAddress, type AddressSource, type ForwardedAddressOptions } from "./client-address.ts";
export { nodeHandler, type Endpoints, type NodeHandlerOptions } from "./node-handler.ts";
export type { PasswordGrantOptions } from "./token-endpoint.ts";
export {
  revocationEndpoint,
  tokenEndpoint,
  type ClientEndpointOptions,
  type RevocationEndpointOptions,
  type TokenEndpointOptions,
} from "./token-endpoint.ts";
export { serverTimeouts } from "../serving/server-timeouts.ts";
export type { ClientRefusal, OnClientRefusal } from "./tell-refusal.ts";
export { userInfoEndpoint, type UserInfoEndpointOptions } from "./user-info-endpoint.ts";
export type { AuthenticatedUser, AuthenticateUser, ClaimsOfUser, LoginAttempt, TryLater, Users } from "./users.ts";
