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
