/**
 * The authorization server answered the token request with an OAuth error (RFC 6749 §5.2).
 *
 * `code` is its `error`; both texts have only the characters that the RFC allows, `?` for any other.
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
