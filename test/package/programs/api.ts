// An API on node:http that knows nothing of Koa.
import { createServer } from "node:https";
import {
  AccessTokenRefused,
  createResourceServer,
  IntrospectionUnavailable,
  tlsSocket,
  type AccessToken,
} from "certbound";

const resourceServer = createResourceServer({
  backend: { baseUrl: "http://127.0.0.1:8705", serviceId: 1004, credentials: { accessToken: "service access token" } },
  resource: "https://api.example.com",
});
const certificate = tlsSocket();

export const server = createServer({ requestCert: true, rejectUnauthorized: false }, (request, response) => {
  const token = request.headers.authorization?.replace(/^Bearer /, "") ?? "";
  resourceServer
    .authorize({ token, certificate: certificate(request), requirement: { scopes: ["read"] } })
    .then((accessToken: AccessToken) => response.end(accessToken.clientId))
    .catch((error: unknown) => {
      if (error instanceof AccessTokenRefused) response.writeHead(error.status, error.headers).end();
      else response.writeHead(error instanceof IntrospectionUnavailable ? 503 : 500).end();
    });
});
