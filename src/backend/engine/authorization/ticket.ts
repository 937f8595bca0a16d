import { tokenDigest } from "../../../oauth/token-digest.ts";
import type { StoredTicket } from "../../store/store.ts";
import type { Dependencies } from "../dependencies.ts";
import type { Service } from "../management/settings-memo.ts";

/** 24 hours, in milliseconds (Authlete's API). */
export const ticketLifetime = 24 * 60 * 60 * 1000;

/** 256 bits: as hard to guess as a token. */
const ticketOctets = 32;

/** A ticket's raw text; it goes to the API caller and is not kept. */
export function newTicket({ random }: Dependencies): string {
  return Buffer.from(random(ticketOctets)).toString("base64url");
}

/** A ticket as it stands now. */
export type FoundTicket =
  | { readonly state: "missing" }
  | { readonly state: "unknown" }
  | { readonly state: "expired" }
  | { readonly state: "usable"; readonly ticket: StoredTicket };

/**
 * Looks a ticket of `auth/authorization` up by its digest; one of another service, of another kind or one that has been
 * used is unknown.
 */
export async function findTicket(
  { store, clock }: Dependencies,
  service: Service,
  text: string | null | undefined,
): Promise<FoundTicket> {
  if (text === undefined || text === null || text === "") return { state: "missing" };
  const ticket = await store.readTicket(service.settings.apiKey, tokenDigest(text));
  if (ticket?.kind !== "authorization" || ticket.consumed) return { state: "unknown" };
  return ticket.expiresAt <= clock() ? { state: "expired" } : { state: "usable", ticket };
}
