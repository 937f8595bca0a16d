import { ApiError } from "../../contract/api-error.ts";
import { jsonAnswer, type Answer } from "./answer.ts";

/** The answer that says an error, as the API does. */
export function errorAnswer({ status, resultCode, resultMessage, headers }: ApiError): Answer {
  return jsonAnswer(status, { resultCode, resultMessage }, { headers });
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
