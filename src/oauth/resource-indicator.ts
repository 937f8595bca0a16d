const userInfo = "(?:[A-Za-z0-9._~!$&'()*+,;=:-]|%[0-9A-Fa-f]{2})*";
const characters = "(?:[A-Za-z0-9._~!$&'()*+,;=:@/?-]|%[0-9A-Fa-f]{2})*";
const ipLiteral = "\\[[0-9A-Fa-f:.]+\\](?![^:/?])";

/** The characters of an absolute URI (RFC 3986 §4.3): scheme, something after it, no fragment; brackets in the host only. */
const absoluteUri = new RegExp(`^[A-Za-z][A-Za-z0-9+.-]*:(?!$)(?://(?:${userInfo}@)?${ipLiteral})?${characters}$`);

/** In these schemes a URI without a host says nothing, but the URL parser invents one. */
const hostless = /^(?:https?|wss?|ftp):(?!\/\/[^/?])/i;

/**
 * Whether a text can be a `resource` (RFC 8707 §2): an absolute URI without fragment, in the characters of RFC 3986.
 *
 * @example isResourceIndicator("https://api.example.com/app/") // true
 */
export function isResourceIndicator(text: string): boolean {
  return absoluteUri.test(text) && !hostless.test(text) && URL.canParse(text);
}
