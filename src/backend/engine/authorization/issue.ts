import type {
  AuthorizationIssueRequest,
  AuthorizationIssueResponse,
} from "../../../contract/auth-authorization-issue.ts";
import { tokenDigest } from "../../../oauth/token-digest.ts";
import type { StoredTicket } from "../../store/store.ts";
import type { Dependencies } from "../dependencies.ts";
import { drawGrantId, drawSecret } from "../grant/drawn-text.ts";
import { writeGrantDetails } from "../grant/grant-details.ts";
import type { Client, Service, Settings } from "../settings/service-and-client.ts";
import { result, type ResultCode } from "../answer/result.ts";
import { type Decided, newAttempt, runDecided, serviceOfEachAttempt } from "../answer/run-decided.ts";
import { findTicket } from "../grant/ticket.ts";
import { errorOfCaller, errorToUser, responseToClient } from "./authorization-answer.ts";
import { readIssueRequest } from "./read-issue-request.ts";
import { standingGrant, standingRequest } from "./standing-request.ts";
import type { TicketRequest } from "./ticket-request.ts";

/**
 * Answers an authorization request with a code, for a user who is authenticated and agrees (RFC 6749 §4.1.2).
 *
 * The ticket is used up by the same command that keeps the code; as long as anything is wrong it stays good.
 */
export async function issueAuthorizationCode(
  dependencies: Dependencies,
  settings: Settings,
  service: Service,
  request: AuthorizationIssueRequest,
): Promise<AuthorizationIssueResponse> {
  const currentService = serviceOfEachAttempt(settings, service);
  return runDecided<AuthorizationIssueResponse>(dependencies, async () => {
    const current = await currentService();
    if (current === undefined) return { outcome: errorOfCaller(service, "A003201") };
    const found = await findTicket(dependencies, current, "authorization", request.ticket);
    if (found.state === "missing") return { outcome: errorOfCaller(current, "A041201") };
    if (found.state === "unknown") return { outcome: errorOfCaller(current, "A041202") };
    if (found.state === "expired") return { outcome: toUser(current, "A041301") };
    dependencies.note?.({ clientId: String(found.ticket.clientId) });
    const standing = await standingRequest(settings, current, found.ticket);
    if (standing.client === undefined) return { outcome: toUser(current, "A045302") };
    return decide(dependencies, settings, current, standing.client, found.ticket, standing.request, request);
  });
}

async function decide(
  { clock, random }: Dependencies,
  settings: Settings,
  service: Service,
  client: Client,
  ticket: StoredTicket,
  asked: TicketRequest,
  request: AuthorizationIssueRequest,
): Promise<Decided<AuthorizationIssueResponse>> {
  const granted = standingGrant(service, client, asked);
  if (granted === undefined) return { outcome: toUser(service, "A045302") };
  const scopes = withoutLost(request.scopes ?? [], asked.scopes, granted.scopes);
  if (scopes === undefined) return { outcome: toUser(service, "A045302") };
  const standing = { ...asked, scopes: granted.scopes };
  const read = await readIssueRequest(settings, service, client, standing, { ...request, scopes });
  if ("refusedWith" in read) return { outcome: errorOfCaller(service, read.refusedWith, read.detail) };

  const code = drawSecret(random);
  const createdAt = clock();
  const { context } = ticket;
  return {
    outcome: {
      ...result("A040001"),
      ...responseToClient(service, asked.target, { code }),
      authorizationCode: code,
      ...(context !== undefined && { ticketInfo: { context } }),
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

/** What the user ticked may have been taken away since the page was shown; `undefined` when all of it was. */
function withoutLost(chosen: readonly string[], asked: readonly string[], standing: readonly string[]) {
  const left = chosen.filter((scope) => standing.includes(scope) || !asked.includes(scope));
  return left.length === 0 && chosen.length > 0 ? undefined : left;
}

function toUser(service: Service, code: ResultCode): AuthorizationIssueResponse {
  return errorToUser(service, { error: "invalid_request", code });
}
