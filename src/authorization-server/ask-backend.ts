import { ApiError } from "../contract/api-error.ts";
import { errorAnswer, type EndpointAnswer } from "./endpoint.ts";

/** What a front end is told when its backend could not answer; for its log, never for the client. */
export type OnBackendFailure = (error: unknown) => void;

/**
 * Asks the backend; when it cannot answer, the client is told to try again and nothing more (RFC 7009 §2.2.1).
 *
 * A backend that refuses *us* is our own misconfiguration: a server error, and no reason to try again soon.
 */
export async function askBackend<Response>(
  ask: () => Promise<Response>,
  onFailure: OnBackendFailure | undefined,
  toAnswer: (response: Response) => EndpointAnswer,
): Promise<EndpointAnswer> {
  let response: Response;
  try {
    response = await ask();
  } catch (error) {
    onFailure?.(error);
    if (error instanceof ApiError && error.status < 500) {
      return errorAnswer(500, "server_error", "The request could not be processed.");
    }
    return errorAnswer(503, "temporarily_unavailable", "Try again later.", { "retry-after": "1" });
  }
  return toAnswer(response);
}
