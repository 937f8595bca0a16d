/**
 * An API on Express whose routes open only to certificate-bound tokens, presented over mutual TLS.
 *
 *   BACKEND_URL=http://127.0.0.1:8705 SERVICE_ID=3693555439 SERVICE_ACCESS_TOKEN=… RESOURCE=https://api.example.com \
 *   TLS_CERT=server.pem TLS_KEY=server-key.pem PORT=8443 \
 *   npm run example -- examples/express-api.ts
 */
import { constants } from "node:crypto";
import { readFileSync } from "node:fs";
import { createServer } from "node:https";
import type { AddressInfo } from "node:net";
import { createResourceServer, protectedResourceMetadata } from "certbound";
import { accessTokenOf, protect, requireScopes, serveMetadata } from "certbound/express";
import { serverTimeouts } from "certbound/node";
import express from "express";

const setting = (name: string): string => {
  const value = process.env[name];
  if (value === undefined || value === "") throw new Error(`The environment variable ${name} is missing.`);
  return value;
};

// This API's own name: a token must be meant for it.
const resource = setting("RESOURCE");

const resourceServer = createResourceServer({
  backend: {
    baseUrl: setting("BACKEND_URL"),
    serviceId: Number(setting("SERVICE_ID")),
    credentials: { accessToken: setting("SERVICE_ACCESS_TOKEN") },
  },
  resource,
});

// What clients read before they ask for a token, and what challenges point to (RFC 9728).
const metadata = protectedResourceMetadata({ resource, scopes_supported: ["read", "pay"] });

const app = express();
// Routes that are open to everybody come before the protection: the metadata, and CORS if browsers call.
app.use(serveMetadata(metadata));
app.use(
  protect(resourceServer, {
    requirement: { scopes: ["read"] },
    resourceMetadata: metadata,
    // For the operator: the check that failed. The caller gets the same response for all of them.
    onRefusal: ({ code, reason }) => {
      console.log(JSON.stringify({ refused: code, reason }));
    },
  }),
);
app.get("/hello", (request, response) => {
  response.json({ hello: accessTokenOf(request).clientId });
});
app.post("/payments", requireScopes("pay"), (_request, response) => {
  response.json({ paid: true });
});

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
  app,
);

server.listen(Number(process.env["PORT"] ?? 8443), "127.0.0.1", () => {
  const { port } = server.address() as AddressInfo;
  console.log(JSON.stringify({ listening: `https://127.0.0.1:${port}` }));
});

process.once("SIGTERM", () => {
  server.close(() => void resourceServer.close());
  server.closeIdleConnections();
});
