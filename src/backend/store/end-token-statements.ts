import type { EndGrant, RevokeAccessToken } from "./command.ts";
import { accessTokenInForce } from "./standing.ts";
import type { Plan } from "./statement.ts";

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
