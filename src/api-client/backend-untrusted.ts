import { BackendUnavailable } from "./backend-unavailable.ts";

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
