import type { StoredAccessToken, StoredRefreshToken } from "../store.ts";
import { notRevoked, standsWith } from "./standing.ts";
import { readResources, readScopes } from "./statement.ts";

const accessTokenColumns = `
  t.client_id, t.grant_id, t.subject, t.scopes, t.resources, t.created_at, t.expires_at,
  t.grant_type, t.x5t_s256, t.by_alias, t.properties, g.details,
  c.version AS client_version, s.version AS service_version`;

/** A token that stands alone joins nothing: a look-up by no grant is none. */
const accessTokenWithGrant = `
  FROM access_token t ${standsWith("t")}
  LEFT JOIN token_grant g ON g.service_id = t.service_id AND g.grant_id = t.grant_id
  LEFT JOIN refresh_token r ON r.service_id = t.service_id AND r.grant_id = t.grant_id AND r.consumed_at IS NULL`;

/** Tokens of a grant are ended by what ends their grant. */
export const inForce = `
  t.ended_at IS NULL AND (t.grant_id IS NULL AND ${notRevoked("t")}
    OR g.grant_id IS NOT NULL AND g.ended_at IS NULL AND ${notRevoked("g")})`;

/** The reads of single tokens. One for each form of an access token: each is one look-up in a tree of digests. */
export const tokenQueries = {
  accessToken: `
    SELECT ${accessTokenColumns}, r.expires_at AS refresh_expires_at
    ${accessTokenWithGrant} WHERE t.service_id = $1 AND t.digest = $2 AND ${inForce}`,
  accessTokenByJwt: `
    SELECT t.digest, ${accessTokenColumns}, r.expires_at AS refresh_expires_at
    ${accessTokenWithGrant} WHERE t.service_id = $1 AND t.jwt_digest = $2 AND ${inForce}`,
  // A successor that is gone has expired: whoever has it cannot use it first any more.
  refreshToken: `
    SELECT r.client_id, r.grant_id, g.subject, r.scopes, r.resources, r.created_at, r.expires_at, r.x5t_s256,
      r.consumed_at, r.sealed_answer, g.grant_type, g.by_alias, g.details,
      CASE WHEN n.digest IS NULL OR n.used_by IS NOT NULL THEN 1 ELSE 0 END AS successor_used,
      c.version AS client_version, s.version AS service_version
    FROM refresh_token r ${standsWith("r")}
    JOIN token_grant g ON g.service_id = r.service_id AND g.grant_id = r.grant_id AND g.ended_at IS NULL
    LEFT JOIN refresh_token n ON n.digest = r.successor_digest
    WHERE r.service_id = $1 AND r.digest = $2 AND ${notRevoked("g")}`,
  /** What lists say besides. */
  listedToken: `
    SELECT ${accessTokenColumns}, r.digest AS refresh_digest, r.scopes AS refresh_scopes,
      r.expires_at AS refresh_expires_at, g.last_refreshed_at
    ${accessTokenWithGrant} WHERE t.service_id = $1 AND t.digest = $2 AND ${inForce}`,
} as const;

interface TokenRow {
  readonly client_id: number;
  readonly subject: string | null;
  readonly scopes: string;
  readonly resources: string;
  readonly created_at: number;
  readonly expires_at: number;
  readonly grant_type: string;
  readonly x5t_s256: string | null;
  readonly by_alias: number;
  readonly details: string | null;
  readonly client_version: number;
  readonly service_version: number;
}

export interface AccessTokenRow extends TokenRow {
  readonly grant_id: string | null;
  readonly properties: string | null;
  readonly refresh_expires_at: number | null;
}

export interface AccessTokenByJwtRow extends AccessTokenRow {
  readonly digest: Uint8Array;
}

export interface RefreshTokenRow extends TokenRow {
  readonly grant_id: string;
  readonly consumed_at: number | null;
  readonly sealed_answer: Uint8Array | null;
  readonly successor_used: number;
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
    clientIdAliasUsed: row.by_alias === 1,
    properties: row.properties ?? undefined,
    details: row.details ?? undefined,
    refreshTokenExpiresAt: row.refresh_expires_at ?? undefined,
    clientVersion: row.client_version,
    serviceVersion: row.service_version,
  };
}

export function refreshTokenOfRow(digest: Uint8Array, row: RefreshTokenRow): StoredRefreshToken {
  const { consumed_at: at, sealed_answer: sealedAnswer } = row;
  return {
    digest,
    clientId: row.client_id,
    grantId: row.grant_id,
    subject: row.subject ?? undefined,
    scopes: readScopes(row.scopes),
    resources: readResources(row.resources),
    createdAt: row.created_at,
    expiresAt: row.expires_at,
    grantType: row.grant_type,
    x5tS256: row.x5t_s256 ?? undefined,
    clientIdAliasUsed: row.by_alias === 1,
    details: row.details ?? undefined,
    consumption:
      at === null || sealedAnswer === null ? undefined : { at, sealedAnswer, successorUsed: row.successor_used === 1 },
    clientVersion: row.client_version,
    serviceVersion: row.service_version,
  };
}
