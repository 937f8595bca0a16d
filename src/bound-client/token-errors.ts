/**
 * The authorization server rejected the token request with an OAuth error (RFC 6749 §5.2).
 *
 * `code` is its `error`. In both texts, characters that the RFC forbids are replaced by `?`.
 *
 * @example if (error instanceof TokenRequestRefused && error.code === "invalid_client") registerTheCertificate()
 */
export class TokenRequestRefused extends Error {
  override readonly name = "TokenRequestRefused";
  /** `invalid_client`, `invalid_scope`, … */
  readonly code: string;
  readonly errorDescription: string | undefined;
  /** The HTTP status of the answer. */
  readonly status: number;

  constructor(error: string, errorDescription: string | undefined, status: number) {
    const code = clean(error, 100);
    const description = errorDescription === undefined ? undefined : clean(errorDescription, 500);
    super(`The authorization server refused the token request: ${code}${description ? ` (${description})` : ""}.`);
    this.code = code;
    this.errorDescription = description;
    this.status = status;
  }
}

function clean(text: string, longest: number): string {
  return text.slice(0, longest).replaceAll(/[^\x20\x21\x23-\x5B\x5D-\x7E]/gu, "?");
}

/**
 * The response of the authorization server is neither a token nor an OAuth error, or its metadata is unusable.
 *
 * The message says what is wrong and never quotes the response.
 *
 * @example if (error instanceof AuthorizationServerMalformed) alarm(error.message)
 */
export class AuthorizationServerMalformed extends Error {
  override readonly name = "AuthorizationServerMalformed";
  readonly code = "ERR_AUTHORIZATION_SERVER_MALFORMED";
}

/**
 * The authorization server did not respond, or responded with 429 or 5xx. Worth retrying later.
 *
 * `code` is the system's; OpenSSL's if the server's certificate was rejected; `HTTP_503` and the like for a status;
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
