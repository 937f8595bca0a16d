import {
  callerIsWrong,
  done,
  fault,
  fixRequest,
  ordinary,
  refusal,
  sendOnce,
  sendParameter,
  type AdviceFor,
} from "../advice.ts";
import type { authorizationSentences } from "../authorization.ts";
import { scopes, userId } from "./requests.ts";

const redirectUri = refusal(
  "Compare `redirect_uri` of the request with `redirectUris` of the client: they must be equal.",
);
const acr = ordinary(
  "Compare the authentication context classes that are asked for with `supportedAcrs` of the service.",
);
const byFrontEnd = ordinary("The front end decided so, with the `reason` of its call of `auth/authorization/fail`.");
const ticket = callerIsWrong("Let the front end send the `ticket` that `auth/authorization` answered.");
const ticketOver = ordinary(
  "Nothing, if a form was sent twice or a page stayed open for a day: the user begins again. Else the front end lost the ticket.",
);
const changed = ordinary(
  "Nothing, if the configuration was changed between the login page and its answer: the user begins again.",
);
const challenge = fixRequest("send `code_challenge` (43 characters of base64url) with `code_challenge_method=S256`.");
const jsonObject = (member: string) =>
  callerIsWrong(`Let the front end send \`${member}\` as the text of a JSON object without the backend's own members.`);
const anotherUser = ordinary("Nothing: the user that the client asks for is not the one who is logged in.");
const tooLong = (name: string) => fixRequest(`send a shorter \`${name}\`.`);
const ascii = (name: string) => fixRequest(`use printable ASCII in \`${name}\`.`);

/** What to do about authorization requests. */
export const authorizationAdvice: AdviceFor<typeof authorizationSentences> = {
  A004001: done,
  A004201: callerIsWrong("Let the front end pass the query of the browser's request on as `parameters`."),
  A004202: fixRequest("send parameters that are percent-encoded and each sent once."),
  A004301: fixRequest("send an authorization request: the page was opened without one."),
  A004304: fixRequest("send each parameter once."),
  A004305: fixRequest("send shorter parameters."),
  A007302: sendOnce("scope"),
  A007303: fixRequest("separate scopes by one blank."),
  A007305: scopes,
  A008301: sendOnce("request"),
  A008302: sendOnce("request_uri"),
  A008312: fixRequest("send the parameters themselves instead of `request`."),
  A008313: fixRequest("send the parameters themselves instead of `request_uri`."),
  A009301: fixRequest("send `response_type=code`."),
  A009303: sendOnce("response_type"),
  A009304: fixRequest("send `response_type=code`."),
  A009305: fixRequest("send `response_type=code`: the backend has no other."),
  A009306: refusal("Add AUTHORIZATION_CODE to `grantTypes` of the client, if it may use it."),
  A010301: sendParameter("client_id"),
  A010303: sendOnce("client_id"),
  A010307: refusal("The client has `locked: true` in the configuration. Unlock it there, or leave it out."),
  A010308: refusal(
    "Compare `clientId` in the log with `clientId` and `clientIdAlias` of the clients in the configuration.",
  ),
  A010309: refusal("Let the client use its number, or set `clientIdAliasEnabled: true` for it."),
  A011302: sendOnce("redirect_uri"),
  A011303: sendParameter("redirect_uri"),
  A011304: redirectUri,
  A011309: refusal("Add the client's redirect URI to `redirectUris` of the client."),
  A011310: fixRequest("send `redirect_uri`: several are registered."),
  A012302: sendOnce("response_mode"),
  A012303: fixRequest("send `response_mode=query` or `form_post`, or leave it out."),
  A013302: sendOnce("state"),
  A013303: ascii("state"),
  A013304: tooLong("state"),
  A014302: sendOnce("nonce"),
  A014304: ascii("nonce"),
  A014305: tooLong("nonce"),
  A015302: sendOnce("display"),
  A015303: fixRequest("send one of page, popup, touch and wap as `display`, or leave it out."),
  A016302: sendOnce("prompt"),
  A016303: fixRequest("send values of OpenID Connect Core 1.0, section 3.1.2.1, as `prompt`."),
  A016304: fixRequest("send `prompt=none` alone."),
  A017302: sendOnce("max_age"),
  A017303: fixRequest("send a number of seconds as `max_age`."),
  A018302: sendOnce("ui_locales"),
  A019303: ordinary(
    "Let the client send an ID token that this service issued to it. After the service's keys were replaced, earlier ones are refused.",
  ),
  A020302: sendOnce("claims_locales"),
  A021302: sendOnce("acr_values"),
  A021303: acr,
  A021304: acr,
  A022303: fixRequest("send `claims` as JSON as in OpenID Connect Core 1.0, section 5.5."),
  A022304: fixRequest("name the same user in `claims` and in `id_token_hint`, or in one of them."),
  A040001: done,
  A040201: callerIsWrong("Let the front end send `authTime`, when the user was authenticated, in seconds since 1970."),
  A040202: callerIsWrong(
    "Let the front end send scopes of the authorization request, or others that the client may have.",
  ),
  A041201: ticket,
  A041202: ticketOver,
  A041301: ticketOver,
  A042201: userId,
  A042202: userId,
  A042203: userId,
  A042204: userId,
  A042205: callerIsWrong(
    "Let the front end call `auth/authorization/fail` with DIFFERENT_SUBJECT when another user is logged in than the one asked for.",
  ),
  A043201: callerIsWrong("Let the front end send a shorter `acr`."),
  A043202: callerIsWrong(
    "Let the front end call `auth/authorization/fail` with ACR_NOT_SATISFIED when the user was not authenticated as demanded.",
  ),
  A044201: jsonObject("claims"),
  A044203: jsonObject("claims"),
  A045201: callerIsWrong("Let the front end send fewer or shorter `properties`."),
  A045202: jsonObject("idtHeaderParams"),
  A045203: jsonObject("jwtAtClaims"),
  A045302: changed,
  A059201: ticket,
  A059202: ticketOver,
  A059301: ticketOver,
  A059302: changed,
  A060201: callerIsWrong("Let the front end send a `reason` with `auth/authorization/fail`."),
  A060301: byFrontEnd,
  A060302: byFrontEnd,
  A060303: byFrontEnd,
  A060304: anotherUser,
  A060305: byFrontEnd,
  A060306: ordinary("Nothing: the user said no."),
  A060307: fault("Look at the log of the front end: it could not process the request."),
  A060308: fault("Look at the log of the front end: it met an error."),
  A060309: ordinary("Nothing: the user did not log in."),
  A060310: byFrontEnd,
  A060311: byFrontEnd,
  A060312: byFrontEnd,
  A060313: byFrontEnd,
  A060314: byFrontEnd,
  A060315: byFrontEnd,
  A060316: byFrontEnd,
  A124301: challenge,
  A124303: sendOnce("code_challenge"),
  A124304: challenge,
  A124305: sendOnce("code_challenge_method"),
  A124306: challenge,
  A124307: challenge,
  A124308: challenge,
  A420001: done,
  A420201: ticket,
  A420301: ticketOver,
  A421001: done,
  A421201: ticket,
  A421202: callerIsWrong("Let the front end send `info` with the new `context` of the ticket."),
  A421301: ticketOver,
};
