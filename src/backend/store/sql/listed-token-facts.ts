import { flag, octets, whole } from "../columns.ts";
import type { AccessTokensQuery, Owner, TokenCountQuery, TokenPosition } from "../store.ts";
import { recordReader, selected, selectList } from "./records.ts";
import { lastOfPair, lastOfSubject } from "./revocations.ts";
import { notRevoked, ownersOf } from "./standing.ts";
import type { RowQuery, RowsQuery, Values } from "./statement.ts";
import { inForce } from "./token-facts.ts";

// Every walk follows one index, in its order, over a stated number of rows. Inactive rows are read and marked instead
// of left out: then a limit on the returned rows is a limit on the rows read.

/** The number that a client's rows have if they were issued after its last revocation. */
const clientNumber = "(SELECT n.revocation FROM client n WHERE n.service_id = :serviceId AND n.client_id = :clientId)";

const pairNumber = `
  (SELECT ${lastOfPair(":subject")} FROM client c WHERE c.service_id = :serviceId AND c.client_id = :clientId)`;

const subjectNumber = lastOfSubject(":serviceId", ":subject");

/** Conditions on `t` for the index that skips revoked tokens. */
function tokensOf({ clientId, subject }: Owner): string {
  const service = "t.service_id = :serviceId";
  if (clientId === undefined && subject === undefined) return service;
  const ended = `${service} AND t.ended_at IS NULL`;
  if (subject === undefined) return `${ended} AND t.client_id = :clientId AND t.client_revocation = ${clientNumber}`;
  if (clientId === undefined) return `${ended} AND t.subject = :subject AND t.subject_revocation = ${subjectNumber}`;
  return `${ended} AND t.client_id = :clientId AND t.subject = :subject AND t.revocation = ${pairNumber}`;
}

function ownerValues({ clientId, subject }: Owner): Values {
  return { ...(clientId !== undefined && { clientId }), ...(subject !== undefined && { subject }) };
}

const beforeAll: TokenPosition = { expiresAt: -1, createdAt: -1, digest: new Uint8Array() };

/** Behind every token that has expired. */
const behindExpired = (now: number): TokenPosition => ({
  expiresAt: now,
  createdAt: Number.MAX_SAFE_INTEGER,
  digest: new Uint8Array(32).fill(0xff),
});

type WalkQuery = Owner & Pick<AccessTokensQuery, "status" | "now" | "after">;

const walked = {
  expiresAt: selected("t.expires_at", whole),
  createdAt: selected("t.created_at", whole),
  digest: selected("t.digest", octets),
  isInForce: selected(`CASE WHEN s.service_id IS NOT NULL AND ${inForce} THEN 1 ELSE 0 END`, flag),
};
const walkedOfRow = recordReader(walked);

/** A row that a list walks over. */
export type WalkedToken = ReturnType<typeof walkedOfRow>;

/** Reads that many rows of a list, in its order, after a position. */
export function walkTokens(serviceId: number, query: WalkQuery, rows: number): RowsQuery<WalkedToken[]> {
  const from = query.after ?? beforeAll;
  const { expiresAt, createdAt, digest } =
    query.status === "valid" && from.expiresAt <= query.now ? behindExpired(query.now) : from;
  const invalidOnly = query.status === "invalid" ? "AND t.expires_at <= :now" : "";
  return {
    sql: `
    SELECT ${selectList(walked)}
    FROM access_token t ${ownersOf("t")}
    LEFT JOIN token_grant g ON g.service_id = t.service_id AND g.grant_id = t.grant_id
    WHERE ${tokensOf(query)}
      AND (t.expires_at, t.created_at, t.digest) > (:expiresAt, :createdAt, :digest) ${invalidOnly}
    ORDER BY t.expires_at, t.created_at, t.digest LIMIT :rows`,
    values: { serviceId, ...ownerValues(query), now: query.now, expiresAt, createdAt, digest, rows },
    all: (found) => found.map(walkedOfRow),
  };
}

const bounded = { walked: selected("count(*)", whole), found: selected('coalesce(sum(w."isInForce"), 0)', whole) };

/** The number of rows read, and of those that count. */
const boundedCount = recordReader(bounded);

export type BoundedCount = ReturnType<typeof boundedCount>;

/** Reads that many rows from the beginning. */
export function countWalked(serviceId: number, query: WalkQuery, rows: number): RowQuery<BoundedCount> {
  const { sql, values } = walkTokens(serviceId, { ...query, after: undefined }, rows);
  return { sql: `SELECT ${selectList(bounded)} FROM (${sql}) w`, values, one: boundedCount };
}

/** The counts whose sum is the answer: access tokens, and refresh tokens that have not been consumed. */
export function tokenCounts(serviceId: number, { of, now, most }: TokenCountQuery): RowQuery<BoundedCount>[] {
  const rows = most + 1;
  if ("grantId" in of)
    return [countOfGrant(serviceId, of.grantId, now, rows), refreshTokenOfGrant(serviceId, of.grantId, now)];
  return [countWalked(serviceId, { ...of, status: "valid", now }, rows), countRefreshTokens(serviceId, of, now, rows)];
}

function countOfGrant(serviceId: number, grantId: string, now: number, rows: number): RowQuery<BoundedCount> {
  return {
    sql: `
    SELECT ${selectList(bounded)} FROM (
      SELECT CASE WHEN s.service_id IS NOT NULL AND t.expires_at > :now AND ${inForce} THEN 1 ELSE 0 END AS "isInForce"
      FROM access_token t ${ownersOf("t")}
      LEFT JOIN token_grant g ON g.service_id = t.service_id AND g.grant_id = t.grant_id
      WHERE t.service_id = :serviceId AND t.grant_id = :grantId LIMIT :rows) w`,
    values: { serviceId, grantId, now, rows },
    one: boundedCount,
  };
}

/** Counts the grants `g` that have a refresh token `r` that can be used, of those that `and` describes. */
const refreshable = (and = ""): string =>
  selectList({
    walked: bounded.walked,
    found: selected(
      `coalesce(sum(CASE
        WHEN r.expires_at > :now AND s.service_id IS NOT NULL AND g.ended_at IS NULL AND ${notRevoked("g")} ${and}
        THEN 1 ELSE 0 END), 0)`,
      whole,
    ),
  });

const unusedRefreshToken = `
  LEFT JOIN refresh_token r ON r.service_id = g.service_id AND r.grant_id = g.grant_id AND r.consumed_at IS NULL
  ${ownersOf("r")}`;

function refreshTokenOfGrant(serviceId: number, grantId: string, now: number): RowQuery<BoundedCount> {
  return {
    sql: `
    SELECT ${refreshable()} FROM token_grant g ${unusedRefreshToken}
    WHERE g.service_id = :serviceId AND g.grant_id = :grantId`,
    values: { serviceId, grantId, now },
    one: boundedCount,
  };
}

/**
 * For a subject with a client, all grants of the subject are read. Their index is enough to find them: a database that
 * needs the rows as well would rather scan all grants of the service.
 */
function countRefreshTokens(serviceId: number, owner: Owner, now: number, rows: number): RowQuery<BoundedCount> {
  const { clientId, subject } = owner;
  // Never every grant of the service because a member was forgotten.
  if (clientId === undefined && subject === undefined) throw new TypeError("a client or a subject must be named");
  const found =
    subject === undefined
      ? `f.client_id = :clientId AND f.client_revocation = ${clientNumber}`
      : `f.subject = :subject AND f.subject_revocation = ${subjectNumber}`;
  const counted = subject === undefined || clientId === undefined ? "" : "AND g.client_id = :clientId";
  return {
    sql: `
    SELECT ${refreshable(counted)}
    FROM (
      SELECT f.grant_id FROM token_grant f
      WHERE f.service_id = :serviceId AND f.ended_at IS NULL AND ${found} LIMIT :rows) w
    JOIN token_grant g ON g.service_id = :serviceId AND g.grant_id = w.grant_id ${unusedRefreshToken}`,
    values: { serviceId, ...ownerValues(owner), now, rows },
    one: boundedCount,
  };
}
