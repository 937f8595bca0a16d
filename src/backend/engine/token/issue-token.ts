import type { Context } from "../context.ts";
import { requiresBinding } from "../../../oauth/certificate-binding.ts";
import type { TokenIssueRequest, TokenIssueResponse } from "../../../contract/auth-token-issue.ts";
import { oauthError } from "../answer/oauth-error.ts";
import type { ResultCode } from "../answer/result.ts";
import { type Decided, runForService } from "../answer/run-decided.ts";
import { drawGrantId } from "../grant/drawn-text.ts";
import { accessTokenDuration, firstGiven } from "../grant/durations.ts";
import { writeGrantDetails } from "../grant/grant-details.ts";
import { findPasswordTicket, type PasswordTicket, type TicketCodes } from "../grant/ticket.ts";
import { addToDetails, readAdditions } from "../grant/request-details.ts";
import { forOneAudience, grantResources } from "../grant/resources.ts";
import { grantScopes } from "../grant/scopes.ts";
import type { Service, Client } from "../settings/service-and-client.ts";
import { subjectDefect, type SubjectDefect } from "../settings/subject.ts";
import { newRefreshToken } from "./new-refresh-token.ts";
import { createTokenSet, issueCommand } from "./token-set.ts";

const ticketCodes: TicketCodes = { missing: "A055201", unknown: "A055202", expired: "A055301" };

const subjectCodes = {
  empty: "A111201",
  "too-long": "A111202",
  "non-ascii": "A111203",
  client: "A111204",
} satisfies Record<SubjectDefect, ResultCode>;

/** Issues the tokens of a password request after the API caller has recognised the user (Authlete's API). */
export async function issueToken(context: Context, request: TokenIssueRequest): Promise<TokenIssueResponse> {
  const gone = () => oauthError(context.service, "server_error", "A003201");
  return runForService<TokenIssueResponse>(context, gone, (current) => decideIssue(current, request));
}

async function decideIssue(context: Context, request: TokenIssueRequest): Promise<Decided<TokenIssueResponse>> {
  const { settings, service } = context;
  const refuse = (code: ResultCode, detail?: string) => ({
    outcome: oauthError(service, "server_error", code, detail),
  });
  const found = await findPasswordTicket(context, request.ticket, ticketCodes);
  if ("error" in found) return refuse(found.error);
  const { ticket, request: decided } = found;
  const subject = request.subject ?? "";
  const defect = await subjectDefect(settings, service, subject);
  if (defect !== undefined) return refuse(subjectCodes[defect]);
  const additions = readAdditions(request);
  if ("error" in additions) return refuse("A054201");
  const client = await settings.clientAt(service, ticket.clientId, ticket.clientVersion);
  if (client === undefined) return refuse("A055202");
  if (client.settings.locked) return refuse("A048307");
  const standing = standingPasswordRequest(service, client, decided);
  if (standing === undefined) return refuse("A055202", "the request would not be accepted any more");

  const details = addToDetails(decided.details, additions);
  const { scopes, resources } = standing;
  const { x5tS256 } = decided;
  const { response, kept } = await createTokenSet(context, {
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
      requestedDuration: firstGiven(request.refreshTokenDuration, decided.refreshTokenDuration),
      now: context.clock(),
    }),
    first: true,
  });
  const source = { kind: "ticket", digest: ticket.digest } as const;
  const grant = { grantId: drawGrantId(context.random), details: writeGrantDetails(details) };
  return {
    outcome: response as TokenIssueResponse,
    command: issueCommand(context, client, kept, { source, grant }),
  };
}

/** The scopes and resources that a password request can still get. */
type StandingPasswordRequest = Pick<PasswordTicket, "scopes" | "resources">;

/**
 * Checks again what may have changed while the user was asked: the grant type, the binding, the scopes and the
 * resources.
 *
 * Scopes that the service or the client has lost are dropped; `undefined` when the request would be refused now. A
 * request without a certificate is refused when tokens must be bound, since none is issued unbound (RFC 8705 §3.4).
 */
function standingPasswordRequest(
  service: Service,
  client: Client,
  asked: PasswordTicket,
): StandingPasswordRequest | undefined {
  const allowed =
    service.settings.supportedGrantTypes.includes("PASSWORD") && client.settings.grantTypes.includes("PASSWORD");
  const toBeBound = requiresBinding(service.settings, client.settings);
  if (!allowed || (toBeBound && asked.x5tS256 === undefined)) return undefined;
  const granted = asked.scopes.length === 0 ? { scopes: [] } : grantScopes(service, client, asked.scopes.join(" "));
  if ("error" in granted) return undefined;
  const target = forOneAudience(service, grantResources(service, asked.requestedResources), granted.scopes);
  return "error" in target ? undefined : { scopes: granted.scopes, resources: target.resources };
}
