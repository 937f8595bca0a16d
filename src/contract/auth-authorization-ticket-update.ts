import { z } from "zod";
import { ticketAnswer } from "./auth-authorization-ticket-info.ts";
import * as member from "./members.ts";
import { defineOperation } from "./operation.ts";

const authorizationTicketUpdateRequest = z
  .object({
    ticket: member.text("The ticket of `auth/authorization`."),
    info: z
      .union([z.string().max(1_048_576), z.object({ context: member.text("The caller's text.") })])
      .nullish()
      .describe("The data to store with the ticket: the text itself, or an object with it as `context`."),
  })
  .meta({ id: "AuthorizationTicketUpdateRequest" });

const authorizationTicketUpdateResponse = z.looseObject(ticketAnswer).meta({ id: "AuthorizationTicketUpdateResponse" });

export type AuthorizationTicketUpdateRequest = z.infer<typeof authorizationTicketUpdateRequest>;
export type AuthorizationTicketUpdateResponse = z.infer<typeof authorizationTicketUpdateResponse>;

export const authAuthorizationTicketUpdate = defineOperation({
  operationId: "auth_authorization_ticket_update_api",
  method: "POST",
  path: "/auth/authorization/ticket/update",
  caller: "service",
  summary: "Change the data of a ticket",
  description: "Replaces the text that the caller has stored.",
  request: authorizationTicketUpdateRequest,
  response: authorizationTicketUpdateResponse,
  v2Type: "authorizationTicketUpdateResponse",
  idempotent: true,
  example: {
    request: { ticket: "e4iPTH2JrEFqbY8l9zYHQ7aQoXhUY9z4FPFBPF1UCQM", info: { context: "session=42" } },
    response: {
      resultCode: "A421001",
      resultMessage: "[A421001] The text of the ticket was changed.",
      action: "OK",
      info: { context: "session=42" },
    },
  },
});
