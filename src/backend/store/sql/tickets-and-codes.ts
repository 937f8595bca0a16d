import type { ConsumeTicket, IssueCode, KeepTicket, UpdateTicket, UseAssertion, TicketKind } from "../command.ts";
import type { StoredCode, StoredTicket } from "../store.ts";
import { lastOfPair } from "./revocations.ts";
import { decidedUpon, notRevoked, ownersAsDecided, ownersStand, standsWith } from "./standing.ts";
import { type Plan, readResources, readScopes, writeResources, writeScopes } from "./statement.ts";

/** The reads of what leads to tokens: tickets and authorization codes. */
export const ticketQueries = {
  ticket: `
    SELECT k.kind, k.client_id, k.request, k.context, k.created_at, k.expires_at, k.consumed_at,
      c.version AS client_version, s.version AS service_version
    FROM ticket k ${standsWith("k")}
    WHERE k.service_id = $1 AND k.digest = $2`,
  // A used code is known as long as its grant is kept: a replay is one also after a revocation.
  code: `
    SELECT k.client_id, k.grant_id, k.subject, k.redirect_uri, k.code_challenge, k.scopes, k.resources, k.details,
      k.created_at, k.expires_at, k.consumed_at, c.version AS client_version, s.version AS service_version
    FROM authorization_code k ${standsWith("k")}
    WHERE k.service_id = $1 AND k.digest = $2
      AND (k.consumed_at IS NOT NULL OR ${notRevoked("k")})`,
} as const;

interface ConsumableRow {
  readonly client_id: number;
  readonly created_at: number;
  readonly expires_at: number;
  readonly consumed_at: number | null;
  readonly client_version: number;
  readonly service_version: number;
}

export interface TicketRow extends ConsumableRow {
  readonly kind: TicketKind;
  readonly request: string;
  readonly context: string | null;
}

export interface CodeRow extends ConsumableRow {
  readonly grant_id: string;
  readonly subject: string;
  readonly redirect_uri: string | null;
  readonly code_challenge: string | null;
  readonly scopes: string;
  readonly resources: string;
  readonly details: string;
}

export function ticketOfRow(digest: Uint8Array, row: TicketRow): StoredTicket {
  return {
    digest,
    kind: row.kind,
    clientId: row.client_id,
    request: row.request,
    context: row.context ?? undefined,
    createdAt: row.created_at,
    expiresAt: row.expires_at,
    consumed: row.consumed_at !== null,
    clientVersion: row.client_version,
    serviceVersion: row.service_version,
  };
}

export function codeOfRow(digest: Uint8Array, row: CodeRow): StoredCode {
  return {
    digest,
    clientId: row.client_id,
    grantId: row.grant_id,
    subject: row.subject,
    redirectUri: row.redirect_uri ?? undefined,
    codeChallenge: row.code_challenge ?? undefined,
    scopes: readScopes(row.scopes),
    resources: readResources(row.resources),
    details: row.details,
    createdAt: row.created_at,
    expiresAt: row.expires_at,
    consumed: row.consumed_at !== null,
    clientVersion: row.client_version,
    serviceVersion: row.service_version,
  };
}

const insertTicket = `
  INSERT INTO ticket (digest, service_id, service_version, client_id, client_version, kind, request, context,
    created_at, expires_at, attempt)
  SELECT $5, s.service_id, s.version, c.client_id, c.version, $6, $7, $8, $9, $10, $11
  FROM service s JOIN client c ON c.service_id = s.service_id
  WHERE ${decidedUpon}
  ON CONFLICT (digest) DO NOTHING`;

const ticketKeptByThisAttempt = "SELECT 1 FROM ticket WHERE digest = $1 AND attempt = $2";

export function keepTicket({ ticket, attempt, ...decided }: KeepTicket): Plan {
  const { serviceId, serviceVersion, clientId, clientVersion } = decided;
  const { digest, kind, request, context = null, createdAt, expiresAt } = ticket;
  const owners = [serviceId, serviceVersion, clientId, clientVersion];
  const values = [...owners, digest, kind, request, context, createdAt, expiresAt, attempt];
  return {
    statements: [{ guard: true, sql: insertTicket, values }],
    applied: { sql: ticketKeptByThisAttempt, values: [digest, attempt] },
  };
}

const updateContext = `
  UPDATE ticket SET context = $3, changed_by = $4
  WHERE service_id = $1 AND digest = $2 AND consumed_at IS NULL
    AND ${ownersStand("ticket")}`;

const contextChangedByThisAttempt = `
  SELECT 1 FROM ticket WHERE service_id = $1 AND digest = $2 AND changed_by = $3`;

export function updateTicket({ serviceId, digest, context, attempt }: UpdateTicket): Plan {
  return {
    statements: [{ guard: true, sql: updateContext, values: [serviceId, digest, context, attempt] }],
    applied: { sql: contextChangedByThisAttempt, values: [serviceId, digest, attempt] },
  };
}

const consumeOnly = `
  UPDATE ticket SET consumed_at = $3, consumed_by = $4
  WHERE service_id = $1 AND digest = $2 AND consumed_at IS NULL AND ${ownersStand("ticket")}`;

const ticketConsumedByThisAttempt = `
  SELECT 1 FROM ticket WHERE service_id = $1 AND digest = $2 AND consumed_by = $3`;

export function consumeTicket({ serviceId, digest, consumedAt, attempt }: ConsumeTicket): Plan {
  return {
    statements: [{ guard: true, sql: consumeOnly, values: [serviceId, digest, consumedAt, attempt] }],
    applied: { sql: ticketConsumedByThisAttempt, values: [serviceId, digest, attempt] },
  };
}

const consumeForCode = `
  UPDATE ticket SET consumed_at = $6, consumed_by = $7
  WHERE digest = $5 AND consumed_at IS NULL AND kind = 'authorization' AND ${ownersAsDecided("ticket")}
    AND NOT EXISTS (SELECT 1 FROM authorization_code WHERE digest = $8)`;

const insertCode = `
  INSERT INTO authorization_code (digest, service_id, service_version, client_id, client_version, grant_id, subject,
    redirect_uri, code_challenge, scopes, resources, details, created_at, expires_at, attempt, revocation)
  SELECT $5, s.service_id, s.version, c.client_id, c.version, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, ${lastOfPair("$7")}
  FROM service s JOIN client c ON c.service_id = s.service_id
  WHERE ${decidedUpon} AND EXISTS (SELECT 1 FROM ticket WHERE digest = $16 AND consumed_by = $15)
  ON CONFLICT (digest) DO NOTHING`;

const codeIssuedByThisAttempt = "SELECT 1 FROM authorization_code WHERE digest = $1 AND attempt = $2";

export function issueCode({ ticketDigest, createdAt, code, attempt, ...decided }: IssueCode): Plan {
  const owners = [decided.serviceId, decided.serviceVersion, decided.clientId, decided.clientVersion];
  return {
    statements: [
      { guard: true, sql: consumeForCode, values: [...owners, ticketDigest, createdAt, attempt, code.digest] },
      {
        guard: true,
        sql: insertCode,
        values: [
          ...owners,
          code.digest,
          code.grantId,
          code.subject,
          code.redirectUri ?? null,
          code.codeChallenge ?? null,
          writeScopes(code.scopes),
          writeResources(code.resources),
          code.details,
          createdAt,
          code.expiresAt,
          attempt,
          ticketDigest,
        ],
      },
    ],
    applied: { sql: codeIssuedByThisAttempt, values: [code.digest, attempt] },
  };
}

const insertAssertion = `
  INSERT INTO used_assertion (service_id, client_id, digest, expires_at, attempt) VALUES ($1, $2, $3, $4, $5)
  ON CONFLICT (service_id, client_id, digest) DO NOTHING`;

const assertionUsedByThisAttempt = `
  SELECT 1 FROM used_assertion WHERE service_id = $1 AND client_id = $2 AND digest = $3 AND attempt = $4`;

export function useAssertion({ serviceId, clientId, digest, expiresAt, attempt }: UseAssertion): Plan {
  return {
    statements: [{ guard: true, sql: insertAssertion, values: [serviceId, clientId, digest, expiresAt, attempt] }],
    applied: { sql: assertionUsedByThisAttempt, values: [serviceId, clientId, digest, attempt] },
  };
}
