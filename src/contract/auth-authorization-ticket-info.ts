import { z } from "zod";
import * as member from "./members.ts";
import { defineOperation } from "./operation.ts";

/** Data that the caller stores with a ticket. */
export const ticketInfo = z
  .object({ context: z.string().optional() })
  .meta({ id: "TicketInfo", description: "Data that the caller stores with a ticket." });

const authorizationTicketInfoRequest = z
  .object({ ticket: member.text("The ticket of `auth/authorization`.") })
  .meta({ id: "AuthorizationTicketInfoRequest" });

/** The members of both answers about a ticket. */
export const ticketAnswer = {
  ...member.result,
  action: z
    .enum(["OK", "NOT_FOUND", "CALLER_ERROR", "AUTHLETE_ERROR"])
    .describe("Whether the ticket is known and usable."),
  info: ticketInfo.optional(),
};

const authorizationTicketInfoResponse = z.looseObject(ticketAnswer).meta({ id: "AuthorizationTicketInfoResponse" });

export type AuthorizationTicketInfoRequest = z.infer<typeof authorizationTicketInfoRequest>;
export type AuthorizationTicketInfoResponse = z.infer<typeof authorizationTicketInfoResponse>;

export const authAuthorizationTicketInfo = defineOperation({
  operationId: "auth_authorization_ticket_info_api",
  method: "POST",
  path: "/auth/authorization/ticket/info",
  caller: "service",
  summary: "Read the data of a ticket",
  description: "Returns the text that the caller has stored; the ticket remains usable.",
  request: authorizationTicketInfoRequest,
  response: authorizationTicketInfoResponse,
  v2Type: "authorizationTicketInfoResponse",
  idempotent: true,
  example: {
    request: { ticket: "e4iPTH2JrEFqbY8l9zYHQ7aQoXhUY9z4FPFBPF1UCQM" },
    response: {
      resultCode: "A420001",
      resultMessage: "[A420001] The ticket is known.",
      action: "OK",
      info: { context: "session=42" },
    },
  },
});
