import { EventEmitter, once } from "node:events";
import { createServer, type IncomingMessage, type RequestListener, type Server, type ServerResponse } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import type { Duplex } from "node:stream";
import express from "express";
import fastify from "fastify";
import Koa from "koa";
import type { FactsSource, ResourceServerOptions } from "../../src/resource-server/index.ts";
import * as forExpress from "../../src/resource-server/middleware/express.ts";
import * as forFastify from "../../src/resource-server/middleware/fastify.ts";
import * as forKoa from "../../src/resource-server/middleware/koa.ts";
import * as forNode from "../../src/resource-server/middleware/node.ts";
import type { ProtectionOptions } from "../../src/resource-server/middleware/protection.ts";
import { createResourceServer } from "../../src/resource-server/resource-server.ts";
import {
  type BrokenResponse,
  brokenResponses,
  countEscaped,
  type Failure,
  failures,
} from "../support/failing-hooks.ts";
import { obey } from "../support/forked-program.ts";
import { createScriptedBackend, x5tS256 } from "../support/scripted-backend.ts";

/** The hooks of an API: of `createResourceServer`, of `protect`, and what serves a request that is let in. */
export const apiHooks = [
  ...["onDecision", "onWarning", "ask", "claims"],
  ...["certificate", "requirement", "issuer", "onRefusal", "onError", "listener"],
] as const;
export type ApiHook = (typeof apiHooks)[number];

export const apiEntries = ["node", "node, upgrade", "express", "koa", "fastify"] as const;
export type ApiEntry = (typeof apiEntries)[number];

/** One API: in this framework, with this hook failing so, its response broken so. */
export interface BrokenApi {
  readonly entry: ApiEntry;
  readonly hook?: ApiHook;
  readonly failure?: Failure;
  readonly response?: BrokenResponse;
}

const escaped = countEscaped();
// They are what is wanted here, hundreds of them.
process.removeAllListeners("warning");

/** Lets in `good`, and nothing else. */
function openApi({ hook, failure = "throws" }: BrokenApi) {
  const fail = failures[failure];
  const failing = (...names: readonly ApiHook[]): object =>
    Object.fromEntries(names.filter((name) => name === hook).map((name) => [name, fail]));
  const backend = createScriptedBackend();
  const facts = { active: true, sub: "user", client_id: "1", scope: "read", exp: 4_000_000_000 };
  backend.tokens.set("good", { ...facts, aud: "https://api.example.com", cnf: { "x5t#S256": x5tS256 } });
  const asked: FactsSource = { ask: fail as never, close: () => Promise.resolve() };
  const other: FactsSource = { ask: fail as never, close: () => Promise.resolve(), claims: fail as never };
  const library: ResourceServerOptions =
    hook === "ask"
      ? { source: asked, timeout: 200 }
      : hook === "claims"
        ? {
            issuers: [
              { issuer: "https://a.example.com", backend },
              { issuer: "https://b.example.com", source: other },
            ],
          }
        : { backend };
  const resourceServer = createResourceServer({
    onWarning: () => undefined,
    ...library,
    ...failing("onDecision", "onWarning"),
  });
  const protection: ProtectionOptions<unknown> = {
    certificate: () => ({ x5tS256 }),
    ...failing("certificate", "requirement", "issuer", "onRefusal"),
  };
  // What `onError` is told of needs a fault first.
  const serve = hook === "listener" || hook === "onError" ? (fail as () => never) : undefined;
  return { resourceServer, protection, onError: failing("onError"), serve };
}

function open(api: BrokenApi): RequestListener | Promise<RequestListener> {
  const { resourceServer, protection, onError, serve } = openApi(api);
  const breakIt = api.response === undefined ? undefined : brokenResponses[api.response];
  switch (api.entry) {
    case "node": {
      const listener = forNode.protect(resourceServer, { ...protection, ...onError })(
        serve ?? ((_request, response) => response.end("served")),
      );
      return (request, response) => {
        breakIt?.(request, response);
        listener(request, response);
      };
    }
    case "express": {
      const app = express();
      app.use((request, response, next) => {
        breakIt?.(request, response);
        next();
      });
      app.use(forExpress.protect(resourceServer, protection));
      app.use(serve ?? ((_request, response) => void response.end("served")));
      app.set("env", "test");
      return app;
    }
    case "koa": {
      const app = new Koa<forKoa.ProtectedState>();
      app.silent = true;
      app.use(async (ctx, next) => {
        breakIt?.(ctx.req, ctx.res);
        await next();
      });
      app.use(forKoa.protect(resourceServer, protection));
      app.use(
        serve ??
          ((ctx) => {
            ctx.body = "served";
          }),
      );
      const handle = app.callback();
      return (request, response) => void handle(request, response);
    }
    case "fastify":
      return onFastify(resourceServer, protection, serve, breakIt);
    case "node, upgrade":
      return (_request, response) => void response.writeHead(404).end();
  }
}

async function onFastify(
  resourceServer: ReturnType<typeof createResourceServer>,
  protection: ProtectionOptions<unknown>,
  serve: (() => never) | undefined,
  breakIt: ((request: IncomingMessage, response: ServerResponse) => void) | undefined,
): Promise<RequestListener> {
  const app = fastify();
  app.addHook("onRequest", (request, reply, done) => {
    breakIt?.(request.raw, reply.raw);
    done();
  });
  await app.register(forFastify.certbound, { resourceServer, ...protection });
  app.get("/*", serve ?? (() => "served"));
  await app.ready();
  return (request, response) => {
    app.routing(request, response);
  };
}

const listeners = new Map<string, RequestListener>();
const upgrades = new Map<string, (request: IncomingMessage, socket: Duplex, head: Buffer) => void>();
let server: Server | undefined;

/** What engine.io hands to its middleware instead of a response: with events since 6.6, without any before. */
function standIn(socket: Duplex, events: boolean): ServerResponse {
  const headers: Record<string, unknown> = {};
  const members = {
    socket,
    setHeader: (name: string, value: unknown) => void (headers[name] = value),
    getHeader: (name: string) => headers[name],
    removeHeader: (name: string) => void Reflect.deleteProperty(headers, name),
    write: () => undefined,
    writeHead: () => undefined,
    end: () => {
      socket.destroy();
    },
  };
  return (events ? Object.assign(new EventEmitter(), members) : members) as unknown as ServerResponse;
}

/** As engine.io does it: middleware for HTTP, called when a WebSocket starts; who comes through it is answered 101. */
function asEngine(entry: string, events: boolean, failure: Failure | undefined) {
  const { resourceServer, protection } = openApi({
    entry: "express",
    ...(failure === undefined ? {} : { hook: "requirement", failure }),
  });
  return (request: IncomingMessage, socket: Duplex): void => {
    const goOn = (error?: unknown): void => {
      if (error) socket.destroy();
      else socket.end("HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n");
    };
    const response = standIn(socket, events);
    if (entry === "express")
      void forExpress.protect(resourceServer, protection)(request as never, response as never, goOn);
    else
      forNode.protect(
        resourceServer,
        protection,
      )(() => {
        goOn();
      })(request, response);
  };
}

const commands = {
  async start(apis: Readonly<Record<string, BrokenApi>>): Promise<string> {
    for (const [path, api] of Object.entries(apis)) {
      if (api.entry !== "node, upgrade") listeners.set(path, await open(api));
      else {
        const { resourceServer, protection, onError, serve } = openApi(api);
        const take =
          serve ??
          ((_request: unknown, socket: Duplex) =>
            void socket.end("HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: Upgrade\r\n\r\n"));
        upgrades.set(path, forNode.protectUpgrade(resourceServer, { ...protection, ...onError })(take));
      }
    }
    for (const entry of ["express", "node"]) {
      for (const events of [true, false]) {
        for (const failure of [undefined, "throws", "throws nothing", "throws a text"] as const) {
          upgrades.set(
            `/engine/${entry}/${events}/${(failure ?? "none").replaceAll(" ", "-")}`,
            asEngine(entry, events, failure),
          );
        }
      }
    }
    server = createServer((request, response) => {
      const listener = listeners.get(request.url ?? "");
      if (listener === undefined) response.writeHead(404).end();
      else listener(request, response);
    });
    server.on("upgrade", (request: IncomingMessage, socket: Socket, head: Buffer) => {
      upgrades.get(request.url ?? "")?.(request, socket, head);
    });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  },
  escaped: () => escaped,
};
export type ApiHooksCommands = typeof commands;
obey(commands);
