/** Entry `certbound`: what the developer of an API puts in front of it. */
export { ApiError } from "../api-client/introspection-caller.ts";
export type { IntrospectionOperations } from "../api-client/introspection-caller.ts";
export type { ApiConnection } from "../api-client/api-connection.ts";
export { BackendAnswerMalformed } from "../api-client/backend-answer-malformed.ts";
export { BackendUnavailable } from "../api-client/backend-unavailable.ts";
export { BackendUntrusted } from "../api-client/backend-untrusted.ts";
export type { CertificateOfConnection, CertificateSource } from "../client-certificate/certificate-source.ts";
export { tlsSocket } from "../client-certificate/tls-socket.ts";
export { MalformedCertificate } from "../x509/malformed-certificate.ts";
export { type ClientCertificate, readCertificate } from "../x509/read-certificate.ts";
export type { AccessToken } from "./access-token.ts";
export { AccessTokenRefused, type AccessTokenRefusalCode } from "./access-token-refused.ts";
export { createResourceServer } from "./create-resource-server.ts";
export type { RouteRequirement } from "./read-requirement.ts";
export { IntrospectionMalformed } from "./introspection-malformed.ts";
export { IntrospectionUnavailable } from "./introspection-unavailable.ts";
export type { AuthorizeRequest, ResourceServer } from "./resource-server.ts";
export type { CacheOptions } from "./cache-options.ts";
export type { DecisionEvent, OnDecision } from "./decision-event.ts";
export type { Diagnosis } from "./diagnosis.ts";
export type { FactsAnswer, FactsSource } from "./facts-source.ts";
export type { IssuerOptions } from "./issuer-options.ts";
export {
  protectedResourceMetadata,
  type ProtectedResourceMetadata,
  type ProtectedResourceParameters,
} from "./protected-resource-metadata.ts";
export type { ResourceServerOptions } from "./resource-server-options.ts";
