import { type AdviceFor, done, handBodyOn, refusal, sendOnce, sendParameter, sendWellFormed } from "./advice.ts";

/** The result codes of `auth/revocation`, each with its sentence for people. */
export const revocationSentences = {
  A113001: "The token is unknown, expired or revoked.",
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
  A113202: sendWellFormed,
  A113301: sendParameter("token"),
  A115301: sendParameter("token"),
  A115303: sendOnce("token"),
  A116301: refusal(
    "Only the client that the token was issued to can revoke it. A client that sends tokens of another client may have stolen them.",
  ),
};
