/**
 * An authorization server that leaves every decision to the certbound backend.
 *
 * It knows no client, checks no certificate and stores no token. It passes each request to the backend, with the
 * certificate of the connection, and turns the response into HTTP. It has its own pages and its own user table.
 *
 *   BACKEND_URL=http://127.0.0.1:8705 SERVICE_ID=3693555439 SERVICE_ACCESS_TOKEN=… \
 *   RESOURCE_SERVER_ID=api RESOURCE_SERVER_SECRET=… \
 *   TLS_CERT=server.pem TLS_KEY=server-key.pem PORT=9443 PAGES_PORT=9444 \
 *   npm run example -- examples/authorization-server.ts
 *
 * RESOURCE_SERVER_URI is the URI of that resource server: tokens for others are then inactive to it, and it can request
 * signed responses (Accept: application/token-introspection+jwt), which are signed by INTROSPECTION_ALG (RS256).
 * USERS names a file of users (see user-table.ts). COOKIE_KEY is 32 octets in base64; without it, a restart logs
 * everybody out.
 */
import { constants, randomBytes } from "node:crypto";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { createServer, type Server } from "node:https";
import type { AddressInfo } from "node:net";
import { isDeepStrictEqual } from "node:util";
import { createApiClient } from "certbound/api-client";
import {
  authorizationEndpoint,
  basicResourceServers,
  discoveryEndpoint,
  introspectionEndpoint,
  jwksEndpoint,
  nodeHandler,
  revocationEndpoint,
  serverTimeouts,
  tokenEndpoint,
  userInfoEndpoint,
  type Consent,
  type Consents,
  type OnClientRefusal,
} from "certbound/authorization-server";
import { pages } from "./sign-in-pages.ts";
import { openUserTable } from "./user-table.ts";

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
const onBackendFailure = (error: unknown): void => {
  console.error(error instanceof Error ? error.message : "the backend failed");
};
/** The reason why a client was rejected: the client itself gets only an error code. */
const onRefusal: OnClientRefusal = ({ endpoint, clientId, resultMessage, thumbprint, address }) => {
  console.error(JSON.stringify({ refused: endpoint, clientId, resultMessage, thumbprint, address }));
};
const common = { backend, realm: "certbound example", onBackendFailure, onRefusal };
const { RESOURCE_SERVER_URI: rsUri, INTROSPECTION_ALG: introspectionSignAlg } = process.env;
const resourceServer = {
  id: setting("RESOURCE_SERVER_ID"),
  secret: setting("RESOURCE_SERVER_SECRET"),
  ...(rsUri === undefined ? {} : { rsUri }),
  // The backend rejects an unknown algorithm.
  ...(introspectionSignAlg === undefined ? {} : { introspectionSignAlg: introspectionSignAlg as "RS256" }),
};
const authenticate = basicResourceServers([resourceServer]);
const users = openUserTable(process.env["USERS"]);
const cookieKey =
  process.env["COOKIE_KEY"] === undefined ? randomBytes(32) : Buffer.from(process.env["COOKIE_KEY"], "base64");

/** The consents of each user for each client, kept as long as the process runs. */
const granted = new Map<string, readonly Consent[]>();
const consents: Consents = {
  granted: (subject, clientId) => granted.get(`${clientId} ${subject}`) ?? [],
  grant: (subject, clientId, consent) => {
    const key = `${clientId} ${subject}`;
    const others = (granted.get(key) ?? []).filter((earlier) => !isDeepStrictEqual(earlier, consent));
    granted.set(key, [...others, consent]);
  },
};

const documents = {
  "/.well-known/openid-configuration": discoveryEndpoint(common),
  "/.well-known/oauth-authorization-server": discoveryEndpoint(common),
  "/jwks": jwksEndpoint(common),
};

const tls = {
  cert: readFileSync(setting("TLS_CERT")),
  key: readFileSync(setting("TLS_KEY")),
  minVersion: "TLSv1.2",
  // For TLS 1.2, the suites that RFC 9325 §4.2 recommends; those of 1.3 are all secure.
  ciphers: "ECDHE+AESGCM:ECDHE+CHACHA20",
  secureOptions: constants.SSL_OP_NO_RENEGOTIATION,
  // Limits how long a client can hold a connection with half a request.
  ...serverTimeouts,
} as const;

const forClients = createServer(
  // Ask every client for a certificate, and accept every client, also without one: the backend decides for each client
  // which certificate it needs, and from which issuer (RFC 8705 §6.1).
  { ...tls, requestCert: true, rejectUnauthorized: false },
  nodeHandler({
    ...documents,
    "/token": tokenEndpoint({ ...common, authenticateUser: users.authenticate }),
    "/revoke": revocationEndpoint(common),
    "/introspect": introspectionEndpoint({ ...common, authenticate }),
    "/userinfo": userInfoEndpoint({ ...common, claims: users.claims }),
  }),
);

// Browsers have a listener of their own: a request for a certificate would make them ask their user.
const forBrowsers = createServer(
  tls,
  nodeHandler({ ...documents, "/authorize": authorizationEndpoint({ ...common, users, pages, cookieKey, consents }) }),
);

const listen = async (server: Server, port: number): Promise<string> => {
  server.listen(port, "127.0.0.1");
  await once(server, "listening");
  return `https://127.0.0.1:${(server.address() as AddressInfo).port}`;
};
const listening = await listen(forClients, Number(process.env["PORT"] ?? 9443));
// With PORT 0, both use any free port.
const pagesPort = process.env["PAGES_PORT"] ?? (process.env["PORT"] === "0" ? 0 : 9444);
console.log(JSON.stringify({ listening, pages: await listen(forBrowsers, Number(pagesPort)) }));

process.once("SIGTERM", () => {
  forBrowsers.close();
  forBrowsers.closeIdleConnections();
  forClients.close(() => void backend.close());
  forClients.closeIdleConnections();
});
