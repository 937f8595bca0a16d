import { setText } from "../../../oauth/json-object.ts";
import { tokenDigest } from "../../../oauth/token-digest.ts";
import type { TicketKind } from "../../store/command.ts";
import type { StoredTicket } from "../../store/store.ts";
import type { Dependencies } from "../dependencies.ts";
import type { Service } from "../settings/service-and-client.ts";
import { isValidAt } from "./durations.ts";

/** 24 hours, in milliseconds (Authlete's API). */
export const ticketLifetime = 24 * 60 * 60 * 1000;

/** A ticket as it stands now. */
export type FoundTicket =
  | { readonly state: "missing" }
  | { readonly state: "unknown" }
  | { readonly state: "expired" }
  | { readonly state: "usable"; readonly ticket: StoredTicket };

/** Looks a ticket up by its digest; one of another service, of another kind or one that has been used is unknown. */
export async function findTicket(
  { store, clock }: Dependencies,
  service: Service,
  kind: TicketKind,
  member: string | null | undefined,
): Promise<FoundTicket> {
  const text = setText(member);
  if (text === undefined) return { state: "missing" };
  const ticket = await store.readTicket(service.settings.apiKey, tokenDigest(text));
  if (ticket?.kind !== kind || ticket.consumed) return { state: "unknown" };
  return isValidAt(ticket, clock()) ? { state: "usable", ticket } : { state: "expired" };
}
