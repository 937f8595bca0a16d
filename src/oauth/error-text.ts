/** Code points forbidden in `error` and `error_description` (RFC 6749 §5.2, RFC 6750 §3). */
const outsideText = /[^\x20\x21\x23-\x5B\x5D-\x7E]/gu;

/** The characters of a URI reference; none needs escaping in a quoted-string. */
const uriReference = /^[\x21\x23-\x5B\x5D-\x7E]+$/;

/**
 * Replaces characters that are forbidden in `error` and `error_description` by `?` (RFC 6749 §5.2).
 *
 * @example errorText("no \"scope\"") // "no ?scope?"
 */
export function errorText(text: string): string {
  return text.replaceAll(outsideText, "?");
}

/**
 * Returns the URI if it has only characters allowed in an `error_uri` (RFC 6749 §5.2), otherwise `undefined`: with
 * characters replaced it would lead elsewhere.
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
 * Writes the JSON body of an error response (RFC 6749 §5.2).
 *
 * Forbidden characters become `?`; an `error_uri` with a forbidden character is left out.
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
 * Converts text to one short line of printable ASCII, with `?` for other characters and `...` if it is cut. So its author
 * cannot break, colour or reverse a line of the log.
 *
 * @example printableLine("a\nb", 64) // "a?b"
 */
export function printableLine(text: string, longest: number): string {
  return (text.length > longest ? `${text.slice(0, longest)}...` : text).replace(/[^\x20-\x7e]/g, "?");
}
