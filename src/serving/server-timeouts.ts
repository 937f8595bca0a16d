/**
 * How long a server waits for a client, in milliseconds: to be spread into the options of `http`, `https` and
 * `http2.createSecureServer`. Node's own limits are a minute and more, looked at every 30 s: as long as a client could hold
 * a connection with half a header.
 *
 * Its members are Node's: `handshakeTimeout` for TLS, `headersTimeout` and `requestTimeout` for the head and the whole of a
 * request, `keepAliveTimeout` between two of them, `connectionsCheckingInterval` for how often Node looks.
 *
 * @example https.createServer({ ...tls, ...serverTimeouts }, listener)
 */
export const serverTimeouts = Object.freeze({
  handshakeTimeout: 10_000,
  headersTimeout: 10_000,
  requestTimeout: 30_000,
  // Longer than callers and load balancers keep idle connections: they close first, never into a request.
  keepAliveTimeout: 75_000,
  connectionsCheckingInterval: 2_000,
});

/** Seconds: what `Retry-After` of a 503 says where nobody knows better. Most outages are a restart or a moment of load. */
export const retryAfterSeconds = 1;
