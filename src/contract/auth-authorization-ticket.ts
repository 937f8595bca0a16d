import { z } from "zod";
import * as member from "./members.ts";
import { defineOperation } from "./operation.ts";

export const authorizationTicketInfoRequest = z
  .object({ ticket: member.text("The ticket of `auth/authorization`.") })
  .meta({ id: "AuthorizationTicketInfoRequest" });

export const authorizationTicketUpdateRequest = z
  .object({
    ticket: member.text("The ticket of `auth/authorization`."),
    info: z
      .union([z.string().max(1_048_576), z.object({ context: member.text("The caller's text.") })])
      .nullish()
      .describe("What to keep with the ticket: the text itself, or an object with it as `context`."),
  })
  .meta({ id: "AuthorizationTicketUpdateRequest" });

const answer = {
  ...member.result,
  action: z
    .enum(["OK", "NOT_FOUND", "CALLER_ERROR", "AUTHLETE_ERROR"])
    .describe("Whether there is such a ticket that can still be used."),
  info: z
    .object({ context: z.string().optional() })
    .meta({ id: "AuthorizationTicketInfo", description: "What the caller keeps with a ticket." })
    .optional(),
};

export const authorizationTicketInfoResponse = z.looseObject(answer).meta({ id: "AuthorizationTicketInfoResponse" });
export const authorizationTicketUpdateResponse = z
  .looseObject(answer)
  .meta({ id: "AuthorizationTicketUpdateResponse" });

export type AuthorizationTicketInfoRequest = z.infer<typeof authorizationTicketInfoRequest>;
export type AuthorizationTicketInfoResponse = z.infer<typeof authorizationTicketInfoResponse>;
export type AuthorizationTicketUpdateRequest = z.infer<typeof authorizationTicketUpdateRequest>;
export type AuthorizationTicketUpdateResponse = z.infer<typeof authorizationTicketUpdateResponse>;

const ticket = "e4iPTH2JrEFqbY8l9zYHQ7aQoXhUY9z4FPFBPF1UCQM";

export const authAuthorizationTicketInfo = defineOperation({
  operationId: "auth_authorization_ticket_info_api",
  method: "POST",
  path: "/auth/authorization/ticket/info",
  caller: "service",
  summary: "Read what is kept with a ticket",
  description: "Answers the caller's own text; the ticket stays good.",
  request: authorizationTicketInfoRequest,
  response: authorizationTicketInfoResponse,
  v2Type: "authorizationTicketInfoResponse",
  idempotent: true,
  example: {
    request: { ticket },
    response: {
      resultCode: "A420001",
      resultMessage: "[A420001] The ticket is known.",
      action: "OK",
      info: { context: "session=42" },
    },
  },
});

export const authAuthorizationTicketUpdate = defineOperation({
  operationId: "auth_authorization_ticket_update_api",
  method: "POST",
  path: "/auth/authorization/ticket/update",
  caller: "service",
  summary: "Change what is kept with a ticket",
  description: "Keeps the caller's text in the place of the one before.",
  request: authorizationTicketUpdateRequest,
  response: authorizationTicketUpdateResponse,
  v2Type: "authorizationTicketUpdateResponse",
  idempotent: true,
  example: {
    request: { ticket, info: { context: "session=42" } },
    response: {
      resultCode: "A421001",
      resultMessage: "[A421001] The text of the ticket was changed.",
      action: "OK",
      info: { context: "session=42" },
    },
  },
});
