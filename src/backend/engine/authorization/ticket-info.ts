import type {
  AuthorizationTicketInfoRequest,
  AuthorizationTicketInfoResponse,
} from "../../../contract/auth-authorization-ticket-info.ts";
import type { Dependencies } from "../dependencies.ts";
import type { Service } from "../management/settings-memo.ts";
import { result } from "../result.ts";
import { findTicket } from "../ticket.ts";

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
