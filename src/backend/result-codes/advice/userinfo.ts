import { callerIsWrong, done, fixRequest, ordinary, type AdviceFor } from "../advice.ts";
import type { userinfoSentences } from "../userinfo.ts";
import {
  bindingUnchecked,
  certificateMissing,
  certificateMismatch,
  certificateUnreadable,
  tokenExpired,
  tokenUnknown,
} from "./tokens.ts";

const passwordGrant = ordinary(
  "Use the authorization code grant: a user who gave a client the password stays private.",
);
const onlyAfterOk = callerIsWrong(
  "Let the front end call `auth/userinfo/issue` only after `auth/userinfo` answered `OK`.",
);
const noOpenid = fixRequest("ask for the scope `openid` when it asks for the token.");
const noUser = fixRequest("use a token of a user: one of client credentials has none.");

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
