import { callerIsWrong, done, fixRequest, ordinary, refusal, sendParameter, type AdviceFor } from "../advice.ts";
import type { introspectionSentences } from "../introspection.ts";
import {
  bindingUnchecked,
  certificateMissing,
  certificateMismatch,
  certificateUnreadable,
  tokenExpired,
  tokenUnknown,
} from "./tokens.ts";

const scopesMissing = ordinary(
  "Compare the scopes that the route demands with those of the token, and with `supportedScopes` of the service and `requestableScopes` of the client.",
);
const anotherSubject = ordinary(
  "Compare the subject that the route demands with the user of the token: the log does not name users.",
);

/** What to do about introspection requests. */
export const introspectionAdvice: AdviceFor<typeof introspectionSentences> = {
  A056001: done,
  A057301: fixRequest("send an access token; the API asks without one."),
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
  A097303: refusal("The client has `locked: true` in the configuration. Unlock it there, or leave it out."),
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
