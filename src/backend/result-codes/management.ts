import { type AdviceFor, callerIsWrong, done, ordinary } from "./advice.ts";

/** The result codes of the management of tokens, each with its sentence for people. */
export const managementSentences = {
  A001212: "There is no such client.",
  A104201: "The grant type of the token to create is missing.",
  A104202: "A token cannot be created with the grant type REFRESH_TOKEN.",
  A104203: "The grant type of the token to create is not supported.",
  A105201: "The subject of the token to create is missing.",
  A105202: "The subject is longer than 100 characters.",
  A105203: "The subject is not visible ASCII, or is a client's identifier.",
  A105204: "A token of client credentials has no user: neither subject, acr nor authTime.",
  A106201: "A scope of the token to create is not one of the service's.",
  A107201: "The client of the token to create is not known.",
  A107203: "The client of the token to create is locked.",
  A108203: "There can be no refresh token with the token to create.",
  A108206: "The extra claims of the token to create are not a JSON object that can be added to it.",
  A108207: "The certificate thumbprint is not the SHA-256 of a certificate.",
  A108208: "Tokens of this client are bound, and there is no certificate thumbprint.",
  A108209: "A resource of the token to create is not one that the service knows, or no absolute URI without fragment.",
  A109001: "The access token was created.",
  A134201: "The request does not say which access token to change.",
  A134202: "There is no such access token in force.",
  A134205: "There is no refresh token with the access token.",
  A134206: "A scope of the change is not one of the service's.",
  A134207: "The certificate thumbprint of the change is not the SHA-256 of a certificate.",
  A135001: "The access token was changed.",
  A144201: "The chosen access token is in use.",
  A144202: "The chosen refresh token is in use.",
  A144203: "A chosen token has 22 to 512 characters of a Bearer token, and no two are the same.",
  A159202: "The start of the list is negative.",
  A159204: "The end of the list is before its start.",
  A159205:
    "The list would be of more than 1000 tokens, or reach beyond the first 10000; go on there with `after`, the `next` of an earlier answer.",
  A161201: "The request does not say which access token to delete.",
  A161202: "There is no such access token.",
  A312001: "The tokens were revoked.",
  A312201: "The request does not say which tokens to revoke.",
  A313301: "There are no such tokens.",
} as const;

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
