import type {
  Command,
  EndGrant,
  InvalidateToken,
  PutConfiguration,
  RevokeAccessToken,
  RevokeTokens,
  UpdateToken,
} from "../command.ts";
import { clientKey, grantKey, keysOfRow, subjectKey, tokenKey } from "../invalidation-keys.ts";
import type { Statement } from "./statement.ts";

/**
 * What each command makes void, as statements that come last in its transaction; `none`: nothing cached before it.
 *
 * An event is written only where the row says that this very attempt made the change, and once an attempt. What merely
 * expires needs none: no one remembers an answer past its `exp`.
 */
const commandEvents = {
  "put-configuration": settingsChanged,
  // Tickets, codes and assertions are known to the authorization server alone: no resource server remembers one.
  "keep-ticket": "none",
  "update-ticket": "none",
  "consume-ticket": "none",
  "issue-code": "none",
  // A refresh token that is consumed opens nothing at a resource server: there is nothing to be forgotten of it.
  "issue-tokens": "none",
  "use-assertion": "none",
  "update-token": tokenUpdated,
  "revoke-tokens": tokensEnded,
  "revoke-access-token": accessTokenEnded,
  "end-grant": grantEnded,
  "invalidate-token": unknownTokenEnded,
} satisfies { [Name in Command["name"]]: "none" | ((command: Extract<Command, { name: Name }>) => Statement[]) };

/** Whether readers of events have something to learn of this command. */
export function hasEvents({ name }: Command): boolean {
  return commandEvents[name] !== "none";
}

/** The statements that write the command's events. */
export function eventStatements(command: Command): Statement[] {
  // The table pairs each name with its own command; that is lost when it is looked up by a union of names.
  const events = commandEvents[command.name] as "none" | ((command: Command) => Statement[]);
  return events === "none" ? [] : events(command);
}

const event = (keys: string, row: string): string => `
  INSERT INTO invalidation_event (service_id, keys, created_at, attempt)
  SELECT service_id, ${keys}, $1, $2 FROM ${row}
  ON CONFLICT (attempt, keys) DO NOTHING`;

const accessTokenEvent = event("$3", "access_token WHERE service_id = $4 AND digest = $5 AND ended_by = $2");

function accessTokenEnded({ attempt, serviceId, digest, endedAt }: RevokeAccessToken): Statement[] {
  const keys = [tokenKey(Buffer.from(digest).toString("base64url"))];
  return [{ sql: accessTokenEvent, values: [endedAt, attempt, JSON.stringify(keys), serviceId, digest] }];
}

const unknownTokenEvent = `
  INSERT INTO invalidation_event (service_id, keys, created_at, attempt) VALUES ($3, $4, $1, $2)
  ON CONFLICT (attempt, keys) DO NOTHING`;

function unknownTokenEnded({ attempt, serviceId, digests, at }: InvalidateToken): Statement[] {
  const keys = digests.map((digest) => tokenKey(Buffer.from(digest).toString("base64url")));
  return [{ sql: unknownTokenEvent, values: [at, attempt, serviceId, JSON.stringify(keys)] }];
}

const grantEvent = event("$3", "token_grant WHERE service_id = $4 AND grant_id = $5 AND ended_by = $2");

function grantEnded({ attempt, serviceId, grantId, endedAt }: EndGrant): Statement[] {
  const keys = [grantKey(grantId)];
  return [{ sql: grantEvent, values: [endedAt, attempt, JSON.stringify(keys), serviceId, grantId] }];
}

const updatedTokenEvent = event("$3", "access_token WHERE service_id = $4 AND digest = $5 AND changed_by = $2");

/** Whoever was answered for the refresh token, or that there is one, was answered for the grant. */
const updatedGrantEvent = event(
  keysOfRow.grant,
  `refresh_token
  WHERE service_id = $3 AND changed_by = $2 AND consumed_at IS NULL AND grant_id =
    (SELECT t.grant_id FROM access_token t WHERE t.service_id = $3 AND t.digest = $4)`,
);

/** None where a member was given the value that it had. */
function tokenUpdated({ attempt, serviceId, digest, changedAt, changes }: UpdateToken): Statement[] {
  const keys = [tokenKey(Buffer.from(digest).toString("base64url"))];
  return [
    { sql: updatedTokenEvent, values: [changedAt, attempt, JSON.stringify(keys), serviceId, digest] },
    ...(changes.refreshTokenExpiresAt === undefined
      ? []
      : [{ sql: updatedGrantEvent, values: [changedAt, attempt, serviceId, digest] }]),
  ];
}

const revocationEvent = event("$3", "service WHERE service_id = $4 AND revoked_by = $2");

/** One, however many tokens have ended. Of a subject with one client, too, it names all that rests on the subject. */
function tokensEnded({ attempt, serviceId, clientId = 0, subject, endedAt }: RevokeTokens): Statement[] {
  const keys = [subject === undefined ? clientKey(serviceId, clientId) : subjectKey(subject)];
  return [{ sql: revocationEvent, values: [endedAt, attempt, JSON.stringify(keys), serviceId] }];
}

const serviceEvents = event(keysOfRow.service, "service WHERE changed_by = $2");
const clientEvents = event(keysOfRow.client, "client WHERE changed_by = $2");

/** One for each service and client that has another version now or is gone; none for what was not there before. */
function settingsChanged({ attempt, changedAt }: PutConfiguration): Statement[] {
  return [serviceEvents, clientEvents].map((sql) => ({ sql, values: [changedAt, attempt] }));
}
