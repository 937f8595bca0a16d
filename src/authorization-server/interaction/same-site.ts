import type { BrowserRequest } from "../endpoint.ts";

/**
 * Whether a browser says that a form was sent from another site. A second lock: what decides is the cookie, which
 * does not come along from there.
 */
export function isFromElsewhere({ fetchSite, origin, host }: BrowserRequest): boolean {
  if (fetchSite !== undefined) return fetchSite !== "same-origin";
  // Our pages send no referrer, and with it no origin: browsers say "null" then (Fetch §3.1).
  if (origin === undefined || origin === "null") return false;
  return !URL.canParse(origin) || new URL(origin).host !== host;
}
