import { type AdviceFor, done, fixRequest, handBodyOn, refusal, sendOnce, sendParameter } from "./advice.ts";

/** The result codes of `auth/revocation`, each with its sentence for people. */
export const revocationSentences = {
  A113001: "The token is not in force (any more).",
  A113201: "The revocation API was called without parameters.",
  A113202: "The parameters of the revocation request are not well-formed.",
  A113301: "The revocation request has no parameters.",
  A115301: "The revocation request does not contain token.",
  A115303: "The revocation request contains token more than once.",
  A116301: "The token was issued to another client.",
} as const;

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
