/**
 * The authorization server gave no answer, or one that says that it cannot (429, 5xx): nothing is known; ask again later.
 *
 * `code` is the system's, OpenSSL's when its certificate was not accepted, `HTTP_503` and the like for a status, and
 * `ERR_CLOSED` after `close`.
 *
 * @example if (error instanceof AuthorizationServerUnavailable) log.warn({ code: error.code }, error.message)
 */
export class AuthorizationServerUnavailable extends Error {
  override readonly name = "AuthorizationServerUnavailable";
  readonly code: string;

  constructor(sentence: string, code: string, options: { readonly cause?: unknown } = {}) {
    super(sentence, options);
    this.code = code;
  }
}
