/** Compiled, never run: what the compiler must know of each framework's entry, and what it must find. */
import { createServer } from "node:http";
import { createSecureServer, type Http2ServerRequest, type Http2ServerResponse } from "node:http2";
import { createServer as createHttpsServer } from "node:https";
import express from "express";
import fastify from "fastify";
import Koa from "koa";
import { type AccessToken, protectedResourceMetadata, type ResourceServer } from "certbound";
import * as forExpress from "certbound/express";
import certbound, * as forFastify from "certbound/fastify";
import * as forKoa from "certbound/koa";
import * as forNode from "certbound/node";

declare const server: ResourceServer;
const metadata = protectedResourceMetadata({ resource: "https://api.example.com", "resource_name#fr": "Exemple" });

const taken = (accessToken: AccessToken): AccessToken => accessToken;

// Koa

export const koa = new Koa<forKoa.ProtectedState>()
  .use(forKoa.serveMetadata(metadata))
  .use(forKoa.protect(server, { requirement: (ctx) => ({ subject: ctx.path }), issuer: (ctx) => ctx.host }))
  .use(forKoa.requireScopes("read"))
  .use((ctx) => {
    taken(ctx.state.accessToken);
    // @ts-expect-error -- a token has no such member
    ctx.body = ctx.state.accessToken.user as unknown;
  });

// @ts-expect-error -- misplaced: scopes belong into the requirement
forKoa.protect(server, { scopes: ["read"] });
// @ts-expect-error -- misspelt
forKoa.protect(server, { requirement: { scope: ["read"] } });
// @ts-expect-error -- no such binding
forKoa.protect(server, { requirement: { binding: "optional" } });
// @ts-expect-error -- a demand of no scope
forKoa.requireScopes();
// @ts-expect-error -- DPoP is not checked, and must not be promised
protectedResourceMetadata({ resource: "https://api.example.com", dpop_bound_access_tokens_required: true });

// Express

export const onExpress = express()
  .use(forExpress.serveMetadata(metadata))
  .use(forExpress.protect(server, { requirement: (request) => ({ subject: request.params["user"] as string }) }))
  .post("/pay", forExpress.requireScopes("pay"), (request, response) => {
    taken(forExpress.accessTokenOf(request));
    // @ts-expect-error -- nobody may have protected this route
    taken(request.accessToken);
    response.json({ hello: request.accessToken?.clientId });
  });

// @ts-expect-error -- misspelt
forExpress.protect(server, { onRefused: () => undefined });

// Fastify

export const onFastify = fastify();
await onFastify.register(forFastify.serveMetadata, { metadata });
await onFastify.register(certbound, { resourceServer: server, requirement: ({ url }) => ({ subject: url }) });
onFastify.get("/pay", { config: { accessToken: { scopes: ["pay"] } } }, (request) => {
  taken(forFastify.accessTokenOf(request));
  // @ts-expect-error -- nobody may have protected this route
  taken(request.accessToken);
  return request.accessToken?.clientId;
});
onFastify.get("/open", { config: { accessToken: false } }, () => "hello");
// @ts-expect-error -- no such binding
onFastify.get("/misspelt", { config: { accessToken: { binding: "optional" } } }, () => "hello");
// @ts-expect-error -- without a resource server there is no decision
await onFastify.register(certbound, { requirement: {} });
// @ts-expect-error -- misspelt
await onFastify.register(certbound, { resourceServer: server, requirements: {} });

export const onFastifyHttp2 = fastify({ http2: true, https: { allowHTTP1: true } });
await onFastifyHttp2.register(certbound, { resourceServer: server });
await onFastifyHttp2.register(forFastify.serveMetadata, { metadata });
onFastifyHttp2.get("/", (request) => request.accessToken?.clientId);

// Node's own servers

const protect = forNode.protect(server, { issuer: ({ url }) => url ?? "", onError: (error) => error.message });
const pay = forNode.requireScopes("pay")((request, response, accessToken) => {
  response.end(`${String(request.url)} ${String(taken(accessToken).sub)}`);
});

export const servers = [
  createServer(
    protect((request, response, accessToken) => {
      if (request.url === "/pay") return pay(request, response, accessToken);
      response.statusMessage = "OK";
      return response.end(taken(accessToken).sub);
    }),
  ),
  createHttpsServer(
    {},
    protect(async (request, response, accessToken) => {
      for await (const chunk of request) response.write(chunk);
      response.end(accessToken.sub);
    }),
  ),
  createSecureServer(
    { allowHTTP1: true },
    protect<Http2ServerRequest, Http2ServerResponse>((request, response, accessToken) => {
      response.setHeader("x-stream", request.stream.id ?? 0);
      response.end(accessToken.sub ?? "");
    }),
  ),
];

servers[0]?.on(
  "upgrade",
  forNode.protectUpgrade(server)((request, socket, _head, accessToken) => {
    socket.end(`${String(request.url)} ${String(taken(accessToken).sub)}`);
  }),
);

createServer(
  protect((_request, _response, accessToken) => {
    // @ts-expect-error -- a token is no text
    const text: string = accessToken;
    return text;
  }),
);
// @ts-expect-error -- misspelt
forNode.protect(server, { onErrors: () => undefined });
