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
 * The events of each command, as statements that come last in its transaction; `none`: it invalidates no cached answer.
 *
 * An event is written only if the row shows that this attempt made the change, and once per attempt. Expiry needs no
 * event: nobody caches an answer past its `exp`.
 */
const commandEvents = {
  "put-configuration": settingsChanged,
  // Tickets, codes and assertions are known to the authorization server alone: no resource server caches one.
  "keep-ticket": "none",
  "update-ticket": "none",
  "consume-ticket": "none",
  "issue-code": "none",
  // A resource server accepts no refresh token, so a consumed one leaves nothing to invalidate there.
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

/** Its own keys are `:keys`; of rows that only the database knows, an expression. */
const event = (keys: string, row: string): string => `
  INSERT INTO invalidation_event (service_id, keys, created_at, attempt)
  SELECT service_id, ${keys}, :at, :attempt FROM ${row}
  ON CONFLICT (attempt, keys) DO NOTHING`;

const accessTokenEvent = event(
  ":keys",
  "access_token WHERE service_id = :serviceId AND digest = :digest AND ended_by = :attempt",
);

function accessTokenEnded({ attempt, serviceId, digest, endedAt }: RevokeAccessToken): Statement[] {
  const keys = JSON.stringify([keyOfDigest(digest)]);
  return [{ sql: accessTokenEvent, values: { at: endedAt, attempt, keys, serviceId, digest } }];
}

const unknownTokenEvent = `
  INSERT INTO invalidation_event (service_id, keys, created_at, attempt) VALUES (:serviceId, :keys, :at, :attempt)
  ON CONFLICT (attempt, keys) DO NOTHING`;

function unknownTokenEnded({ attempt, serviceId, digests, at }: InvalidateToken): Statement[] {
  const keys = JSON.stringify(digests.map(keyOfDigest));
  return [{ sql: unknownTokenEvent, values: { at, attempt, serviceId, keys } }];
}

const grantEvent = event(
  ":keys",
  "token_grant WHERE service_id = :serviceId AND grant_id = :grantId AND ended_by = :attempt",
);

function grantEnded({ attempt, serviceId, grantId, endedAt }: EndGrant): Statement[] {
  const keys = JSON.stringify([grantKey(grantId)]);
  return [{ sql: grantEvent, values: { at: endedAt, attempt, keys, serviceId, grantId } }];
}

const updatedTokenEvent = event(
  ":keys",
  "access_token WHERE service_id = :serviceId AND digest = :digest AND changed_by = :attempt",
);

/** Answers about the refresh token, or about its existence, depend on the grant. */
const updatedGrantEvent = event(
  keysOfRow.grant,
  `refresh_token
  WHERE service_id = :serviceId AND changed_by = :attempt AND consumed_at IS NULL AND grant_id =
    (SELECT t.grant_id FROM access_token t WHERE t.service_id = :serviceId AND t.digest = :digest)`,
);

/** No event if every member had its new value before. */
function tokenUpdated({ attempt, serviceId, digest, changedAt, changes }: UpdateToken): Statement[] {
  const values = { at: changedAt, attempt, keys: JSON.stringify([keyOfDigest(digest)]), serviceId, digest };
  const statements = [{ sql: updatedTokenEvent, values }];
  if (changes.refreshTokenExpiresAt !== undefined) statements.push({ sql: updatedGrantEvent, values });
  return statements;
}

const revocationEvent = event(":keys", "service WHERE service_id = :serviceId AND revoked_by = :attempt");

/**
 * One event for any number of tokens. Also for a subject with one client, it names everything that depends on the
 * subject.
 */
function tokensEnded({ attempt, serviceId, clientId = 0, subject, endedAt }: RevokeTokens): Statement[] {
  const keys = JSON.stringify([subject === undefined ? clientKey(serviceId, clientId) : subjectKey(subject)]);
  return [{ sql: revocationEvent, values: { at: endedAt, attempt, keys, serviceId } }];
}

const serviceEvents = event(keysOfRow.service, "service WHERE changed_by = :attempt");
const clientEvents = event(keysOfRow.client, "client WHERE changed_by = :attempt");

/** One event for each service and client that has a new version or was deleted; none for a new one. */
function settingsChanged({ attempt, changedAt }: PutConfiguration): Statement[] {
  return [serviceEvents, clientEvents].map((sql) => ({ sql, values: { at: changedAt, attempt } }));
}

function keyOfDigest(digest: Uint8Array): string {
  return tokenKey(Buffer.from(digest).toString("base64url"));
}
