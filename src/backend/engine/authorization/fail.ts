import { setText } from "../../../oauth/json-object.ts";
import type {
  AuthorizationFailReason,
  AuthorizationFailRequest,
  AuthorizationFailResponse,
} from "../../../contract/auth-authorization-fail.ts";
import { type Decided, newAttempt, runDecided } from "../answer/run-decided.ts";
import { findTicket } from "../grant/ticket.ts";
import { type AuthorizationRefusal, errorOfCaller, errorToClient, errorToUser } from "./authorization-answer.ts";
import { standingRequest } from "./standing-request.ts";
import type { Context } from "../context.ts";

/** The OAuth error for each reason (Authlete's API). */
const refusals: Readonly<Record<AuthorizationFailReason, AuthorizationRefusal>> = {
  UNKNOWN: { error: "server_error", code: "A060307" },
  NOT_LOGGED_IN: { error: "login_required", code: "A060301" },
  MAX_AGE_NOT_SUPPORTED: { error: "login_required", code: "A060302" },
  EXCEEDS_MAX_AGE: { error: "login_required", code: "A060303" },
  DIFFERENT_SUBJECT: { error: "login_required", code: "A060304" },
  ACR_NOT_SATISFIED: { error: "unmet_authentication_requirements", code: "A060305" },
  DENIED: { error: "access_denied", code: "A060306" },
  SERVER_ERROR: { error: "server_error", code: "A060308" },
  NOT_AUTHENTICATED: { error: "login_required", code: "A060309" },
  ACCOUNT_SELECTION_REQUIRED: { error: "account_selection_required", code: "A060310" },
  CONSENT_REQUIRED: { error: "consent_required", code: "A060311" },
  INTERACTION_REQUIRED: { error: "interaction_required", code: "A060312" },
  INVALID_TARGET: { error: "invalid_target", code: "A060313" },
  INVALID_SCOPE: { error: "invalid_scope", code: "A060314" },
  UNAUTHORIZED_CLIENT: { error: "unauthorized_client", code: "A060315" },
  TEMPORARILY_UNAVAILABLE: { error: "temporarily_unavailable", code: "A060316" },
};

/** Characters of a description that go into the address of the answer. */
const longestDescription = 1000;

/** Answers an authorization request with an error, and uses its ticket up (RFC 6749 §4.1.2.1). */
export async function failAuthorization(
  context: Context,
  request: AuthorizationFailRequest,
): Promise<AuthorizationFailResponse> {
  return runDecided(context, () => decide(context, request));
}

async function decide(
  context: Context,
  { ticket, reason, description }: AuthorizationFailRequest,
): Promise<Decided<AuthorizationFailResponse>> {
  const { service } = context;
  const found = await findTicket(context, "authorization", ticket);
  if (found.state === "missing") return { outcome: errorOfCaller(service, "A059201") };
  if (reason === undefined || reason === null) return { outcome: errorOfCaller(service, "A060201") };
  if (found.state === "unknown") return { outcome: errorOfCaller(service, "A059202") };
  if (found.state === "expired") {
    return { outcome: errorToUser(service, { error: "invalid_request", code: "A059301" }) };
  }
  context.note?.({ clientId: String(found.ticket.clientId) });
  const { request, client } = await standingRequest(context, found.ticket);
  if (client === undefined) {
    return { outcome: errorToUser(service, { error: "invalid_request", code: "A059302" }) };
  }
  const told = setText(description)?.slice(0, longestDescription);
  return {
    outcome: errorToClient(service, request.target, refusals[reason], told),
    command: {
      name: "consume-ticket",
      attempt: newAttempt(context.random),
      serviceId: service.settings.apiKey,
      digest: found.ticket.digest,
      consumedAt: context.clock(),
    },
  };
}
