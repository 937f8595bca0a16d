import { ApiError } from "../contract/api-error.ts";
import type { CallOptions } from "../contract/operations.ts";
import { asError } from "../serving/fault.ts";
import { tellHook } from "../serving/call-harmlessly.ts";
import { errorAnswer, type EndpointAnswer, type EndpointRequest } from "./endpoint.ts";

/**
 * Reports that the backend could not answer, for the front end's log. If it throws or rejects, the answer stays the
 * same and the process warns once.
 */
export type OnBackendFailure = (error: unknown) => unknown;

/** Tells the operator why a request could not be processed. */
export function tellFailure(onFailure: OnBackendFailure | undefined, error: unknown): void {
  tellHook("onBackendFailure", onFailure, error);
}

/** The call's options: the client's address, for the backend's log. */
export function onBehalfOf({ address }: EndpointRequest): CallOptions {
  return address === undefined ? {} : { clientAddress: address };
}

/**
 * Asks the backend; when it cannot answer, the client is told to try again and nothing more (RFC 7009 §2.2.1).
 *
 * A backend that refuses *us* is our own misconfiguration: a server error, and no reason to try again soon.
 */
export async function askBackend<Response>(
  ask: () => Promise<Response>,
  onFailure: OnBackendFailure | undefined,
  toAnswer: (response: Response) => EndpointAnswer | Promise<EndpointAnswer>,
): Promise<EndpointAnswer> {
  let response: Response;
  try {
    response = await ask();
  } catch (error) {
    tellFailure(onFailure, error);
    return failureStatus(error) === 500 ? serverError() : tryLater();
  }
  return toAnswer(response);
}

/** 500 for what trying again does not mend. */
export function failureStatus(thrown: unknown): 500 | 503 {
  const error = asError(thrown);
  return error instanceof ApiError && error.status < 500 ? 500 : 503;
}

/** Something here is not as it should be; the operator is told more. */
export function serverError(): EndpointAnswer {
  return errorAnswer(500, "server_error", "The request could not be processed.");
}

/** Somebody who is needed does not answer; the operator is told more. */
export function tryLater(): EndpointAnswer {
  return errorAnswer(503, "temporarily_unavailable", "Try again later.", { "retry-after": "1" });
}

/** Too many attempts: 429 (RFC 6585 §4), because RFC 6749 has no error code for it. */
export function tooSoon({ retryAfter }: { readonly retryAfter: number }): EndpointAnswer {
  const headers = { "retry-after": String(retryAfter) };
  return errorAnswer(429, "temporarily_unavailable", "Too many attempts. Try again later.", headers);
}
