import { openResourceServer, type ResourceServer } from "./resource-server.ts";
import type { ResourceServerOptions } from "./resource-server-options.ts";

/**
 * Creates what stands in front of an API: token and certificate in, decision out (RFC 8705 §3).
 *
 * Without further options only certificate-bound tokens are let in, and none is let in later than 2 s (`timeout`) after
 * its revocation was acknowledged while the backend's stream of events is whole, 10 s (`cache.ttl`) while it is not.
 * Throws a `TypeError` with a `code` for wrong options.
 *
 * @example const api = createResourceServer({ backend: { baseUrl, serviceId, credentials: { apiSecret } } })
 * const { sub } = await api.authorize({ token, certificate, requirement: { scopes: ["read"] } })
 */
export function createResourceServer(options: ResourceServerOptions): ResourceServer {
  return openResourceServer(options, { clock: Date.now, monotonicClock: () => performance.now() });
}
