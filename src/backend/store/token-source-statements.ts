import type { IssueTokens, TokenSource } from "./command.ts";
import { grantStands, notRevoked, ownersAsDecided } from "./standing.ts";
import type { SqlValue, Statement } from "./statement.ts";

/** What the statements of an issue behind its source need to know of it. */
export interface SourceStatements {
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
export function sourceStatements(command: IssueTokens, source: TokenSource): SourceStatements {
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
