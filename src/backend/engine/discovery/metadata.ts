import type {
  ServiceConfigurationRequest,
  ServiceConfigurationResponse,
} from "../../../contract/service-configuration.ts";
import type { ServiceJwksGetRequest, ServiceJwksGetResponse } from "../../../contract/service-jwks-get.ts";
import {
  macAlgorithms,
  mtlsEndpoints,
  type SigningAlgorithm,
  signingAlgorithms,
} from "../../../oauth/registered-names.ts";
import { isSet } from "../../../oauth/json-object.ts";
import type { Service } from "../settings/service-and-client.ts";
import type { AssertionAlgorithm, ClientAuthMethod, ServiceSettings } from "../settings/settings.ts";
import { chooseSigningKey } from "../settings/signing-keys.ts";
import { patchDocument } from "./patch-document.ts";

/** The algorithms for assertions of each method (RFC 7523 §2.2, OpenID Connect Core §9). */
const assertionAlgorithms: Partial<Record<ClientAuthMethod, readonly AssertionAlgorithm[]>> = {
  PRIVATE_KEY_JWT: signingAlgorithms,
  CLIENT_SECRET_JWT: macAlgorithms,
};

/**
 * The metadata of the authorization server (RFC 8414 §2, OpenID Connect Discovery §3, RFC 8705 §3.3 and §5).
 *
 * It lists only what is configured and works; empty lists are left out (RFC 8414 §3.2). Authentication of resource
 * servers at the introspection endpoint is the front end's task, so it is not listed.
 */
function createMetadata(service: Service): Readonly<Record<string, unknown>> {
  const { settings } = service;
  const members = {
    issuer: settings.issuer,
    ...endpoints(service),
    scopes_supported: settings.supportedScopes.map(({ name }) => name),
    grant_types_supported: settings.supportedGrantTypes.map((name) => name.toLowerCase()),
    ...clientAuthentication(settings, "token"),
    ...(settings.revocationEndpoint !== undefined && clientAuthentication(settings, "revocation")),
    ...(settings.supportedGrantTypes.includes("AUTHORIZATION_CODE") && authorizationRequests(settings)),
    ...openid(service),
    introspection_signing_alg_values_supported:
      settings.introspectionEndpoint === undefined
        ? []
        : usableAlgorithms(service, settings.introspectionSignatureKeyId),
    ...(settings.tlsClientCertificateBoundAccessTokens && { tls_client_certificate_bound_access_tokens: true }),
    mtls_endpoint_aliases: mtlsEndpointAliases(settings),
    ui_locales_supported: settings.supportedUiLocales,
    service_documentation: settings.serviceDocumentation,
  };
  return Object.fromEntries(Object.entries(members).filter(([, value]) => saysSomething(value)));
}

function saysSomething(value: unknown): boolean {
  if (value === undefined) return false;
  return typeof value !== "object" || value === null || Object.keys(value).length > 0;
}

function endpoints({ settings, signingKeys }: Service) {
  return {
    authorization_endpoint: settings.authorizationEndpoint,
    token_endpoint: settings.tokenEndpoint,
    userinfo_endpoint: settings.userInfoEndpoint,
    revocation_endpoint: settings.revocationEndpoint,
    introspection_endpoint: settings.introspectionEndpoint,
    // Without keys, the endpoint would have an empty set.
    jwks_uri: signingKeys.keys.length === 0 ? undefined : settings.jwksUri,
  };
}

function clientAuthentication(
  { supportedTokenAuthMethods: methods }: ServiceSettings,
  endpoint: "token" | "revocation",
) {
  return {
    [`${endpoint}_endpoint_auth_methods_supported`]: methods.map((method) => method.toLowerCase()),
    [`${endpoint}_endpoint_auth_signing_alg_values_supported`]: methods.flatMap(
      (method) => assertionAlgorithms[method] ?? [],
    ),
  };
}

function authorizationRequests({ supportedAcrs, supportedClaims }: ServiceSettings) {
  return {
    response_types_supported: ["code"],
    response_modes_supported: ["query", "form_post"],
    code_challenge_methods_supported: ["S256"],
    authorization_response_iss_parameter_supported: true,
    acr_values_supported: supportedAcrs,
    claims_supported: supportedClaims,
    claims_parameter_supported: true,
    request_parameter_supported: false,
    // Of this one the default is true (OpenID Connect Discovery §3).
    request_uri_parameter_supported: false,
  };
}

/** ID tokens need a user, the scope `openid` and a key. */
function openid(service: Service) {
  const { supportedGrantTypes, supportedScopes, idTokenSignatureKeyId } = service.settings;
  const ofUsers = supportedGrantTypes.includes("AUTHORIZATION_CODE") || supportedGrantTypes.includes("PASSWORD");
  if (!ofUsers || !supportedScopes.some(({ name }) => name === "openid")) return {};
  const algorithms = usableAlgorithms(service, idTokenSignatureKeyId);
  if (algorithms.length === 0) return {};
  return { subject_types_supported: ["public"], id_token_signing_alg_values_supported: algorithms };
}

function usableAlgorithms({ signingKeys }: Service, keyId: string | undefined): SigningAlgorithm[] {
  return signingAlgorithms.filter((alg) => chooseSigningKey(signingKeys, alg, keyId) !== undefined);
}

function mtlsEndpointAliases({ mtlsEndpointAliases: aliases }: ServiceSettings): Readonly<Record<string, string>> {
  return Object.fromEntries(aliases.filter(({ name }) => mtlsEndpoints.has(name)).map(({ name, uri }) => [name, uri]));
}

/** The metadata of the authorization server, with the caller's patch applied if there is one. */
export async function configurationOfService(
  service: Service,
  { patch }: ServiceConfigurationRequest,
): Promise<ServiceConfigurationResponse> {
  const metadata = createMetadata(service);
  return isSet(patch) ? patchDocument(metadata, patch) : metadata;
}

/** The service's keys as a JWK Set; `undefined` for a service without keys. Private keys only if the request asks for them. */
export function jwksOfService(
  { settings, signingKeys }: Service,
  { includePrivateKeys }: ServiceJwksGetRequest,
): ServiceJwksGetResponse | undefined {
  if (signingKeys.keys.length === 0) return undefined;
  if (includePrivateKeys !== true || settings.jwks === undefined) return copyOf(signingKeys.publicJwks);
  return JSON.parse(settings.jwks) as ServiceJwksGetResponse;
}

/** The memo's own object: callers must not change it. */
function copyOf(jwks: Service["signingKeys"]["publicJwks"]): ServiceJwksGetResponse {
  return structuredClone(jwks) as unknown as ServiceJwksGetResponse;
}
