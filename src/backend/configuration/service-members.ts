import { z } from "zod";
import type {
  AssertionAlgorithm,
  ClientAuthMethod,
  ClientSettings,
  GrantType,
  ServiceSettings,
  SigningAlgorithm,
} from "../engine/management/settings.ts";
import { isLoopback } from "./loopback.ts";
import { secretReference, textOrFile } from "./references.ts";

const clientAuthMethods = [
  "NONE",
  "CLIENT_SECRET_BASIC",
  "CLIENT_SECRET_POST",
  "CLIENT_SECRET_JWT",
  "PRIVATE_KEY_JWT",
  "TLS_CLIENT_AUTH",
  "SELF_SIGNED_TLS_CLIENT_AUTH",
] as const satisfies readonly ClientAuthMethod[];

const grantTypes = [
  "AUTHORIZATION_CODE",
  "PASSWORD",
  "CLIENT_CREDENTIALS",
  "REFRESH_TOKEN",
] as const satisfies readonly GrantType[];

const signingAlgorithms = [
  "RS256",
  "RS384",
  "RS512",
  "PS256",
  "PS384",
  "PS512",
  "ES256",
  "ES384",
  "ES512",
  "EdDSA",
] as const satisfies readonly SigningAlgorithm[];

const assertionAlgorithms = [
  ...signingAlgorithms,
  "HS256",
  "HS384",
  "HS512",
] as const satisfies readonly AssertionAlgorithm[];

const id = z.int().positive();
const flag = z.boolean().default(false);
/** Seconds; the bound keeps every instant that is worked out from it an exact number of milliseconds. */
const duration = z.int().positive().max(2_147_483_647);
const grantTypeList = z.array(z.enum(grantTypes)).min(1).default(["CLIENT_CREDENTIALS"]);
const attributes = z.array(z.strictObject({ key: z.string(), value: z.string() }));
const visible = (pattern: RegExp, sentence: string) => z.string().max(255).regex(pattern, sentence);

/** RFC 6749 §3.3. */
const scopeName = visible(
  /^[\x21\x23-\x5b\x5d-\x7e]+$/,
  "must be a scope: visible ASCII without space, quote, backslash",
);

/** RFC 8707 §2. */
const resource = z
  .string()
  .refine((text) => URL.canParse(text) && !text.includes("#"), "must be an absolute URI without a fragment");

/** RFC 8414 §2: the authorization server's endpoints are on https; on one's own machine plain HTTP will do. */
const endpoint = z.string().refine(isEndpoint, "must be an https URL without fragment (http only for loopback)");

const scope = z.strictObject({
  name: scopeName,
  defaultEntry: z.boolean().exactOptional(),
  description: z.string().exactOptional(),
  attributes: attributes.exactOptional(),
});

/** A client's members, under the names of Authlete's API. */
export const clientMembers = z.strictObject({
  clientId: id,
  clientIdAlias: visible(/^[\x20-\x7e]+$/, "must be visible ASCII (RFC 6749 appendix A.1)")
    .refine((alias) => !/^\d+$/.test(alias), "must not be digits only: it would be taken for a clientId")
    .exactOptional(),
  clientIdAliasEnabled: flag,
  clientName: z.string().exactOptional(),
  clientType: z.enum(["PUBLIC", "CONFIDENTIAL"]),
  clientSecret: secretReference.exactOptional(),
  grantTypes: grantTypeList,
  tokenAuthMethod: z.enum(clientAuthMethods),
  tlsClientAuthSubjectDn: z.string().exactOptional(),
  tlsClientAuthSanDns: z.string().exactOptional(),
  tlsClientAuthSanUri: z.string().exactOptional(),
  tlsClientAuthSanIp: z.string().exactOptional(),
  tlsClientAuthSanEmail: z.string().exactOptional(),
  trustedRootCertificates: z.array(textOrFile).min(1).exactOptional(),
  jwks: textOrFile.exactOptional(),
  selfSignedCertificateKeyId: z.string().exactOptional(),
  tlsClientCertificateBoundAccessTokens: flag,
  locked: flag,
  extension: z
    .strictObject({
      requestableScopes: z.array(scopeName).exactOptional(),
      accessTokenDuration: duration.exactOptional(),
      refreshTokenDuration: duration.exactOptional(),
      idTokenDuration: duration.exactOptional(),
    })
    .exactOptional(),
  attributes: attributes.default([]),
  redirectUris: z.array(z.string().max(2000)).default([]),
  pkceRequired: flag,
  jwksUri: z.string().exactOptional(),
  tokenAuthSignAlg: z.enum(assertionAlgorithms).exactOptional(),
  idTokenSignAlg: z.enum(signingAlgorithms).default("RS256"),
} satisfies Record<keyof ClientSettings, z.ZodType>);

/** A service's members, under the names of Authlete's API, and those that only the file has. */
export const serviceMembers = z.strictObject({
  apiKey: id,
  apiSecret: secretReference,
  /** RFC 6750 §2.1 bounds what such a token may look like; checked when it has been read. */
  serviceAccessTokens: z.array(secretReference).default([]),
  serviceName: z.string().exactOptional(),
  issuer: z.string().refine(isIssuer, "must be an https URL without query or fragment (http only for loopback)"),
  supportedScopes: z.array(scope).default([]),
  supportedGrantTypes: grantTypeList,
  supportedTokenAuthMethods: z
    .array(z.enum(clientAuthMethods))
    .min(1)
    .default([...clientAuthMethods]),
  /** RFC 6749 appendix A.13. */
  accessTokenType: visible(/^[A-Za-z0-9._-]+$/, "must be a token type, for example Bearer").default("Bearer"),
  accessTokenDuration: duration.default(3600),
  defaultResources: z.array(resource).default([]),
  supportedResources: z.array(resource).exactOptional(),
  tlsClientCertificateBoundAccessTokens: flag,
  mutualTlsValidatePkiCertChain: z.boolean().default(true),
  /** Not the API's: what the operator vouches for when `mutualTlsValidatePkiCertChain` is false. */
  frontEndValidatesPkiCertChain: flag,
  trustedRootCertificates: z.array(textOrFile).default([]),
  errorDescriptionOmitted: flag,
  attributes: attributes.default([]),
  authorizationEndpoint: endpoint.exactOptional(),
  tokenEndpoint: endpoint.exactOptional(),
  revocationEndpoint: endpoint.exactOptional(),
  introspectionEndpoint: endpoint.exactOptional(),
  userInfoEndpoint: endpoint.exactOptional(),
  jwksUri: endpoint.exactOptional(),
  mtlsEndpointAliases: z.array(z.strictObject({ name: z.string(), uri: endpoint })).default([]),
  serviceDocumentation: endpoint.exactOptional(),
  supportedAcrs: z.array(z.string()).default([]),
  supportedClaims: z.array(z.string()).default([]),
  supportedUiLocales: z.array(z.string()).default([]),
  pkceRequired: flag,
  /** RFC 6749 §4.1.2: ten minutes at most. */
  authorizationCodeDuration: z.int().positive().max(600).default(60),
  refreshTokenDuration: duration.default(864_000),
  refreshTokenKept: flag,
  refreshTokenDurationKept: flag,
  refreshTokenDurationReset: flag,
  jwks: secretReference.exactOptional(),
  accessTokenSignAlg: z.enum(signingAlgorithms).exactOptional(),
  accessTokenSignatureKeyId: z.string().exactOptional(),
  idTokenSignatureKeyId: z.string().exactOptional(),
  introspectionSignatureKeyId: z.string().exactOptional(),
  idTokenDuration: duration.default(3600),
  allowableClockSkew: z.int().min(0).max(60).default(10),
  clients: z.array(clientMembers).default([]),
} satisfies Record<Exclude<keyof ServiceSettings, "accessTokens">, z.ZodType> & Record<string, z.ZodType>);

export type ClientMembers = z.infer<typeof clientMembers>;
export type ServiceMembers = z.infer<typeof serviceMembers>;

/** RFC 8414 §2, with plain HTTP for a server on one's own machine. */
function isIssuer(text: string): boolean {
  return isEndpoint(text) && !text.includes("?");
}

function isEndpoint(text: string): boolean {
  if (!URL.canParse(text) || /[#\s]/.test(text)) return false;
  const { protocol, hostname, username, password } = new URL(text);
  if (username !== "" || password !== "") return false;
  return protocol === "https:" || (protocol === "http:" && isLoopback(hostname.replace(/^\[|\]$/g, "")));
}
