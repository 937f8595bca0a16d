import type { EndGrant, RevokeAccessToken, RevokeTokens } from "./command.ts";
import { accessTokenInForce } from "./standing.ts";
import type { Plan, SqlValue } from "./statement.ts";

const endAccessToken = `
  UPDATE access_token SET ended_at = $3, ended_by = $4
  WHERE digest IN (SELECT t.digest ${accessTokenInForce})`;

const accessTokenEndedByThisAttempt = `
  SELECT 1 FROM access_token WHERE service_id = $1 AND digest = $2 AND ended_by = $3`;

export function revokeAccessToken({ serviceId, digest, endedAt, attempt }: RevokeAccessToken): Plan {
  return {
    statements: [{ guard: true, sql: endAccessToken, values: [serviceId, digest, endedAt, attempt] }],
    applied: { sql: accessTokenEndedByThisAttempt, values: [serviceId, digest, attempt] },
  };
}

const endTokenGrant = `
  UPDATE token_grant SET ended_at = $3, ended_by = $4
  WHERE service_id = $1 AND grant_id = $2 AND ended_at IS NULL`;

const grantEndedByThisAttempt = `
  SELECT 1 FROM token_grant WHERE service_id = $1 AND grant_id = $2 AND ended_by = $3`;

export function endGrant({ serviceId, grantId, endedAt, attempt }: EndGrant): Plan {
  return {
    statements: [{ guard: true, sql: endTokenGrant, values: [serviceId, grantId, endedAt, attempt] }],
    applied: { sql: grantEndedByThisAttempt, values: [serviceId, grantId, attempt] },
  };
}

/**
 * Run again, it must not end what was issued meanwhile: the events of the first time, in the same transaction, tell.
 *
 * A plus sign keeps a database from an index that is worse than another: the client's when there is the subject's, and
 * of grants the primary key, by which it would walk through all grants of the service.
 */
const endAll = (table: "token_grant" | "access_token", conditions: string): string => `
  UPDATE ${table} SET ended_at = $2, ended_by = $3
  WHERE ${conditions} AND ended_at IS NULL
    AND NOT EXISTS (SELECT 1 FROM invalidation_event WHERE attempt = $3)`;

/**
 * A code that waits for its exchange would give tokens after all of them have ended. Of every expiry: the condition is
 * there for the index of those that wait.
 */
const forgetCodes = (conditions: string): string => `
  DELETE FROM authorization_code
  WHERE service_id = $1 AND consumed_at IS NULL AND expires_at > 0 AND ${conditions}
    AND NOT EXISTS (SELECT 1 FROM invalidation_event WHERE attempt = $2)`;

/** Whose tokens they are, as conditions over parameters that come after these values. */
function conditionsOf({ clientId, subject }: RevokeTokens, values: SqlValue[]): string {
  const parameter = (value: SqlValue): string => `$${values.push(value)}`;
  const conditions = [];
  if (subject !== undefined) conditions.push(`subject = ${parameter(subject)}`);
  if (clientId !== undefined) {
    conditions.push(`${subject === undefined ? "" : "+"}client_id = ${parameter(clientId)}`);
  }
  // Never every token of the service because a member was forgotten.
  if (conditions.length === 0) throw new TypeError("a client or a subject must be named");
  return conditions.join(" AND ");
}

/** Tokens of a grant end with its one row, those that stand alone in their own; grants that were agreed to never begin. */
export function revokeTokens(command: RevokeTokens): Plan {
  const { serviceId, endedAt, attempt } = command;
  const values: SqlValue[] = [serviceId, endedAt, attempt];
  const by = conditionsOf(command, values);
  const valuesOfCodes: SqlValue[] = [serviceId, attempt];
  const codesBy = conditionsOf(command, valuesOfCodes);
  return {
    statements: [
      { sql: endAll("token_grant", `+service_id = $1 AND ${by}`), values },
      { sql: endAll("access_token", `service_id = $1 AND ${by} AND grant_id IS NULL`), values },
      { sql: forgetCodes(codesBy), values: valuesOfCodes },
    ],
    applied: undefined,
  };
}
