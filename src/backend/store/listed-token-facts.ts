import { readScopes } from "./column-text.ts";
import { standsWith } from "./standing.ts";
import type { SqlValue, Statement } from "./statement.ts";
import type { AccessTokensQuery, ListedAccessToken } from "./store.ts";
import {
  accessTokenColumns,
  accessTokenOfRow,
  accessTokenWithGrant,
  inForce,
  type AccessTokenByJwtRow,
} from "./token-facts.ts";

export interface ListedTokenRow extends AccessTokenByJwtRow {
  readonly refresh_digest: Uint8Array | null;
  readonly refresh_scopes: string | null;
  readonly last_refreshed_at: number | null;
}

/** Two reads of one snapshot: how many tokens a query finds, and a slice of them. */
export function listStatements(
  serviceId: number,
  { clientId, subject, status, now, start, end }: AccessTokensQuery,
): { readonly count: Statement; readonly slice: Statement } {
  const values: SqlValue[] = [serviceId];
  const parameter = (value: SqlValue): string => `$${values.push(value)}`;
  const conditions = ["t.service_id = $1", inForce];
  if (subject !== undefined) conditions.push(`t.subject = ${parameter(subject)}`);
  // Of the two indexes the subject's is always the one to take: the sign keeps the client's out of it.
  if (clientId !== undefined) {
    conditions.push(`${subject === undefined ? "" : "+"}t.client_id = ${parameter(clientId)}`);
  }
  if (status === "valid") conditions.push(`t.expires_at > ${parameter(now)}`);
  if (status === "invalid") conditions.push(`t.expires_at <= ${parameter(now)}`);
  const found = `${accessTokenWithGrant} WHERE ${conditions.join(" AND ")}`;
  const count = { sql: `SELECT count(*) AS total ${found}`, values: [...values] };
  const [limit, offset] = [parameter(Math.max(0, end - start)), parameter(start)];
  const slice = `
    SELECT t.digest, ${accessTokenColumns}, r.digest AS refresh_digest, r.scopes AS refresh_scopes,
      r.expires_at AS refresh_expires_at, g.last_refreshed_at
    ${found} ORDER BY t.created_at, t.digest LIMIT ${limit} OFFSET ${offset}`;
  return { count, slice: { sql: slice, values } };
}

export function listedTokenOfRow(row: ListedTokenRow): ListedAccessToken {
  const { refresh_digest: digest, refresh_scopes: scopes, refresh_expires_at: expiresAt } = row;
  return {
    ...accessTokenOfRow(row.digest, row),
    refreshToken:
      digest === null || scopes === null || expiresAt === null
        ? undefined
        : { digest, scopes: readScopes(scopes), expiresAt },
    lastRefreshedAt: row.last_refreshed_at ?? undefined,
  };
}

const endedOf = (row: "t" | "r", table: string): string => `
  (SELECT count(*) FROM token_grant g
    JOIN ${table} ${row} ON ${row}.service_id = g.service_id AND ${row}.grant_id = g.grant_id ${standsWith(row)}
    WHERE g.service_id = $1 AND g.ended_by = $2 AND ${row}.expires_at > $3`;

/** `$1` the service, `$2` the attempt, `$3` now. What had been ended or consumed before is no work of this attempt. */
export const countEndedQuery = `
  SELECT
    (SELECT count(*) FROM access_token t ${standsWith("t")}
      WHERE t.service_id = $1 AND t.ended_by = $2 AND t.expires_at > $3)
    + ${endedOf("t", "access_token")} AND t.ended_at IS NULL)
    + ${endedOf("r", "refresh_token")} AND r.consumed_at IS NULL) AS ended`;
