/** An API's process: it protects its routes with the library, and records when it last accepted each token. */
import { createServer } from "node:https";
import type { AddressInfo } from "node:net";
import { AccessTokenRefused, createResourceServer, tlsSocket } from "../../src/resource-server/index.ts";
import { serviceAccessToken, serviceId } from "../../test/support/settings.ts";
import { argumentOf, stopMessage } from "../measurement/pinned-process.ts";
import { type ApiArgument, machineTime } from "./orders.ts";

const { baseUrl, cache, timeout, server } = argumentOf(process.argv) as ApiArgument;
const resourceServer = createResourceServer({
  backend: { baseUrl, serviceId, credentials: { accessToken: serviceAccessToken }, timeout: { total: timeout } },
  cache,
  onWarning: ({ code, message }) => {
    process.stderr.write(`${code}: ${message}\n`);
  },
});
const certificate = tlsSocket();
const lastAccepted = new Map<string, number>();

const listener = createServer(
  { cert: server.pem, key: server.key, requestCert: true, rejectUnauthorized: false },
  (request, response) => {
    const token = request.headers.authorization?.slice("Bearer ".length) ?? "";
    resourceServer.authorize({ token, certificate: certificate(request) }).then(
      () => {
        lastAccepted.set(token, machineTime());
        response.end();
      },
      (error: unknown) => {
        response.writeHead(error instanceof AccessTokenRefused ? 401 : 503).end();
      },
    );
  },
);
listener.keepAliveTimeout = 60_000;
listener.listen(0, "127.0.0.1", () => process.send?.((listener.address() as AddressInfo).port));

process.on("message", (message) => {
  if (message === stopMessage) process.exit(0);
  process.send?.(lastAccepted);
});
process.on("disconnect", () => process.exit(1));
