/**
 * What every read and every command means by "stands".
 *
 * A deleted service or client stays as a row that is not `present`, with a `first_version` above all the versions it
 * had: what was issued carries the versions it was issued under, so that what is older than a deletion is void for
 * good, also after the same id has come back.
 */
export const standsWith = (row: string): string => `
  JOIN service s ON s.service_id = ${row}.service_id AND s.present = 1 AND s.first_version <= ${row}.service_version
  JOIN client c ON c.service_id = ${row}.service_id AND c.client_id = ${row}.client_id
    AND c.present = 1 AND c.first_version <= ${row}.client_version`;

/** The same as a condition on a row that is about to be changed. */
export const ownersStand = (table: string): string => `
  EXISTS (
    SELECT 1 FROM service s JOIN client c ON c.service_id = s.service_id
    WHERE s.service_id = ${table}.service_id AND s.present = 1 AND s.first_version <= ${table}.service_version
      AND c.client_id = ${table}.client_id AND c.present = 1 AND c.first_version <= ${table}.client_version)`;

/** The service `$1` and the client `$3` are still at the versions `$2` and `$4` that the decision rests on. */
export const decidedUpon = `
  s.service_id = $1 AND s.version = $2 AND s.present = 1 AND c.client_id = $3 AND c.version = $4 AND c.present = 1`;

/** Both at once: the row is of the client decided upon, and was not issued before a deletion. */
export const ownersAsDecided = (table: string): string => `
  ${table}.service_id = $1 AND ${table}.client_id = $3 AND EXISTS (
    SELECT 1 FROM service s JOIN client c ON c.service_id = s.service_id
    WHERE ${decidedUpon}
      AND s.first_version <= ${table}.service_version AND c.first_version <= ${table}.client_version)`;

/** Neither the access token itself has ended nor its grant, if it has one. */
export const accessTokenNotEnded = (row: string): string => `
  ${row}.ended_at IS NULL AND (${row}.grant_id IS NULL OR EXISTS (
    SELECT 1 FROM token_grant g
    WHERE g.service_id = ${row}.service_id AND g.grant_id = ${row}.grant_id AND g.ended_at IS NULL))`;

/** An access token in force, as `t`: `$1` the service, `$2` the digest. */
export const accessTokenInForce = `
  FROM access_token t ${standsWith("t")}
  WHERE t.service_id = $1 AND t.digest = $2 AND ${accessTokenNotEnded("t")}`;
