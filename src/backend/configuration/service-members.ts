import { z } from "zod";
import type { ClientAuthMethod, ClientSettings, GrantType, ServiceSettings } from "../engine/management/settings.ts";
import { isLoopback } from "./loopback.ts";
import { secretReference, textOrFile } from "./references.ts";

const clientAuthMethods = [
  "NONE",
  "CLIENT_SECRET_BASIC",
  "CLIENT_SECRET_POST",
  "TLS_CLIENT_AUTH",
  "SELF_SIGNED_TLS_CLIENT_AUTH",
] as const satisfies readonly ClientAuthMethod[];

const grantTypes = [
  "AUTHORIZATION_CODE",
  "PASSWORD",
  "CLIENT_CREDENTIALS",
  "REFRESH_TOKEN",
] as const satisfies readonly GrantType[];

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
    })
    .exactOptional(),
  attributes: attributes.default([]),
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
  clients: z.array(clientMembers).default([]),
} satisfies Record<Exclude<keyof ServiceSettings, "accessTokens">, z.ZodType> & Record<string, z.ZodType>);

export type ClientMembers = z.infer<typeof clientMembers>;
export type ServiceMembers = z.infer<typeof serviceMembers>;

/** RFC 8414 §2, with plain HTTP for a server on one's own machine. */
function isIssuer(text: string): boolean {
  if (!URL.canParse(text) || /[?#\s]/.test(text)) return false;
  const { protocol, hostname, username, password } = new URL(text);
  if (username !== "" || password !== "") return false;
  return protocol === "https:" || (protocol === "http:" && isLoopback(hostname.replace(/^\[|\]$/g, "")));
}
