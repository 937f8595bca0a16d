import { done, fixRequest, refusal, sendOnce, sendParameter, type AdviceFor } from "../advice.ts";
import type { revocationSentences } from "../revocation.ts";
import { handBodyOn } from "./requests.ts";

/** What to do about revocation requests. */
export const revocationAdvice: AdviceFor<typeof revocationSentences> = {
  A113001: done,
  A113201: handBodyOn,
  A113202: fixRequest("send a form whose parameters are percent-encoded and each sent once."),
  A113301: sendParameter("token"),
  A115301: sendParameter("token"),
  A115303: sendOnce("token"),
  A116301: refusal(
    "Let the client that the token was issued to revoke it. A client that tries the tokens of others may have stolen them.",
  ),
};
