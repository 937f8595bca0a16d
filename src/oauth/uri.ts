import { BlockList, isIP } from "node:net";

const userInfo = "(?:[A-Za-z0-9._~!$&'()*+,;=:-]|%[0-9A-Fa-f]{2})*";
const characters = "(?:[A-Za-z0-9._~!$&'()*+,;=:@/?-]|%[0-9A-Fa-f]{2})*";
const ipLiteral = "\\[[0-9A-Fa-f:.]+\\](?![^:/?])";

/** An absolute URI (RFC 3986 §4.3): a scheme and more, no fragment; brackets only in the host. */
const absoluteUri = new RegExp(`^[A-Za-z][A-Za-z0-9+.-]*:(?!$)(?://(?:${userInfo}@)?${ipLiteral})?${characters}$`);

/** URIs of these schemes need a host; without one, the URL parser invents it. */
const hostless = /^(?:https?|wss?|ftp):(?!\/\/[^/?])/i;

/**
 * Whether a text is a valid `resource` (RFC 8707 §2): an absolute URI without fragment (RFC 3986).
 *
 * @example isResourceIndicator("https://api.example.com/app/") // true
 */
export function isResourceIndicator(text: string): boolean {
  return absoluteUri.test(text) && !hostless.test(text) && URL.canParse(text);
}

/** Schemes whose URIs a browser executes or shows itself. */
const running = /^(?:javascript|data|vbscript|blob|filesystem|about|view-source):/i;

/** `http:` at a loopback address (RFC 8252 §7.3): origin without port, port, rest. */
const loopback = /^(http:\/\/(?:127\.0\.0\.1|\[::1\]))(?::([1-9][0-9]{0,4}))?((?:[/?].*)?)$/;

/**
 * Whether a text can be registered as a redirect URI (RFC 6749 §3.1.2): an absolute URI without fragment (RFC 3986) whose
 * scheme browsers do not execute.
 *
 * @example isRedirectUri("https://client.example.com/cb") // true
 */
export function isRedirectUri(text: string): boolean {
  return isResourceIndicator(text) && !running.test(text);
}

/**
 * Whether a request's `redirect_uri` equals the registered one, character by character (RFC 9700 §2.1).
 *
 * Only the port of an `http:` URI at 127.0.0.1 or [::1] may differ, because the system assigns it to a native app at
 * start (RFC 8252 §7.3). `localhost` is no exception (RFC 8252 §8.3).
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

const addresses = new BlockList();

addresses.addSubnet("127.0.0.0", 8, "ipv4");

addresses.addAddress("::1", "ipv6");

/**
 * Whether a host reaches this machine only: `localhost`, 127.0.0.0/8, ::1 (RFC 8252 §7.3), and IPv4 written as IPv6. An
 * IPv6 address may have the brackets of a URL. The name `localhost` is not resolved.
 *
 * @example isLoopback(new URL("http://[::1]:8705").hostname) // true
 */
export function isLoopback(host: string): boolean {
  const address = host.replace(/^\[(.*)\]$/, "$1");
  const version = isIP(address);
  if (version === 0) return host.toLowerCase() === "localhost";
  return addresses.check(address, version === 4 ? "ipv4" : "ipv6");
}
