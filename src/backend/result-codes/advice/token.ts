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
import type { tokenSentences } from "../token.ts";
import { handBodyOn, scopes, userId } from "./requests.ts";
import { certificateMissing, certificateMismatch, tokenOfAnotherClient } from "./tokens.ts";

const grantNotDeclared = refusal("Add the grant type to `grantTypes` of the client, if it may use it.");
const resource = ordinary(
  "Compare the `resource` that the client asks for with `supportedResources` of the service and with what was granted.",
);
const sameRedirectUri = fixRequest(
  "send the `redirect_uri` of the authorization request once more, exactly as it was; none if there was none.",
);
const codeVerifier = fixRequest(
  "keep the `code_verifier` with the login that it was made for, and send it with the code.",
);
const ticket = callerIsWrong(
  "Let the front end send the `ticket` that `auth/token` answered with the action `PASSWORD`.",
);
const ticketOver = ordinary("Let the client ask again: a ticket is valid once, and for a day.");
const byFrontEnd = ordinary("The front end decided so, with the `reason` of its call of `auth/token/fail`.");

/** What to do about token requests. */
export const tokenAdvice: AdviceFor<typeof tokenSentences> = {
  A047201: handBodyOn,
  A047202: fixRequest("send a form whose parameters are percent-encoded and each sent once."),
  A047301: sendParameter("grant_type"),
  A047302: grantNotDeclared,
  A049301: sendParameter("grant_type"),
  A049303: sendOnce("grant_type"),
  A049305: refusal("Add the grant type to `supportedGrantTypes` of the service, if it is one that the backend has."),
  A050001: done,
  A050301: sendParameter("code"),
  A050303: sendOnce("code"),
  A050304: sendOnce("redirect_uri"),
  A050305: refusal(
    "If the sentence says that the code was used before, its grant has ended: a client sent it twice, or somebody had read it. Else it is unknown: made up, or kept longer than `authorizationCodeDuration`.",
  ),
  A050307: tokenOfAnotherClient,
  A050308: sameRedirectUri,
  A050309: refusal(
    "Compare the `redirect_uri` of the client's two requests: they must be equal. If they are, a code of one login was used in another.",
  ),
  A050310: sameRedirectUri,
  A050311: ordinary("Let the client redeem a code at once; `authorizationCodeDuration` says how long it is valid."),
  A050312: codeVerifier,
  A050314: sendOnce("code_verifier"),
  A050315: refusal(
    "Let the client keep the `code_verifier` with the login that it was made for. If it does, somebody has tried a stolen code.",
  ),
  A050316: codeVerifier,
  A050317: refusal(
    "Let the client send a `code_challenge` with its authorization requests. If it does, one of them was changed on its way (PKCE downgrade).",
  ),
  A050318: scopes,
  A051001: done,
  A051301: sendParameter("username"),
  A051303: sendOnce("username"),
  A051304: sendParameter("password"),
  A051306: sendOnce("password"),
  A051308: scopes,
  A052001: done,
  A052301: refusal("Register the client as `CONFIDENTIAL` with a method of authentication, or use another grant."),
  A052302: sendOnce("scope"),
  A052303: scopes,
  A053001: done,
  A053301: sendParameter("refresh_token"),
  A053303: sendOnce("refresh_token"),
  A053305: refusal(
    "Let the user log in again. The refresh token was revoked, is unknown, or was used before: then its grant has ended, because two programs have the same token.",
  ),
  A053307: tokenOfAnotherClient,
  A053308: ordinary("Let the user log in again; `refreshTokenDuration` says how long a refresh token is good."),
  A053309: scopes,
  A053312: certificateMissing,
  A053313: certificateMismatch,
  A054001: done,
  A054201: callerIsWrong(
    "Let the front end send `jwtAtClaims` as the text of a JSON object that has none of the backend's own claims.",
  ),
  A055201: ticket,
  A055202: ticketOver,
  A055301: ticketOver,
  A063201: ticket,
  A063202: ticketOver,
  A063301: ticketOver,
  A067201: callerIsWrong("Let the front end send a `reason` with `auth/token/fail`."),
  A067301: ordinary(
    "Nothing for one of them. Many for one client are guesses: slow them down where users are authenticated.",
  ),
  A067302: fault("Look at the log of the front end: it could not process the request."),
  A067303: byFrontEnd,
  A067304: byFrontEnd,
  A067305: byFrontEnd,
  A067306: byFrontEnd,
  A111201: userId,
  A111202: userId,
  A111203: userId,
  A111204: userId,
  A251306: resource,
  A251307: fixRequest("send an absolute URI as `resource`."),
  A251308: fixRequest("send `resource` without a fragment."),
  A251309: resource,
  A251310: fixRequest("name one `resource`: JWT access tokens with scopes are for one."),
};
