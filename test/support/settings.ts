import type { ClientSettings, ServiceSettings } from "../../src/backend/engine/settings/settings.ts";
import { type Configuration, processDefaults } from "../../src/backend/configuration/configuration.ts";
import type { TestCertificate } from "./certificates.ts";

/** The service of most tests; whatever matters to a test it says itself. */
export const serviceId = 3_693_555_439;
export const apiSecret = "service-secret-0123456789abcdefghijklmnopqr";
export const serviceAccessToken = "service-access-token-0123456789abcdefghij";

/** A service with binding switched on, and no more. */
export function serviceSettings(settings: Partial<ServiceSettings> = {}): ServiceSettings {
  return {
    apiKey: serviceId,
    apiSecret,
    accessTokens: [serviceAccessToken],
    issuer: "https://as.example.com",
    supportedScopes: [],
    supportedGrantTypes: ["CLIENT_CREDENTIALS"],
    supportedTokenAuthMethods: [
      "NONE",
      "CLIENT_SECRET_BASIC",
      "CLIENT_SECRET_POST",
      "CLIENT_SECRET_JWT",
      "PRIVATE_KEY_JWT",
      "TLS_CLIENT_AUTH",
      "SELF_SIGNED_TLS_CLIENT_AUTH",
    ],
    accessTokenType: "Bearer",
    accessTokenDuration: 3600,
    defaultResources: [],
    tlsClientCertificateBoundAccessTokens: true,
    mutualTlsValidatePkiCertChain: true,
    trustedRootCertificates: [],
    errorDescriptionOmitted: false,
    attributes: [],
    mtlsEndpointAliases: [],
    supportedAcrs: [],
    supportedClaims: [],
    supportedUiLocales: [],
    pkceRequired: false,
    authorizationCodeDuration: 60,
    refreshTokenDuration: 864_000,
    refreshTokenKept: false,
    refreshTokenDurationKept: false,
    refreshTokenDurationReset: false,
    introspectionOfRefreshTokens: false,
    idTokenDuration: 3600,
    allowableClockSkew: 10,
    ...settings,
  };
}

/** A confidential client with a secret whose tokens are bound. */
export function clientSettings(settings: Partial<ClientSettings> & Pick<ClientSettings, "clientId">): ClientSettings {
  const method = settings.tokenAuthMethod ?? "CLIENT_SECRET_BASIC";
  return {
    clientIdAliasEnabled: settings.clientIdAlias !== undefined,
    clientType: method === "NONE" ? "PUBLIC" : "CONFIDENTIAL",
    ...(method.startsWith("CLIENT_SECRET") ? { clientSecret: secretOf(settings.clientId) } : {}),
    grantTypes: ["CLIENT_CREDENTIALS"],
    tokenAuthMethod: method,
    tlsClientCertificateBoundAccessTokens: true,
    locked: false,
    attributes: [],
    redirectUris: [],
    pkceRequired: false,
    idTokenSignAlg: "RS256",
    ...settings,
  };
}

/** The secret that {@link clientSettings} gives a client. */
export function secretOf(clientId: number): string {
  return `secret-of-client-${clientId}-0123456789abcdef`;
}

/** A JWK Set that registers these certificates, one key each (RFC 8705 §2.2.2). */
export function jwksOf(...certificates: readonly TestCertificate[]): string {
  const keys = certificates.map(({ der, keyPair }) => ({
    ...keyPair.publicKey.export({ format: "jwk" }),
    x5c: [der.toString("base64")],
  }));
  return JSON.stringify({ keys });
}

/** A configuration as the backend takes it, in memory unless a file is named. */
export function configurationOf(services: Configuration["services"], more: Partial<Configuration> = {}): Configuration {
  return {
    listen: { host: "127.0.0.1", port: 0, behindTls: false },
    store: { sqlite: ":memory:" },
    secretKey: undefined,
    log: { level: "silent" },
    ...processDefaults,
    services,
    warnings: [],
    ...more,
  };
}
