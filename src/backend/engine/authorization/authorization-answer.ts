import {
  authorizationResponseUrl,
  formPostPage,
  type ResponseParameters,
} from "../../../oauth/authorization-response.ts";
import { errorResponseBody, errorText } from "../../../oauth/error-text.ts";
import { result, type ResultCode, sentenceOf } from "../answer/result.ts";
import type { Service } from "../settings/service-and-client.ts";

/** The errors of RFC 6749 §4.1.2.1, RFC 8707 §2 and OpenID Connect Core §3.1.2.6 with its later additions. */
export type AuthorizationError =
  | "invalid_request"
  | "unauthorized_client"
  | "access_denied"
  | "unsupported_response_type"
  | "invalid_scope"
  | "server_error"
  | "temporarily_unavailable"
  | "invalid_target"
  | "interaction_required"
  | "login_required"
  | "account_selection_required"
  | "consent_required"
  | "request_not_supported"
  | "request_uri_not_supported"
  | "unmet_authentication_requirements";

/** Why a request failed; `detail` is for the operator of the API caller. */
export interface AuthorizationRefusal {
  readonly error: AuthorizationError;
  readonly code: ResultCode;
  readonly detail?: string;
}

/** Where the authorization response goes, and how. */
export interface ResponseTarget {
  readonly redirectUri: string;
  readonly responseMode: "query" | "form_post";
  /** The `state` of the request; also `undefined` when it cannot be sent back. */
  readonly state?: string | undefined;
}

// Not an interface: answers of the contract may have more members, and only a type allows them.
type Answer<Action> = ReturnType<typeof result> & { action: Action; responseContent: string };

/** An authorization response to the client; each has `state` and `iss` (RFC 6749 §4.1.2, RFC 9207 §2). */
export function responseToClient(
  service: Service,
  target: ResponseTarget,
  parameters: ResponseParameters,
): Pick<Answer<"LOCATION" | "FORM">, "action" | "responseContent"> {
  const all = { ...parameters, state: target.state, iss: service.settings.issuer };
  return target.responseMode === "form_post"
    ? { action: "FORM", responseContent: formPostPage(target.redirectUri, all) }
    : { action: "LOCATION", responseContent: authorizationResponseUrl(target.redirectUri, all) };
}

/** An error response to the client; `description` takes the place of the code's own sentence. */
export function errorToClient(
  service: Service,
  target: ResponseTarget,
  { error, code, detail }: AuthorizationRefusal,
  description?: string,
): Answer<"LOCATION" | "FORM"> {
  const told = service.settings.errorDescriptionOmitted ? undefined : (description ?? `[${code}] ${sentenceOf(code)}`);
  const error_description = told === undefined ? undefined : errorText(told);
  return { ...result(code, detail), ...responseToClient(service, target, { error, error_description }) };
}

/** An error that is shown to the user and sent to no client, because no redirect URI is safe (RFC 6749 §4.1.2.1). */
export function errorToUser(service: Service, { error, code, detail }: AuthorizationRefusal): Answer<"BAD_REQUEST"> {
  return { ...result(code, detail), action: "BAD_REQUEST", responseContent: errorBody(service, error, code) };
}

/** The API caller is wrong, not the client, and nothing has been used up. */
export function errorOfCaller(service: Service, code: ResultCode, detail?: string): Answer<"INTERNAL_SERVER_ERROR"> {
  return {
    ...result(code, detail),
    action: "INTERNAL_SERVER_ERROR",
    responseContent: errorBody(service, "server_error", code),
  };
}

function errorBody(service: Service, error: AuthorizationError, code: ResultCode): string {
  return errorResponseBody({
    error,
    ...(!service.settings.errorDescriptionOmitted && { error_description: `[${code}] ${sentenceOf(code)}` }),
  });
}
