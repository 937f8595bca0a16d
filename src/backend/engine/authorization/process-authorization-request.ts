import type { Context } from "../context.ts";
import type { AuthorizationRequest, AuthorizationResponse } from "../../../contract/auth-authorization.ts";
import { type Form, readForm } from "../../../oauth/form.ts";
import { lowestPrompt, type Prompt } from "../../../oauth/openid-parameters.ts";
import { tokenDigest } from "../../../oauth/token-digest.ts";
import { noteClient, noteUnknownClient } from "../answer/note-facts.ts";
import { result, type ResultCode } from "../answer/result.ts";
import { type Decided, newAttempt, runForService } from "../answer/run-decided.ts";
import { areTooLong } from "../client-authentication/client-request.ts";
import { identifyClient } from "../client-authentication/identify-client.ts";
import { drawSecret } from "../grant/drawn-text.ts";
import { ticketLifetime } from "../grant/ticket.ts";
import type { NamedClient } from "../settings/find-client.ts";
import type { Service, Client } from "../settings/service-and-client.ts";
import { errorOfCaller, errorToClient, errorToUser, type ResponseTarget } from "./authorization-answer.ts";
import { findRedirectUri } from "./find-redirect-uri.ts";
import { stateToReturn } from "./parameter-defect.ts";
import { readAuthorizationRequest } from "./read-authorization-request.ts";
import { claimsAtUserInfo, supportedClaimNames } from "./requested-scopes.ts";
import { type TicketRequest, writeTicketRequest } from "./ticket-request.ts";

/**
 * Processes an authorization request as an authorization server received it (RFC 6749 §4.1.1).
 *
 * Until the client and its redirect URI are known for sure, errors go to the user and never to an address of the
 * request; from then on they go to the client (§4.1.2.1).
 */
export async function processAuthorizationRequest(
  context: Context,
  request: AuthorizationRequest,
): Promise<AuthorizationResponse> {
  const { service } = context;
  const { parameters } = request;
  if (parameters === undefined || parameters === null) return errorOfCaller(service, "A004201");
  if (parameters.trim() === "") return toUser(service, "A004301");
  if (areTooLong(parameters)) return toUser(service, "A004202");
  const form = readForm(parameters, { repeatable: "any" });
  if ("error" in form) return toUser(service, "A004202");
  const gone = () => errorOfCaller(service, "A003201");
  return runForService<AuthorizationResponse>(context, gone, (current) => decide(current, request, form));
}

async function decide(
  context: Context,
  request: AuthorizationRequest,
  form: Form,
): Promise<Decided<AuthorizationResponse>> {
  const { service } = context;
  const found = await findClient(context, form);
  if ("error" in found) {
    noteUnknownClient(context, form.get("client_id"));
    return { outcome: toUser(service, found.error) };
  }
  const { client } = found;
  noteClient(context, found);
  if (client.settings.locked) {
    return { outcome: errorToUser(service, { error: "unauthorized_client", code: "A010307" }) };
  }
  const redirect = findRedirectUri(client, form);
  if ("error" in redirect) return { outcome: toUser(service, redirect.error) };
  if (form.getAll("response_type").length === 0) return { outcome: toUser(service, "A009301") };

  const target: ResponseTarget = {
    redirectUri: redirect.redirectUri,
    responseMode: form.getAll("response_mode").join() === "form_post" ? "form_post" : "query",
    state: stateToReturn(form),
  };
  const read = await readAuthorizationRequest(service, client, form);
  if ("error" in read) return { outcome: errorToClient(service, target, read.error) };

  const accepted = { redirectUri: redirect.requested, target, ...read };
  const ticket = drawSecret(context.random);
  const createdAt = context.clock();
  return {
    outcome: interactionResponse(service, found, accepted, ticket),
    command: {
      name: "keep-ticket",
      attempt: newAttempt(context.random),
      serviceId: service.settings.apiKey,
      serviceVersion: service.version,
      clientId: client.settings.clientId,
      clientVersion: client.version,
      ticket: {
        digest: tokenDigest(ticket),
        kind: "authorization",
        request: writeTicketRequest(accepted),
        context: request.context ?? undefined,
        createdAt,
        expiresAt: createdAt + ticketLifetime,
      },
    },
  };
}

const codesHere: Partial<Record<ResultCode, ResultCode>> = { A244305: "A010301", A244307: "A010309" };

async function findClient(context: Context, form: Form): Promise<NamedClient | { readonly error: ResultCode }> {
  if (form.repeated.includes("client_id")) return { error: "A010303" };
  const identified = await identifyClient(context, undefined, form);
  if (!("error" in identified)) return identified;
  return { error: codesHere[identified.error] ?? "A010308" };
}

function toUser(service: Service, code: ResultCode): AuthorizationResponse {
  return errorToUser(service, { error: "invalid_request", code });
}

/** The answer that tells the API caller what to ask the user, with the ticket of the request. */
function interactionResponse(
  service: Service,
  { client, clientIdAliasUsed }: NamedClient,
  request: TicketRequest,
  ticket: string,
): AuthorizationResponse {
  const { prompts, display, maxAge, acrs, acrEssential, ...asked } = request.authentication;
  const openId = request.scopes.includes("openid");
  const about = `service ${service.settings.apiKey}, client ${client.settings.clientId}, response_type=code, openid=${openId}`;
  return {
    ...result("A004001", about),
    action: prompts.includes("none") ? "NO_INTERACTION" : "INTERACTION",
    ticket,
    service: limitedService(service),
    client: limitedClient(client),
    clientIdAliasUsed,
    ...listed(
      "scopes",
      service.settings.supportedScopes.filter(({ name }) => request.scopes.includes(name)),
    ),
    ...listed("prompts", prompts.map(upperCase)),
    lowestPrompt: upperCase(lowestPrompt(prompts)),
    display: upperCase(display),
    ...(maxAge !== undefined && { maxAge, maxAgeRequested: true }),
    ...listed("acrs", acrs),
    ...((acrs.length !== 0 || acrEssential) && { acrEssential }),
    ...(asked.subject !== undefined && { subject: asked.subject }),
    ...(asked.loginHint !== undefined && { loginHint: asked.loginHint }),
    ...listed("uiLocales", asked.uiLocales),
    ...listed("claimsLocales", asked.claimsLocales),
    ...(openId && listed("claims", supportedClaimNames(service, asked.idTokenClaimNames))),
    ...(openId && listed("claimsAtUserInfo", claimsAtUserInfo(service, request.scopes, asked.userInfoClaimNames))),
    ...(openId && asked.idTokenClaims !== undefined && { idTokenClaims: asked.idTokenClaims }),
    ...(openId && asked.userInfoClaims !== undefined && { userInfoClaims: asked.userInfoClaims }),
    ...listed("resources", request.resources),
  };
}

function limitedService({ settings }: Service): AuthorizationResponse["service"] {
  return {
    apiKey: settings.apiKey,
    ...(settings.serviceName !== undefined && { serviceName: settings.serviceName }),
    // The service does not forbid aliases; each client has its own setting.
    clientIdAliasEnabled: true,
  };
}

function limitedClient({ settings }: Client): AuthorizationResponse["client"] {
  return {
    clientId: settings.clientId,
    ...(settings.clientIdAlias !== undefined && { clientIdAlias: settings.clientIdAlias }),
    clientIdAliasEnabled: settings.clientIdAliasEnabled,
    ...(settings.clientName !== undefined && { clientName: settings.clientName }),
  };
}

/** A member that is left out when it has nothing in it. */
function listed<Name extends string, Value>(name: Name, values: readonly Value[]): Partial<Record<Name, Value[]>> {
  return values.length === 0 ? {} : ({ [name]: [...values] } as Record<Name, Value[]>);
}

function upperCase<Word extends Prompt | TicketRequest["authentication"]["display"]>(word: Word): Uppercase<Word> {
  return word.toUpperCase() as Uppercase<Word>;
}
