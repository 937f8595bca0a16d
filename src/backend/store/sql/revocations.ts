import type { RevokeTokens } from "../command.ts";
import type { Plan, Statement, Values } from "./statement.ts";

/**
 * A revocation of all tokens of a client or a subject is one row with a number that the service counts up.
 *
 * A new token stores the last number that concerns it, within the statement that inserts it. A later revocation has a
 * greater number, and so ends the token.
 */

/** The `client_id` of a revocation of a subject's tokens with every client; no client has it. */
const everyClient = 0;

/** SQL for the number of the last revocation of all that a subject has; 0 before the first. */
export const lastOfSubject = (service: string, subject: string): string => `
  coalesce((
    SELECT v.number FROM revocation v
    WHERE v.service_id = ${service} AND v.subject = ${subject} AND v.client_id = ${everyClient}), 0)`;

/** SQL for the number of the last revocation that concerns a subject with the client of row `c`. */
export const lastOfPair = (subject: string): string => `
  coalesce((
    SELECT max(v.number) FROM revocation v
    WHERE v.service_id = c.service_id AND v.subject = ${subject} AND v.client_id IN (${everyClient}, c.client_id)
      AND v.number > c.revocation), c.revocation)`;

/**
 * A repetition must not end what was issued meanwhile: the event that the first run wrote in the same transaction shows
 * it.
 */
const takeNumber = `
  UPDATE service SET revocations = revocations + 1, revoked_by = :attempt
  WHERE service_id = :serviceId AND NOT EXISTS (SELECT 1 FROM invalidation_event WHERE attempt = :attempt)`;

const numberedByThisAttempt = "SELECT 1 FROM invalidation_event WHERE attempt = :attempt";

const revokeClient = `
  UPDATE client SET revocation = (SELECT revocations FROM service WHERE service_id = :serviceId)
  WHERE service_id = :serviceId AND client_id = :clientId
    AND EXISTS (SELECT 1 FROM service WHERE service_id = :serviceId AND revoked_by = :attempt)`;

/**
 * Nothing that is kept now lives longer than the greatest of these; each is the end of an index. It may be later than
 * the last of the subject's own, so that the row stays for longer than it has to.
 */
const lastExpiry = `
  SELECT max(latest.expires_at) FROM (
    SELECT :endedAt AS expires_at
    UNION ALL SELECT (SELECT expires_at FROM access_token WHERE service_id = :serviceId ORDER BY expires_at DESC LIMIT 1)
    UNION ALL SELECT (SELECT expires_at FROM token_grant ORDER BY expires_at DESC LIMIT 1)
    UNION ALL SELECT (
      SELECT expires_at FROM authorization_code WHERE consumed_at IS NULL ORDER BY expires_at DESC LIMIT 1)) latest`;

const revokeSubject = `
  INSERT INTO revocation (service_id, subject, client_id, number, expires_at)
  SELECT service_id, :subject, :clientId, revocations, (${lastExpiry}) FROM service
  WHERE service_id = :serviceId AND revoked_by = :attempt
  ON CONFLICT (service_id, subject, client_id) DO UPDATE SET number = excluded.number,
    expires_at = CASE WHEN excluded.expires_at > revocation.expires_at
      THEN excluded.expires_at ELSE revocation.expires_at END`;

/** A number, and the one row that has it; a client's tokens and codes are ended by the client's own row. */
export function revokeTokens({ serviceId, clientId, subject, endedAt, attempt }: RevokeTokens): Plan {
  const taken = { serviceId, attempt };
  return {
    statements: [
      { guard: true, sql: takeNumber, values: taken },
      subject === undefined
        ? ofClient(taken, clientId)
        : { sql: revokeSubject, values: { ...taken, subject, clientId: clientId ?? everyClient, endedAt } },
    ],
    applied: { sql: numberedByThisAttempt, values: taken },
  };
}

function ofClient(taken: Values, clientId: number | undefined): Statement {
  // A forgotten member must not end every token of the service.
  if (clientId === undefined) throw new TypeError("a client or a subject must be named");
  return { sql: revokeClient, values: { ...taken, clientId } };
}
