import { isResourceIndicator } from "./resource-indicator.ts";

/** Schemes whose "addresses" a browser runs or shows as a page of its own. */
const running = /^(?:javascript|data|vbscript|blob|filesystem|about|view-source):/i;

/** `http:` at a loopback address of RFC 8252 §7.3, with or without a port; what follows begins with `/` or `?`, or is not there. */
const loopback = /^(http:\/\/(?:127\.0\.0\.1|\[::1\]))(?::([1-9][0-9]{0,4}))?((?:[/?].*)?)$/;

/**
 * Whether a text can be registered as a redirect URI (RFC 6749 §3.1.2): an absolute URI without fragment, in the
 * characters of RFC 3986, that leads to a client and runs nothing.
 *
 * @example isRedirectUri("https://client.example.com/cb") // true
 */
export function isRedirectUri(text: string): boolean {
  return isResourceIndicator(text) && !running.test(text);
}

/**
 * Whether a request's `redirect_uri` is the registered one (RFC 9700 §2.1): the same text, character by character.
 *
 * The one exception is the port of an `http:` URI at 127.0.0.1 or [::1], which a native app gets from its system when
 * it starts (RFC 8252 §7.3); `localhost` is no such address (RFC 8252 §8.3).
 *
 * @example isSameRedirectUri("http://127.0.0.1/cb", "http://127.0.0.1:49152/cb") // true
 */
export function isSameRedirectUri(registered: string, requested: string): boolean {
  if (!isRedirectUri(requested)) return false;
  if (registered === requested) return true;
  const ours = loopback.exec(registered);
  const theirs = loopback.exec(requested);
  if (ours === null || theirs === null) return false;
  return ours[1] === theirs[1] && ours[3] === theirs[3] && Number(theirs[2] ?? 0) <= 65_535;
}
