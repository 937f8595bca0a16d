import { accessTokenColumns } from "../tables.ts";
import { columnName, optional } from "../columns.ts";
import type { EndGrant, RevokeAccessToken, UpdateToken } from "../command.ts";
import { recordWriter } from "./records.ts";
import { accessTokenInForce } from "./standing.ts";
import type { Plan, Statement } from "./statement.ts";

/** The members that an update may change; one that is left out is NULL. */
const changeable = {
  scopes: optional(accessTokenColumns.scopes),
  expiresAt: optional(accessTokenColumns.expiresAt),
  properties: accessTokenColumns.properties,
  x5tS256: accessTokenColumns.x5tS256,
};

const changedValues = recordWriter(changeable);

const changes = Object.entries(changeable).map(([member, column]) => {
  const name = columnName(member, column);
  return { name, value: `coalesce(:${member}, ${name})` };
});

/** `updated_by` records the attempt, `changed_by` an attempt that made a difference. */
const updateAccessToken = `
  UPDATE access_token SET updated_by = :attempt,
    changed_by = CASE
      WHEN ${changes.map(({ name, value }) => `${name} IS DISTINCT FROM ${value}`).join(" OR ")}
      THEN :attempt ELSE changed_by END,
    ${changes.map(({ name, value }) => `${name} = ${value}`).join(", ")}
  WHERE digest IN (SELECT t.digest ${accessTokenInForce})`;

const updatedByThisAttempt = `
  SELECT 1 FROM access_token WHERE service_id = :serviceId AND digest = :digest AND updated_by = :attempt`;

const grantOfUpdated = `
  (SELECT t.grant_id FROM access_token t
    WHERE t.service_id = :serviceId AND t.digest = :digest AND t.updated_by = :attempt)`;

const updateRefreshToken = `
  UPDATE refresh_token SET expires_at = :refreshTokenExpiresAt, changed_by = :attempt
  WHERE service_id = :serviceId AND grant_id = ${grantOfUpdated} AND consumed_at IS NULL
    AND expires_at <> :refreshTokenExpiresAt`;

/** A grant lives as long as the longest of its tokens. */
const prolongGrant = `
  UPDATE token_grant SET expires_at = :lasting
  WHERE service_id = :serviceId AND grant_id = ${grantOfUpdated} AND expires_at < :lasting`;

export function updateToken({ serviceId, digest, changes, attempt }: UpdateToken): Plan {
  const { scopes, expiresAt, properties, x5tS256, refreshTokenExpiresAt } = changes;
  const updated = { serviceId, digest, attempt };
  const values = { ...updated, ...changedValues({ scopes, expiresAt, properties, x5tS256 }) };
  const statements: Statement[] = [{ guard: true, sql: updateAccessToken, values }];
  if (refreshTokenExpiresAt !== undefined) {
    statements.push({ sql: updateRefreshToken, values: { ...updated, refreshTokenExpiresAt } });
  }
  const lasting = Math.max(expiresAt ?? 0, refreshTokenExpiresAt ?? 0);
  if (lasting > 0) statements.push({ sql: prolongGrant, values: { ...updated, lasting } });
  return { statements, applied: { sql: updatedByThisAttempt, values: updated } };
}

const endAccessToken = `
  UPDATE access_token SET ended_at = :endedAt, ended_by = :attempt
  WHERE digest IN (SELECT t.digest ${accessTokenInForce})`;

const accessTokenEndedByThisAttempt = `
  SELECT 1 FROM access_token WHERE service_id = :serviceId AND digest = :digest AND ended_by = :attempt`;

export function revokeAccessToken({ serviceId, digest, endedAt, attempt }: RevokeAccessToken): Plan {
  const values = { serviceId, digest, endedAt, attempt };
  return {
    statements: [{ guard: true, sql: endAccessToken, values }],
    applied: { sql: accessTokenEndedByThisAttempt, values },
  };
}

const endTokenGrant = `
  UPDATE token_grant SET ended_at = :endedAt, ended_by = :attempt
  WHERE service_id = :serviceId AND grant_id = :grantId AND ended_at IS NULL`;

const grantEndedByThisAttempt = `
  SELECT 1 FROM token_grant WHERE service_id = :serviceId AND grant_id = :grantId AND ended_by = :attempt`;

export function endGrant({ serviceId, grantId, endedAt, attempt }: EndGrant): Plan {
  const values = { serviceId, grantId, endedAt, attempt };
  return {
    statements: [{ guard: true, sql: endTokenGrant, values }],
    applied: { sql: grantEndedByThisAttempt, values },
  };
}
