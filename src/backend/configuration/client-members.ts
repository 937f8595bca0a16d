import { signingAlgorithms } from "../../oauth/registered-names.ts";
import { z } from "zod";
import type { ClientSettings } from "../engine/settings/settings.ts";
import {
  assertionAlgorithms,
  attributes,
  clientAuthMethods,
  duration,
  endpoint,
  flag,
  grantTypeList,
  id,
  redirectUri,
  scopeName,
  visible,
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
