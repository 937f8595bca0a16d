import { type AdviceFor, callerIsWrong, done, ordinary } from "./advice.ts";

/** The result codes of the management of tokens, each with its sentence for people. */
export const managementSentences = {
  A001212: "The client is unknown.",
  A104201: "The grant type of the token to create is missing.",
  A104202: "A token cannot be created with the grant type REFRESH_TOKEN.",
  A104203: "The grant type of the token to create is not supported.",
  A105201: "The subject of the token to create is missing.",
  A105202: "The subject is longer than 100 characters.",
  A105203: "The subject is not visible ASCII, or is a client's identifier.",
  A105204: "A token of client credentials has no user: subject, acr and authTime must be absent.",
  A106201: "A scope of the token to create is unknown to the service.",
  A107201: "The client of the token to create is unknown.",
  A107203: "The client of the token to create is locked.",
  A108203: "The token to create cannot have a refresh token.",
  A108206:
    "The extra claims of the token to create are not a JSON object, or contain one that the backend sets itself.",
  A108207: "The certificate thumbprint is not the SHA-256 of a certificate.",
  A108208: "Tokens of this client are bound, and the certificate thumbprint is missing.",
  A108209: "A resource of the token to create is unknown to the service, or is not an absolute URI without fragment.",
  A109001: "The access token was created.",
  A134201: "The request does not say which access token to change.",
  A134202: "The access token is unknown, expired or revoked.",
  A134205: "The access token has no refresh token.",
  A134206: "A scope of the change is unknown to the service.",
  A134207: "The certificate thumbprint of the change is not the SHA-256 of a certificate.",
  A135001: "The access token was changed.",
  A144201: "The chosen access token is in use.",
  A144202: "The chosen refresh token is in use.",
  A144203: "A token chosen by the caller must have 22 to 512 characters of a Bearer token, and the two must differ.",
  A159202: "The start of the list is negative.",
  A159204: "The end of the list is before its start.",
  A159205:
    "The list would have more than 1000 tokens or go beyond the first 10000; continue with `after`, the `next` of an earlier answer.",
  A161201: "The request does not say which access token to delete.",
  A161202: "The access token is unknown, expired or revoked.",
  A312001: "The tokens were revoked.",
  A312201: "The request does not say which tokens to revoke.",
  A313301: "No token matches the request.",
} as const;

const thumbprint = callerIsWrong(
  "Send `certificateThumbprint` as base64url without padding, 43 characters: `openssl x509 -in client.pem -outform der | openssl dgst -sha256 -binary | basenc --base64url | tr -d =` prints it.",
);
const whichToken = callerIsWrong("Name the token, by its text or by its hash from the list of tokens.");
const scope = callerIsWrong("Send scopes of the service's `supportedScopes` only.");
const unknownClient = callerIsWrong(
  "Compare the client id in the call with `clientId` and `clientIdAlias` of the clients in the configuration.",
);
const slice = callerIsWrong("Send a `start` of 0 or more, and an `end` at most 1000 after it.");
const gone = ordinary(
  "Nothing, if the token has expired or was revoked. Otherwise compare the service id of the call.",
);

/** What to do about the management of tokens. */
export const managementAdvice: AdviceFor<typeof managementSentences> = {
  A001212: unknownClient,
  A104201: callerIsWrong("Send `grantType`."),
  A104202: callerIsWrong("Send the `grantType` that a grant begins with, for example AUTHORIZATION_CODE."),
  A104203: callerIsWrong("Send one of AUTHORIZATION_CODE, CLIENT_CREDENTIALS and PASSWORD as `grantType`."),
  A105201: callerIsWrong("Send `subject`, the user's id; only a token of CLIENT_CREDENTIALS has none."),
  A105202: callerIsWrong("Use a shorter id for the user, for example a hash of the long one."),
  A105203: callerIsWrong("Use an id of visible ASCII characters that is not the id of a client."),
  A105204: callerIsWrong("Leave `subject`, `acr` and `authTime` out for CLIENT_CREDENTIALS."),
  A106201: scope,
  A107201: unknownClient,
  A107203: callerIsWrong("The client has `locked: true` in the configuration. Unlock it there first."),
  A108203: callerIsWrong(
    "Leave `refreshToken` out, or give service and client the grant type REFRESH_TOKEN; CLIENT_CREDENTIALS never has one.",
  ),
  A108206: callerIsWrong(
    "Send `jwtAtClaims` as the text of a JSON object without the claims that the backend sets itself.",
  ),
  A108207: thumbprint,
  A108208: callerIsWrong(
    "Send `certificateThumbprint`: service and client demand that this client's tokens are bound.",
  ),
  A108209: callerIsWrong(
    "Send absolute URIs without a fragment. If the service has `supportedResources`, each must be in that list.",
  ),
  A109001: done,
  A134201: whichToken,
  A134202: gone,
  A134205: callerIsWrong("Leave out the members about the refresh token: this access token has no valid one."),
  A134206: scope,
  A134207: thumbprint,
  A135001: done,
  A144201: callerIsWrong("Choose another `accessToken`, or leave it out: the backend then makes one."),
  A144202: callerIsWrong("Choose another `refreshToken`, or leave it out: the backend then makes one."),
  A144203: callerIsWrong(
    "Choose tokens of 22 to 512 of the characters A-Z a-z 0-9 - . _ ~ + /, or leave them out: the backend then makes them.",
  ),
  A159202: slice,
  A159204: slice,
  A159205: slice,
  A161201: whichToken,
  A161202: gone,
  A312001: done,
  A312201: callerIsWrong("Send a token's identifier, a client or a subject."),
  A313301: ordinary(
    "Nothing, if the tokens had expired or were already revoked. Otherwise compare what the call names.",
  ),
};
