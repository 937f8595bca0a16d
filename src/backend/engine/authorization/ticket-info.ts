import { setText } from "../../../oauth/json-object.ts";
import type {
  AuthorizationTicketInfoRequest,
  AuthorizationTicketInfoResponse,
} from "../../../contract/auth-authorization-ticket-info.ts";
import type {
  AuthorizationTicketUpdateRequest,
  AuthorizationTicketUpdateResponse,
} from "../../../contract/auth-authorization-ticket-update.ts";
import { result } from "../answer/result.ts";
import { newAttempt, runDecided } from "../answer/run-decided.ts";
import { findTicket } from "../grant/ticket.ts";
import type { Context } from "../context.ts";

/** Answers the API caller's own text of a ticket that can still be used. */
export async function readTicketInfo(
  context: Context,
  request: AuthorizationTicketInfoRequest,
): Promise<AuthorizationTicketInfoResponse> {
  const found = await findTicket(context, "authorization", request.ticket);
  if (found.state === "missing") return { ...result("A420201"), action: "CALLER_ERROR" };
  if (found.state !== "usable") return { ...result("A420301"), action: "NOT_FOUND" };
  const { context: text } = found.ticket;
  return { ...result("A420001"), action: "OK", info: { ...(text !== undefined && { context: text }) } };
}

/** Keeps another text of the API caller's with a ticket that can still be used. */
export async function updateTicketInfo(
  context: Context,
  request: AuthorizationTicketUpdateRequest,
): Promise<AuthorizationTicketUpdateResponse> {
  const { service, random } = context;
  const text = textOf(request.info);
  return runDecided<AuthorizationTicketUpdateResponse>(context, async () => {
    const found = await findTicket(context, "authorization", request.ticket);
    if (found.state === "missing") return { outcome: { ...result("A421201"), action: "CALLER_ERROR" } };
    if (text === undefined) return { outcome: { ...result("A421202"), action: "CALLER_ERROR" } };
    if (found.state !== "usable") return { outcome: { ...result("A421301"), action: "NOT_FOUND" } };
    return {
      outcome: { ...result("A421001"), action: "OK", info: { context: text } },
      command: {
        name: "update-ticket",
        attempt: newAttempt(random),
        serviceId: service.settings.apiKey,
        digest: found.ticket.digest,
        context: text,
      },
    };
  });
}

/** Public clients send a text, or an object that contains it; both mean the same (Authlete's API). */
function textOf(info: AuthorizationTicketUpdateRequest["info"]): string | undefined {
  return setText(typeof info === "object" && info !== null ? info.context : info);
}
