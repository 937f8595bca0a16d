import { errorText, errorUri } from "./error-text.ts";

export interface ErrorResponse {
  readonly error: string;
  readonly error_description?: string | undefined;
  readonly error_uri?: string | undefined;
}

/**
 * The JSON body of an error response (RFC 6749 §5.2).
 *
 * Characters that the RFC forbids become `?`; an `error_uri` with such a character is left out.
 *
 * @example errorResponseBody({ error: "invalid_request" }) // '{"error":"invalid_request"}'
 */
export function errorResponseBody(response: ErrorResponse): string {
  return JSON.stringify({
    error: errorText(response.error),
    error_description: response.error_description === undefined ? undefined : errorText(response.error_description),
    error_uri: errorUri(response.error_uri),
  });
}
