import { errorResponseBody } from "../../../oauth/error-text.ts";
import type { Service } from "../settings/service-and-client.ts";
import { result, sentenceOf, type ResultCode } from "./result.ts";

/** The errors of RFC 6749 §5.2, RFC 8707 §2 and RFC 7009 §2.2.1 that the engine answers. */
export type OAuthError =
  | "invalid_request"
  | "invalid_client"
  | "invalid_grant"
  | "unauthorized_client"
  | "unsupported_grant_type"
  | "invalid_scope"
  | "invalid_target"
  | "server_error";

type ErrorAction<Error extends OAuthError> = Error extends "invalid_client"
  ? "INVALID_CLIENT"
  : Error extends "server_error"
    ? "INTERNAL_SERVER_ERROR"
    : "BAD_REQUEST";

/**
 * An answer that refuses a request of an OAuth client (RFC 6749 §5.2).
 *
 * `resultMessage` and `detail` tell the API caller what was wrong. The client gets the same text, except when it failed
 * to authenticate: then every cause has the same text, so that a guess cannot be improved.
 */
export function oauthError<Error extends OAuthError>(
  service: Service,
  error: Error,
  code: ResultCode,
  detail?: string,
): { resultCode: string; resultMessage: string; action: ErrorAction<Error>; responseContent: string } {
  const description =
    error === "invalid_client" ? "The client could not be authenticated." : `[${code}] ${sentenceOf(code)}`;
  return {
    ...result(code, detail),
    action: actionOf(error) as ErrorAction<Error>,
    responseContent: errorResponseBody({
      error,
      ...(!service.settings.errorDescriptionOmitted && { error_description: description }),
    }),
  };
}

function actionOf(error: OAuthError): ErrorAction<OAuthError> {
  if (error === "invalid_client") return "INVALID_CLIENT";
  return error === "server_error" ? "INTERNAL_SERVER_ERROR" : "BAD_REQUEST";
}
