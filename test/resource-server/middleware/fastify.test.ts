import { once } from "node:events";
import type { ServerResponse } from "node:http";
import { type AddressInfo, connect } from "node:net";
import test, { type ExecutionContext } from "ava";
import fastify, { type FastifyInstance } from "fastify";
import byDefault, { accessTokenOf, certbound, serveMetadata } from "../../../src/resource-server/middleware/fastify.ts";
import { protectedResourceMetadata } from "../../../src/resource-server/protected-resource-metadata.ts";
import { createResourceServer } from "../../../src/resource-server/resource-server.ts";
import { boundFacts, createScriptedBackend } from "../../support/scripted-backend.ts";

/** What is Fastify's own is tried with its own requests; the connection's part is tried in the other files. */
function parts(t: ExecutionContext) {
  const backend = createScriptedBackend();
  const exp = Math.floor(Date.now() / 1000) + 3600;
  backend.tokens.set("reader", boundFacts({ scope: "read", exp }));
  backend.tokens.set("payer", boundFacts({ scope: "read pay", exp }));
  backend.tokens.set("owner", boundFacts({ scope: "read", sub: "owner", aud: ["https://a.example.com"], exp }));
  const resourceServer = createResourceServer({ backend, resource: [] });
  const certificate = () => ({ x5tS256: "A4DtL2JmUMhAsvJj5tKyn64SqzmuXbMrJa0n761y5v0" });
  const app = fastify();
  t.teardown(() => app.close());
  return { app, options: { resourceServer, certificate } };
}

async function statusOf(app: FastifyInstance, url: string, token?: string): Promise<number> {
  const headers = token === undefined ? {} : { authorization: `Bearer ${token}` };
  return (await app.inject({ url, headers })).statusCode;
}

const ok = (): string => "ok";

test("the plugin protects the scope it is registered in and those below, and leaves its neighbours alone", async (t) => {
  const { app, options } = parts(t);
  app.get("/open", ok);
  await app.register(async (inner) => {
    await inner.register(certbound, options);
    inner.get("/inner", ok);
    await inner.register((below, _options, done) => {
      below.get("/below", ok);
      done();
    });
  });
  for (const [url, without, withToken] of [
    ["/open", 200, 200],
    ["/inner", 401, 200],
    ["/below", 401, 200],
  ] as const) {
    t.is(await statusOf(app, url), without, url);
    t.is(await statusOf(app, url, "reader"), withToken, url);
  }
});

test("without a token, unknown and known routes get the same answer", async (t) => {
  const { app, options } = parts(t);
  await app.register(certbound, options);
  app.get("/there", ok);
  t.is(await statusOf(app, "/nowhere"), 401);
  t.is(await statusOf(app, "/nowhere", "reader"), 404);
});

test("a route's scopes and resources come on top of the plugin's, its other members stand in for them", async (t) => {
  const { app, options } = parts(t);
  await app.register(certbound, { ...options, requirement: { scopes: ["read"], subject: "user" } });
  app.get("/plain", ok);
  app.get("/pay", { config: { accessToken: { scopes: ["pay"] } } }, ok);
  app.get("/owner", { config: { accessToken: { subject: "owner" } } }, ok);
  app.get("/a", { config: { accessToken: { subject: "owner", resources: ["https://a.example.com"] } } }, ok);
  app.get("/b", { config: { accessToken: { subject: "owner", resources: ["https://b.example.com"] } } }, ok);
  for (const [url, token, status] of [
    ["/plain", "reader", 200],
    ["/plain", "owner", 403],
    ["/pay", "reader", 403],
    ["/pay", "payer", 200],
    ["/owner", "owner", 200],
    ["/owner", "reader", 403],
    ["/a", "owner", 200],
    ["/b", "owner", 401],
  ] as const) {
    t.is(await statusOf(app, url, token), status, `${url} ${token}`);
  }
  const { headers } = await app.inject({ url: "/pay", headers: { authorization: "Bearer reader" } });
  t.is(headers["www-authenticate"], 'Bearer error="insufficient_scope", scope="read pay"');
});

test("a route can be open to everybody, and has no token then", async (t) => {
  const { app, options } = parts(t);
  await app.register(certbound, options);
  app.get("/open", { config: { accessToken: false } }, ({ accessToken }) => (accessToken === null ? "null" : "one"));
  app.get("/mistaken", { config: { accessToken: false } }, (request) => accessTokenOf(request));
  const answer = await app.inject({ url: "/open", headers: { authorization: "Bearer none" } });
  t.deepEqual([answer.statusCode, answer.body], [200, "null"]);
  t.is(await statusOf(app, "/mistaken"), 500);
});

test("an invalid requirement of a route ends the program at its start", async (t) => {
  for (const accessToken of [{ scope: ["pay"] }, { scopes: undefined }, { binding: "optional" }, true, null, "pay"]) {
    const { app, options } = parts(t);
    await app.register(certbound, options);
    t.throws(() => app.get("/", { config: { accessToken: accessToken as never } }, ok), {
      instanceOf: TypeError,
      code: "ERR_INVALID_OPTION",
    });
  }
});

test("the body of a request that is refused is not read", async (t) => {
  const { app, options } = parts(t);
  await app.register(certbound, options);
  let parsed = 0;
  app.addContentTypeParser("text/plain", { parseAs: "string" }, (_request, body, done) => {
    parsed += 1;
    done(null, body);
  });
  app.post("/", ok);
  const call = { method: "POST", url: "/", payload: "text" } as const;
  t.is((await app.inject({ ...call, headers: { "content-type": "text/plain" } })).statusCode, 401);
  t.is(parsed, 0);
  const headers = { "content-type": "text/plain", authorization: "Bearer reader" };
  t.is((await app.inject({ ...call, headers })).statusCode, 200);
  t.is(parsed, 1);
});

test("a rejected request reaches no route, even if its client leaves while a hook delays the answer", async (t) => {
  const { app, options } = parts(t);
  const held = Promise.withResolvers<ServerResponse>();
  const released = Promise.withResolvers<undefined>();
  app.addHook("onSend", async (request, reply) => {
    if (request.headers.authorization !== undefined) return;
    held.resolve(reply.raw);
    await released.promise;
  });
  await app.register(certbound, options);
  const served: unknown[] = [];
  app.get("/", (request) => {
    served.push(request.headers.authorization);
    return "ok";
  });
  await app.listen({ port: 0, host: "127.0.0.1" });
  const { port } = app.server.address() as AddressInfo;
  const client = connect(port, "127.0.0.1");
  client.write("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n");
  const response = await held.promise;
  client.destroy();
  await once(response, "close");
  // By the time a whole other request is through, the first one has gone wherever it goes.
  t.is(await statusOf(app, "/", "reader"), 200);
  released.resolve(undefined);
  t.is(await statusOf(app, "/", "reader"), 200);
  t.deepEqual(served, ["Bearer reader", "Bearer reader"]);
});

test("a scope below can be protected once more, and then both demand", async (t) => {
  const { app, options } = parts(t);
  await app.register(certbound, { ...options, requirement: { scopes: ["read"] } });
  await app.register(async (inner) => {
    await inner.register(certbound, { ...options, requirement: { scopes: ["pay"] } });
    inner.get("/pay", ok);
  });
  t.is(await statusOf(app, "/pay", "reader"), 403);
  t.is(await statusOf(app, "/pay", "payer"), 200);
});

test("metadata stay open inside a protected scope, whatever characters their path has", async (t) => {
  const { app, options } = parts(t);
  await app.register(certbound, options);
  const metadata = protectedResourceMetadata({ resource: "https://api.example.com/tenant:one/v1" });
  await app.register(serveMetadata, { metadata });
  const answer = await app.inject({ url: metadata.path });
  t.is(answer.statusCode, 200);
  t.deepEqual(answer.json(), metadata.document);
  t.is(await statusOf(app, "/.well-known/oauth-protected-resource/tenantXone/v1"), 401);
});

test("the plugin is also the entry's default export, and Fastify knows its name", async (t) => {
  const { app, options } = parts(t);
  await app.register(byDefault, options);
  t.is(byDefault, certbound);
  t.true(app.hasPlugin("certbound"));
});
