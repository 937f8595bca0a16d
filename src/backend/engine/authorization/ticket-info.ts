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
import type { Dependencies } from "../dependencies.ts";
import type { Service } from "../settings/service-and-client.ts";
import { findTicket } from "../grant/ticket.ts";

/** Answers the API caller's own text of a ticket that can still be used. */
export async function readTicketInfo(
  dependencies: Dependencies,
  service: Service,
  request: AuthorizationTicketInfoRequest,
): Promise<AuthorizationTicketInfoResponse> {
  const found = await findTicket(dependencies, service, "authorization", request.ticket);
  if (found.state === "missing") return { ...result("A420201"), action: "CALLER_ERROR" };
  if (found.state !== "usable") return { ...result("A420301"), action: "NOT_FOUND" };
  const { context } = found.ticket;
  return { ...result("A420001"), action: "OK", info: context === undefined ? {} : { context } };
}

/** Keeps another text of the API caller's with a ticket that can still be used. */
export async function updateTicketInfo(
  dependencies: Dependencies,
  service: Service,
  request: AuthorizationTicketUpdateRequest,
): Promise<AuthorizationTicketUpdateResponse> {
  const context = contextOf(request.info);
  return runDecided<AuthorizationTicketUpdateResponse>(dependencies, async () => {
    const found = await findTicket(dependencies, service, "authorization", request.ticket);
    if (found.state === "missing") return { outcome: { ...result("A421201"), action: "CALLER_ERROR" } };
    if (context === undefined) return { outcome: { ...result("A421202"), action: "CALLER_ERROR" } };
    if (found.state !== "usable") return { outcome: { ...result("A421301"), action: "NOT_FOUND" } };
    return {
      outcome: { ...result("A421001"), action: "OK", info: { context } },
      command: {
        name: "update-ticket",
        attempt: newAttempt(dependencies.random),
        serviceId: service.settings.apiKey,
        digest: found.ticket.digest,
        context,
      },
    };
  });
}

/** Public clients send a text, or an object with the text in it; both mean the same (Authlete's API). */
function contextOf(info: AuthorizationTicketUpdateRequest["info"]): string | undefined {
  return setText(typeof info === "object" && info !== null ? info.context : info);
}
