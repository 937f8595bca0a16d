import type { Pair, Scope } from "../../../contract/members.ts";

/** How a client proves who it is (RFC 7591 §2, RFC 8705 §2), in the API's spelling. */
export type ClientAuthMethod =
  "NONE" | "CLIENT_SECRET_BASIC" | "CLIENT_SECRET_POST" | "TLS_CLIENT_AUTH" | "SELF_SIGNED_TLS_CLIENT_AUTH";

export type GrantType = "AUTHORIZATION_CODE" | "PASSWORD" | "CLIENT_CREDENTIALS" | "REFRESH_TOKEN";

/** A service: one authorization server's settings, under the API's names; durations in seconds. */
export interface ServiceSettings {
  /** The service's id: `serviceId` in v3 paths, the user name of v2 credentials. */
  readonly apiKey: number;
  /** The password of v2 credentials. */
  readonly apiSecret: string;
  /** Service access tokens: the Bearer credentials of the v3 shape. */
  readonly accessTokens: readonly string[];
  readonly serviceName?: string;
  readonly issuer: string;
  readonly supportedScopes: readonly Scope[];
  readonly supportedGrantTypes: readonly GrantType[];
  readonly supportedTokenAuthMethods: readonly ClientAuthMethod[];
  readonly accessTokenType: string;
  readonly accessTokenDuration: number;
  /** The audience of a token whose request names no `resource` (RFC 8707 §2); may be empty. */
  readonly defaultResources: readonly string[];
  /** The resources that a request may name; `undefined`: any absolute URI. */
  readonly supportedResources?: readonly string[];
  readonly tlsClientCertificateBoundAccessTokens: boolean;
  /** `false` only where the front end validates client chains itself, and says so in the configuration. */
  readonly mutualTlsValidatePkiCertChain: boolean;
  /** PEM texts. */
  readonly trustedRootCertificates: readonly string[];
  readonly errorDescriptionOmitted: boolean;
  readonly attributes: readonly Pair[];
}

/** A registered OAuth client, under the API's names. */
export interface ClientSettings {
  readonly clientId: number;
  readonly clientIdAlias?: string;
  readonly clientIdAliasEnabled: boolean;
  readonly clientName?: string;
  readonly clientType: "PUBLIC" | "CONFIDENTIAL";
  readonly clientSecret?: string;
  readonly grantTypes: readonly GrantType[];
  readonly tokenAuthMethod: ClientAuthMethod;
  /** Exactly one of these five with TLS_CLIENT_AUTH (RFC 8705 §2.1.2). */
  readonly tlsClientAuthSubjectDn?: string;
  readonly tlsClientAuthSanDns?: string;
  readonly tlsClientAuthSanUri?: string;
  readonly tlsClientAuthSanIp?: string;
  readonly tlsClientAuthSanEmail?: string;
  /** PEM texts; instead of the service's for this client (RFC 8705 §7.4). */
  readonly trustedRootCertificates?: readonly string[];
  /** A JWK Set (RFC 7517 §5) as JSON text; with SELF_SIGNED_TLS_CLIENT_AUTH its keys carry `x5c`. */
  readonly jwks?: string;
  /** The `kid` of the one key in `jwks` that counts; absent: every key with `x5c` does. */
  readonly selfSignedCertificateKeyId?: string;
  readonly tlsClientCertificateBoundAccessTokens: boolean;
  readonly locked: boolean;
  readonly extension?: {
    readonly requestableScopes?: readonly string[];
    readonly accessTokenDuration?: number;
  };
  readonly attributes: readonly Pair[];
}
