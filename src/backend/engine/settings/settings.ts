import type { Pair, Scope } from "../../../contract/members.ts";
import type {
  ApiName,
  clientAuthenticationMethods,
  grantTypes,
  MacAlgorithm,
  SigningAlgorithm,
} from "../../../oauth/registered-names.ts";

/** How a client proves who it is, in the API's spelling. */
export type ClientAuthMethod = ApiName<(typeof clientAuthenticationMethods)[number]>;

/** The algorithms that a client's assertion may have; those with a secret are for CLIENT_SECRET_JWT. */
export type AssertionAlgorithm = SigningAlgorithm | MacAlgorithm;

export type GrantType = ApiName<(typeof grantTypes)[number]>;

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
  /** The audience of a token whose request has no `resource` (RFC 8707 §2); may be empty. */
  readonly defaultResources: readonly string[];
  /** The resources that a request may name; `undefined`: any absolute URI. */
  readonly supportedResources?: readonly string[];
  readonly tlsClientCertificateBoundAccessTokens: boolean;
  /** `false` only when the front end validates client chains, and the configuration says so. */
  readonly mutualTlsValidatePkiCertChain: boolean;
  /** PEM texts. */
  readonly trustedRootCertificates: readonly string[];
  readonly errorDescriptionOmitted: boolean;
  readonly attributes: readonly Pair[];

  /** Where the authorization server's endpoints are: what `service/configuration` publishes (RFC 8414 §2). */
  readonly authorizationEndpoint?: string;
  readonly tokenEndpoint?: string;
  readonly revocationEndpoint?: string;
  readonly introspectionEndpoint?: string;
  readonly userInfoEndpoint?: string;
  readonly jwksUri?: string;
  /** `name` is a member of the metadata, for example `token_endpoint` (RFC 8705 §5). */
  readonly mtlsEndpointAliases: readonly { readonly name: string; readonly uri: string }[];
  readonly serviceDocumentation?: string;
  readonly supportedAcrs: readonly string[];
  readonly supportedClaims: readonly string[];
  readonly supportedUiLocales: readonly string[];
  /** Demands PKCE of confidential clients too; of public ones it is demanded always (RFC 9700 §2.1.1). */
  readonly pkceRequired: boolean;
  readonly authorizationCodeDuration: number;

  readonly refreshTokenDuration: number;
  /** A refresh returns the same refresh token; otherwise a new one replaces it. */
  readonly refreshTokenKept: boolean;
  /** The new refresh token expires when the old one would have. */
  readonly refreshTokenDurationKept: boolean;
  /** The refresh token that is kept lives on for its whole duration after each use. */
  readonly refreshTokenDurationReset: boolean;
  /** Whether `auth/introspection/standard` reports refresh tokens as active; not part of the API. */
  readonly introspectionOfRefreshTokens: boolean;

  /** A JWK Set with private keys as JSON text: what tokens and signed answers are signed with. A secret. */
  readonly jwks?: string;
  /** Switches JWT access tokens on (RFC 9068). */
  readonly accessTokenSignAlg?: SigningAlgorithm;
  /** The `kid` of the key in `jwks`; without it there is one only that fits. The same of the others. */
  readonly accessTokenSignatureKeyId?: string;
  readonly idTokenSignatureKeyId?: string;
  readonly introspectionSignatureKeyId?: string;
  readonly idTokenDuration: number;
  /** How far the clock of a client that signs an assertion may be off, either way. */
  readonly allowableClockSkew: number;
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
    readonly refreshTokenDuration?: number;
    readonly idTokenDuration?: number;
  };
  readonly attributes: readonly Pair[];

  /** Compared as exact strings, but for the port of a loopback address (RFC 9700 §2.1). */
  readonly redirectUris: readonly string[];
  readonly pkceRequired: boolean;
  /** The URL of the client's JWK Set, instead of `jwks`. */
  readonly jwksUri?: string;
  /** The one algorithm of the client's assertions; absent: every one that fits its method. */
  readonly tokenAuthSignAlg?: AssertionAlgorithm;
  readonly idTokenSignAlg: SigningAlgorithm;
}
