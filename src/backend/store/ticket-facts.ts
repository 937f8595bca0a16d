import type { TicketKind } from "./command.ts";
import { readResources, readScopes } from "./column-text.ts";
import { notRevoked, standsWith } from "./standing.ts";
import type { StoredCode, StoredTicket } from "./store.ts";

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
