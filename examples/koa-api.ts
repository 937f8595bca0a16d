/**
 * An API on Koa whose routes open only to certificate-bound tokens, presented over mutual TLS.
 *
 *   BACKEND_URL=http://127.0.0.1:8705 SERVICE_ID=3693555439 SERVICE_ACCESS_TOKEN=… \
 *   TLS_CERT=server.pem TLS_KEY=server-key.pem PORT=8443 \
 *   npm run example -- examples/koa-api.ts
 */
import { constants } from "node:crypto";
import { readFileSync } from "node:fs";
import { createServer } from "node:https";
import type { AddressInfo } from "node:net";
import Router from "@koa/router";
import { createResourceServer } from "certbound";
import { protect, type ProtectedState, requireScopes } from "certbound/koa";
import { serverTimeouts } from "certbound/node";
import Koa from "koa";

const setting = (name: string): string => {
  const value = process.env[name];
  if (value === undefined || value === "") throw new Error(`The environment variable ${name} is missing.`);
  return value;
};

const resourceServer = createResourceServer({
  backend: {
    baseUrl: setting("BACKEND_URL"),
    serviceId: Number(setting("SERVICE_ID")),
    credentials: { accessToken: setting("SERVICE_ACCESS_TOKEN") },
  },
  // This API's own name. Without a name, tokens for other APIs are accepted, too.
  resource: process.env["RESOURCE"] ?? [],
  cache: { ttl: Number(process.env["CACHE_TTL"] ?? 10) },
});

const app = new Koa<ProtectedState>();
app.use(
  protect(resourceServer, {
    requirement: { scopes: ["read"] },
    // For the operator: the check that failed. The caller gets the same response for all of them.
    onRefusal: ({ code, reason }) => {
      console.log(JSON.stringify({ refused: code, reason }));
    },
  }),
);

const router = new Router<ProtectedState>();
router.get("/hello", (ctx) => {
  ctx.body = { hello: ctx.state.accessToken.clientId };
});
router.post("/payments", requireScopes("pay"), (ctx) => {
  ctx.body = { paid: true };
});
app.use(router.routes());

const handle = app.callback();
const server = createServer(
  {
    cert: readFileSync(setting("TLS_CERT")),
    key: readFileSync(setting("TLS_KEY")),
    minVersion: "TLSv1.2",
    secureOptions: constants.SSL_OP_NO_RENEGOTIATION,
    // Limits how long a client can hold a connection with half a request.
    ...serverTimeouts,
    // Ask for a certificate and accept any: the handshake proves that the client has its key, and certbound checks that
    // it is the certificate of the token. No CA is needed (RFC 8705 §6.2).
    requestCert: true,
    rejectUnauthorized: false,
  },
  (request, response) => void handle(request, response),
);

server.listen(Number(process.env["PORT"] ?? 8443), "127.0.0.1", () => {
  const { port } = server.address() as AddressInfo;
  console.log(JSON.stringify({ listening: `https://127.0.0.1:${port}` }));
});

process.once("SIGTERM", () => {
  server.close(() => void resourceServer.close());
  server.closeIdleConnections();
});
