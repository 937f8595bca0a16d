import { type AdviceFor, callerIsWrong, fault } from "./advice.ts";

/** The result codes that the HTTP layer answers before an operation decides; its own sentences are more precise. */
export const httpSentences = {
  A000201: "The API has no such path, method or form of request.",
  A001101: "The request could not be processed.",
  A001202: "The Authorization header is missing.",
  A001203: "The Authorization header is malformed.",
  A001223: "The request asks for what this backend does not support.",
  A126202: "The request does not have the right shape.",
  A126203: "The request body is missing.",
  A258201: "The Content-Type header is missing or not supported.",
} as const;

/** What to do about requests that reach no operation. */
export const httpAdvice: AdviceFor<typeof httpSentences> = {
  A000201: callerIsWrong("Compare path, method, body size and content coding of the call with `openapi.yaml`."),
  A001101: fault(
    "Look for the line `failed` with the same `requestId`: it has the cause. After a 503 the same call may succeed.",
  ),
  A001202: callerIsWrong("Let the caller send an Authorization header: Bearer on the v3 paths, Basic on the v2 paths."),
  A001203: callerIsWrong(
    "Let the caller send one Authorization header with the scheme of the path: Bearer with a service access token on the v3 paths, Basic with API key and API secret on the v2 paths.",
  ),
  A001223: callerIsWrong(
    "Leave out the member that the sentence names, or do not use that operation: the backend does not support it.",
  ),
  A126202: callerIsWrong("Compare the members that the sentence names with the operation in `openapi.yaml`."),
  A126203: callerIsWrong("Let the caller send its request as a body; `{}` for an operation without parameters."),
  A258201: callerIsWrong("Let the caller send Content-Type: application/json or application/x-www-form-urlencoded."),
};

/** The result codes of `service/configuration`, each with its sentence for people. */
export const discoverySentences = {
  A221201: "The patch is not a JSON Patch.",
  A221202: "The patch cannot be applied to the metadata.",
  A221203: "The patch makes the metadata too large.",
} as const;

/** What to do about calls of `service/configuration`. */
export const discoveryAdvice: AdviceFor<typeof discoverySentences> = {
  A221201: callerIsWrong("Let `patch` be the text of a JSON Patch (RFC 6902): a JSON array of operations."),
  A221202: callerIsWrong("Compare the paths of the patch with the metadata without a patch."),
  A221203: callerIsWrong("Make the patch smaller."),
};

/** The result codes of callers of the API that are not authenticated, each with its sentence for people. */
export const apiCallerSentences = {
  A003201: "The service is unknown.",
  A003204: "The credentials of the service are wrong.",
  A458101: "The service access token is not accepted for this service.",
} as const;

/** What to do about callers of the API that are not authenticated. */
export const apiCallerAdvice: AdviceFor<typeof apiCallerSentences> = {
  A003201: callerIsWrong(
    "Compare the API key that the caller uses with the `apiKey` of the services in the configuration.",
  ),
  A003204: callerIsWrong("Compare the caller's API secret with the `apiSecret` of the service in the configuration."),
  A458101: callerIsWrong(
    "Compare the service id in the path and the caller's service access token with `apiKey` and `serviceAccessTokens` in the configuration.",
  ),
};
