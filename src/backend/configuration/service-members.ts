import { signingAlgorithms } from "../../oauth/registered-names.ts";
import { z } from "zod";
import type { ServiceSettings, ClientSettings } from "../engine/settings/settings.ts";
import {
  attributes,
  clientAuthMethods,
  duration,
  endpoint,
  flag,
  grantTypeList,
  id,
  issuer,
  resource,
  scopeName,
  visible,
  assertionAlgorithms,
  redirectUri,
} from "./member-shapes.ts";
import { secretReference, textOrFile } from "./references.ts";

/** A client's members, under the names of Authlete's API. */
export const clientMembers = z.strictObject({
  clientId: id,
  clientIdAlias: visible(/[\x20-\x7e]/, "must be visible ASCII (RFC 6749 appendix A.1)")
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
  redirectUris: z.array(redirectUri).default([]),
  pkceRequired: flag,
  jwksUri: endpoint.exactOptional(),
  tokenAuthSignAlg: z.enum(assertionAlgorithms).exactOptional(),
  idTokenSignAlg: z.enum(signingAlgorithms).default("RS256"),
} satisfies Record<keyof ClientSettings, z.ZodType>);

export type ClientMembers = z.infer<typeof clientMembers>;

const scope = z.strictObject({
  name: scopeName,
  defaultEntry: z.boolean().exactOptional(),
  description: z.string().exactOptional(),
  attributes: attributes.exactOptional(),
});

/** RFC 8705 §5. */
const alias = z.strictObject({
  name: z
    .string()
    .regex(
      /^[a-z]+(_[a-z]+)*_endpoint$/,
      "must be a member of the metadata that is an endpoint, for example token_endpoint",
    ),
  uri: endpoint,
});

/** A service's members, under the names of Authlete's API, and those that only the file has. */
export const serviceMembers = z.strictObject({
  apiKey: id,
  apiSecret: secretReference,
  /** RFC 6750 §2.1 bounds what such a token may look like; checked when it has been read. */
  serviceAccessTokens: z.array(secretReference).default([]),
  serviceName: z.string().exactOptional(),
  issuer,
  supportedScopes: z.array(scope).default([]),
  supportedGrantTypes: grantTypeList,
  supportedTokenAuthMethods: z
    .array(z.enum(clientAuthMethods))
    .min(1)
    .default([...clientAuthMethods]),
  /** RFC 6749 appendix A.13. */
  accessTokenType: visible(/[A-Za-z0-9._-]/, "must be a token type, for example Bearer").default("Bearer"),
  accessTokenDuration: duration.default(3600),
  defaultResources: z.array(resource).default([]),
  supportedResources: z.array(resource).exactOptional(),
  tlsClientCertificateBoundAccessTokens: flag,
  mutualTlsValidatePkiCertChain: z.boolean().default(true),
  /** Not part of the API: the operator's assurance when `mutualTlsValidatePkiCertChain` is false. */
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
  mtlsEndpointAliases: z.array(alias).default([]),
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
  /** Not the API's: for callers that manage tokens, never for resource servers. */
  introspectionOfRefreshTokens: flag,
  jwks: secretReference.exactOptional(),
  accessTokenSignAlg: z.enum(signingAlgorithms).exactOptional(),
  accessTokenSignatureKeyId: z.string().exactOptional(),
  idTokenSignatureKeyId: z.string().exactOptional(),
  introspectionSignatureKeyId: z.string().exactOptional(),
  idTokenDuration: duration.default(3600),
  allowableClockSkew: z.int().min(0).max(60).default(10),
  clients: z.array(clientMembers).default([]),
} satisfies Record<Exclude<keyof ServiceSettings, "accessTokens">, z.ZodType> & Record<string, z.ZodType>);

export type ServiceMembers = z.infer<typeof serviceMembers>;
