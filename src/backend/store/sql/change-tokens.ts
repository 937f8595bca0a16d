import type { EndGrant, RevokeAccessToken, UpdateToken } from "../command.ts";
import { accessTokenInForce } from "./standing.ts";
import { type Plan, type Statement, writeScopes } from "./statement.ts";

/** `updated_by` says that the attempt was here, `changed_by` that the row is another for it. */
const updateAccessToken = `
  UPDATE access_token SET updated_by = $3,
    changed_by = CASE
      WHEN scopes <> coalesce($4, scopes) OR expires_at <> coalesce($5, expires_at)
        OR properties IS DISTINCT FROM coalesce($6, properties) OR x5t_s256 IS DISTINCT FROM coalesce($7, x5t_s256)
      THEN $3 ELSE changed_by END,
    scopes = coalesce($4, scopes), expires_at = coalesce($5, expires_at),
    properties = coalesce($6, properties), x5t_s256 = coalesce($7, x5t_s256)
  WHERE digest IN (SELECT t.digest ${accessTokenInForce})`;

const updatedByThisAttempt = `
  SELECT 1 FROM access_token WHERE service_id = $1 AND digest = $2 AND updated_by = $3`;

const grantOfUpdated = `
  (SELECT t.grant_id FROM access_token t WHERE t.service_id = $1 AND t.digest = $2 AND t.updated_by = $3)`;

const updateRefreshToken = `
  UPDATE refresh_token SET expires_at = $4, changed_by = $3
  WHERE service_id = $1 AND grant_id = ${grantOfUpdated} AND consumed_at IS NULL AND expires_at <> $4`;

/** A grant lives as long as the longest of its tokens. */
const prolongGrant = `
  UPDATE token_grant SET expires_at = $4
  WHERE service_id = $1 AND grant_id = ${grantOfUpdated} AND expires_at < $4`;

export function updateToken({ serviceId, digest, changes, attempt }: UpdateToken): Plan {
  const { scopes, expiresAt, properties, x5tS256, refreshTokenExpiresAt } = changes;
  const updated = [serviceId, digest, attempt];
  const wanted = [scopes && writeScopes(scopes), expiresAt, properties, x5tS256].map((value) => value ?? null);
  const statements: Statement[] = [{ guard: true, sql: updateAccessToken, values: [...updated, ...wanted] }];
  if (refreshTokenExpiresAt !== undefined) {
    statements.push({ sql: updateRefreshToken, values: [...updated, refreshTokenExpiresAt] });
  }
  const lasting = Math.max(expiresAt ?? 0, refreshTokenExpiresAt ?? 0);
  if (lasting > 0) statements.push({ sql: prolongGrant, values: [...updated, lasting] });
  return { statements, applied: { sql: updatedByThisAttempt, values: updated } };
}

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
