import type { Context } from "../context.ts";
import type {
  AuthorizationIssueRequest,
  AuthorizationIssueResponse,
} from "../../../contract/auth-authorization-issue.ts";
import { tokenDigest } from "../../../oauth/token-digest.ts";
import type { StoredTicket } from "../../store/store.ts";
import { drawGrantId, drawSecret } from "../grant/drawn-text.ts";
import { writeGrantDetails } from "../grant/grant-details.ts";
import type { Client, Service } from "../settings/service-and-client.ts";
import { result, type ResultCode } from "../answer/result.ts";
import { type Decided, newAttempt, runForService } from "../answer/run-decided.ts";
import { findTicket } from "../grant/ticket.ts";
import { errorOfCaller, errorToUser, responseToClient } from "./authorization-answer.ts";
import { readIssueRequest } from "./read-issue-request.ts";
import { standingGrant, standingRequest } from "./standing-request.ts";
import type { TicketRequest } from "./ticket-request.ts";

/**
 * Answers an authorization request with a code, for a user who is authenticated and agrees (RFC 6749 §4.1.2).
 *
 * One command consumes the ticket and stores the code. After any error the ticket stays usable.
 */
export async function issueAuthorizationCode(
  context: Context,
  request: AuthorizationIssueRequest,
): Promise<AuthorizationIssueResponse> {
  const gone = () => errorOfCaller(context.service, "A003201");
  return runForService<AuthorizationIssueResponse>(context, gone, async (current) => {
    const { service } = current;
    const found = await findTicket(current, "authorization", request.ticket);
    if (found.state === "missing") return { outcome: errorOfCaller(service, "A041201") };
    if (found.state === "unknown") return { outcome: errorOfCaller(service, "A041202") };
    if (found.state === "expired") return { outcome: toUser(service, "A041301") };
    current.note?.({ clientId: String(found.ticket.clientId) });
    const standing = await standingRequest(current, found.ticket);
    if (standing.client === undefined) return { outcome: toUser(service, "A045302") };
    return decide(current, { ticket: found.ticket, client: standing.client, asked: standing.request }, request);
  });
}

async function decide(
  context: Context,
  { ticket, client, asked }: { readonly ticket: StoredTicket; readonly client: Client; readonly asked: TicketRequest },
  request: AuthorizationIssueRequest,
): Promise<Decided<AuthorizationIssueResponse>> {
  const { clock, random, service } = context;
  const granted = standingGrant(service, client, asked);
  if (granted === undefined) return { outcome: toUser(service, "A045302") };
  const scopes = withoutLost(request.scopes ?? [], asked.scopes, granted.scopes);
  if (scopes === undefined) return { outcome: toUser(service, "A045302") };
  const standing = { ...asked, scopes: granted.scopes };
  const read = await readIssueRequest(context, client, standing, { ...request, scopes });
  if ("error" in read) return { outcome: errorOfCaller(service, read.error, read.detail) };

  const code = drawSecret(random);
  const createdAt = clock();
  return {
    outcome: {
      ...result("A040001"),
      ...responseToClient(service, asked.target, { code }),
      authorizationCode: code,
      ...(ticket.context !== undefined && { ticketInfo: { context: ticket.context } }),
    },
    command: {
      name: "issue-code",
      attempt: newAttempt(random),
      serviceId: service.settings.apiKey,
      serviceVersion: service.version,
      clientId: client.settings.clientId,
      clientVersion: client.version,
      ticketDigest: ticket.digest,
      createdAt,
      code: {
        digest: tokenDigest(code),
        grantId: drawGrantId(random),
        subject: read.subject,
        redirectUri: asked.redirectUri,
        codeChallenge: asked.codeChallenge,
        scopes: read.scopes,
        resources: granted.resources,
        details: writeGrantDetails(read.details),
        expiresAt: createdAt + service.settings.authorizationCodeDuration * 1000,
      },
    },
  };
}

/** Drops scopes that were removed while the consent page was open; `undefined` when all chosen ones were removed. */
function withoutLost(chosen: readonly string[], asked: readonly string[], standing: readonly string[]) {
  const left = chosen.filter((scope) => standing.includes(scope) || !asked.includes(scope));
  return left.length === 0 && chosen.length > 0 ? undefined : left;
}

function toUser(service: Service, code: ResultCode): AuthorizationIssueResponse {
  return errorToUser(service, { error: "invalid_request", code });
}
