import { ordinary, refusal } from "../advice.ts";

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
