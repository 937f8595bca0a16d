import {
  type AdviceFor,
  bindingUnchecked,
  callerIsWrong,
  certificateMismatch,
  certificateMissing,
  certificateUnreadable,
  done,
  fixRequest,
  ordinary,
  tokenExpired,
  tokenUnknown,
} from "./advice.ts";

/** The result codes of `auth/userinfo` and `auth/userinfo/issue`, each with its sentence for people. */
export const userinfoSentences = {
  A088301: "The userinfo request has no access token.",
  A088302: "The access token is unknown, expired or revoked.",
  A089303: "The access token has expired.",
  A089304: "The access token does not cover the scope openid.",
  A089305: "The access token has no subject.",
  A089306: "Access tokens of the password grant are not accepted at the userinfo endpoint.",
  A089307: "The access token is bound to a certificate, and none was presented.",
  A089308: "The presented certificate cannot be read.",
  A089309: "The binding of the access token cannot be checked.",
  A089310: "The access token is bound to another certificate than the one presented.",
  A091001: "The access token is accepted at the userinfo endpoint.",
  A092301: "The call has no access token.",
  A092302: "The access token is unknown, expired or revoked.",
  A093303: "The access token has expired.",
  A093304: "The access token does not cover the scope openid.",
  A093305: "The access token has no subject.",
  A093306: "Access tokens of the password grant are not accepted at the userinfo endpoint.",
  A094201: "The claims are not JSON.",
  A094202: "The claims are not a JSON object.",
  A096001: "The userinfo response was created.",
} as const;

const passwordGrant = ordinary(
  "Use the authorization code grant: no claims are released to a client that knows the password of the user.",
);
const onlyAfterOk = callerIsWrong(
  "Let the front end call `auth/userinfo/issue` only after `auth/userinfo` answered `OK`.",
);
const noOpenid = fixRequest("ask for the scope `openid` when it asks for the token.");
const noUser = fixRequest("use a token of a user: a token of client credentials has no user.");

/** What to do about requests for claims of a user. */
export const userinfoAdvice: AdviceFor<typeof userinfoSentences> = {
  A088301: fixRequest("send the access token in the Authorization header."),
  A088302: tokenUnknown,
  A089303: tokenExpired,
  A089304: noOpenid,
  A089305: noUser,
  A089306: passwordGrant,
  A089307: certificateMissing,
  A089308: certificateUnreadable,
  A089309: bindingUnchecked,
  A089310: certificateMismatch,
  A091001: done,
  A092301: callerIsWrong("Let the front end send the `token` that `auth/userinfo` accepted."),
  A092302: ordinary("Nothing: the token was revoked between the two calls."),
  A093303: ordinary("Nothing: the token expired between the two calls."),
  A093304: onlyAfterOk,
  A093305: onlyAfterOk,
  A093306: onlyAfterOk,
  A094201: callerIsWrong("Let the front end send `claims` as JSON text."),
  A094202: callerIsWrong("Let the front end send `claims` as the text of a JSON object."),
  A096001: done,
};
