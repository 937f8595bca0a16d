import { callerIsWrong, fault, type AdviceFor } from "../advice.ts";
import type { httpSentences } from "../http.ts";

/** What to do about requests that no operation has decided on. */
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
    "Leave out the member that the sentence names, or do not use that operation: the answer would not be what the caller asks for.",
  ),
  A126202: callerIsWrong("Compare the members that the sentence names with the operation in `openapi.yaml`."),
  A126203: callerIsWrong("Let the caller send its request as a body; `{}` for an operation without parameters."),
  A258201: callerIsWrong("Let the caller send Content-Type: application/json or application/x-www-form-urlencoded."),
};
