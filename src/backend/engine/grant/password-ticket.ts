import type { Context } from "../context.ts";
import type { StoredTicket } from "../../store/store.ts";
import type { GrantDetails } from "./grant-details.ts";
import type { ResultCode } from "../answer/result.ts";
import { findTicket } from "./ticket.ts";

/** What was decided over a password request before the user was asked for; durations in seconds, 0 meaning none. */
export interface PasswordTicket {
  readonly clientIdAliasUsed: boolean;
  readonly scopes: readonly string[];
  readonly requestedResources: readonly string[];
  readonly resources: readonly string[];
  /** Of the certificate of that request: what the access token will be bound to. */
  readonly x5tS256?: string | undefined;
  readonly accessTokenDuration?: number | undefined;
  readonly refreshTokenDuration?: number | undefined;
  readonly details: GrantDetails;
}

export function writePasswordTicket(ticket: PasswordTicket): string {
  return JSON.stringify(ticket);
}

/** The codes that differ by operation for the same defect of a ticket. */
export interface TicketCodes {
  readonly missing: ResultCode;
  readonly unknown: ResultCode;
  readonly expired: ResultCode;
}

export type PasswordTicketReading =
  { readonly ticket: StoredTicket; readonly request: PasswordTicket } | { readonly error: ResultCode };

/** Looks the ticket of a password request up. */
export async function findPasswordTicket(
  context: Context,
  value: string | null | undefined,
  codes: TicketCodes,
): Promise<PasswordTicketReading> {
  const found = await findTicket(context, "password", value);
  if (found.state !== "usable") return { error: codes[found.state] };
  context.note?.({ clientId: String(found.ticket.clientId), grantType: "PASSWORD" });
  return { ticket: found.ticket, request: JSON.parse(found.ticket.request) as PasswordTicket };
}
