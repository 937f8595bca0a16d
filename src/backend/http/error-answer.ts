import { ApiError } from "../../contract/api-error.ts";
import { jsonAnswer, type Answer } from "./answer.ts";

/** Faults after which the same call may well succeed; by name, for this layer knows neither the store nor the engine. */
const passing: ReadonlySet<string> = new Set([
  "StoreFailure",
  "ChainVerificationFailure",
  "RemoteJwksFailure",
  "DecisionContended",
  "ServiceUnknown",
  "StreamUnavailable",
]);

/** Whether the fault is ours and its cause belongs into the log. */
export function isFault(error: unknown): boolean {
  return apiErrorOf(error).status >= 500;
}

/**
 * What the API caller is told of an error: an {@link ApiError} as it is, of anything else nothing but that it happened.
 *
 * @example errorAnswer(new ApiError(401, "A001202", "…")).status // 401
 */
export function errorAnswer(error: unknown): Answer {
  const { status, resultCode, resultMessage, headers } = apiErrorOf(error);
  return jsonAnswer(status, { resultCode, resultMessage }, { headers });
}

/** What the engine calls the caller's mistake has the members of an {@link ApiError}; it, too, is known by its name. */
interface CallRefused extends Error {
  readonly status: number;
  readonly resultCode: string;
  readonly sentence: string;
}

function apiErrorOf(error: unknown): ApiError {
  if (error instanceof ApiError) return error;
  if (!(error instanceof Error) || error.name !== "CallRefused") return faultError(error);
  const { status, resultCode, sentence } = error as CallRefused;
  return new ApiError(status, resultCode, sentence, { cause: error });
}

function faultError(error: unknown): ApiError {
  return error instanceof Error && passing.has(error.name)
    ? new ApiError(503, "A001101", "The request could not be processed now.", { headers: { "Retry-After": "1" } })
    : new ApiError(500, "A001101", "The request could not be processed.");
}

/** The path is none of the API's. */
export function nothingHere(): ApiError {
  return new ApiError(404, "A000201", "There is nothing at this path.");
}

/** The path is one of the API's, the method is not one of the path's. */
export function methodNotAllowed(allowed: readonly string[]): ApiError {
  const allow = [...new Set(allowed)].sort().join(", ");
  return new ApiError(405, "A000201", `The method has to be one of: ${allow}.`, { headers: { Allow: allow } });
}
