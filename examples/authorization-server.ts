/**
 * An authorization server over mutual TLS that leaves every decision to the certbound backend.
 *
 * It knows no client, checks no certificate and keeps no token: it hands each request to the backend, with the
 * certificate of the connection, and turns the answer into HTTP.
 *
 *   BACKEND_URL=http://127.0.0.1:8705 SERVICE_ID=3693555439 SERVICE_ACCESS_TOKEN=… \
 *   RESOURCE_SERVER_ID=api RESOURCE_SERVER_SECRET=… \
 *   TLS_CERT=server.pem TLS_KEY=server-key.pem PORT=9443 \
 *   node --conditions=certbound-source examples/authorization-server.ts
 */
import { readFileSync } from "node:fs";
import { createServer } from "node:https";
import type { AddressInfo } from "node:net";
import { constants } from "node:crypto";
import { createApiClient } from "certbound/api-client";
import {
  basicResourceServers,
  introspectionEndpoint,
  nodeHandler,
  revocationEndpoint,
  tokenEndpoint,
} from "certbound/authorization-server";

const setting = (name: string): string => {
  const value = process.env[name];
  if (value === undefined || value === "") throw new Error(`The environment variable ${name} is missing.`);
  return value;
};

const backend = createApiClient({
  baseUrl: setting("BACKEND_URL"),
  serviceId: Number(setting("SERVICE_ID")),
  credentials: { accessToken: setting("SERVICE_ACCESS_TOKEN") },
});
const realm = "certbound example";
const onBackendFailure = (error: unknown): void => {
  console.error(error instanceof Error ? error.message : "the backend failed");
};
const authenticate = basicResourceServers([
  { id: setting("RESOURCE_SERVER_ID"), secret: setting("RESOURCE_SERVER_SECRET") },
]);

const server = createServer(
  {
    cert: readFileSync(setting("TLS_CERT")),
    key: readFileSync(setting("TLS_KEY")),
    minVersion: "TLSv1.2",
    secureOptions: constants.SSL_OP_NO_RENEGOTIATION,
    // Ask every client for a certificate, and let any of them in, also without one: which certificate a client needs,
    // and from whom, the backend decides client by client (RFC 8705 §6.1).
    requestCert: true,
    rejectUnauthorized: false,
  },
  nodeHandler({
    "/token": tokenEndpoint({ backend, realm, onBackendFailure }),
    "/revoke": revocationEndpoint({ backend, realm, onBackendFailure }),
    "/introspect": introspectionEndpoint({ backend, realm, authenticate, onBackendFailure }),
  }),
);

server.listen(Number(process.env["PORT"] ?? 9443), "127.0.0.1", () => {
  const { port } = server.address() as AddressInfo;
  console.log(JSON.stringify({ listening: `https://127.0.0.1:${port}` }));
});

process.once("SIGTERM", () => {
  server.close(() => void backend.close());
  server.closeIdleConnections();
});
