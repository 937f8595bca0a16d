import { ApiError } from "../contract/api-error.ts";
import type { CallOptions } from "../contract/operations.ts";
import { asError } from "../serving/fault.ts";
import { tellHook } from "../serving/call-harmlessly.ts";
import { oauthErrorAnswer, type EndpointAnswer, type EndpointRequest } from "./endpoint.ts";

/**
 * Reports that the backend could not answer, for the front end's log. If it throws or rejects, the answer stays the
 * same and the process warns once.
 */
export type OnBackendFailure = (error: unknown) => unknown;

/** Reports to the operator why a request could not be processed. */
export function tellFailure(onFailure: OnBackendFailure | undefined, error: unknown): void {
  tellHook("onBackendFailure", onFailure, error);
}

/** The options of a call: the client's address, for the backend's log. */
export function onBehalfOf({ address }: EndpointRequest): CallOptions {
  return address === undefined ? {} : { clientAddress: address };
}

/**
 * Calls the backend. If the backend fails, the client gets 503 without details (RFC 7009 §2.2.1).
 *
 * If the backend rejects the front end itself, the front end is misconfigured: 500, because a retry would not help.
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

/** 500 if a retry would not help, otherwise 503. */
export function failureStatus(thrown: unknown): 500 | 503 {
  const error = asError(thrown);
  return error instanceof ApiError && error.status < 500 ? 500 : 503;
}

/** For a misconfiguration; the details go to the operator. */
export function serverError(): EndpointAnswer {
  return oauthErrorAnswer(500, "server_error", "The request could not be processed.");
}

/** For a dependency that does not answer; the details go to the operator. */
export function tryLater(): EndpointAnswer {
  return oauthErrorAnswer(503, "temporarily_unavailable", "Try again later.", { "retry-after": "1" });
}

/** Too many attempts: 429 (RFC 6585 §4), because RFC 6749 has no error code for it. */
export function tooSoon({ retryAfter }: { readonly retryAfter: number }): EndpointAnswer {
  const headers = { "retry-after": String(retryAfter) };
  return oauthErrorAnswer(429, "temporarily_unavailable", "Too many attempts. Try again later.", headers);
}
