import type { IssueTokens, TokenSource } from "../command.ts";
import { lastOfPair, lastOfSubject } from "./revocations.ts";
import { decidedUpon, grantStands, notRevoked, ownersAsDecided } from "./standing.ts";
import { type Plan, type SqlValue, type Statement, writeResources, writeScopes } from "./statement.ts";

/** What the statements of an issue behind its source need to know of it. */
interface SourceStatements {
  /** Marks the source as used by this attempt, under every precondition of the command. */
  readonly mark: Statement;
  /** Where the mark is found, beside the client `c`; `$n` are the digest and the attempt. */
  readonly marked: (digest: string, attempt: string) => string;
}

/** Nothing of what is about to be written is there: else a mark would stand without its tokens. */
const tokensAreNew = `
    AND NOT EXISTS (SELECT 1 FROM access_token WHERE digest = $8)
    AND NOT EXISTS (SELECT 1 FROM access_token WHERE jwt_digest = $9)
    AND NOT EXISTS (SELECT 1 FROM refresh_token WHERE digest = $10)`;

const grantIsNew = `
    AND NOT EXISTS (SELECT 1 FROM token_grant WHERE service_id = $1 AND grant_id = $11)`;

const codeStands = ownersAsDecided("authorization_code", `AND ${notRevoked("authorization_code")}`);

const markCode = `
  UPDATE authorization_code SET consumed_at = $6, consumed_by = $7
  WHERE digest = $5 AND consumed_at IS NULL AND grant_id = $11 AND ${codeStands}
    ${tokensAreNew} ${grantIsNew}`;

const markTicket = `
  UPDATE ticket SET consumed_at = $6, consumed_by = $7
  WHERE digest = $5 AND consumed_at IS NULL AND kind = 'password' AND ${ownersAsDecided("ticket")}
    ${tokensAreNew} ${grantIsNew}`;

const rotate = `
  UPDATE refresh_token SET consumed_at = $6, used_by = $7, sealed_answer = $12, successor_digest = $10
  WHERE digest = $5 AND consumed_at IS NULL AND ${ownersAsDecided("refresh_token")}
    ${tokensAreNew} AND grant_id = $11 AND ${grantStands("$11")}`;

const keep = `
  UPDATE refresh_token SET used_by = $6, expires_at = coalesce($7, expires_at)
  WHERE digest = $5 AND consumed_at IS NULL AND ${ownersAsDecided("refresh_token")}
    AND NOT EXISTS (SELECT 1 FROM access_token WHERE digest = $8)
    AND NOT EXISTS (SELECT 1 FROM access_token WHERE jwt_digest = $9)
    AND grant_id = $10 AND ${grantStands("$10")}`;

const consumedTicket: SourceStatements["marked"] = (digest, attempt) =>
  `SELECT 1 FROM ticket WHERE digest = ${digest} AND consumed_by = ${attempt}`;

/** Looked at again where the tokens take their number: a revocation in between ends them with their code. */
const consumedCode: SourceStatements["marked"] = (digest, attempt) =>
  `SELECT 1 FROM authorization_code k WHERE k.digest = ${digest} AND k.consumed_by = ${attempt} AND ${notRevoked("k")}`;

const usedRefreshToken: SourceStatements["marked"] = (digest, attempt) =>
  `SELECT 1 FROM refresh_token WHERE digest = ${digest} AND used_by = ${attempt}`;

/** How a source is marked. A rotation without a successor would end the grant silently: `TypeError`. */
function sourceStatements(command: IssueTokens, source: TokenSource): SourceStatements {
  const { serviceId, serviceVersion, clientId, clientVersion, createdAt, attempt, accessToken } = command;
  const owners: SqlValue[] = [serviceId, serviceVersion, clientId, clientVersion, source.digest];
  const tokens: SqlValue[] = [accessToken.digest, accessToken.jwtDigest ?? null];
  const grantId = command.grant?.grantId ?? null;
  const values = [...owners, createdAt, attempt, ...tokens, command.refreshToken?.digest ?? null, grantId];
  switch (source.kind) {
    case "authorization-code":
      return { mark: { guard: true, sql: markCode, values }, marked: consumedCode };
    case "ticket":
      return { mark: { guard: true, sql: markTicket, values }, marked: consumedTicket };
    case "refresh-token": {
      if (command.refreshToken === undefined) throw new TypeError("a rotation needs the token that takes the place");
      return {
        mark: { guard: true, sql: rotate, values: [...values, source.sealedAnswer] },
        marked: usedRefreshToken,
      };
    }
    case "kept-refresh-token": {
      if (command.refreshToken !== undefined) throw new TypeError("a refresh token that is kept has no successor");
      const kept = [...owners, attempt, source.expiresAt ?? null, ...tokens, grantId];
      return { mark: { guard: true, sql: keep, values: kept }, marked: usedRefreshToken };
    }
  }
}

const newGrant = `
    AND NOT EXISTS (SELECT 1 FROM token_grant WHERE service_id = $1 AND grant_id = $6)`;

const standingGrant = `
    AND ${grantStands("$6")}`;

const insertAccessToken = (conditions: string): string => `
  INSERT INTO access_token (digest, service_id, service_version, client_id, client_version, grant_id, subject,
    grant_type, scopes, resources, created_at, expires_at, x5t_s256, by_alias, properties, attempt,
    jwt_digest, client_revocation, subject_revocation, revocation)
  SELECT $5, s.service_id, s.version, c.client_id, c.version, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17,
    c.revocation, ${lastOfSubject("s.service_id", "$7")}, ${lastOfPair("$7")}
  FROM service s JOIN client c ON c.service_id = s.service_id
  WHERE ${decidedUpon}
    AND NOT EXISTS (SELECT 1 FROM refresh_token WHERE digest = $18) ${conditions}
  ON CONFLICT DO NOTHING`;

const issuedByThisAttempt = "SELECT 1 FROM access_token WHERE digest = $1 AND attempt = $2";

/** A code's own details are the grant's when the command brings none. */
const beginGrant = `
  INSERT INTO token_grant (service_id, grant_id, client_id, subject, created_at, grant_type, by_alias,
    client_revocation, subject_revocation, revocation, expires_at, details, code_digest)
  SELECT service_id, grant_id, client_id, subject, created_at, grant_type, by_alias,
    client_revocation, subject_revocation, revocation,
    $3, coalesce($4, (SELECT k.details FROM authorization_code k WHERE k.digest = $5)), $5
  FROM access_token WHERE digest = $1 AND attempt = $2
  ON CONFLICT (service_id, grant_id) DO NOTHING`;

/** A grant lives as long as the longest of its tokens. */
const refreshGrant = `
  UPDATE token_grant SET expires_at = CASE WHEN expires_at < $5 THEN $5 ELSE expires_at END, last_refreshed_at = $6
  WHERE service_id = $3 AND grant_id = $4 AND ended_at IS NULL AND EXISTS (${issuedByThisAttempt})`;

const insertRefreshToken = `
  INSERT INTO refresh_token (digest, service_id, service_version, client_id, client_version, grant_id, scopes,
    resources, created_at, expires_at, x5t_s256)
  SELECT $3, service_id, service_version, client_id, client_version, grant_id, $4, $5, created_at, $6, $7
  FROM access_token WHERE digest = $1 AND attempt = $2
  ON CONFLICT (digest) DO NOTHING`;

/** The source first, if there is one; whatever follows is written only where the statement before it was. */
export function issueTokens(command: IssueTokens): Plan {
  const { attempt, accessToken, refreshToken, grant, source, serviceId } = command;
  const issued = [accessToken.digest, attempt];
  const refreshes = source?.kind === "refresh-token" || source?.kind === "kept-refresh-token";
  const statements: Statement[] = [];
  const conditions = [refreshes ? standingGrant : newGrant];
  const values = accessTokenValues(command);
  if (source !== undefined) {
    const { mark, marked } = sourceStatements(command, source);
    statements.push(mark);
    conditions.push(`AND EXISTS (${marked("$19", "$16")})`);
    values.push(source.digest);
  }
  statements.push({ guard: true, sql: insertAccessToken(conditions.join(" ")), values });
  if (grant !== undefined) {
    const lasting = Math.max(accessToken.expiresAt, refreshToken?.expiresAt ?? 0, newEndOf(source));
    statements.push(
      refreshes
        ? {
            guard: true,
            sql: refreshGrant,
            values: [...issued, serviceId, grant.grantId, lasting, command.createdAt],
          }
        : { guard: true, sql: beginGrant, values: [...issued, lasting, grant.details ?? null, codeOf(source)] },
    );
  }
  if (refreshToken !== undefined) {
    const { digest, scopes, resources, expiresAt, x5tS256 = null } = refreshToken;
    const kept = [...issued, digest, writeScopes(scopes), writeResources(resources), expiresAt, x5tS256];
    statements.push({ guard: true, sql: insertRefreshToken, values: kept });
  }
  return { statements, applied: { sql: issuedByThisAttempt, values: issued } };
}

function accessTokenValues({ accessToken, grant, refreshToken, ...command }: IssueTokens): SqlValue[] {
  return [
    command.serviceId,
    command.serviceVersion,
    command.clientId,
    command.clientVersion,
    accessToken.digest,
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
    command.attempt,
    accessToken.jwtDigest ?? null,
    refreshToken?.digest ?? null,
  ];
}

function newEndOf(source: TokenSource | undefined): number {
  return source?.kind === "kept-refresh-token" ? (source.expiresAt ?? 0) : 0;
}

function codeOf(source: TokenSource | undefined): Uint8Array | null {
  return source?.kind === "authorization-code" ? source.digest : null;
}
