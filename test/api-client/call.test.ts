import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { inspect } from "node:util";
import test, { type ExecutionContext } from "ava";
import type { z } from "zod";
import type { ApiConnection } from "../../src/api-client/api-connection.ts";
import { BackendAnswerMalformed, BackendUnavailable } from "../../src/api-client/backend-unavailable.ts";
import { createCaller, targetOf } from "../../src/api-client/call.ts";
import { createApiClient } from "../../src/api-client/index.ts";
import type { ExchangeAnswer } from "../../src/api-client/exchange.ts";
import { readAnswer } from "../../src/api-client/read-answer.ts";
import { ApiError } from "../../src/contract/api-error.ts";
import { authIntrospectionStandard } from "../../src/contract/auth-introspection-standard.ts";
import { authTokenDelete } from "../../src/contract/auth-token-delete.ts";
import { authToken } from "../../src/contract/auth-token.ts";
import { info } from "../../src/contract/info.ts";
import { serviceJwksGet } from "../../src/contract/service-jwks-get.ts";
import { type Respond, startIntrospectionBackend } from "../support/introspection-backend.ts";

const secret = "api-secret-7f3a";
const bearer = "service-token-c0ffee";
const tokenText = "access-token-5eed";
const question = { parameters: `token=${tokenText}` };
const good = {
  resultCode: "A145001",
  resultMessage: "[A145001] Done.",
  action: "OK",
  responseContent: '{"active":false}',
};

/** A backend and a caller of it, both ended with the test. */
async function start(t: ExecutionContext, options: Partial<ApiConnection> = {}) {
  const backend = await startIntrospectionBackend();
  const connection = {
    baseUrl: backend.baseUrl,
    serviceId: 4711,
    credentials: { apiSecret: secret },
    // Longer than any test takes: only a test about waiting is about time.
    timeout: { attempt: 60_000, total: 60_000 },
    ...options,
  };
  const caller = createCaller(connection);
  t.teardown(async () => {
    await caller.close();
    await backend.stop();
  });
  return { backend, caller, connection, ask: () => caller.call(authIntrospectionStandard, question) };
}

/** The rejection of a promise; no credential, token or body may be found in it, however deep one looks. */
async function failureOf(t: ExecutionContext, call: Promise<unknown>): Promise<Error> {
  const error = await t.throwsAsync(call);
  const basic = Buffer.from(`4711:${secret}`).toString("base64");
  const seen =
    inspect(error, { depth: Infinity, showHidden: true, getters: true }) + JSON.stringify(error) + String(error.stack);
  for (const text of [secret, basic, bearer, tokenText]) t.false(seen.includes(text), text);
  return error;
}

function raw(status: number, headers: Record<string, string>, body: string): Respond {
  return (_, response) => {
    response.writeHead(status, headers).end(body);
    return undefined;
  };
}

test("a service secret calls the v2 path with Basic", async (t) => {
  const { backend, ask } = await start(t);
  t.like(await ask(), { action: "OK", resultCode: "A145001" });
  const authorization = `Basic ${Buffer.from(`4711:${secret}`).toString("base64")}`;
  t.deepEqual(backend.requests, [
    { method: "POST", path: "/api/auth/introspection/standard", authorization, body: question },
  ]);
});

test("a service access token calls the v3 path with Bearer", async (t) => {
  const { backend, ask } = await start(t, { credentials: { accessToken: bearer } });
  await ask();
  t.like(backend.requests[0], { path: "/api/4711/auth/introspection/standard", authorization: `Bearer ${bearer}` });
});

test("an operation that names no service carries neither a service nor credentials", async (t) => {
  const { backend, connection } = await start(t, { credentials: { accessToken: bearer } });
  backend.respond = () => ({ json: { version: "1", features: [] } });
  const api = createApiClient(connection);
  t.deepEqual(await api.info(undefined), { version: "1", features: [] });
  await api.close();
  t.like(backend.requests, [{ method: "GET", path: "/api/info", authorization: undefined, body: {} }]);
});

test("the api client has a method for every operation, each with its own path", async (t) => {
  const { backend, connection } = await start(t);
  backend.respond = () => ({ json: { ...good, version: "1", features: [] } });
  const api = createApiClient(connection);
  await api.authToken({ parameters: "" });
  await api.authIntrospection({ token: "x" });
  await api.authIntrospectionStandard(question);
  await api.authRevocation({ parameters: "" });
  await api.info(undefined);
  await api.close();
  t.deepEqual(
    backend.requests.map(({ path }) => path),
    [
      "/api/auth/token",
      "/api/auth/introspection",
      "/api/auth/introspection/standard",
      "/api/auth/revocation",
      "/api/info",
    ],
  );
});

test("a prefix in the base URL is kept", async (t) => {
  const { backend, connection } = await start(t);
  const caller = createCaller({ ...connection, baseUrl: `${backend.baseUrl}/idp/` });
  await caller.call(authIntrospectionStandard, question);
  await caller.close();
  t.is(backend.requests[0]?.path, "/idp/api/auth/introspection/standard");
});

test("consecutive calls share one connection", async (t) => {
  const { backend, ask } = await start(t);
  for (let n = 0; n < 5; n++) await ask();
  t.is(backend.connections(), 1);
});

test("no more connections than allowed are open, and every call is answered", async (t) => {
  const { backend, ask } = await start(t, { maxSockets: 3 });
  await Promise.all(Array.from({ length: 20 }, ask));
  t.true(backend.connections() <= 3);
  t.is(backend.requests.length, 20);
});

test("a unix socket is called like any backend", async (t) => {
  const folder = await mkdtemp(join(tmpdir(), "certbound-"));
  const backend = await startIntrospectionBackend({ listen: join(folder, "a b:c.sock") });
  const credentials = { apiSecret: secret };
  const timeout = { attempt: 60_000, total: 60_000 };
  const caller = createCaller({ baseUrl: backend.baseUrl, serviceId: 4711, credentials, timeout });
  t.teardown(async () => {
    await caller.close();
    await backend.stop();
    await rm(folder, { recursive: true });
  });
  t.is((await caller.call(authIntrospectionStandard, question)).action, "OK");
  t.is((await caller.call(authIntrospectionStandard, question)).action, "OK");
  t.is(backend.connections(), 1);
});

for (const status of [429, 502, 503, 504]) {
  test(`an idempotent call is repeated after ${status}`, async (t) => {
    const { backend, ask } = await start(t);
    backend.respond = () => (backend.requests.length < 3 ? { status, json: {} } : { json: good });
    t.is((await ask()).action, "OK");
    t.is(backend.requests.length, 3);
  });
}

test("an idempotent call is repeated when the connection is cut before an answer", async (t) => {
  const { backend, ask } = await start(t);
  backend.respond = (_, response) => {
    if (backend.requests.length > 1) return { json: good };
    response.destroy();
    return undefined;
  };
  t.is((await ask()).action, "OK");
  t.is(backend.requests.length, 2);
});

test("three attempts are all there are", async (t) => {
  const { backend, ask } = await start(t);
  backend.respond = () => ({ status: 503, json: { resultCode: "A001101", resultMessage: "[A001101] Busy." } });
  const error = await failureOf(t, ask());
  t.true(error instanceof ApiError);
  t.like(error, { status: 503, resultCode: "A001101", resultMessage: "[A001101] Busy." });
  t.is(backend.requests.length, 3);
});

for (const status of [400, 401, 403, 404, 413, 500, 501]) {
  test(`a call is not repeated after ${status}`, async (t) => {
    const { backend, ask } = await start(t);
    backend.respond = () => ({ status, json: { resultCode: "A001202", resultMessage: "[A001202] No." } });
    t.like(await failureOf(t, ask()), { status, resultCode: "A001202", message: "[A001202] No." });
    t.is(backend.requests.length, 1);
  });
}

test("a call that is not idempotent is never repeated", async (t) => {
  const { backend, caller } = await start(t);
  const issue = () => caller.call(authToken, { parameters: question.parameters });
  backend.respond = () => ({ status: 503, json: {} });
  t.true((await failureOf(t, issue())) instanceof ApiError);
  t.is(backend.requests.length, 1);
  backend.respond = (_, response) => {
    response.destroy();
    return undefined;
  };
  t.like(await failureOf(t, issue()), { name: "BackendUnavailable", code: "ECONNRESET" });
  t.is(backend.requests.length, 2);
});

test("a Retry-After beyond the total timeout is not waited for, and is passed on", async (t) => {
  const { backend, ask } = await start(t);
  backend.respond = raw(429, { "retry-after": "3600" }, "");
  const error = await failureOf(t, ask());
  t.like(error, { name: "ApiError", status: 429, resultCode: "429", headers: { "Retry-After": "3600" } });
  t.is(backend.requests.length, 1);
});

test("an attempt that takes too long is given up and repeated", async (t) => {
  const { backend, ask } = await start(t, { timeout: { attempt: 1000, total: 60_000 } });
  backend.respond = () => (backend.requests.length < 2 ? undefined : { json: good });
  t.is((await ask()).action, "OK");
  t.is(backend.requests.length, 2);
});

test("all attempts together end with the total timeout", async (t) => {
  const { backend, ask } = await start(t, { timeout: { attempt: 60_000, total: 60 } });
  backend.respond = () => undefined;
  const error = await failureOf(t, ask());
  t.true(error instanceof BackendUnavailable);
  t.like(error, { code: "ETIMEDOUT" });
  t.true(backend.requests.length <= 1);
});

test("an answer that dribbles in does not outlive the timeout", async (t) => {
  const { backend, ask } = await start(t, { timeout: { attempt: 2000, total: 60_000 } });
  const timers: NodeJS.Timeout[] = [];
  backend.respond = (_, response) => {
    response.writeHead(200, { "content-type": "application/json" });
    timers.push(setInterval(() => response.write(" "), 5));
    return undefined;
  };
  t.true((await failureOf(t, ask())) instanceof BackendUnavailable);
  timers.forEach(clearInterval);
  t.is(backend.requests.length, 1);
});

for (const [how, headers] of Object.entries({ "of a known length": { "content-length": "500" }, "in chunks": {} })) {
  test(`an answer that breaks off is an outage and not asked for again, ${how}`, async (t) => {
    const { backend, ask } = await start(t);
    backend.respond = (_, response) => {
      response.writeHead(200, { "content-type": "application/json", ...headers });
      response.write('{"action":"OK"', () => response.destroy());
      return undefined;
    };
    t.true((await failureOf(t, ask())) instanceof BackendUnavailable);
    t.is(backend.requests.length, 1);
  });
}

test("a refused connection is an outage with the system's code", async (t) => {
  const { backend, ask } = await start(t);
  await backend.stop();
  const error = await failureOf(t, ask());
  t.true(error instanceof BackendUnavailable);
  t.like(error, { code: "ECONNREFUSED" });
  t.regex(error.message, /^POST \/auth\/introspection\/standard: ECONNREFUSED/);
});

for (const status of [301, 302, 303, 307, 308]) {
  test(`a redirect with ${status} is not followed`, async (t) => {
    const { backend, ask } = await start(t);
    backend.respond = raw(status, { location: `${backend.baseUrl}/elsewhere` }, "");
    t.true((await failureOf(t, ask())) instanceof BackendAnswerMalformed);
    t.is(backend.requests.length, 1);
  });
}

const json = { "content-type": "application/json" };
const malformed: Record<string, readonly [status: number, headers: Record<string, string>, body: string]> = {
  "a page": [200, { "content-type": "text/html" }, "<p>hello</p>"],
  "JSON under another type": [200, { "content-type": "text/plain" }, JSON.stringify(good)],
  "no type": [200, {}, JSON.stringify(good)],
  "broken JSON": [200, json, '{"action":"OK"'],
  "no body": [200, json, ""],
  "an array": [200, json, "[]"],
  null: [200, json, "null"],
  "another action": [200, json, JSON.stringify({ ...good, action: "PASSWORD" })],
  "no action": [200, json, JSON.stringify({ ...good, action: undefined })],
  "a number for text": [200, json, JSON.stringify({ ...good, responseContent: 1 })],
  "201": [201, json, JSON.stringify(good)],
  "204": [204, {}, ""],
  "deep nesting": [200, json, "[".repeat(100_000)],
  "a body of more than 1 MiB": [200, json, JSON.stringify({ ...good, padding: "x".repeat(1_100_000) })],
};
for (const [what, [status, headers, body]] of Object.entries(malformed)) {
  test(`refused as malformed: ${what}`, async (t) => {
    const { backend, ask } = await start(t);
    backend.respond = raw(status, headers, body);
    const error = await failureOf(t, ask());
    t.true(error instanceof BackendAnswerMalformed, inspect(error));
    t.is(backend.requests.length, 1);
  });
}

test("an endless answer is cut off", async (t) => {
  const { backend, ask } = await start(t, { timeout: { attempt: 60_000, total: 60_000 } });
  backend.respond = (_, response) => {
    response.writeHead(200, json);
    const more = (): void => {
      while (!response.destroyed && response.write("x".repeat(65_536)));
      if (!response.destroyed) response.once("drain", more);
    };
    more();
    return undefined;
  };
  t.regex((await failureOf(t, ask())).message, /too large/);
});

test("the result code and sentence of an error are taken over, made harmless", async (t) => {
  const { backend, ask } = await start(t);
  const resultMessage = `[A001202] Missing\r\n\u001b[31m ${"x".repeat(2000)}`;
  backend.respond = () => ({ status: 401, json: { resultCode: "A001202", resultMessage } });
  const error = await failureOf(t, ask());
  t.like(error, { name: "ApiError", resultCode: "A001202" });
  t.regex(error.message, /^\[A001202\] Missing\?\?\?\[31m x+$/);
  t.true(error.message.length < 520);
});

test("an error without a result code is reported by its status", async (t) => {
  const { backend, ask } = await start(t);
  backend.respond = raw(404, { "content-type": "text/html" }, "<p>nginx</p>");
  t.like(await failureOf(t, ask()), { name: "ApiError", status: 404, resultCode: "404" });
});

test("an aborted signal ends the call with its own reason", async (t) => {
  const { backend, caller } = await start(t);
  const gate = backend.closeGate();
  const controller = new AbortController();
  const reason = new Error("the user left");
  const call = caller.call(authIntrospectionStandard, question, { signal: controller.signal });
  await gate.arrived();
  controller.abort(reason);
  t.is(await failureOf(t, call), reason);
  t.is(await failureOf(t, caller.call(authIntrospectionStandard, question, { signal: controller.signal })), reason);
  gate.open();
  t.is(backend.requests.length, 1);
});

test("close lets pending calls end, and makes no new call", async (t) => {
  const { backend, caller, ask } = await start(t);
  const gate = backend.closeGate();
  const call = ask();
  await gate.arrived();
  const closed = caller.close();
  gate.open();
  t.is((await call).action, "OK");
  await closed;
  t.like(await failureOf(t, ask()), { name: "BackendUnavailable", code: "ERR_CLOSED" });
  t.is(backend.requests.length, 1);
});

const path = "/a/{one}/b/{two}";

for (const [request, target] of [
  [{ one: "1", two: "2" }, "/a/1/b/2"],
  [{ one: "a/b?c#d", two: "%2F é€" }, "/a/a%2Fb%3Fc%23d/b/%252F%20%C3%A9%E2%82%AC"],
  [{ one: "{two}", two: "$&" }, "/a/%7Btwo%7D/b/%24%26"],
  [{ one: "...", two: ".a" }, "/a/.../b/.a"],
  [{ one: 1, two: true, three: null, four: undefined }, "/a/1/b/true"],
  [{ one: "1", two: "2", q: "a&b=c d+é", n: 0, f: false }, "/a/1/b/2?q=a%26b%3Dc+d%2B%C3%A9&n=0&f=false"],
  [{ one: "1", two: "2", list: ["a", "b c"], empty: [], text: "" }, "/a/1/b/2?list=a&list=b+c&text="],
] as const) {
  test(`a request becomes ${target}`, (t) => {
    t.is(targetOf({ path }, request), target);
  });
}

test("an operation that is asked nothing has its path", (t) => {
  t.is(targetOf({ path: "/info" }, undefined), "/info");
});

for (const [what, request] of [
  ["no member for a segment", { one: "1" }],
  ["an empty segment", { one: "", two: "2" }],
  ["a segment that means this folder", { one: ".", two: "2" }],
  ["a segment that means the folder above", { one: "..", two: "2" }],
  ["a segment that is null", { one: null, two: "2" }],
  ["a segment that is an object", { one: {}, two: "2" }],
  ["half a surrogate pair in a segment", { one: "secret\ud800", two: "2" }],
  ["half a surrogate pair in the query", { one: "1", two: "2", q: "secret\ud800" }],
  ["an object in the query", { one: "1", two: "2", q: { a: "secret" } }],
] as const) {
  test(`refused before anything is sent: ${what}`, (t) => {
    const error = t.throws(() => targetOf({ path }, request), { instanceOf: ApiError });
    t.like(error, { status: 400, resultCode: "A126202" });
    t.false(error.message.includes("secret"));
  });
}

test("the api client writes path and query, sends no body, and takes 204 for nothing", async (t) => {
  const backend = await startIntrospectionBackend();
  const credentials = { apiSecret: "api-secret" };
  const timeout = { attempt: 60_000, total: 60_000 };
  const api = createApiClient({ baseUrl: backend.baseUrl, serviceId: 4711, credentials, timeout });
  t.teardown(async () => {
    await api.close();
    await backend.stop();
  });
  backend.respond = (_, response) => {
    response.writeHead(204).end();
    return undefined;
  };
  t.deepEqual(await Promise.all([api.authTokenDelete({ accessTokenIdentifier: "a/b" })]), [undefined]);
  t.is(await api.serviceJwksGet({ includePrivateKeys: true, pretty: null }), undefined);
  await t.throwsAsync(api.authTokenDelete({ accessTokenIdentifier: ".." }), { instanceOf: ApiError });
  t.deepEqual(
    backend.requests.map(({ method, path: asked, body }) => [method, asked, body]),
    [
      ["DELETE", "/api/auth/token/delete/a%2Fb", {}],
      ["GET", "/api/service/jwks/get?includePrivateKeys=true", {}],
    ],
  );
  await t.throwsAsync(api.authIntrospection({ token: "x" }), { instanceOf: BackendAnswerMalformed });
});

test("204 is valid only where the body is optional, and 200 only where there may be a body", (t) => {
  const nothing = { statusCode: 204, headers: {}, body: "" };
  const deleted = (answer: ExchangeAnswer): unknown => readAnswer<z.ZodType>(authTokenDelete, answer);
  t.is(deleted(nothing), undefined);
  t.is(readAnswer(serviceJwksGet, nothing), undefined);
  t.throws(() => readAnswer(info, nothing), { instanceOf: BackendAnswerMalformed });
  const something = { statusCode: 200, headers: { "content-type": "application/json" }, body: '{"keys":[]}' };
  t.deepEqual(readAnswer(serviceJwksGet, something), { keys: [] });
  t.throws(() => deleted(something), { instanceOf: BackendAnswerMalformed });
  const empty = { ...something, body: "" };
  t.throws(() => readAnswer(serviceJwksGet, empty), { instanceOf: BackendAnswerMalformed });
});
