import type { Command, PutConfiguration } from "../command.ts";
import { endGrant, revokeAccessToken, updateToken } from "./change-tokens.ts";
import { eventStatements } from "./command-events.ts";
import { putConfigurationStatements } from "./configuration.ts";
import { issueTokens } from "./issue-tokens.ts";
import { revokeTokens } from "./revocations.ts";
import type { Plan, Statement } from "./statement.ts";
import { consumeTicket, issueCode, keepTicket, updateTicket, useAssertion } from "./tickets-and-codes.ts";

const byExpiry = (table: string): string => `
  DELETE FROM ${table}
  WHERE digest IN (SELECT digest FROM ${table} WHERE expires_at < :expiredBefore ORDER BY expires_at LIMIT :limit)`;

const expiredGrants = (columns: string): string => `
  SELECT ${columns} FROM token_grant WHERE expires_at < :expiredBefore ORDER BY expires_at, service_id, grant_id LIMIT :limit`;

/** Its index begins with the service; services are few. */
const expiredAccessTokens = `
  DELETE FROM access_token
  WHERE digest IN (
    SELECT digest FROM access_token
    WHERE service_id IN (SELECT service_id FROM service) AND expires_at < :expiredBefore LIMIT :limit)`;

/** Deleted only when nothing remains that it might have ended: expired rows must be unknown before. */
const outlivedRevocations = `
  DELETE FROM revocation
  WHERE (service_id, subject, client_id) IN (
      SELECT service_id, subject, client_id FROM revocation WHERE expires_at < :expiredBefore ORDER BY expires_at LIMIT :limit)
    AND NOT EXISTS (SELECT 1 FROM access_token t WHERE t.service_id = revocation.service_id AND t.expires_at < :expiredBefore)
    AND NOT EXISTS (SELECT 1 FROM token_grant WHERE expires_at < :expiredBefore)
    AND NOT EXISTS (SELECT 1 FROM authorization_code WHERE consumed_at IS NULL AND expires_at < :expiredBefore)`;

const sweeps = [
  expiredAccessTokens,
  byExpiry("refresh_token"),
  // A consumed code is stored as long as its grant, so that a replay finds the grant to end; both are deleted in one
  // batch.
  `DELETE FROM authorization_code WHERE digest IN (${expiredGrants("code_digest")})`,
  // A grant expires with the last of its tokens, so no active row refers to it.
  `DELETE FROM token_grant WHERE (service_id, grant_id) IN (${expiredGrants("service_id, grant_id")})`,
  `DELETE FROM authorization_code
    WHERE digest IN (
      SELECT digest FROM authorization_code WHERE consumed_at IS NULL AND expires_at < :expiredBefore ORDER BY expires_at LIMIT :limit)`,
  byExpiry("ticket"),
  `DELETE FROM used_assertion
    WHERE (service_id, client_id, digest) IN (
      SELECT service_id, client_id, digest FROM used_assertion WHERE expires_at < :expiredBefore ORDER BY expires_at LIMIT :limit)`,
  outlivedRevocations,
];

/** Deletes what expired before an instant in milliseconds, at most `limit` rows a kind. */
export function sweepStatements(expiredBefore: number, limit: number): Statement[] {
  return sweeps.map((sql) => ({ sql, values: { expiredBefore, limit } }));
}

function putConfiguration(command: PutConfiguration): Plan {
  return { statements: putConfigurationStatements(command), applied: undefined };
}

const plans = {
  "put-configuration": putConfiguration,
  "keep-ticket": keepTicket,
  "update-ticket": updateTicket,
  "consume-ticket": consumeTicket,
  "issue-code": issueCode,
  "issue-tokens": issueTokens,
  "use-assertion": useAssertion,
  "update-token": updateToken,
  "revoke-tokens": revokeTokens,
  "revoke-access-token": revokeAccessToken,
  "end-grant": endGrant,
  // Its event is all there is of it.
  "invalidate-token": (): Plan => ({ statements: [], applied: undefined }),
} satisfies { [Name in Command["name"]]: (command: Extract<Command, { name: Name }>) => Plan };

/** The statements of a command, its events last, and how to tell that they were run before. */
export function planCommand(command: Command): Plan {
  // The table above pairs each name with its own command; that is lost when it is looked up by a union of names.
  const plan = plans[command.name] as (command: Command) => Plan;
  const { statements, applied } = plan(command);
  return { statements: [...statements, ...eventStatements(command)], applied };
}
