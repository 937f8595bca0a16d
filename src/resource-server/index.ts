/** Entry `certbound`: protects an API. */
export { ApiError } from "../api-client/introspection-caller.ts";
export type { IntrospectionOperations } from "../api-client/introspection-caller.ts";
export type { ApiConnection } from "../api-client/api-connection.ts";
export { BackendAnswerMalformed, BackendUnavailable, BackendUntrusted } from "../api-client/backend-unavailable.ts";
export type { CertificateOfConnection, CertificateSource } from "../client-certificate/certificate-source.ts";
export { type ApacheOptions, apache } from "../client-certificate/proxies/apache.ts";
export { aspNet } from "../client-certificate/proxies/asp-net.ts";
export { awsAlb, awsAlbPassthrough } from "../client-certificate/proxies/aws-alb.ts";
export {
  azure,
  azureApplicationGateway,
  type AzureApplicationGatewayOptions,
} from "../client-certificate/proxies/azure.ts";
export { caddy, caddyFingerprint } from "../client-certificate/proxies/caddy.ts";
export { cloudflare, cloudflareSha256 } from "../client-certificate/proxies/cloudflare.ts";
export { cloudfront, cloudfrontSha256 } from "../client-certificate/proxies/cloudfront.ts";
export { envoy, type EnvoyOptions } from "../client-certificate/proxies/envoy.ts";
export { gcp, gcpFingerprint } from "../client-certificate/proxies/gcp.ts";
export { gorouter } from "../client-certificate/proxies/gorouter.ts";
export { haproxy, type HaproxyOptions, haproxySha256 } from "../client-certificate/proxies/haproxy.ts";
export { kong, type KongOptions } from "../client-certificate/proxies/kong.ts";
export { nginx } from "../client-certificate/proxies/nginx.ts";
export { rfc9440 } from "../client-certificate/proxies/rfc9440.ts";
export { traefik, type TraefikOptions } from "../client-certificate/proxies/traefik.ts";
export { wso2, type Wso2Options } from "../client-certificate/proxies/wso2.ts";
export type { HeaderFlag, HeaderSourceOptions, NamedHeaderSourceOptions } from "../client-certificate/header-source.ts";
export { tlsSocket } from "../client-certificate/tls-socket.ts";
export { type TrustedProxies, trustedProxies, type TrustedProxy } from "../client-certificate/trusted-proxies.ts";
export type { UnreadableReason } from "../client-certificate/certificate-source.ts";
export { MalformedCertificate } from "../x509/malformed-certificate.ts";
export { type ClientCertificate, readCertificate } from "../x509/read-certificate.ts";
export type { AccessToken, TokenDescription } from "./decision/access-token.ts";
export { AccessTokenRefused, type AccessTokenRefusalCode } from "./refusal/access-token-refused.ts";
export { createResourceServer } from "./resource-server.ts";
export type { RouteRequirement } from "./decision/read-requirement.ts";
export { IntrospectionMalformed, IntrospectionUnavailable } from "./refusal/introspection-unavailable.ts";
export { SetupFailure } from "./setup/setup-cause.ts";
export type { AuthorizeRequest, RefuseDetails, ResourceServer } from "./resource-server.ts";
export type { CacheOptions } from "./issuer-options.ts";
export type { DecisionEvent, OnDecision } from "./observers/decision-events.ts";
export type { Check, Diagnosis } from "./refusal/diagnosis.ts";
export type { InvalidationMessage, OpenInvalidationEvents } from "../api-client/introspection-caller.ts";
export type { ActiveTokenFacts, InactiveTokenFacts } from "../oauth/access-token-decision.ts";
export type { Confirmation } from "../oauth/confirmation.ts";
export { readTokenFacts } from "./sources/checked-source.ts";
export type { FactsAnswer, FactsSource } from "./sources/facts-source.ts";
export type { ActiveRecord, InactiveRecord, TokenRecord } from "./sources/introspection-answer.ts";
export type { IssuerOptions } from "./issuer-options.ts";
export type { QuestionLimits } from "./cache/question-queue.ts";
export {
  protectedResourceMetadata,
  type ProtectedResourceMetadata,
  type ProtectedResourceParameters,
} from "./protected-resource-metadata.ts";
export type { ResourceServerOptions } from "./resource-server-options.ts";
export type { Warning } from "./environment.ts";
export { introspectionEndpoint } from "./sources/introspection-source.ts";
export type { ClientAuthentication } from "./sources/client-authentication.ts";
export type { DialectName, Tolerances } from "./sources/dialects.ts";
export type { IntrospectionEndpointOptions } from "./sources/introspection-source.ts";
export type { IssuerConnectionOptions } from "./sources/issuer-connection.ts";
export type { IssuerKeysOptions } from "./sources/issuer-keys.ts";
export { jwtAccessTokens, type JwtAccessTokensOptions } from "./sources/jwt-access-tokens.ts";
export type { SignedAnswerOptions } from "./sources/signed-answer.ts";
