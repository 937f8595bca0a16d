import { randomBytes } from "node:crypto";
import type { Endpoint } from "./endpoint.ts";
import { openAuthorization, type AuthorizationEndpointOptions } from "./interaction/open-authorization.ts";
import type { Sealing } from "./interaction/sealed-state.ts";

/**
 * The authorization endpoint (RFC 6749 §3.1) with what stands between request and answer: login, consent, a session.
 *
 * You bring the pages and the user table. Tickets stay here, a page works in the browser that it was made for and
 * nowhere else, several tabs do not disturb each other, and no node remembers anything. Serve it without asking for
 * client certificates: browsers would ask their users for one. Throws a `TypeError` with a `code` for wrong options.
 *
 * @example nodeHandler({ "/authorize": authorizationEndpoint({ backend, users, pages, cookieKey }) })
 */
export function authorizationEndpoint(options: AuthorizationEndpointOptions): Endpoint {
  return openAuthorization(options, { clock: Date.now, random: randomBytes, sealing: joseSealing });
}

/** jose is loaded when the first page is made. */
function joseSealing(key: Uint8Array): Sealing {
  const load = () => import("../jose/sealed-json.ts");
  return {
    seal: async (value, purpose) => (await load()).sealJson(value, key, purpose),
    open: async (text, purpose) => (await load()).openSealedJson(text, key, purpose),
  };
}
