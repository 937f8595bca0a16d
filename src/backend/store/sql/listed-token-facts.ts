import type { AccessTokensQuery, ListedAccessToken, Owner, TokenCountQuery, TokenPosition } from "../store.ts";
import { lastOfPair, lastOfSubject } from "./revocations.ts";
import { notRevoked, ownersOf } from "./standing.ts";
import { readScopes, type SqlValue, type Statement } from "./statement.ts";
import { accessTokenOfRow, type AccessTokenRow, inForce } from "./token-facts.ts";

// Every walk is along one index, in its order, and of a stated number of rows. Rows that are inactive are seen and
// marked instead of left out: then a limit on the rows that come back is one on the rows that are looked at.

/** A row that a list walks over. */
export interface WalkedRow {
  readonly expires_at: number;
  readonly created_at: number;
  readonly digest: Uint8Array;
  readonly in_force: number;
}

/** How many rows a count has looked at, and how many of them count. */
export interface CountRow {
  readonly walked: number;
  readonly found: number;
}

export interface ListedTokenRow extends AccessTokenRow {
  readonly refresh_digest: Uint8Array | null;
  readonly refresh_scopes: string | null;
  readonly last_refreshed_at: number | null;
}

type Parameter = (value: SqlValue) => string;

function parametersOf(values: SqlValue[]): Parameter {
  return (value) => `$${values.push(value)}`;
}

/** The number that a client's rows have if they were issued after its last revocation. */
const clientNumber = (client: string): string =>
  `(SELECT n.revocation FROM client n WHERE n.service_id = $1 AND n.client_id = ${client})`;

const pairNumber = (client: string, subject: string): string =>
  `(SELECT ${lastOfPair(subject)} FROM client c WHERE c.service_id = $1 AND c.client_id = ${client})`;

/** Conditions on `t` for the index that leads past what was revoked. */
function tokensOf({ clientId, subject }: Owner, parameter: Parameter): string {
  const service = "t.service_id = $1";
  if (clientId === undefined && subject === undefined) return service;
  const ended = `${service} AND t.ended_at IS NULL`;
  const client = clientId === undefined ? "" : parameter(clientId);
  const user = subject === undefined ? "" : parameter(subject);
  if (subject === undefined) {
    return `${ended} AND t.client_id = ${client} AND t.client_revocation = ${clientNumber(client)}`;
  }
  if (clientId === undefined) {
    return `${ended} AND t.subject = ${user} AND t.subject_revocation = ${lastOfSubject("$1", user)}`;
  }
  return `${ended} AND t.client_id = ${client} AND t.subject = ${user} AND t.revocation = ${pairNumber(client, user)}`;
}

const beforeAll: TokenPosition = { expiresAt: -1, createdAt: -1, digest: new Uint8Array() };

/** Behind every token that has expired. */
const behindExpired = (now: number): TokenPosition => ({
  expiresAt: now,
  createdAt: Number.MAX_SAFE_INTEGER,
  digest: new Uint8Array(32).fill(0xff),
});

type WalkQuery = Owner & Pick<AccessTokensQuery, "status" | "now" | "after">;

/** Looks at so many rows of a list, in its order, from behind a position. */
export function walkStatement(serviceId: number, query: WalkQuery, rows: number): Statement {
  const values: SqlValue[] = [serviceId];
  const parameter = parametersOf(values);
  const conditions = [tokensOf(query, parameter)];
  const from = query.after ?? beforeAll;
  const { expiresAt, createdAt, digest } =
    query.status === "valid" && from.expiresAt <= query.now ? behindExpired(query.now) : from;
  conditions.push(
    `(t.expires_at, t.created_at, t.digest) > (${parameter(expiresAt)}, ${parameter(createdAt)}, ${parameter(digest)})`,
  );
  if (query.status === "invalid") conditions.push(`t.expires_at <= ${parameter(query.now)}`);
  return {
    sql: `
    SELECT t.expires_at, t.created_at, t.digest,
      CASE WHEN s.service_id IS NOT NULL AND ${inForce} THEN 1 ELSE 0 END AS in_force
    FROM access_token t ${ownersOf("t")}
    LEFT JOIN token_grant g ON g.service_id = t.service_id AND g.grant_id = t.grant_id
    WHERE ${conditions.join(" AND ")}
    ORDER BY t.expires_at, t.created_at, t.digest LIMIT ${parameter(rows)}`,
    values,
  };
}

/** Looks at so many rows from the first on. */
export function countStatement(serviceId: number, query: WalkQuery, rows: number): Statement {
  const { sql, values } = walkStatement(serviceId, { ...query, after: undefined }, rows);
  return { sql: `SELECT count(*) AS walked, coalesce(sum(w.in_force), 0) AS found FROM (${sql}) w`, values };
}

/** The counts whose sum is the answer: of access tokens, and of the refresh tokens that have not been consumed. */
export function tokenCountStatements(serviceId: number, { of, now, most }: TokenCountQuery): Statement[] {
  const rows = most + 1;
  if ("grantId" in of)
    return [countOfGrant(serviceId, of.grantId, now, rows), refreshTokenOfGrant(serviceId, of.grantId, now)];
  return [
    countStatement(serviceId, { ...of, status: "valid", now }, rows),
    countRefreshTokens(serviceId, of, now, rows),
  ];
}

function countOfGrant(serviceId: number, grantId: string, now: number, rows: number): Statement {
  return {
    sql: `
    SELECT count(*) AS walked, coalesce(sum(w.in_force), 0) AS found FROM (
      SELECT CASE WHEN s.service_id IS NOT NULL AND t.expires_at > $3 AND ${inForce} THEN 1 ELSE 0 END AS in_force
      FROM access_token t ${ownersOf("t")}
      LEFT JOIN token_grant g ON g.service_id = t.service_id AND g.grant_id = t.grant_id
      WHERE t.service_id = $1 AND t.grant_id = $2 LIMIT $4) w`,
    values: [serviceId, grantId, now, rows],
  };
}

/** SQL for 1 where the grant `g` has a refresh token `r` that can be used. */
const refreshes = (now: string): string => `
  CASE WHEN r.expires_at > ${now} AND s.service_id IS NOT NULL AND g.ended_at IS NULL AND ${notRevoked("g")}`;

const unusedRefreshToken = `
  LEFT JOIN refresh_token r ON r.service_id = g.service_id AND r.grant_id = g.grant_id AND r.consumed_at IS NULL
  ${ownersOf("r")}`;

function refreshTokenOfGrant(serviceId: number, grantId: string, now: number): Statement {
  return {
    sql: `
    SELECT count(*) AS walked, coalesce(sum(${refreshes("$3")} THEN 1 ELSE 0 END), 0) AS found
    FROM token_grant g ${unusedRefreshToken}
    WHERE g.service_id = $1 AND g.grant_id = $2`,
    values: [serviceId, grantId, now],
  };
}

/**
 * Of a subject with a client all grants of the subject are looked at. Their index alone finds them: a database that has
 * to look at the rows as well would rather walk through all grants of the service.
 */
function countRefreshTokens(serviceId: number, { clientId, subject }: Owner, now: number, rows: number): Statement {
  const values: SqlValue[] = [serviceId, now, rows];
  const parameter = parametersOf(values);
  const client = clientId === undefined ? "" : parameter(clientId);
  const user = subject === undefined ? "" : parameter(subject);
  // Never every grant of the service because a member was forgotten.
  if (clientId === undefined && subject === undefined) throw new TypeError("a client or a subject must be named");
  const found =
    subject === undefined
      ? `f.client_id = ${client} AND f.client_revocation = ${clientNumber(client)}`
      : `f.subject = ${user} AND f.subject_revocation = ${lastOfSubject("$1", user)}`;
  const counted = subject === undefined || clientId === undefined ? "" : ` AND g.client_id = ${client}`;
  return {
    sql: `
    SELECT count(*) AS walked, coalesce(sum(${refreshes("$2")} ${counted} THEN 1 ELSE 0 END), 0) AS found
    FROM (
      SELECT f.grant_id FROM token_grant f WHERE f.service_id = $1 AND f.ended_at IS NULL AND ${found} LIMIT $3) w
    JOIN token_grant g ON g.service_id = $1 AND g.grant_id = w.grant_id ${unusedRefreshToken}`,
    values,
  };
}

export function listedTokenOfRow(digest: Uint8Array, row: ListedTokenRow): ListedAccessToken {
  const { refresh_digest: refreshDigest, refresh_scopes: scopes, refresh_expires_at: expiresAt } = row;
  return {
    ...accessTokenOfRow(digest, row),
    refreshToken:
      refreshDigest === null || scopes === null || expiresAt === null
        ? undefined
        : { digest: refreshDigest, scopes: readScopes(scopes), expiresAt },
    lastRefreshedAt: row.last_refreshed_at ?? undefined,
  };
}
