import type { TokenIssueRequest, TokenIssueResponse } from "../../../contract/auth-token-issue.ts";
import type { Dependencies } from "../dependencies.ts";
import { drawGrantId } from "../drawn-text.ts";
import { writeGrantDetails } from "../grant-details.ts";
import type { Service, Settings } from "../management/settings-memo.ts";
import { oauthError } from "../oauth-error.ts";
import type { ResultCode } from "../result.ts";
import { runDecided, type Decided } from "../run-decided.ts";
import { subjectDefect, type SubjectDefect } from "../subject.ts";
import { accessTokenDuration, firstGiven } from "./durations.ts";
import { issueCommand } from "./issue-command.ts";
import { newRefreshToken } from "./new-refresh-token.ts";
import { findPasswordTicket, type TicketCodes } from "./password-ticket.ts";
import { addToDetails, hasReadableClaims } from "./request-details.ts";
import { standingPasswordRequest } from "./standing-password-request.ts";
import { createTokenSet } from "./token-set.ts";

const ticketCodes: TicketCodes = { missing: "A055201", unknown: "A055202", expired: "A055301" };

const subjectCodes = {
  empty: "A111201",
  "too-long": "A111202",
  "non-ascii": "A111203",
  client: "A111204",
} satisfies Record<SubjectDefect, ResultCode>;

/** Issues the tokens of a password request whose user the API caller has recognised (Authlete's API). */
export async function issueToken(
  dependencies: Dependencies,
  settings: Settings,
  service: Service,
  request: TokenIssueRequest,
): Promise<TokenIssueResponse> {
  return runDecided<TokenIssueResponse>(dependencies, async () => {
    const current = await settings.service(service.settings.apiKey);
    if (current === undefined) return { outcome: oauthError(service, "server_error", "A003201") };
    return decideIssue(dependencies, settings, current, request);
  });
}

async function decideIssue(
  dependencies: Dependencies,
  settings: Settings,
  service: Service,
  request: TokenIssueRequest,
): Promise<Decided<TokenIssueResponse>> {
  const refuse = (code: ResultCode, detail?: string) => ({
    outcome: oauthError(service, "server_error", code, detail),
  });
  const found = await findPasswordTicket(dependencies, service, request.ticket, ticketCodes);
  if ("refusedWith" in found) return refuse(found.refusedWith);
  const { ticket, request: decided } = found;
  const subject = request.subject ?? "";
  const defect = await subjectDefect(settings, service, subject);
  if (defect !== undefined) return refuse(subjectCodes[defect]);
  if (!hasReadableClaims(request)) return refuse("A054201");
  const client = await settings.clientAt(service, ticket.clientId, ticket.clientVersion);
  if (client === undefined) return refuse("A055202");
  if (client.settings.locked) return refuse("A048307");
  const standing = standingPasswordRequest(service, client, decided);
  if (standing === undefined) return refuse("A055202", "the request would not be accepted any more");

  const details = addToDetails(decided.details, request);
  const { scopes, resources } = standing;
  const { x5tS256 } = decided;
  const { response, kept } = await createTokenSet(dependencies, {
    service,
    client,
    clientIdAliasUsed: decided.clientIdAliasUsed,
    grantType: "PASSWORD",
    code: "A054001",
    subject,
    scopes,
    requestedResources: decided.requestedResources,
    resources,
    x5tS256,
    accessTokenDuration: accessTokenDuration(
      service,
      client,
      firstGiven(request.accessTokenDuration, decided.accessTokenDuration),
    ),
    details,
    ...newRefreshToken(service, client, {
      scopes,
      resources,
      x5tS256,
      wishedDuration: firstGiven(request.refreshTokenDuration, decided.refreshTokenDuration),
      now: dependencies.clock(),
    }),
    first: true,
  });
  const source = { kind: "ticket", digest: ticket.digest } as const;
  const grant = { grantId: drawGrantId(dependencies.random), details: writeGrantDetails(details) };
  return {
    outcome: response as TokenIssueResponse,
    command: issueCommand(dependencies, service, client, kept, { source, grant }),
  };
}
