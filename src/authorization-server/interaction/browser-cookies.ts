/** Names that a browser takes from this very host and over TLS only (RFC 6265bis §4.1.3.2). */
const cookieNames = { browser: "__Host-certbound-browser", session: "__Host-certbound-session" } as const;

type CookieName = keyof typeof cookieNames;

/** The value of one of our cookies; `undefined` when there is none, or more than one. */
export function readCookie(header: string | undefined, name: CookieName): string | undefined {
  const prefix = `${cookieNames[name]}=`;
  // Blanks and tabs alone: browsers do not know `\u00a0__Host-…` as one of these names, so any site near us may set it.
  const found = (header ?? "").split(";").map((pair) => pair.replace(/^[ \t]+/, ""));
  const [value, second] = found.filter((pair) => pair.startsWith(prefix));
  return second === undefined ? value?.slice(prefix.length) : undefined;
}

/**
 * A Set-Cookie value. The cookie ends with the browser, no script reads it, and it comes along when another site leads
 * the user here, but not when another site posts a form (SameSite=Lax).
 */
export function writeCookie(name: CookieName, value: string): string {
  return `${cookieNames[name]}=${value}; Path=/; Secure; HttpOnly; SameSite=Lax`;
}
