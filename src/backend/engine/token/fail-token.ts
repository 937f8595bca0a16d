import type { Context } from "../context.ts";
import type { TokenFailReason, TokenFailRequest, TokenFailResponse } from "../../../contract/auth-token-fail.ts";
import { oauthError, type OAuthError } from "../answer/oauth-error.ts";
import type { ResultCode } from "../answer/result.ts";
import { newAttempt, runDecided } from "../answer/run-decided.ts";
import { findPasswordTicket, type TicketCodes } from "../grant/ticket.ts";

const ticketCodes: TicketCodes = { missing: "A063201", unknown: "A063202", expired: "A063301" };

/** What each reason becomes (Authlete's API, which has invalid_request where RFC 6749 §5.2 has invalid_grant). */
const reasons = {
  INVALID_RESOURCE_OWNER_CREDENTIALS: ["invalid_request", "A067301"],
  UNKNOWN: ["server_error", "A067302"],
  INVALID_TARGET: ["invalid_target", "A067303"],
  INVALID_CLIENT: ["invalid_client", "A067304"],
  UNAUTHORIZED_CLIENT: ["unauthorized_client", "A067305"],
  INVALID_SCOPE: ["invalid_scope", "A067306"],
} satisfies Record<TokenFailReason, readonly [OAuthError, ResultCode]>;

/** Refuses a password request that the API caller has refused; its ticket is of no more use. */
export async function failToken(context: Context, request: TokenFailRequest): Promise<TokenFailResponse> {
  const { service } = context;
  const { reason } = request;
  return runDecided<TokenFailResponse>(context, async () => {
    const found = await findPasswordTicket(context, request.ticket, ticketCodes);
    if ("error" in found) return { outcome: oauthError(service, "server_error", found.error) };
    if (reason === undefined || reason === null) return { outcome: oauthError(service, "server_error", "A067201") };
    const [error, code] = reasons[reason];
    const refusal = oauthError(service, error, code);
    return {
      // This operation has no INVALID_CLIENT: the request is answered with the plain 400 (Authlete's API).
      outcome: { ...refusal, action: refusal.action === "INVALID_CLIENT" ? "BAD_REQUEST" : refusal.action },
      command: {
        name: "consume-ticket",
        attempt: newAttempt(context.random),
        serviceId: service.settings.apiKey,
        digest: found.ticket.digest,
        consumedAt: context.clock(),
      },
    };
  });
}
