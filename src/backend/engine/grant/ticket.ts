import { setText } from "../../../oauth/json-object.ts";
import { tokenDigest } from "../../../oauth/token-digest.ts";
import type { TicketKind } from "../../store/command.ts";
import type { StoredTicket } from "../../store/store.ts";
import { isValidAt } from "./durations.ts";
import type { GrantDetails } from "./grant-details.ts";
import type { ResultCode } from "../answer/result.ts";
import type { Context } from "../context.ts";

/** 24 hours, in milliseconds (Authlete's API). */
export const ticketLifetime = 24 * 60 * 60 * 1000;

/** The state of a ticket now. */
export type FoundTicket =
  | { readonly state: "missing" }
  | { readonly state: "unknown" }
  | { readonly state: "expired" }
  | { readonly state: "usable"; readonly ticket: StoredTicket };

/** Looks a ticket up by its digest; one of another service, of another kind or one that has been used is unknown. */
export async function findTicket(
  { store, clock, service }: Context,
  kind: TicketKind,
  member: string | null | undefined,
): Promise<FoundTicket> {
  const text = setText(member);
  if (text === undefined) return { state: "missing" };
  const ticket = await store.readTicket(service.settings.apiKey, tokenDigest(text));
  if (ticket?.kind !== kind || ticket.consumed) return { state: "unknown" };
  return isValidAt(ticket, clock()) ? { state: "usable", ticket } : { state: "expired" };
}

/** A password request as it was accepted before the user was asked; durations in seconds, 0 for none. */
export interface PasswordTicket {
  readonly clientIdAliasUsed: boolean;
  readonly scopes: readonly string[];
  readonly requestedResources: readonly string[];
  readonly resources: readonly string[];
  /** The thumbprint of the request's certificate: the access token will be bound to it. */
  readonly x5tS256?: string | undefined;
  readonly accessTokenDuration?: number | undefined;
  readonly refreshTokenDuration?: number | undefined;
  readonly details: GrantDetails;
}

export function writePasswordTicket(ticket: PasswordTicket): string {
  return JSON.stringify(ticket);
}

/** The codes of defective tickets; they differ by operation. */
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
