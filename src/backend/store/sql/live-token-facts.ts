import { whole } from "../columns.ts";
import type { TokenOwner } from "../command.ts";
import type { LiveTokens } from "../store.ts";
import { recordReader, selected, selectList } from "./records.ts";
import { notRevoked, ownersOf } from "./standing.ts";
import type { Row, RowsQuery } from "./statement.ts";
import { inForce } from "./token-facts.ts";

/**
 * Rows read for one answer, of access tokens and of grants each: the access tokens that expire last come first.
 *
 * Tokens of ended grants, and grants with expired tokens, are kept for a while, so a client may have more rows than a
 * writer should read.
 */
export const mostLookedAt = 10_000;

/** SQL expressions for the owner of the tokens; without `client`, the whole service. */
interface OwnerColumns {
  readonly service: string;
  readonly client?: string;
}

/** The number that a client's rows have if they were issued after its last revocation. */
const clientNumber = ({ service, client = "" }: OwnerColumns): string =>
  `(SELECT n.revocation FROM client n WHERE n.service_id = ${service} AND n.client_id = ${client})`;

const accessTokens = (owner: OwnerColumns, now: string): string => `
  SELECT CASE WHEN s.service_id IS NOT NULL AND ${inForce} THEN 1 ELSE 0 END AS live
  FROM access_token t ${ownersOf("t")}
  LEFT JOIN token_grant g ON g.service_id = t.service_id AND g.grant_id = t.grant_id
  WHERE t.service_id = ${owner.service} ${
    owner.client === undefined
      ? ""
      : `AND t.ended_at IS NULL AND t.client_id = ${owner.client} AND t.client_revocation = ${clientNumber(owner)}`
  } AND t.expires_at > ${now}
  ORDER BY t.expires_at DESC`;

/**
 * One refresh token at most of each grant. Their index alone finds the grants: a database that has to look at the rows
 * as well would rather walk through all grants of the service.
 */
const refreshTokens = (owner: OwnerColumns, now: string, limit: string): string => `
  SELECT CASE
      WHEN r.expires_at > ${now} AND s.service_id IS NOT NULL AND g.ended_at IS NULL AND ${notRevoked("g")} THEN 1 ELSE 0
    END AS live
  FROM (
    SELECT f.grant_id FROM token_grant f WHERE f.service_id = ${owner.service} ${
      owner.client === undefined
        ? ""
        : `AND f.client_id = ${owner.client} AND f.ended_at IS NULL AND f.client_revocation = ${clientNumber(owner)}`
    } ORDER BY f.grant_id ${limit}) w
  JOIN token_grant g ON g.service_id = ${owner.service} AND g.grant_id = w.grant_id
  LEFT JOIN refresh_token r ON r.service_id = g.service_id AND r.grant_id = g.grant_id AND r.consumed_at IS NULL
  ${ownersOf("r")}`;

/** Rows of both kinds, from the first on. */
const rowsOf = (owner: OwnerColumns, now: string, limit: string): readonly string[] => [
  `${accessTokens(owner, now)} ${limit}`,
  refreshTokens(owner, now, limit),
];

/** A condition: a live token is among the rows that are looked at, or there are more rows than those. */
export function mayHaveLiveTokens(owner: OwnerColumns, now: string): string {
  const conditions = [
    ...rowsOf(owner, now, `LIMIT ${mostLookedAt}`).map((rows) => `EXISTS (SELECT 1 FROM (${rows}) l WHERE l.live = 1)`),
    ...rowsOf(owner, now, `LIMIT 1 OFFSET ${mostLookedAt}`).map((rows) => `EXISTS (SELECT 1 FROM (${rows}) l)`),
  ];
  return `(${conditions.join(" OR ")})`;
}

const liveCount = { lookedAt: selected("count(*)", whole), live: selected("coalesce(sum(l.live), 0)", whole) };
const liveCountOfRow = recordReader(liveCount);

const countQuery = (owner: OwnerColumns, now: string): string =>
  rowsOf(owner, now, `LIMIT ${mostLookedAt + 1}`)
    .map((rows) => `SELECT ${selectList(liveCount)} FROM (${rows}) l`)
    .join(" UNION ALL ");

const ofService = countQuery({ service: ":serviceId" }, ":now");
const ofClient = countQuery({ service: ":serviceId", client: ":clientId" }, ":now");

/** The read of how many tokens are live; a row for access tokens and one for refresh tokens. */
export function liveTokensQuery({ serviceId, clientId }: TokenOwner, now: number): RowsQuery<LiveTokens> {
  return clientId === undefined
    ? { sql: ofService, values: { serviceId, now }, all: liveTokensOfRows }
    : { sql: ofClient, values: { serviceId, clientId, now }, all: liveTokensOfRows };
}

function liveTokensOfRows(rows: readonly Row[]): LiveTokens {
  const counts = rows.map(liveCountOfRow);
  return {
    count: counts.reduce((sum, { live }) => sum + live, 0),
    complete: counts.every(({ lookedAt }) => lookedAt <= mostLookedAt),
  };
}
