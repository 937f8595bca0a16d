import { isCodeChallenge } from "../../../oauth/code-challenge.ts";
import type { Form } from "../../../oauth/form.ts";
import type { ResultCode } from "../answer/result.ts";
import type { Client, Service } from "../settings/service-and-client.ts";
import { grantResources } from "../grant/resources.ts";
import { readAuthenticationRequest, requestedPrompts } from "./authentication-request.ts";
import type { AuthorizationError, AuthorizationRefusal } from "./authorization-answer.ts";
import { parameterDefect } from "./parameter-defect.ts";
import { requestedScopes } from "./requested-scopes.ts";
import type { TicketRequest } from "./ticket-request.ts";

interface Refused {
  readonly error: AuthorizationRefusal;
}

/** What OAuth 2.0 Multiple Response Type Encoding Practices knows; of several words the order does not count. */
const responseTypes = ["code", "id_token", "none", "token"];

/**
 * Reads an authorization request after its redirect URI is known (RFC 6749 §4.1.1).
 *
 * Only codes are issued here: a token from this endpoint would be unbound (RFC 8705 §6.4, RFC 9700 §2.1.2).
 */
export async function readAuthorizationRequest(
  service: Service,
  client: Client,
  form: Form,
): Promise<Omit<TicketRequest, "redirectUri" | "target"> | Refused> {
  const defect = parameterDefect(form) ?? unsupported(service, client, form);
  if (defect !== undefined) return { error: defect };
  const challengeDefect = codeChallengeDefect(service, client, form);
  if (challengeDefect !== undefined) return refused("invalid_request", challengeDefect);
  const prompts = requestedPrompts(form);
  if ("error" in prompts) return prompts;
  const scope = requestedScopes(service, client, form.get("scope"), prompts);
  if ("error" in scope) return refused("invalid_scope", scope.error);
  const resources = form.getAll("resource");
  const target = grantResources(service, resources);
  if ("error" in target) return refused("invalid_target", target.error);
  const authentication = await readAuthenticationRequest(service, client, form, prompts);
  if ("error" in authentication) return authentication;
  return { scopes: scope.scopes, resources, codeChallenge: form.get("code_challenge"), authentication };
}

/** An unsupported demand of the request. */
function unsupported(service: Service, client: Client, form: Form): AuthorizationRefusal | undefined {
  if (form.get("request") !== undefined) return { error: "request_not_supported", code: "A008312" };
  if (form.get("request_uri") !== undefined) return { error: "request_uri_not_supported", code: "A008313" };
  const responseType = form.get("response_type") ?? "";
  if (responseType !== "code" || !service.settings.supportedGrantTypes.includes("AUTHORIZATION_CODE")) {
    const words = responseType.split(" ");
    const known = words.every((word) => responseTypes.includes(word));
    return { error: "unsupported_response_type", code: known ? "A009305" : "A009304" };
  }
  if (!client.settings.grantTypes.includes("AUTHORIZATION_CODE")) {
    return { error: "unauthorized_client", code: "A009306" };
  }
  const responseMode = form.get("response_mode") ?? "query";
  return responseMode === "query" || responseMode === "form_post"
    ? undefined
    : { error: "invalid_request", code: "A012303" };
}

function refused(error: AuthorizationError, code: ResultCode): Refused {
  return { error: { error, code } };
}

/**
 * Whether a code of this client must be bound to a challenge: always for a public one, which proves nothing else of
 * itself (RFC 9700 §2.1.1).
 */
export function requiresCodeChallenge(service: Service, { settings }: Client): boolean {
  return settings.clientType === "PUBLIC" || settings.pkceRequired || service.settings.pkceRequired;
}

/** The error in the PKCE parameters (RFC 7636 §4.4.1). Only S256 is accepted, and it must be named. */
function codeChallengeDefect(service: Service, client: Client, form: Form): ResultCode | undefined {
  const challenge = form.get("code_challenge");
  const method = form.get("code_challenge_method");
  if (challenge === undefined) {
    return method !== undefined || requiresCodeChallenge(service, client) ? "A124301" : undefined;
  }
  if (method === undefined) return "A124307";
  if (method === "plain") return "A124308";
  if (method !== "S256") return "A124306";
  return isCodeChallenge(challenge) ? undefined : "A124304";
}
