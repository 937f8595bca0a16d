import type { AuthorizationResponse } from "../../../contract/auth-authorization.ts";
import { lowestPrompt, type Prompt } from "../../../oauth/prompt.ts";
import { result } from "../answer/result.ts";
import type { Client, Service } from "../settings/service-and-client.ts";
import { claimsAtUserInfo, supportedClaimNames } from "./requested-scopes.ts";
import type { TicketRequest } from "./ticket-request.ts";

/** Tells the API caller what to ask the user, and with which ticket to come back. */
export function interactionResponse(
  service: Service,
  client: Client,
  clientIdAliasUsed: boolean,
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
    ...(maxAge === undefined ? {} : { maxAge, maxAgeRequested: true }),
    ...listed("acrs", acrs),
    ...(acrs.length === 0 && !acrEssential ? {} : { acrEssential }),
    ...(asked.subject === undefined ? {} : { subject: asked.subject }),
    ...(asked.loginHint === undefined ? {} : { loginHint: asked.loginHint }),
    ...listed("uiLocales", asked.uiLocales),
    ...listed("claimsLocales", asked.claimsLocales),
    ...(openId ? listed("claims", supportedClaimNames(service, asked.idTokenClaimNames)) : {}),
    ...(openId ? listed("claimsAtUserInfo", claimsAtUserInfo(service, request.scopes, asked.userInfoClaimNames)) : {}),
    ...(openId && asked.idTokenClaims !== undefined ? { idTokenClaims: asked.idTokenClaims } : {}),
    ...(openId && asked.userInfoClaims !== undefined ? { userInfoClaims: asked.userInfoClaims } : {}),
    ...listed("resources", request.resources),
  };
}

function limitedService({ settings }: Service): AuthorizationResponse["service"] {
  return {
    apiKey: settings.apiKey,
    ...(settings.serviceName === undefined ? {} : { serviceName: settings.serviceName }),
    // A service as a whole does not forbid aliases; each client says for itself.
    clientIdAliasEnabled: true,
  };
}

function limitedClient({ settings }: Client): AuthorizationResponse["client"] {
  return {
    clientId: settings.clientId,
    ...(settings.clientIdAlias === undefined ? {} : { clientIdAlias: settings.clientIdAlias }),
    clientIdAliasEnabled: settings.clientIdAliasEnabled,
    ...(settings.clientName === undefined ? {} : { clientName: settings.clientName }),
  };
}

/** A member that is left out when it has nothing in it. */
function listed<Name extends string, Value>(name: Name, values: readonly Value[]): Partial<Record<Name, Value[]>> {
  return values.length === 0 ? {} : ({ [name]: [...values] } as Record<Name, Value[]>);
}

function upperCase<Word extends Prompt | TicketRequest["authentication"]["display"]>(word: Word): Uppercase<Word> {
  return word.toUpperCase() as Uppercase<Word>;
}
