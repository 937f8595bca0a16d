/**
 * The backend could not be reached, or its response did not arrive completely and in time.
 *
 * It says nothing about the token. A response with a status of 400 or above is an `ApiError` instead. `code` is the
 * system's, for example `ECONNREFUSED`. Neither the message nor `cause` contains a token, a secret or a body.
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
 * The backend responded, but the response violates the contract: not JSON, wrong shape, a redirect, too large.
 *
 * The message says what is wrong and never quotes the response.
 *
 * @example throw new BackendAnswerMalformed("POST /auth/token: the answer is not JSON.")
 */
export class BackendAnswerMalformed extends Error {
  override readonly name = "BackendAnswerMalformed";
}

/**
 * The server at the backend's address has no valid certificate for it, so the request was not sent (RFC 7662 §4).
 *
 * `code` is the reason: `ERR_TLS_CERT_ALTNAME_INVALID`, `CERT_HAS_EXPIRED`, `SELF_SIGNED_CERT_IN_CHAIN`, …
 *
 * @example if (error instanceof BackendUntrusted) alarm(error.code)
 */
export class BackendUntrusted extends BackendUnavailable {
  override readonly name = "BackendUntrusted";
}

/** OpenSSL's verification errors (`X509_V_ERR_…`) as Node reports them, and Node's own for the host name. */
const verificationCodes =
  /^(ERR_TLS_CERT_|CERT_|UNABLE_TO_|DEPTH_ZERO_|SELF_SIGNED_|INVALID_CA$|INVALID_PURPOSE$|HOSTNAME_MISMATCH$|PATH_LENGTH_EXCEEDED$|ERROR_IN_CERT_)/;

/** Whether an error code means that the peer's certificate was rejected. */
export function isVerificationCode(code: string): boolean {
  return verificationCodes.test(code);
}
