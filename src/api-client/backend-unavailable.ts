/**
 * The backend could not be asked, or its answer did not arrive whole and in time.
 *
 * Nothing is then known about the token. Never thrown for an answer with a status of 400 or above: that is `ApiError`.
 * `code` is the system's, for example `ECONNREFUSED`; neither the message nor `cause` has a token, a secret or a body.
 *
 * @example if (error instanceof BackendUnavailable) log.warn({ code: error.code }, error.message)
 */
export class BackendUnavailable extends Error {
  override readonly name: string = "BackendUnavailable";
  readonly code: string;

  constructor(message: string, code: string, options: { cause?: unknown } = {}) {
    super(message, options);
    this.code = code;
  }
}

/**
 * The backend answered, and the answer is not one of the contract: not JSON, another shape, a redirect, too large.
 *
 * The message says what was wrong with it and never quotes it.
 *
 * @example throw new BackendAnswerMalformed("POST /auth/token: the answer is not JSON.")
 */
export class BackendAnswerMalformed extends Error {
  override readonly name = "BackendAnswerMalformed";
}

/**
 * Whatever listens at the backend's address could not show a certificate for it; the question was not sent (RFC 7662 §4).
 *
 * `code` says why: `ERR_TLS_CERT_ALTNAME_INVALID`, `CERT_HAS_EXPIRED`, `SELF_SIGNED_CERT_IN_CHAIN`, …
 *
 * @example if (error instanceof BackendUntrusted) alarm(error.code)
 */
export class BackendUntrusted extends BackendUnavailable {
  override readonly name = "BackendUntrusted";
}

/** The codes of OpenSSL's verification (`X509_V_ERR_…`) that Node passes on, and Node's own for the host name. */
const verificationCodes =
  /^(ERR_TLS_CERT_|CERT_|UNABLE_TO_|DEPTH_ZERO_|SELF_SIGNED_|INVALID_CA$|INVALID_PURPOSE$|HOSTNAME_MISMATCH$|PATH_LENGTH_EXCEEDED$|ERROR_IN_CERT_)/;

/** Whether this error code means that the peer's certificate was not accepted. */
export function isVerificationCode(code: string): boolean {
  return verificationCodes.test(code);
}
