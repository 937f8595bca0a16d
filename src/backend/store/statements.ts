import type { Command, EndGrant, IssueTokens, PutConfiguration, RevokeAccessToken } from "./command.ts";
import { eventStatements } from "./command-events.ts";
import { putConfigurationStatements } from "./configuration-statements.ts";
import { accessTokenInForce, writeResources, writeScopes } from "./facts.ts";
import type { Plan, Statement } from "./statement.ts";

const issueAccessToken = `
  INSERT INTO access_token (digest, service_id, service_version, client_id, client_version, grant_id, subject,
    grant_type, scopes, resources, created_at, expires_at, x5t_s256, client_id_alias_used, properties, attempt)
  SELECT $1, s.service_id, s.version, c.client_id, c.version, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16
  FROM service s JOIN client c ON c.service_id = s.service_id
  WHERE s.service_id = $2 AND s.version = $3 AND s.present = 1
    AND c.client_id = $4 AND c.version = $5 AND c.present = 1
    AND NOT EXISTS (SELECT 1 FROM token_grant WHERE service_id = $2 AND grant_id = $6)
    AND NOT EXISTS (SELECT 1 FROM refresh_token WHERE digest = $17)
  ON CONFLICT (digest) DO NOTHING`;

const issuedByThisAttempt = "SELECT 1 FROM access_token WHERE digest = $1 AND attempt = $2";

const issueGrant = `
  INSERT INTO token_grant (service_id, grant_id, client_id, subject, created_at, expires_at)
  SELECT service_id, grant_id, client_id, subject, created_at, $3
  FROM access_token WHERE digest = $1 AND attempt = $2
  ON CONFLICT (service_id, grant_id) DO NOTHING`;

const issueRefreshToken = `
  INSERT INTO refresh_token (digest, service_id, service_version, client_id, client_version, grant_id, scopes,
    resources, created_at, expires_at)
  SELECT $3, service_id, service_version, client_id, client_version, grant_id, $4, $5, created_at, $6
  FROM access_token WHERE digest = $1 AND attempt = $2
  ON CONFLICT (digest) DO NOTHING`;

function issueTokens(command: IssueTokens): Plan {
  const { attempt, accessToken, refreshToken, grant } = command;
  const issued = [accessToken.digest, attempt];
  const statements: Statement[] = [
    {
      guard: true,
      sql: issueAccessToken,
      values: [
        accessToken.digest,
        command.serviceId,
        command.serviceVersion,
        command.clientId,
        command.clientVersion,
        grant?.grantId ?? null,
        command.subject ?? null,
        accessToken.grantType,
        writeScopes(accessToken.scopes),
        writeResources(accessToken.resources),
        command.createdAt,
        accessToken.expiresAt,
        accessToken.x5tS256 ?? null,
        accessToken.clientIdAliasUsed ? 1 : 0,
        accessToken.properties ?? null,
        attempt,
        refreshToken?.digest ?? null,
      ],
    },
  ];
  if (grant !== undefined) {
    const expiresAt = Math.max(accessToken.expiresAt, refreshToken?.expiresAt ?? 0);
    statements.push({ sql: issueGrant, values: [...issued, expiresAt] });
  }
  if (refreshToken !== undefined) {
    const { digest, scopes, resources, expiresAt } = refreshToken;
    const values = [...issued, digest, writeScopes(scopes), writeResources(resources), expiresAt];
    statements.push({ sql: issueRefreshToken, values });
  }
  return { statements, applied: { sql: issuedByThisAttempt, values: issued } };
}

const endAccessToken = `
  UPDATE access_token SET ended_at = $3, ended_by = $4
  WHERE digest IN (SELECT t.digest ${accessTokenInForce})`;

const accessTokenEndedByThisAttempt = `
  SELECT 1 FROM access_token WHERE service_id = $1 AND digest = $2 AND ended_by = $3`;

function revokeAccessToken({ serviceId, digest, endedAt, attempt }: RevokeAccessToken): Plan {
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

function endGrant({ serviceId, grantId, endedAt, attempt }: EndGrant): Plan {
  return {
    statements: [{ guard: true, sql: endTokenGrant, values: [serviceId, grantId, endedAt, attempt] }],
    applied: { sql: grantEndedByThisAttempt, values: [serviceId, grantId, attempt] },
  };
}

function putConfiguration(command: PutConfiguration): Plan {
  return { statements: putConfigurationStatements(command), applied: undefined };
}

function notYet(): Plan {
  throw new Error("not yet");
}

const plans = {
  "put-configuration": putConfiguration,
  "keep-ticket": notYet,
  "update-ticket": notYet,
  "consume-ticket": notYet,
  "issue-code": notYet,
  "issue-tokens": issueTokens,
  "use-assertion": notYet,
  "update-token": notYet,
  "revoke-tokens": notYet,
  "revoke-access-token": revokeAccessToken,
  "end-grant": endGrant,
} satisfies { [Name in Command["name"]]: (command: Extract<Command, { name: Name }>) => Plan };

/** The statements of a command, its events last, and how to tell that they were run before. */
export function planCommand(command: Command): Plan {
  // The table above pairs each name with its own command; that is lost when it is looked up by a union of names.
  const plan = plans[command.name] as (command: Command) => Plan;
  const { statements, applied } = plan(command);
  return { statements: [...statements, ...eventStatements(command)], applied };
}

const sweeps = [
  `DELETE FROM access_token
    WHERE digest IN (SELECT digest FROM access_token WHERE expires_at < $1 LIMIT $2)`,
  `DELETE FROM refresh_token
    WHERE digest IN (SELECT digest FROM refresh_token WHERE expires_at < $1 LIMIT $2)`,
  // A grant expires with the last of its tokens, so nothing in force refers to it any more.
  `DELETE FROM token_grant
    WHERE (service_id, grant_id) IN (SELECT service_id, grant_id FROM token_grant WHERE expires_at < $1 LIMIT $2)`,
];

/** Deletes what expired before an instant in milliseconds, at most `limit` rows a kind. */
export function sweepStatements(expiredBefore: number, limit: number): Statement[] {
  return sweeps.map((sql) => ({ sql, values: [expiredBefore, limit] }));
}
