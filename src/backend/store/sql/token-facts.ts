import { flag, octets, optional, scopeList, whole } from "../columns.ts";
import type { ListedAccessToken, StoredAccessToken, StoredRefreshToken } from "../store.ts";
import { accessTokenColumns, grantColumns, refreshTokenColumns } from "../tables.ts";
import { columnsOf, recordReader, selected, selectList } from "./records.ts";
import { notRevoked, ownerFacts, standsWith } from "./standing.ts";
import type { Row, RowQuery } from "./statement.ts";

const accessTokenFacts = {
  ...columnsOf("t", accessTokenColumns),
  ...ownerFacts,
  details: selected("g.details", grantColumns.details),
  refreshTokenExpiresAt: selected("r.expires_at", optional(refreshTokenColumns.expiresAt)),
};

/** A token without a grant joins nothing: its NULL matches no row. */
const accessTokenWithGrant = `
  FROM access_token t ${standsWith("t")}
  LEFT JOIN token_grant g ON g.service_id = t.service_id AND g.grant_id = t.grant_id
  LEFT JOIN refresh_token r ON r.service_id = t.service_id AND r.grant_id = t.grant_id AND r.consumed_at IS NULL`;

/** Tokens of a grant are ended by what ends their grant. */
export const inForce = `
  t.ended_at IS NULL AND (t.grant_id IS NULL AND ${notRevoked("t")}
    OR g.grant_id IS NOT NULL AND g.ended_at IS NULL AND ${notRevoked("g")})`;

const accessTokenBy = (column: string): string => `
  SELECT ${selectList(accessTokenFacts)}
  ${accessTokenWithGrant} WHERE t.service_id = :serviceId AND t.${column} = :digest AND ${inForce}`;

const accessToken = accessTokenBy("digest");
const accessTokenByJwt = accessTokenBy("jwt_digest");

// A missing successor has expired: nobody can use it first any more.
const refreshTokenFacts = {
  ...columnsOf("r", refreshTokenColumns),
  ...columnsOf("g", grantColumns),
  ...ownerFacts,
  consumedAt: selected("r.consumed_at", optional(whole)),
  sealedAnswer: selected("r.sealed_answer", optional(octets)),
  successorUsed: selected("CASE WHEN n.digest IS NULL OR n.used_by IS NOT NULL THEN 1 ELSE 0 END", flag),
};

const refreshToken = `
  SELECT ${selectList(refreshTokenFacts)}
  FROM refresh_token r ${standsWith("r")}
  JOIN token_grant g ON g.service_id = r.service_id AND g.grant_id = r.grant_id AND g.ended_at IS NULL
  LEFT JOIN refresh_token n ON n.digest = r.successor_digest
  WHERE r.service_id = :serviceId AND r.digest = :digest AND ${notRevoked("g")}`;

const listedTokenFacts = {
  ...accessTokenFacts,
  refreshDigest: selected("r.digest", optional(refreshTokenColumns.digest)),
  refreshScopes: selected("r.scopes", optional(scopeList)),
  lastRefreshedAt: selected("g.last_refreshed_at", optional(whole)),
};

const listedToken = `
  SELECT ${selectList(listedTokenFacts)}
  ${accessTokenWithGrant} WHERE t.service_id = :serviceId AND t.digest = :digest AND ${inForce}`;

const accessTokenOfRow = recordReader(accessTokenFacts);
const refreshTokenFactsOfRow = recordReader(refreshTokenFacts);
const listedTokenFactsOfRow = recordReader(listedTokenFacts);

/** The reads of single tokens. One for each form of an access token: each is one look-up in a tree of digests. */
export const tokenQueries = {
  readAccessToken: (serviceId: number, digest: Uint8Array): RowQuery<StoredAccessToken> => ({
    sql: accessToken,
    values: { serviceId, digest },
    one: accessTokenOfRow,
    otherwise: { sql: accessTokenByJwt, values: { serviceId, digest }, one: accessTokenOfRow },
  }),
  readRefreshToken: (serviceId: number, digest: Uint8Array): RowQuery<StoredRefreshToken> => ({
    sql: refreshToken,
    values: { serviceId, digest },
    one: refreshTokenOfRow,
  }),
};

/** One token of a list. */
export function readListedToken(serviceId: number, digest: Uint8Array): RowQuery<ListedAccessToken> {
  return { sql: listedToken, values: { serviceId, digest }, one: listedTokenOfRow };
}

function refreshTokenOfRow(row: Row): StoredRefreshToken {
  const { consumedAt: at, sealedAnswer, successorUsed, ...token } = refreshTokenFactsOfRow(row);
  const consumption = at === undefined || sealedAnswer === undefined ? undefined : { at, sealedAnswer, successorUsed };
  return { ...token, consumption };
}

function listedTokenOfRow(row: Row): ListedAccessToken {
  const { refreshDigest: digest, refreshScopes: scopes, ...token } = listedTokenFactsOfRow(row);
  const expiresAt = token.refreshTokenExpiresAt;
  const hasRefreshToken = digest !== undefined && scopes !== undefined && expiresAt !== undefined;
  return { ...token, refreshToken: hasRefreshToken ? { digest, scopes, expiresAt } : undefined };
}
