import { setText, readJsonObject } from "../../../oauth/json-object.ts";
import type { UserInfoIssueRequest, UserInfoIssueResponse } from "../../../contract/auth-userinfo-issue.ts";
import { bearerChallenge } from "../../../oauth/challenge.ts";
import { readGrantDetails } from "../grant/grant-details.ts";
import { findAccessToken } from "../introspection/find-access-token.ts";
import { noteToken } from "../answer/note-facts.ts";
import { result, type ResultCode } from "../answer/result.ts";
import { openUserInfo, userInfoRefusal, type UserInfoCodes } from "./userinfo-token.ts";
import type { Context } from "../context.ts";

/** No certificate is compared here: a binding that cannot be read makes the token one that is not known. */
const codes: UserInfoCodes = {
  token_missing: "A092301",
  token_unknown: "A092302",
  token_not_yet_valid: "A092302",
  certificate_missing: "A092302",
  certificate_unreadable: "A092302",
  certificate_mismatch: "A092302",
  confirmation_malformed: "A092302",
  confirmation_unsupported: "A092302",
  token_unbound: "A092302",
  audience_mismatch: "A092302",
  client_locked: "A097303",
  token_expired: "A093303",
  scope_insufficient: "A093304",
  subject_missing: "A093305",
  subject_mismatch: "A093305",
  password_grant: "A093306",
};

/**
 * Writes the answer of the userinfo endpoint (OpenID Connect Core §5.3.2) for a token that `auth/userinfo` has let in.
 *
 * The token must still be active; that it was presented with its certificate, that call has found, not this one.
 */
export async function issueUserInfo(context: Context, request: UserInfoIssueRequest): Promise<UserInfoIssueResponse> {
  const { service } = context;
  const token = request.token ?? "";
  if (token === "") return userInfoRefusal(service, codes, "token_missing");
  const found = await findAccessToken(context, token);
  noteToken(context, found);
  const x5tS256 = found?.token.x5tS256;
  const presentedRightly = x5tS256 === undefined ? undefined : { x5tS256 };
  const opened = openUserInfo(context, codes, found, presentedRightly);
  if ("error" in opened) return opened.error;
  const claims = readClaims(request.claims ?? "");
  if (typeof claims === "string") return callerError(claims);
  // The userinfo endpoint must not contradict the ID token (OpenID Connect Core §5.3.2).
  const byDefault = readGrantDetails(opened.known.token.details).idToken?.sub ?? opened.subject;
  const sub = setText(request.sub) ?? byDefault;
  return { ...result("A096001"), action: "JSON", responseContent: JSON.stringify({ sub, ...claims }) };
}

/** The claims that have a value, or the code of the error in the text. */
function readClaims(text: string): Readonly<Record<string, unknown>> | ResultCode {
  if (text === "") return {};
  const claims = readJsonObject(text);
  if (claims === undefined) return isJson(text) ? "A094202" : "A094201";
  return Object.fromEntries(Object.entries(claims).filter(([name, value]) => name !== "sub" && value !== null));
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

function callerError(code: ResultCode): UserInfoIssueResponse {
  return {
    ...result(code),
    action: "INTERNAL_SERVER_ERROR",
    responseContent: bearerChallenge({ error: "server_error" }),
  };
}
