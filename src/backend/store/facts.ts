import type { StoredAccessToken, StoredClient, StoredRefreshToken, StoredService } from "./store.ts";

/**
 * The reads, in the one SQL text that every driver runs.
 *
 * A deleted service or client stays as a row that is not `present`, with a `first_version` above all the versions it
 * had: tokens carry the versions they were issued under, so those issued before a deletion are void for good, also
 * after the same id has come back.
 */

const standsWith = (token: string): string => `
  JOIN service s ON s.service_id = ${token}.service_id AND s.present = 1 AND s.first_version <= ${token}.service_version
  JOIN client c ON c.service_id = ${token}.service_id AND c.client_id = ${token}.client_id
    AND c.present = 1 AND c.first_version <= ${token}.client_version`;

/** An access token in force, as `t`: `$1` the service, `$2` the digest. */
export const accessTokenInForce = `
  FROM access_token t ${standsWith("t")}
  WHERE t.service_id = $1 AND t.digest = $2 AND t.ended_at IS NULL
    AND (t.grant_id IS NULL OR EXISTS (
      SELECT 1 FROM token_grant g
      WHERE g.service_id = t.service_id AND g.grant_id = t.grant_id AND g.ended_at IS NULL))`;

export const factQueries = {
  service: `
    SELECT service_id, version, settings FROM service WHERE service_id = $1 AND present = 1`,
  clientById: `
    SELECT c.client_id, c.version, c.settings, s.version AS service_version
    FROM client c JOIN service s ON s.service_id = c.service_id
    WHERE c.service_id = $1 AND c.client_id = $2 AND c.present = 1 AND s.present = 1`,
  clientByAlias: `
    SELECT c.client_id, c.version, c.settings, s.version AS service_version
    FROM client c JOIN service s ON s.service_id = c.service_id
    WHERE c.service_id = $1 AND c.client_id_alias = $2 AND c.present = 1 AND s.present = 1`,
  accessToken: `
    SELECT t.client_id, t.grant_id, t.subject, t.scopes, t.resources, t.created_at, t.expires_at,
      t.grant_type, t.x5t_s256, t.client_id_alias_used, t.properties,
      c.version AS client_version, s.version AS service_version
    ${accessTokenInForce}`,
  refreshToken: `
    SELECT r.client_id, r.grant_id, g.subject, r.scopes, r.resources, r.created_at, r.expires_at,
      c.version AS client_version, s.version AS service_version
    FROM refresh_token r ${standsWith("r")}
    JOIN token_grant g ON g.service_id = r.service_id AND g.grant_id = r.grant_id AND g.ended_at IS NULL
    WHERE r.service_id = $1 AND r.digest = $2`,
} as const;

export interface ServiceRow {
  readonly service_id: number;
  readonly version: number;
  readonly settings: string;
}

export interface ClientRow {
  readonly client_id: number;
  readonly version: number;
  readonly settings: string;
  readonly service_version: number;
}

interface TokenRow {
  readonly client_id: number;
  readonly subject: string | null;
  readonly scopes: string;
  readonly resources: string;
  readonly created_at: number;
  readonly expires_at: number;
  readonly client_version: number;
  readonly service_version: number;
}

export interface AccessTokenRow extends TokenRow {
  readonly grant_id: string | null;
  readonly grant_type: string;
  readonly x5t_s256: string | null;
  readonly client_id_alias_used: number;
  readonly properties: string | null;
}

export interface RefreshTokenRow extends TokenRow {
  readonly grant_id: string;
}

export function serviceOfRow(row: ServiceRow): StoredService {
  return { serviceId: row.service_id, version: row.version, settings: row.settings };
}

export function clientOfRow(row: ClientRow): StoredClient {
  return {
    clientId: row.client_id,
    version: row.version,
    settings: row.settings,
    serviceVersion: row.service_version,
  };
}

export function accessTokenOfRow(digest: Uint8Array, row: AccessTokenRow): StoredAccessToken {
  return {
    digest,
    clientId: row.client_id,
    grantId: row.grant_id ?? undefined,
    subject: row.subject ?? undefined,
    scopes: readScopes(row.scopes),
    resources: readResources(row.resources),
    createdAt: row.created_at,
    expiresAt: row.expires_at,
    grantType: row.grant_type,
    x5tS256: row.x5t_s256 ?? undefined,
    clientIdAliasUsed: row.client_id_alias_used === 1,
    properties: row.properties ?? undefined,
    details: undefined,
    refreshTokenExpiresAt: undefined,
    clientVersion: row.client_version,
    serviceVersion: row.service_version,
  };
}

export function refreshTokenOfRow(digest: Uint8Array, row: RefreshTokenRow): StoredRefreshToken {
  return {
    digest,
    clientId: row.client_id,
    grantId: row.grant_id,
    subject: row.subject ?? undefined,
    scopes: readScopes(row.scopes),
    resources: readResources(row.resources),
    createdAt: row.created_at,
    expiresAt: row.expires_at,
    grantType: "AUTHORIZATION_CODE",
    x5tS256: undefined,
    clientIdAliasUsed: false,
    details: undefined,
    consumption: undefined,
    clientVersion: row.client_version,
    serviceVersion: row.service_version,
  };
}

/** RFC 6749 §3.3: scope values hold no space, so a space joins them without loss. */
export function writeScopes(scopes: readonly string[]): string {
  return scopes.join(" ");
}

function readScopes(text: string): string[] {
  return text === "" ? [] : text.split(" ");
}

const noResources = "[]";

export function writeResources(resources: readonly string[]): string {
  return resources.length === 0 ? noResources : JSON.stringify(resources);
}

function readResources(text: string): string[] {
  return text === noResources ? [] : (JSON.parse(text) as string[]);
}
