/**
 * A WebSocket that lives no longer than its token: it ends when the token is revoked or expires.
 *
 *   BACKEND_URL=http://127.0.0.1:8705 SERVICE_ID=3693555439 SERVICE_ACCESS_TOKEN=… RESOURCE=https://api.example.com \
 *   TLS_CERT=server.pem TLS_KEY=server-key.pem PORT=8443 \
 *   npm run example -- examples/live-websocket.ts
 */
import { constants } from "node:crypto";
import { readFileSync } from "node:fs";
import { createServer } from "node:https";
import type { AddressInfo } from "node:net";
import { createResourceServer } from "certbound";
import { protectUpgrade, serverTimeouts } from "certbound/node";
import { WebSocketServer } from "ws";

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

const server = createServer({
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
});
// Answer requests that are no upgrade: without a listener they would wait for ever.
server.on("request", (_request, response) => {
  response.writeHead(426, { Connection: "Upgrade", Upgrade: "websocket" }).end();
});

const webSockets = new WebSocketServer({ noServer: true });

server.on(
  "upgrade",
  protectUpgrade(resourceServer, { requirement: { scopes: ["read"] } })((request, socket, head, accessToken) => {
    const { signal } = accessToken;
    webSockets.handleUpgrade(request, socket, head, (webSocket) => {
      const end = (): void => {
        webSocket.close(1008, "The access token is no longer good.");
      };
      // It fires when the token is revoked or expires. That may have happened while the WebSocket was opened.
      if (signal.aborted) end();
      signal.addEventListener("abort", end, { once: true });
      webSocket.once("close", () => {
        signal.removeEventListener("abort", end);
      });
      webSocket.on("error", () => {
        webSocket.terminate();
      });
      webSocket.on("message", (message) => {
        webSocket.send(`${String(accessToken.clientId)} says: ${(message as Buffer).toString()}`);
      });
    });
  }),
);

server.listen(Number(process.env["PORT"] ?? 8443), "127.0.0.1", () => {
  const { port } = server.address() as AddressInfo;
  console.log(JSON.stringify({ listening: `https://127.0.0.1:${port}` }));
});

process.once("SIGTERM", () => {
  server.close(() => void resourceServer.close());
  server.closeIdleConnections();
  for (const webSocket of webSockets.clients) webSocket.close(1001);
});
