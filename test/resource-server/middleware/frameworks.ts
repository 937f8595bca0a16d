import { createServer as createHttpsServer } from "node:https";
import { createSecureServer } from "node:http2";
import type { Server } from "node:net";
import { bodyParser } from "@koa/bodyparser";
import express from "express";
import fastify, { type FastifyInstance } from "fastify";
import Koa from "koa";
import type { Refusal } from "../../../src/resource-server/middleware/authorize-request.ts";
import * as forExpress from "../../../src/resource-server/middleware/express.ts";
import * as forFastify from "../../../src/resource-server/middleware/fastify.ts";
import * as forKoa from "../../../src/resource-server/middleware/koa.ts";
import * as forNode from "../../../src/resource-server/middleware/node.ts";
import type { NodeRequest, NodeResponse } from "../../../src/resource-server/middleware/node.ts";
import type { ProtectionOptions } from "../../../src/resource-server/middleware/protection.ts";
import type { ProtectedResourceMetadata } from "../../../src/resource-server/protected-resource-metadata.ts";
import type { RouteRequirement } from "../../../src/resource-server/decision/read-requirement.ts";
import type { ResourceServer } from "../../../src/resource-server/resource-server.ts";

/** The options of `protect` that every framework has in the same form. */
export type Protection = Pick<ProtectionOptions<unknown>, "certificate" | "realm" | "resourceMetadata"> & {
  readonly requirement?: RouteRequirement;
  readonly issuer?: string;
};

/**
 * What an API in each framework is made of: `/` answers the token's subject, `/pay` demands the scope `pay` besides,
 * `/both` demands `read` and `pay`, `/cached` says how long its answer keeps, `/broken` fails.
 */
export interface ApiParts {
  readonly resourceServer: ResourceServer;
  readonly protection: Protection;
  readonly onRefusal: (refusal: Refusal) => void;
  readonly metadata: ProtectedResourceMetadata | undefined;
  /** Parses forms and JSON before the protection, where the framework does not do that itself. */
  readonly parseBodies: boolean;
  /** On Koa only: middleware in front of the protection, and behind it. */
  readonly before?: Koa.Middleware<forKoa.ProtectedState>;
  readonly after?: Koa.Middleware<forKoa.ProtectedState>;
  readonly onServed: () => void;
  readonly onFault: (error: unknown) => void;
}

export interface Framework {
  readonly name: string;
  readonly http: "1.1" | "2";
  start(tls: object, parts: ApiParts): Promise<Server>;
}

const cached = "private, max-age=60";
const broken = (): Promise<never> => Promise.reject(new Error("The API's own fault."));

function serve(tls: object, http: Framework["http"], listener: (request: never, response: never) => void): Server {
  return http === "2"
    ? createSecureServer({ ...tls, allowHTTP1: true }, listener as (request: unknown, response: unknown) => void)
    : createHttpsServer(tls, listener as (request: unknown, response: unknown) => void);
}

const koa = (http: Framework["http"]): Framework => ({
  name: `koa, HTTP/${http}`,
  http,
  // eslint-disable-next-line @typescript-eslint/require-await
  async start(tls, { resourceServer, protection, onRefusal, metadata, parseBodies, before, after, onServed, onFault }) {
    const app = new Koa<forKoa.ProtectedState>();
    app.on("error", onFault);
    if (before) app.use(before);
    if (parseBodies) app.use(bodyParser());
    if (metadata) app.use(forKoa.serveMetadata(metadata));
    app.use(forKoa.protect(resourceServer, { ...protection, onRefusal }));
    if (after) app.use(after);
    const scopes = { "/pay": forKoa.requireScopes("pay"), "/both": forKoa.requireScopes("read", "pay") };
    app.use(async (ctx, next) => {
      if (ctx.path in scopes) await scopes[ctx.path as keyof typeof scopes](ctx, next);
      else await next();
    });
    app.use(async (ctx) => {
      onServed();
      if (ctx.path === "/broken") await broken();
      if (ctx.path === "/cached") ctx.set("Cache-Control", cached);
      ctx.body = ctx.state.accessToken.sub ?? "nobody";
    });
    const handle = app.callback();
    return serve(tls, http, (request, response) => void handle(request, response));
  },
});

const onExpress: Framework = {
  name: "express, HTTP/1.1",
  http: "1.1",
  // eslint-disable-next-line @typescript-eslint/require-await
  async start(tls, { resourceServer, protection, onRefusal, metadata, parseBodies, onServed, onFault }) {
    const app = express();
    if (parseBodies) app.use(express.urlencoded(), express.json());
    if (metadata) app.use(forExpress.serveMetadata(metadata));
    app.use(forExpress.protect(resourceServer, { ...protection, onRefusal }));
    app.use("/pay", forExpress.requireScopes("pay"));
    app.use("/both", forExpress.requireScopes("read", "pay"));
    app.all("/broken", broken);
    app.use((request, response) => {
      onServed();
      if (request.path === "/cached") response.set("Cache-Control", cached);
      response.end(forExpress.accessTokenOf(request).sub ?? "nobody");
    });
    const onError: express.ErrorRequestHandler = (error, _request, response, next) => {
      onFault(error);
      if (response.headersSent) next(error);
      else response.status(500).end();
    };
    app.use(onError);
    return serve(tls, "1.1", app);
  },
};

const onFastify = (http: Framework["http"]): Framework => ({
  name: `fastify, HTTP/${http}`,
  http,
  async start(tls, { resourceServer, protection, onRefusal, metadata, parseBodies, onServed, onFault }) {
    const app = (http === "2"
      ? fastify({ https: tls, http2: true })
      : fastify({ https: tls })) as unknown as FastifyInstance;
    if (parseBodies) {
      app.addContentTypeParser("application/x-www-form-urlencoded", { parseAs: "string" }, (_request, body, done) => {
        done(null, Object.fromEntries(new URLSearchParams(body as string)));
      });
    }
    app.setErrorHandler((error, _request, reply) => {
      onFault(error);
      return reply.code(500).send("");
    });
    if (metadata) await app.register(forFastify.serveMetadata, { metadata });
    await app.register(forFastify.certbound, { resourceServer, ...protection, onRefusal });
    const method = ["GET", "HEAD", "POST", "OPTIONS"];
    const routes = { "/": {}, "/pay": { scopes: ["pay"] }, "/both": { scopes: ["read", "pay"] }, "/cached": {} };
    for (const [url, accessToken] of Object.entries(routes)) {
      app.route({
        method,
        url,
        config: { accessToken },
        handler: (request, reply) => {
          onServed();
          if (url === "/cached") reply.header("Cache-Control", cached);
          return reply.send(forFastify.accessTokenOf(request).sub ?? "nobody");
        },
      });
    }
    app.get("/broken", broken);
    await app.ready();
    return app.server;
  },
});

const node = (http: Framework["http"]): Framework => ({
  name: `node, HTTP/${http}`,
  http,
  // eslint-disable-next-line @typescript-eslint/require-await
  async start(tls, { resourceServer, protection, onRefusal, metadata, parseBodies, onServed, onFault }) {
    const hello: forNode.ProtectedListener<NodeRequest, NodeResponse> = async (request, response, accessToken) => {
      onServed();
      if (request.url === "/broken") await broken();
      if (request.url === "/cached") response.setHeader("Cache-Control", cached);
      response.end(accessToken.sub ?? "nobody");
    };
    const pay = forNode.requireScopes("pay")(hello);
    const both = forNode.requireScopes("read", "pay")(hello);
    const listener = forNode.protect(resourceServer, { ...protection, onRefusal, onError: onFault })<
      NodeRequest,
      NodeResponse
    >((request, response, accessToken) => {
      const route = request.url === "/pay" ? pay : request.url === "/both" ? both : hello;
      return route(request, response, accessToken);
    });
    const described = metadata ? forNode.serveMetadata(metadata)<NodeRequest, NodeResponse>(listener) : listener;
    return serve(tls, http, parseBodies ? parsing(described) : described);
  },
});

/** Sets `request.body`, as the parsers written for such servers do. */
function parsing(listener: (request: NodeRequest, response: NodeResponse) => void): typeof listener {
  return (request, response) => {
    let text = "";
    request.setEncoding("utf8");
    request.on("data", (chunk: string) => (text += chunk));
    request.on("end", () => {
      const isJson = request.headers["content-type"] === "application/json";
      const body: unknown = isJson ? JSON.parse(text) : Object.fromEntries(new URLSearchParams(text));
      listener(Object.assign(request, { body }), response);
    });
  };
}

export const onKoa = koa("1.1");

/** Every framework, over each version of HTTP that it serves. */
export const frameworks: readonly Framework[] = [
  onKoa,
  koa("2"),
  onExpress,
  onFastify("1.1"),
  onFastify("2"),
  node("1.1"),
  node("2"),
];
