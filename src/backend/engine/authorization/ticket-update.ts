import type {
  AuthorizationTicketUpdateRequest,
  AuthorizationTicketUpdateResponse,
} from "../../../contract/auth-authorization-ticket-update.ts";
import { newAttempt } from "../attempt.ts";
import type { Dependencies } from "../dependencies.ts";
import type { Service } from "../management/settings-memo.ts";
import { result } from "../result.ts";
import { runDecided } from "../run-decided.ts";
import { findTicket } from "../ticket.ts";

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
  const context = typeof info === "object" && info !== null ? info.context : info;
  return context === null || context === "" ? undefined : context;
}
