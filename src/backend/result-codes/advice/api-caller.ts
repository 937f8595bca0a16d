import { callerIsWrong, type AdviceFor } from "../advice.ts";
import type { apiCallerSentences } from "../api-caller.ts";

/** What to do about callers of the API that are not accepted. */
export const apiCallerAdvice: AdviceFor<typeof apiCallerSentences> = {
  A003201: callerIsWrong(
    "Compare the API key that the caller uses with the `apiKey` of the services in the configuration.",
  ),
  A003204: callerIsWrong("Compare the caller's API secret with the `apiSecret` of the service in the configuration."),
  A458101: callerIsWrong(
    "Compare the service id in the path and the caller's service access token with `apiKey` and `serviceAccessTokens` in the configuration.",
  ),
};
