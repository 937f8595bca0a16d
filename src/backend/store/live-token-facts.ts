import type { TokenOwner } from "./command.ts";
import { accessTokenNotEnded, ownersStand } from "./standing.ts";
import type { Statement } from "./statement.ts";
import type { LiveTokens } from "./store.ts";

/**
 * Rows that are looked at for one answer, of access tokens and of grants each: the newest access tokens first.
 *
 * Expired and revoked rows stay for a while, so that all rows of a client would be more than a writer should read.
 */
export const mostLookedAt = 10_000;

/** SQL expressions: whose tokens; without `client` those of the whole service. */
interface OwnerColumns {
  readonly service: string;
  readonly client?: string;
}

const accessTokens = ({ service, client }: OwnerColumns, now: string): string => `
  SELECT t.expires_at > ${now} AND ${accessTokenNotEnded("t")} AND ${ownersStand("t")} AS live
  FROM access_token t
  WHERE t.service_id = ${service}${client === undefined ? "" : ` AND t.client_id = ${client}`}
  ORDER BY t.client_id DESC, t.created_at DESC`;

/** One refresh token at most of each grant. Grants that have ended are not in the index by client. */
const refreshTokens = ({ service, client }: OwnerColumns, now: string): string => `
  SELECT g.ended_at IS NULL AND EXISTS (
    SELECT 1 FROM refresh_token r
    WHERE r.service_id = g.service_id AND r.grant_id = g.grant_id AND r.consumed_at IS NULL AND r.expires_at > ${now}
      AND ${ownersStand("r")}) AS live
  FROM token_grant g
  WHERE ${client === undefined ? "" : `g.client_id = ${client} AND g.ended_at IS NULL AND `}g.service_id = ${service}`;

const rowsOf = [accessTokens, refreshTokens] as const;

/** A condition: a live token is among the rows that are looked at, or there are more rows than those. */
export function mayHaveLiveTokens(owner: OwnerColumns, now: string): string {
  const conditions = rowsOf.flatMap((rows) => [
    `EXISTS (SELECT 1 FROM (${rows(owner, now)} LIMIT ${mostLookedAt}) WHERE live)`,
    `EXISTS (SELECT 1 FROM (${rows(owner, now)} LIMIT 1 OFFSET ${mostLookedAt}))`,
  ]);
  return `(${conditions.join(" OR ")})`;
}

const countOf = (rows: string): string => `
  SELECT count(*) AS looked_at, coalesce(sum(live), 0) AS live FROM (${rows} LIMIT ${mostLookedAt + 1})`;

const countQuery = (owner: OwnerColumns, now: string): string =>
  rowsOf.map((rows) => countOf(rows(owner, now))).join(" UNION ALL ");

const ofService = countQuery({ service: "$1" }, "$2");
const ofClient = countQuery({ service: "$1", client: "$3" }, "$2");

/** A row for access tokens and one for refresh tokens. */
export function liveTokensStatement({ serviceId, clientId }: TokenOwner, now: number): Statement {
  return clientId === undefined
    ? { sql: ofService, values: [serviceId, now] }
    : { sql: ofClient, values: [serviceId, now, clientId] };
}

export interface LiveTokensRow {
  readonly looked_at: number;
  readonly live: number;
}

export function liveTokensOfRows(rows: readonly LiveTokensRow[]): LiveTokens {
  return {
    count: rows.reduce((sum, { live }) => sum + live, 0),
    complete: rows.every(({ looked_at: lookedAt }) => lookedAt <= mostLookedAt),
  };
}
