/** The level of a log line. */
export type CallLevel = "info" | "warn" | "error";

/**
 * What an outcome means to the operator, which decides the level of its line in the log:
 * - `done`: the request succeeded;
 * - `ordinary`: an everyday refusal: a token has expired, a user declines, a form lacks a parameter;
 * - `refusal`: a client or a token was refused for a reason that the operator should see;
 * - `caller`: the program that calls the API is wrong;
 * - `fault`: the backend, or the front end, failed.
 */
export const levels = {
  done: "info",
  ordinary: "info",
  refusal: "warn",
  caller: "warn",
  fault: "error",
} as const satisfies Record<string, CallLevel>;

export type OutcomeKind = keyof typeof levels;

/** What a result code means to the operator, and the next step, in one or two sentences. */
export interface Advice {
  readonly kind: OutcomeKind;
  readonly todo: string;
}

/** Advice for each code of a table of sentences. */
export type AdviceFor<Sentences> = Readonly<Record<keyof Sentences, Advice>>;

const of =
  (kind: OutcomeKind) =>
  (todo: string): Advice =>
    Object.freeze({ kind, todo });

export const ordinary = of("ordinary");
export const refusal = of("refusal");
export const callerIsWrong = of("caller");
export const fault = of("fault");
export const done = of("done")("Nothing.");

/** A client sent a request that the RFC or the API does not allow. */
export const fixRequest = (what: string): Advice => ordinary(`Change the client's program: ${what}`);

/** A client sent a parameter more than once. */
export const sendOnce = (name: string): Advice => fixRequest(`send \`${name}\` once.`);

/** A client did not send a parameter. */
export const sendParameter = (name: string): Advice => fixRequest(`send \`${name}\`.`);

/** A client's form cannot be decoded, or has a parameter twice. */
export const sendWellFormed = fixRequest("send a form whose parameters are percent-encoded and each sent once.");

/** The request names an unknown client. */
export const unknownClient = refusal(
  "Compare `clientId` in the log with `clientId` and `clientIdAlias` of the clients in the configuration.",
);

/** The request names a client by an alias that is not enabled. */
export const aliasDisabled = refusal("Let the client use its number, or set `clientIdAliasEnabled: true` for it.");

/** The client, or the client of a token, is locked. */
export const clientLocked = refusal(
  "The client has `locked: true` in the configuration. Unlock it there, or leave it out.",
);

/** The token cannot be found. */
export const tokenUnknown = ordinary(
  "Ask for a new token. A token becomes unknown when it is revoked, when its client is removed, and ten minutes after it expires; it is always unknown to another service. Many unknown tokens from one caller are guesses.",
);

/** The token has expired. */
export const tokenExpired = ordinary(
  "Ask for a new token. `accessTokenDuration` of service and client says how long a token is valid.",
);

/** A bound token was presented without a certificate. */
export const certificateMissing = refusal(
  "Let the client connect with its certificate. Everything that ends TLS in front of the API has to request one and pass it on (`docs/proxies.md`). If only one client is refused, its token may be stolen: compare `clientAddress`.",
);

/** A bound token was presented with another certificate. */
export const certificateMismatch = refusal(
  "Compare `thumbprint` (presented) with `boundTo` (of the token). If the client has a new certificate, let it ask for a new token with it. Otherwise the token was stolen: revoke it (`auth/token/revoke`).",
);

/** The presented certificate cannot be parsed. */
export const certificateUnreadable = refusal(
  "Check the program that passes the certificate on: `clientCertificate` has to be one certificate as PEM (`docs/proxies.md`).",
);

/** The binding of the token cannot be checked. */
export const bindingUnchecked = refusal(
  "The token's row in the store is damaged. Revoke the token, and check the file with `PRAGMA integrity_check`.",
);

/** A client presented a code or a refresh token that was issued to another client. */
export const tokenOfAnotherClient = refusal(
  "Find out how the client got what was issued to another client: it may be stolen. `auth/token/revoke` ends the other client's tokens.",
);

/** The caller of the API did not send `parameters`. */
export const handBodyOn = callerIsWrong("Let the front end pass the body of the client's request on as `parameters`.");

/** The client asks for scopes that it is not allowed to have. */
export const scopes = ordinary(
  "Compare the scopes that the client asks for with `supportedScopes` of the service and `requestableScopes` of the client.",
);

/** The caller of the API sent no `subject`, or a malformed one. */
export const userId = callerIsWrong(
  "Let the front end send the user's id as `subject`: 1 to 100 characters of printable ASCII, no client's id.",
);

/** The front end failed. */
export const frontEndFailed = fault("Look at the log of the front end: it could not process the request.");
