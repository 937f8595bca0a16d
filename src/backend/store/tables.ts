import { type Columns, flag, json, octets, optional, scopeList, text, textList, textOf, whole } from "./columns.ts";

/**
 * One description of the columns of each table: selects, inserts, row readers and the types of records follow from it.
 *
 * Instants are milliseconds since 1970, digests are 32 octets. What statements alone use (versions, attempts, numbers of
 * revocations) is not listed here: no record has it.
 */

export const serviceColumns = {
  serviceId: whole,
  /** Changes with the settings. */
  version: whole,
  /** The engine's own JSON text, secrets sealed. */
  settings: text,
} satisfies Columns;

export const clientColumns = { clientId: whole, version: whole, settings: text } satisfies Columns;

/** A service or a client as listed for a comparison with a configuration; it may have been deleted. */
const listedColumns = {
  serviceId: whole,
  /** `false`: it was deleted. */
  present: flag,
  /** `configuration`: the file decides whether it exists. */
  source: text,
  /** Empty when it was deleted. */
  settings: text,
  /** 32 octets that are equal exactly when the settings are; keyed, so that they tell nothing of the secrets. */
  settingsTag: octets,
} satisfies Columns;

export const listedServiceColumns = listedColumns;
export const listedClientColumns = { ...listedColumns, clientId: whole } satisfies Columns;

/** Arbitrary data bound to a token, as the API spells it. */
interface KeptProperty {
  readonly key: string;
  readonly value: string;
  readonly hidden?: boolean | null | undefined;
}

export const accessTokenColumns = {
  digest: octets,
  /** `undefined` for a token without a grant (client credentials): it ends by itself. */
  grantId: optional(text),
  subject: optional(text),
  grantType: text,
  scopes: scopeList,
  resources: textList,
  createdAt: whole,
  expiresAt: whole,
  /** `x5t#S256` of the certificate that the token is bound to. */
  x5tS256: optional(text),
  clientIdAliasUsed: { ...flag, name: "by_alias" },
  properties: optional(json<readonly KeptProperty[]>()),
} satisfies Columns;

export const refreshTokenColumns = {
  digest: octets,
  /** The family that it belongs to. */
  grantId: text,
  scopes: scopeList,
  resources: textList,
  createdAt: whole,
  expiresAt: whole,
  /** `x5t#S256` of the certificate that a public client's token is bound to (RFC 8705 §4). */
  x5tS256: optional(text),
} satisfies Columns;

/** What the tokens of a grant have in common. */
export const grantColumns = {
  subject: optional(text),
  grantType: text,
  clientIdAliasUsed: { ...flag, name: "by_alias" },
  /** The engine's own JSON text: facts that later answers of this grant need. */
  details: optional(text),
} satisfies Columns;

export const ticketColumns = {
  digest: octets,
  /** `authorization`: of `auth/authorization`. `password`: of `auth/token` with the password grant. */
  kind: textOf<"authorization" | "password">(),
  /** The engine's own JSON text. */
  request: text,
  /** The API caller's own text. */
  context: optional(text),
  createdAt: whole,
  expiresAt: whole,
} satisfies Columns;

export const codeColumns = {
  digest: octets,
  /** The grant that its exchange begins; drawn with the code, so that a replay knows what to end. */
  grantId: text,
  subject: text,
  /** As in the request; `undefined` when the request had none. */
  redirectUri: optional(text),
  /** S256 (RFC 7636 §4.2). */
  codeChallenge: optional(text),
  scopes: scopeList,
  resources: textList,
  /** The engine's own JSON text. */
  details: text,
  createdAt: whole,
  expiresAt: whole,
} satisfies Columns;
