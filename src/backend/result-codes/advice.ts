/** The level of a log line. */
export type CallLevel = "info" | "warn" | "error";

/**
 * What an outcome means to the operator, and so the level of its line in the log:
 * - `done`: what was asked for was done;
 * - `ordinary`: refused, as it happens every day (a token has expired, a user declines, a form lacks a parameter);
 * - `refusal`: a client or a token was refused for a reason that the operator should see;
 * - `caller`: the program that calls the API is wrong;
 * - `fault`: the backend could not do its work.
 */
export const levels = {
  done: "info",
  ordinary: "info",
  refusal: "warn",
  caller: "warn",
  fault: "error",
} as const satisfies Record<string, CallLevel>;

export type OutcomeKind = keyof typeof levels;

/** What a result code means to the operator, and what to do about it, in a sentence or two. */
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

/** A request that is not what the RFC or the API describes. */
export const fixRequest = (what: string): Advice => ordinary(`Change the client's program: ${what}`);

/** A parameter that a request of a client may have once. */
export const sendOnce = (name: string): Advice => fixRequest(`send \`${name}\` once.`);

/** A parameter that a request of a client lacks. */
export const sendParameter = (name: string): Advice => fixRequest(`send \`${name}\`.`);

/** The token cannot be found: wherever a token is presented, the same things may have happened. */
export const tokenUnknown = ordinary(
  "Ask for a new token. A token is unknown ten minutes after it expired, after it was revoked, when its client was removed, and at another service. Many of them from one caller are guesses.",
);

/** The token has expired. */
export const tokenExpired = ordinary(
  "Ask for a new token. `accessTokenDuration` of service and client says how long one is valid.",
);

/** A bound token came without a certificate. */
export const certificateMissing = refusal(
  "Let the client connect with its certificate, and let everything that ends TLS in front of the API ask for one and hand it on (`docs/proxies.md`). If one client alone is refused, somebody may be using its token: compare `clientAddress`.",
);

/** A bound token came with another certificate. */
export const certificateMismatch = refusal(
  "Compare `thumbprint` (presented) with `boundTo` (of the token). If the client has a new certificate, let it ask for a new token with it. Otherwise the token was stolen: revoke it (`auth/token/revoke`).",
);

/** A certificate came that is none. */
export const certificateUnreadable = refusal(
  "Look at what hands the certificate on: `clientCertificate` has to be one certificate as PEM (`docs/proxies.md`).",
);

/** A binding stands there that is not understood. */
export const bindingUnchecked = refusal(
  "The token's row in the store is damaged. Revoke the token, and check the file with `PRAGMA integrity_check`.",
);

/** A client's key, certificate or secret was not the registered one; the same goes for refresh tokens. */
export const tokenOfAnotherClient = refusal(
  "Find out how one client came by what was issued to another: it may be stolen. `auth/token/revoke` ends the other client's tokens.",
);

/** `parameters` is missing. */
export const handBodyOn = callerIsWrong("Let the front end pass the body of the client's request on as `parameters`.");

/** The client asks for scopes that it cannot have. */
export const scopes = ordinary(
  "Compare the scopes that the client asks for with `supportedScopes` of the service and `requestableScopes` of the client.",
);

/** `subject` is missing or malformed. */
export const userId = callerIsWrong(
  "Let the front end send the user's id as `subject`: 1 to 100 characters of printable ASCII, no client's id.",
);
