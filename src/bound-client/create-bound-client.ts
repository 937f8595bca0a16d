import { type BoundClient, openBoundClient } from "./bound-client.ts";
import type { BoundClientOptions } from "./bound-client-options.ts";

/**
 * Creates a client of protected APIs: it presents its certificate, and fetches, keeps and renews the access tokens
 * that are bound to it (RFC 8705 §3).
 *
 * Servers are always verified, TLS is 1.2 at least. Throws a `TypeError` with a `code` for wrong options, an
 * unreadable certificate or key among them.
 *
 * @example const client = createBoundClient({
 *   certificate, key, clientId: "4711",
 *   authorizationServer: { issuer: "https://as.example.com" }, resourceServers: ["https://api.example.com"],
 * })
 * const accounts = await client.got("https://api.example.com/accounts").json()
 */
export function createBoundClient(options: BoundClientOptions): BoundClient {
  return openBoundClient(options, { clock: Date.now, monotonicClock: () => performance.now() });
}
