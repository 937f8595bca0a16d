import { createSecureServer, type Http2ServerRequest, type Http2ServerResponse } from "node:http2";
import { createServer } from "node:https";
import { createResourceServer } from "certbound";
import { protect, requireScopes, serverTimeouts } from "certbound/node";

const backend = { baseUrl: "http://127.0.0.1:8705", serviceId: 1004, credentials: { accessToken: "…" } };
const resourceServer = createResourceServer({ backend, resource: "https://api.example.com" });
const protectedBy = protect(resourceServer, { requirement: { scopes: ["read"] } });
const tls = { ...serverTimeouts, requestCert: true, rejectUnauthorized: false };

const pay = requireScopes("pay")((_request, response) => response.end("paid"));
export const server = createServer(
  tls,
  protectedBy((request, response, accessToken) => {
    if (request.url === "/payments") return pay(request, response, accessToken);
    return response.end(accessToken.clientId);
  }),
);

export const http2Server = createSecureServer(
  tls,
  protectedBy<Http2ServerRequest, Http2ServerResponse>((_request, response, accessToken) => {
    response.end(accessToken.clientId ?? "");
  }),
);
http2Server.setTimeout(serverTimeouts.keepAliveTimeout);

export {};
