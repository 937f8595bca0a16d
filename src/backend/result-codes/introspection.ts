import {
  type AdviceFor,
  bindingUnchecked,
  callerIsWrong,
  certificateMismatch,
  certificateMissing,
  certificateUnreadable,
  clientLocked,
  done,
  fixRequest,
  ordinary,
  sendParameter,
  tokenExpired,
  tokenUnknown,
} from "./advice.ts";

/** The result codes of `auth/introspection` and `auth/introspection/standard`, each with its sentence for people. */
export const introspectionSentences = {
  A056001: "The access token is valid.",
  A057301: "The introspection request has no token.",
  A057302: "The access token is unknown, expired or revoked.",
  A064301: "The access token has no scopes.",
  A064302: "The access token does not cover the required scopes.",
  A064303: "The access token is not meant for the required resources.",
  A065301: "The access token has expired; its refresh token has not.",
  A065302: "The access token has expired, and so has its refresh token.",
  A065303: "The access token has expired.",
  A065304: "The access token is bound to a certificate, and none was presented.",
  A065305: "The access token is bound to another certificate than the one presented.",
  A065306: "The binding of the access token cannot be checked.",
  A065307: "The presented certificate cannot be read.",
  A066301: "The access token has no subject.",
  A066302: "The access token has another subject.",
  A097303: "The client of the access token is locked.",
  A145001: "Introspection was performed successfully.",
  A145201: "The introspection API was called without parameters.",
  A145202: "The parameters of the introspection request are not well-formed.",
  A145301: "The introspection request has no parameters.",
  A145302: "The introspection request does not contain token.",
  A404201: "The service has no key to sign the introspection answer with.",
  A404301: "A signed introspection answer is for one resource server, and rsUri is missing.",
} as const;

const scopesMissing = ordinary(
  "Compare the scopes that the route demands with those of the token, and with `supportedScopes` of the service and `requestableScopes` of the client.",
);
const anotherSubject = ordinary(
  "Compare the subject that the route demands with the user of the token. The log does not name users.",
);

/** What to do about introspection requests. */
export const introspectionAdvice: AdviceFor<typeof introspectionSentences> = {
  A056001: done,
  A057301: fixRequest("send an access token with each request to the API."),
  A057302: tokenUnknown,
  A064301: scopesMissing,
  A064302: scopesMissing,
  A064303: ordinary(
    "Compare the resources that the route demands with those that the client named (`resource`) when it asked for the token.",
  ),
  A065301: ordinary("Let the client use its refresh token."),
  A065302: tokenExpired,
  A065303: tokenExpired,
  A065304: certificateMissing,
  A065305: certificateMismatch,
  A065306: bindingUnchecked,
  A065307: certificateUnreadable,
  A066301: anotherSubject,
  A066302: anotherSubject,
  A097303: clientLocked,
  A145001: done,
  A145201: callerIsWrong("Let the resource server send `parameters`, the form of RFC 7662 as text."),
  A145202: callerIsWrong("Let the resource server percent-encode its form, each parameter once."),
  A145301: sendParameter("token"),
  A145302: sendParameter("token"),
  A404201: callerIsWrong(
    "Add a private key for the `introspectionSignAlg` that was asked for to the service's `jwks`.",
  ),
  A404301: callerIsWrong(
    "Let the front end send `rsUri`, the resource server's own URI, with a request for a signed answer.",
  ),
};
