import type { IssueTokens, TokenSource } from "../command.ts";
import { accessTokenColumns, refreshTokenColumns } from "../tables.ts";
import { insertFound, parametersOf, recordWriter } from "./records.ts";
import { lastOfPair, lastOfSubject } from "./revocations.ts";
import { decidedUpon, decidedValues, grantStands, notRevoked, ownerColumns, ownersAsDecided } from "./standing.ts";
import type { Plan, Statement, Values } from "./statement.ts";

/** No row of the new tokens exists yet: else a source would be marked without its tokens. */
const tokensAreNew = `
    AND NOT EXISTS (SELECT 1 FROM access_token WHERE digest = :digest)
    AND NOT EXISTS (SELECT 1 FROM access_token WHERE jwt_digest = :jwtDigest)
    AND NOT EXISTS (SELECT 1 FROM refresh_token WHERE digest = :refreshDigest)`;

const grantIsNew = `
    AND NOT EXISTS (SELECT 1 FROM token_grant WHERE service_id = :serviceId AND grant_id = :grantId)`;

const codeStands = ownersAsDecided("authorization_code", `AND ${notRevoked("authorization_code")}`);

const markCode = `
  UPDATE authorization_code SET consumed_at = :createdAt, consumed_by = :attempt
  WHERE digest = :sourceDigest AND consumed_at IS NULL AND grant_id = :grantId AND ${codeStands}
    ${tokensAreNew} ${grantIsNew}`;

const markTicket = `
  UPDATE ticket SET consumed_at = :createdAt, consumed_by = :attempt
  WHERE digest = :sourceDigest AND consumed_at IS NULL AND kind = 'password' AND ${ownersAsDecided("ticket")}
    ${tokensAreNew} ${grantIsNew}`;

const rotate = `
  UPDATE refresh_token
  SET consumed_at = :createdAt, used_by = :attempt, sealed_answer = :sealedAnswer, successor_digest = :refreshDigest
  WHERE digest = :sourceDigest AND consumed_at IS NULL AND ${ownersAsDecided("refresh_token")}
    ${tokensAreNew} AND grant_id = :grantId AND ${grantStands}`;

const keep = `
  UPDATE refresh_token SET used_by = :attempt, expires_at = coalesce(:newExpiresAt, expires_at)
  WHERE digest = :sourceDigest AND consumed_at IS NULL AND ${ownersAsDecided("refresh_token")}
    ${tokensAreNew} AND grant_id = :grantId AND ${grantStands}`;

const insertAccessToken = (conditions: string): string =>
  insertFound(
    "access_token",
    {
      ...parametersOf(accessTokenColumns),
      ...ownerColumns,
      jwt_digest: ":jwtDigest",
      attempt: ":attempt",
      client_revocation: "c.revocation",
      subject_revocation: lastOfSubject("s.service_id", ":subject"),
      revocation: lastOfPair(":subject"),
    },
    `FROM service s JOIN client c ON c.service_id = s.service_id
  WHERE ${decidedUpon}
    AND NOT EXISTS (SELECT 1 FROM refresh_token WHERE digest = :refreshDigest) ${conditions}
  ON CONFLICT DO NOTHING`,
  );

const ticketIsMarked = "SELECT 1 FROM ticket WHERE digest = :sourceDigest AND consumed_by = :attempt";

/** Looked at again where the tokens take their number: a revocation in between ends them with their code. */
const codeIsMarked = `
  SELECT 1 FROM authorization_code k
  WHERE k.digest = :sourceDigest AND k.consumed_by = :attempt AND ${notRevoked("k")}`;

const refreshTokenStands = `
    AND ${grantStands}
    AND EXISTS (SELECT 1 FROM refresh_token WHERE digest = :sourceDigest AND used_by = :attempt)`;

const insertWithoutSource = insertAccessToken(grantIsNew);

/** Of each kind of source: the mark that it was used, and the insert that looks for the mark. */
const withSource = {
  "authorization-code": { mark: markCode, insert: insertAccessToken(`${grantIsNew} AND EXISTS (${codeIsMarked})`) },
  ticket: { mark: markTicket, insert: insertAccessToken(`${grantIsNew} AND EXISTS (${ticketIsMarked})`) },
  "refresh-token": { mark: rotate, insert: insertAccessToken(refreshTokenStands) },
  "kept-refresh-token": { mark: keep, insert: insertAccessToken(refreshTokenStands) },
} satisfies Record<TokenSource["kind"], unknown>;

const issuedByThisAttempt = "SELECT 1 FROM access_token WHERE digest = :digest AND attempt = :attempt";

/** Without details in the command, the grant gets those of the code. */
const beginGrant = insertFound(
  "token_grant",
  {
    service_id: "t.service_id",
    grant_id: "t.grant_id",
    client_id: "t.client_id",
    subject: "t.subject",
    created_at: "t.created_at",
    grant_type: "t.grant_type",
    by_alias: "t.by_alias",
    client_revocation: "t.client_revocation",
    subject_revocation: "t.subject_revocation",
    revocation: "t.revocation",
    expires_at: ":lasting",
    details: "coalesce(:details, (SELECT k.details FROM authorization_code k WHERE k.digest = :codeDigest))",
    code_digest: ":codeDigest",
  },
  `FROM access_token t WHERE t.digest = :digest AND t.attempt = :attempt
  ON CONFLICT (service_id, grant_id) DO NOTHING`,
);

/** A grant lives as long as the longest of its tokens. */
const refreshGrant = `
  UPDATE token_grant
  SET expires_at = CASE WHEN expires_at < :lasting THEN :lasting ELSE expires_at END, last_refreshed_at = :createdAt
  WHERE service_id = :serviceId AND grant_id = :grantId AND ended_at IS NULL AND EXISTS (${issuedByThisAttempt})`;

const insertRefreshToken = insertFound(
  "refresh_token",
  {
    ...parametersOf(refreshTokenColumns),
    service_id: "t.service_id",
    service_version: "t.service_version",
    client_id: "t.client_id",
    client_version: "t.client_version",
  },
  `FROM access_token t WHERE t.digest = :accessDigest AND t.attempt = :attempt
  ON CONFLICT (digest) DO NOTHING`,
);

const accessTokenValues = recordWriter(accessTokenColumns);
const refreshTokenValues = recordWriter(refreshTokenColumns);

/** The source first, if there is one; each later statement writes only where the statement before it did. */
export function issueTokens(command: IssueTokens): Plan {
  const { source, grant, refreshToken } = command;
  const values = tokenValues(command);
  const statements = source === undefined ? [] : [markStatement(command, source, values)];
  const insert = source === undefined ? insertWithoutSource : withSource[source.kind].insert;
  statements.push({ guard: true, sql: insert, values });
  if (grant !== undefined) statements.push(grantStatement(command, grant, values));
  if (refreshToken !== undefined) statements.push(refreshTokenStatement(command, refreshToken));
  return { statements, applied: { sql: issuedByThisAttempt, values } };
}

function tokenValues({
  accessToken,
  grant,
  subject,
  createdAt,
  refreshToken,
  source,
  ...decided
}: IssueTokens): Values {
  return {
    ...decidedValues(decided),
    ...accessTokenValues({ ...accessToken, grantId: grant?.grantId, subject, createdAt }),
    jwtDigest: accessToken.jwtDigest ?? null,
    refreshDigest: refreshToken?.digest ?? null,
    ...(source !== undefined && { sourceDigest: source.digest }),
  };
}

/** A rotation without a successor would end the grant silently: `TypeError`. */
function markStatement({ refreshToken }: IssueTokens, source: TokenSource, values: Values): Statement {
  const { mark: sql } = withSource[source.kind];
  switch (source.kind) {
    case "authorization-code":
    case "ticket":
      return { guard: true, sql, values };
    case "refresh-token": {
      if (refreshToken === undefined) throw new TypeError("a rotation needs the token that takes the place");
      return { guard: true, sql, values: { ...values, sealedAnswer: source.sealedAnswer } };
    }
    case "kept-refresh-token": {
      if (refreshToken !== undefined) throw new TypeError("a refresh token that is kept has no successor");
      return { guard: true, sql, values: { ...values, newExpiresAt: source.expiresAt ?? null } };
    }
  }
}

function grantStatement(
  { accessToken, refreshToken, source }: IssueTokens,
  { details }: NonNullable<IssueTokens["grant"]>,
  values: Values,
): Statement {
  const newEnd = source?.kind === "kept-refresh-token" ? (source.expiresAt ?? 0) : 0;
  const lasting = Math.max(accessToken.expiresAt, refreshToken?.expiresAt ?? 0, newEnd);
  if (source?.kind === "refresh-token" || source?.kind === "kept-refresh-token") {
    return { guard: true, sql: refreshGrant, values: { ...values, lasting } };
  }
  const codeDigest = source?.kind === "authorization-code" ? source.digest : null;
  return { guard: true, sql: beginGrant, values: { ...values, lasting, details: details ?? null, codeDigest } };
}

function refreshTokenStatement(
  { accessToken, grant, createdAt, attempt }: IssueTokens,
  refreshToken: NonNullable<IssueTokens["refreshToken"]>,
): Statement {
  if (grant === undefined) throw new TypeError("a refresh token needs a grant");
  const { grantId } = grant;
  const kept = refreshTokenValues({ ...refreshToken, grantId, createdAt });
  return { guard: true, sql: insertRefreshToken, values: { ...kept, accessDigest: accessToken.digest, attempt } };
}
