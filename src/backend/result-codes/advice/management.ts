import { callerIsWrong, done, ordinary, type AdviceFor } from "../advice.ts";
import type { managementSentences } from "../management.ts";

const thumbprint = callerIsWrong(
  "Send `certificateThumbprint` as base64url without padding, 43 characters: `openssl x509 -in client.pem -outform der | openssl dgst -sha256 -binary | basenc --base64url | tr -d =` prints it.",
);
const whichToken = callerIsWrong("Say which token is meant, by its text or by its hash from the list of tokens.");
const scope = callerIsWrong("Send scopes of the service's `supportedScopes` only.");
const unknownClient = callerIsWrong(
  "Compare the client id in the call with `clientId` and `clientIdAlias` of the clients in the configuration.",
);
const slice = callerIsWrong("Let `start` be 0 or more, and `end` after it by 1000 at most.");
const gone = ordinary("Nothing, if the token has expired or was revoked; else compare the service id of the call.");

/** What to do about the management of tokens. */
export const managementAdvice: AdviceFor<typeof managementSentences> = {
  A001212: unknownClient,
  A104201: callerIsWrong("Send `grantType`."),
  A104202: callerIsWrong("Send the `grantType` with which the grant would have begun, for example AUTHORIZATION_CODE."),
  A104203: callerIsWrong("Send one of AUTHORIZATION_CODE, CLIENT_CREDENTIALS and PASSWORD as `grantType`."),
  A105201: callerIsWrong("Send `subject`, the user's id; only a token of CLIENT_CREDENTIALS has none."),
  A105202: callerIsWrong("Use a shorter id for the user, for example a hash of the long one."),
  A105203: callerIsWrong("Use an id of visible ASCII characters that is no client's id."),
  A105204: callerIsWrong("Leave `subject`, `acr` and `authTime` out for CLIENT_CREDENTIALS."),
  A106201: scope,
  A107201: unknownClient,
  A107203: callerIsWrong("The client has `locked: true` in the configuration. Unlock it there first."),
  A108203: callerIsWrong(
    "Leave `refreshToken` out, or give service and client the grant type REFRESH_TOKEN; CLIENT_CREDENTIALS never has one.",
  ),
  A108206: callerIsWrong(
    "Send `jwtAtClaims` as the text of a JSON object without the claims that the backend answers.",
  ),
  A108207: thumbprint,
  A108208: callerIsWrong("Send `certificateThumbprint`: service and client say that this client's tokens are bound."),
  A108209: callerIsWrong(
    "Send absolute URIs without a fragment, each one of the service's `supportedResources` where it has such a list.",
  ),
  A109001: done,
  A134201: whichToken,
  A134202: gone,
  A134205: callerIsWrong("Leave the members about the refresh token out: this access token has none in force."),
  A134206: scope,
  A134207: thumbprint,
  A135001: done,
  A144201: callerIsWrong("Choose another `accessToken`, or let the backend draw one."),
  A144202: callerIsWrong("Choose another `refreshToken`, or let the backend draw one."),
  A144203: callerIsWrong(
    "Choose tokens of 22 to 512 of the characters A-Z a-z 0-9 - . _ ~ + /, or let the backend draw them.",
  ),
  A159202: slice,
  A159204: slice,
  A159205: slice,
  A161201: whichToken,
  A161202: gone,
  A312001: done,
  A312201: callerIsWrong("Send a token's identifier, a client or a subject."),
  A313301: ordinary("Nothing, if the tokens had expired or were revoked before; else compare what the call names."),
};
