/**
 * How long a server waits for a client, in milliseconds; spread it into the options of `http`, `https` and
 * `http2.createSecureServer`. Node's defaults are a minute or more, checked every 30 s: a client could hold a
 * connection that long with half a header.
 *
 * The members are Node's: `handshakeTimeout` for TLS, `headersTimeout` and `requestTimeout` for the headers and the
 * whole of a request, `keepAliveTimeout` between two requests, `connectionsCheckingInterval` for how often Node checks.
 *
 * @example https.createServer({ ...tls, ...serverTimeouts }, listener)
 */
export const serverTimeouts = Object.freeze({
  handshakeTimeout: 10_000,
  headersTimeout: 10_000,
  requestTimeout: 30_000,
  // Longer than clients and load balancers keep idle connections, so that they close first: a server that closes could
  // cut off a request.
  keepAliveTimeout: 75_000,
  connectionsCheckingInterval: 2_000,
});

/** The default `Retry-After` of a 503, in seconds. Most outages are a restart or a moment of load. */
export const retryAfterSeconds = 1;
