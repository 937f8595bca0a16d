import test, { type ExecutionContext } from "ava";
import express from "express";
import fastify from "fastify";
import Koa from "koa";
import * as forExpress from "../../../src/resource-server/middleware/express.ts";
import * as forFastify from "../../../src/resource-server/middleware/fastify.ts";
import * as forKoa from "../../../src/resource-server/middleware/koa.ts";
import * as forNode from "../../../src/resource-server/middleware/node.ts";
import type { ProtectionOptions } from "../../../src/resource-server/middleware/protection.ts";
import { createResourceServer, type ResourceServer } from "../../../src/resource-server/resource-server.ts";
import { createAuthority } from "../../support/certificates.ts";
import { serveMutualTls } from "../../support/mutual-tls.ts";
import { send } from "../../support/https-request.ts";
import { factsBoundTo } from "../../support/protected-api.ts";
import { createScriptedBackend } from "../../support/scripted-backend.ts";

const a = createAuthority({ subject: "CN=Client CA" }).issue({ subject: "CN=client-a" });

/** What all frameworks call a request differently, as far as these tests look at it. */
type AnyContext = { readonly url?: string } | undefined;
type Options = ProtectionOptions<AnyContext> & Readonly<Record<string, unknown>>;

/** An API in each framework with options that are the framework's own; answers the token's subject. */
const start: Readonly<
  Record<string, (t: ExecutionContext, server: ResourceServer, options: Options) => Promise<string>>
> = {
  koa(t, server, options) {
    const app = new Koa<forKoa.ProtectedState>();
    app.silent = true;
    app.use(forKoa.protect(server, options as forKoa.ProtectOptions));
    app.use((ctx) => {
      ctx.body = ctx.state.accessToken.sub ?? "";
    });
    const handle = app.callback();
    return serveMutualTls(t, (request, response) => void handle(request, response));
  },
  express(t, server, options) {
    const app = express().set("env", "test");
    app.use(forExpress.protect(server, options as forExpress.ProtectOptions));
    app.use((request, response) => response.end(request.accessToken?.sub));
    return serveMutualTls(t, app);
  },
  async fastify(t, server, options) {
    const app = fastify();
    await app.register(forFastify.certbound, { resourceServer: server, ...options } as forFastify.CertboundOptions);
    app.get("/*", (request, reply) => reply.send(request.accessToken?.sub));
    await app.ready();
    return serveMutualTls(t, (request, response) => {
      app.routing(request, response);
    });
  },
  node(t, server, options) {
    const protect = forNode.protect(server, { onError: () => undefined, ...options } as forNode.ProtectOptions);
    return serveMutualTls(
      t,
      protect((_request, response, { sub }) => response.end(sub)),
    );
  },
};

for (const [name, startApi] of Object.entries(start)) {
  const serve = async (t: ExecutionContext, options: Options) => {
    const backend = createScriptedBackend();
    const server = createResourceServer({ backend });
    const url = await startApi(t, server, options);
    const get = (path: string, token = "token-a") =>
      send({ url: `${url}${path}`, as: a, headers: { authorization: `Bearer ${token}` } });
    return { backend, get };
  };

  test(`an unknown, misspelt or misplaced option is rejected, not ignored (${name})`, async (t) => {
    const server = createResourceServer({ backend: createScriptedBackend() });
    for (const [option, given] of [
      ["scopes", { scopes: ["admin"] }],
      ["requirements", { requirements: {} }],
      ["Requirement", { Requirement: {} }],
      ["requirement.scope", { requirement: { scope: ["admin"] } }],
      ["requirement.binding", { requirement: { binding: "optional" } }],
      ["requirement", { requirement: null }],
      ["requirement", { requirement: Promise.resolve({ scopes: ["admin"] }) }],
      ["requirement", { requirement: new Map([["scopes", ["admin"]]]) }],
      ["resourceMetadata", { resourceMetadata: "metadata" }],
    ] as const) {
      const invalid = { instanceOf: TypeError, code: "ERR_INVALID_OPTION", message: new RegExp(`^${option} `) };
      await t.throwsAsync(async () => startApi(t, server, given as never), invalid, option);
    }
    const none = { instanceOf: TypeError, code: "ERR_INVALID_OPTION" };
    await t.throwsAsync(async () => startApi(t, undefined as never, {}), none);
  });

  test(`a requirement can depend on the request (${name})`, async (t) => {
    const requirement = (context: AnyContext) => ({ subject: context?.url?.slice(1) ?? "" });
    const { backend, get } = await serve(t, { requirement });
    backend.tokens.set("token-a", factsBoundTo(a, { sub: "alice" }));
    t.is((await get("/alice")).body, "alice");
    t.is((await get("/bob")).status, 403);
  });

  test(`a requirement that returns nothing for a request opens nothing (${name})`, async (t) => {
    const { backend, get } = await serve(t, { requirement: () => undefined as never });
    backend.tokens.set("token-a", factsBoundTo(a));
    t.is((await get("/")).status, 500);
  });

  test(`a requirement that returns a promise, or no requirement at all, opens nothing (${name})`, async (t) => {
    const demand = { scopes: ["admin"] };
    for (const given of [Promise.resolve(demand), null, true, "", new Map(Object.entries(demand)), [demand]]) {
      const { backend, get } = await serve(t, { requirement: () => given as never });
      backend.tokens.set("token-a", factsBoundTo(a));
      t.is((await get("/")).status, 500);
    }
  });

  test(`a hook for refusals that fails changes no answer and ends nothing (${name})`, async (t) => {
    const failing: (() => never)[] = [
      () => {
        throw new Error("The log is full.");
      },
      () => Promise.reject(new Error("The log is gone.")) as never,
    ];
    for (const onRefusal of failing) {
      const { get } = await serve(t, { onRefusal });
      t.is((await get("/")).status, 401);
    }
  });

  test(`with several issuers the route names the one of the token (${name})`, async (t) => {
    const [one, two] = [createScriptedBackend(), createScriptedBackend()];
    one.tokens.set("token-a", factsBoundTo(a, { sub: "of one" }));
    two.tokens.set("token-a", factsBoundTo(a, { sub: "of two" }));
    const server = createResourceServer({
      issuers: [
        { issuer: "https://one.example.com", backend: one },
        { issuer: "https://two.example.com", backend: two },
      ],
    });
    const issuer = (context: AnyContext) => `https:/${context?.url ?? ""}.example.com`;
    const headers = { authorization: "Bearer token-a" };
    const byRequest = await startApi(t, server, { issuer });
    t.is((await send({ url: `${byRequest}/one`, as: a, headers })).body, "of one");
    t.is((await send({ url: `${byRequest}/two`, as: a, headers })).body, "of two");
    // A name that there is not is a fault of the program, and lets nobody in.
    t.is((await send({ url: `${byRequest}/three`, as: a, headers })).status, 500);
    const fixed = await startApi(t, server, { issuer: "https://two.example.com" });
    t.is((await send({ url: `${fixed}/one`, as: a, headers })).body, "of two");
  });

  test(`a route's maxAge of 0 asks for each of its requests, and other routes answer from memory (${name})`, async (t) => {
    const backend = createScriptedBackend();
    backend.tokens.set("token-a", factsBoundTo(a));
    const server = createResourceServer({ backend, cache: { ttl: 600 } });
    const url = await startApi(t, server, { requirement: (context) => (context?.url === "/now" ? { maxAge: 0 } : {}) });
    const get = async (path: string) =>
      (await send({ url: `${url}${path}`, as: a, headers: { authorization: "Bearer token-a" } })).status;
    for (const [path, asked] of [
      ["/", 1],
      ["/", 1],
      ["/now", 2],
      ["/now", 3],
      ["/", 3],
    ] as const) {
      t.is(await get(path), 200);
      t.is(backend.asked.length, asked, path);
    }
    backend.tokens.delete("token-a");
    t.is(await get("/now"), 401);
  });

  test(`the hook for refusals gets the framework's own request (${name})`, async (t) => {
    const told: unknown[] = [];
    const { get } = await serve(t, { onRefusal: ({ code }, context) => void told.push([code, context?.url]) });
    t.is((await get("/path")).status, 401);
    t.deepEqual(told, [["token_unknown", "/path"]]);
  });
}

test("requireScopes needs a scope, and protect before it", async (t) => {
  for (const requireScopes of [forKoa.requireScopes, forExpress.requireScopes, forNode.requireScopes]) {
    t.throws(() => (requireScopes as () => unknown)(), { code: "ERR_INVALID_OPTION" });
    t.throws(() => requireScopes(7 as never), { code: "ERR_INVALID_OPTION" });
  }
  const url = await serveMutualTls(t, express().set("env", "test").use(forExpress.requireScopes("read")));
  t.is((await send({ url, as: a })).status, 500);
});
