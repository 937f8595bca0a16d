import express from "express";
import fastify, { type FastifyInstance } from "fastify";
import * as forExpress from "../../../src/resource-server/middleware/express.ts";
import * as forFastify from "../../../src/resource-server/middleware/fastify.ts";
import * as forNode from "../../../src/resource-server/middleware/node.ts";
import type { NodeRequest, NodeResponse } from "../../../src/resource-server/middleware/node.ts";
import { broken, cached, type Framework, koa, onKoa, serve } from "../../support/api-on-koa.ts";

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
