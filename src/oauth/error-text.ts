/** What `error` and `error_description` must not contain (RFC 6749 §5.2, RFC 6750 §3); one code point each. */
const outsideText = /[^\x20\x21\x23-\x5B\x5D-\x7E]/gu;

/** The characters of a URI reference, none of which needs escaping in a quoted-string. */
const uriReference = /^[\x21\x23-\x5B\x5D-\x7E]+$/;

/**
 * The text with `?` for every character that an `error` or `error_description` may not have (RFC 6749 §5.2).
 *
 * @example errorText("no \"scope\"") // "no ?scope?"
 */
export function errorText(text: string): string {
  return text.replaceAll(outsideText, "?");
}

/**
 * The URI when it has only the characters that an `error_uri` may have (RFC 6749 §5.2), else `undefined`: with
 * another character in place it would lead elsewhere.
 *
 * @example errorUri("https://example.com/errors#E1")
 */
export function errorUri(text: string | undefined): string | undefined {
  return text !== undefined && uriReference.test(text) ? text : undefined;
}

export interface ErrorResponse {
  readonly error: string;
  readonly error_description?: string | undefined;
  readonly error_uri?: string | undefined;
}

/**
 * The JSON body of an error response (RFC 6749 §5.2).
 *
 * Characters that the RFC forbids become `?`; an `error_uri` with such a character is left out.
 *
 * @example errorResponseBody({ error: "invalid_request" }) // '{"error":"invalid_request"}'
 */
export function errorResponseBody(response: ErrorResponse): string {
  return JSON.stringify({
    error: errorText(response.error),
    error_description: response.error_description === undefined ? undefined : errorText(response.error_description),
    error_uri: errorUri(response.error_uri),
  });
}

/**
 * The text as one bounded line of printable ASCII, with `?` for everything else and `...` where it was cut, so that its
 * author can neither end the line nor colour it nor reverse its direction.
 *
 * @example printableLine("a\nb", 64) // "a?b"
 */
export function printableLine(text: string, longest: number): string {
  return (text.length > longest ? `${text.slice(0, longest)}...` : text).replace(/[^\x20-\x7e]/g, "?");
}
