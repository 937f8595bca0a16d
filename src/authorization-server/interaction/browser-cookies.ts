import type { BrowserRequest } from "../endpoint.ts";

/** Names that a browser takes from this very host and over TLS only (RFC 6265bis §4.1.3.2). */
const cookieNames = { browser: "__Host-certbound-browser", session: "__Host-certbound-session" } as const;

type CookieName = keyof typeof cookieNames;

/**
 * The value of one of our cookies; `undefined` when there is none, or more than one. Looks at each character of the header
 * once or twice, however many pairs it has.
 */
export function readCookie(header: string | undefined, name: CookieName): string | undefined {
  if (header === undefined) return undefined;
  const prefix = `${cookieNames[name]}=`;
  let value: string | undefined;
  for (let at = header.indexOf(prefix); at !== -1; at = header.indexOf(prefix, at + prefix.length)) {
    if (!beginsPair(header, at)) continue;
    if (value !== undefined) return undefined;
    const start = at + prefix.length;
    const end = header.indexOf(";", start);
    value = header.slice(start, end === -1 ? undefined : end);
  }
  return value;
}

/** Blanks and tabs alone: browsers do not know `\u00a0__Host-…` as one of these names, so any site near us may set it. */
function beginsPair(header: string, at: number): boolean {
  let before = at - 1;
  while (header[before] === " " || header[before] === "\t") before -= 1;
  return before === -1 || header[before] === ";";
}

/**
 * A Set-Cookie value. The cookie ends with the browser, no script reads it, and it comes along when another site leads
 * the user here, but not when another site posts a form (SameSite=Lax).
 */
export function writeCookie(name: CookieName, value: string): string {
  return `${cookieNames[name]}=${value}; Path=/; Secure; HttpOnly; SameSite=Lax`;
}

/**
 * Whether a browser says that a form was sent from another site. A second lock: what decides is the cookie, which
 * does not come along from there.
 */
export function isFromElsewhere({ fetchSite, origin, host }: BrowserRequest): boolean {
  if (fetchSite !== undefined) return fetchSite !== "same-origin";
  // Our pages send no referrer, and with it no origin: browsers say "null" then (Fetch §3.1).
  if (origin === undefined || origin === "null") return false;
  const sender = URL.parse(origin);
  return sender === null || sender.host !== host;
}
