import test from "ava";
import { ChainVerificationFailure } from "../../../src/backend/chain-verification/openssl-process.ts";
import { DecisionContended } from "../../../src/backend/engine/answer/run-decided.ts";
import { ServiceUnknown } from "../../../src/backend/engine/engine.ts";
import { StreamUnavailable } from "../../../src/backend/engine/invalidation/event-follower.ts";
import { RemoteJwksFailure } from "../../../src/backend/remote-jwks/fetch-key-set.ts";
import { StoreFailure } from "../../../src/backend/store/store.ts";
import { ApiError } from "../../../src/contract/api-error.ts";
import { basic, json, serviceId, startApp, v2, v3, type CallOptions } from "./running-app.ts";

const introspection = v3("/auth/introspection", { token: "abc" });

const everyKind: readonly [number, CallOptions][] = [
  [200, introspection],
  [200, v2("/auth/introspection/standard", { parameters: "token=abc" })],
  [200, { path: "/api/info" }],
  [200, { path: "/api/lifecycle/healthcheck" }],
  [200, { method: "HEAD", path: "/api/info" }],
  [200, { path: "/api/auth/token/get/list", headers: { authorization: basic } }],
  [400, { ...introspection, body: "[]" }],
  [401, { ...introspection, headers: {} }],
  [403, { path: "/api/client/get/1", headers: { authorization: basic } }],
  [404, { path: "/nothing" }],
  [405, { method: "OPTIONS", path: "/api/info" }],
  [413, { ...introspection, body: "x".repeat(1_048_577) }],
  [415, { ...introspection, headers: { ...introspection.headers, "content-encoding": "gzip" } }],
  [500, v3("/auth/token", { parameters: "" })],
  [503, v3("/auth/revocation", { parameters: "" })],
];

for (const [status, options] of everyKind) {
  test(`${options.method ?? "GET"} ${options.path} (${status}) is never cached and has a length and a request id`, async (t) => {
    const { call } = await startApp(t, {
      operations: {
        authToken: () => Promise.reject(new Error("broken")),
        authRevocation: () => Promise.reject(new StoreFailure("locked")),
      },
    });
    const { status: answered, headers, text } = await call(options);
    t.is(answered, status, text);
    t.is(headers["cache-control"], "no-store");
    t.is(headers["pragma"], "no-cache");
    t.is(headers["x-content-type-options"], "nosniff");
    t.is(headers["x-request-id"], "id-1");
    t.is(headers["transfer-encoding"], undefined);
    if (options.method !== "HEAD") t.is(headers["content-length"], `${Buffer.byteLength(text)}`);
  });
}

test("the length counts octets, not characters", async (t) => {
  const { call } = await startApp(t, { info: () => Promise.resolve({ version: "é€😀", features: [] }) });
  const answer = await call({ path: "/api/info" });
  t.deepEqual(json(answer), { version: "é€😀", features: [] });
});

for (const [what, error] of [
  ["an error", new TypeError("SELECT secret-4711 failed")],
  ["something that is no error", "secret-4711"],
  ["an error with the name of a retryable one", Object.assign(new Error("secret-4711"), { name: "StoreFailure" })],
  ["an error with the name of an API error", Object.assign(new Error("secret-4711"), { status: 418, expose: true })],
] as const) {
  test(`${what} from an operation is 500 with a fixed text; its cause is in the log only`, async (t) => {
    const { call, log } = await startApp(t, {
      // eslint-disable-next-line @typescript-eslint/prefer-promise-reject-errors -- that is the bad input
      operations: { authToken: () => Promise.reject(error) },
    });
    const answer = await call(v2("/auth/token", { parameters: "" }));
    t.is(answer.status, 500);
    t.deepEqual(json(answer), {
      resultCode: "A001101",
      resultMessage: "[A001101] The request could not be processed.",
    });
    const failed = log
      .map((line) => JSON.parse(line) as Record<string, unknown>)
      .find((line) => line["level"] === "error");
    t.is(failed?.["requestId"], "id-1");
    t.true(JSON.stringify(failed?.["err"]).includes("secret-4711"));
  });
}

for (const error of [
  new StoreFailure("disk full"),
  new ChainVerificationFailure("no openssl"),
  new RemoteJwksFailure("no key set"),
  new DecisionContended("facts changed"),
  new ServiceUnknown("removed by a reload"),
  new StreamUnavailable("too many streams"),
  // A name says nothing: it may be changed, and a bug may bear it.
  new (class Renamed extends StoreFailure {
    override readonly name = "Renamed" as never;
  })("disk full"),
]) {
  test(`a ${error.name} is 503: the same call may succeed later`, async (t) => {
    const { call, log } = await startApp(t, { operations: { authToken: () => Promise.reject(error) } });
    const answer = await call(v3("/auth/token", { parameters: "" }));
    t.is(answer.status, 503);
    t.is(answer.headers["retry-after"], "1");
    t.deepEqual(json(answer), {
      resultCode: "A001101",
      resultMessage: "[A001101] The request could not be processed now.",
    });
    t.true(log.some((line) => line.includes(error.message)));
  });
}

test("a store that fails while the caller is authenticated is 503, not 401", async (t) => {
  const { call } = await startApp(t, { operationsFor: () => Promise.reject(new StoreFailure("locked")) });
  const answer = await call(introspection);
  t.is(answer.status, 503);
  t.is(answer.headers["www-authenticate"], undefined);
});

test("an ApiError of an operation goes out as it is, and is no fault of ours", async (t) => {
  const error = new ApiError(429, "A001311", "Too many calls.", { headers: { "Retry-After": "7" } });
  const { call, log } = await startApp(t, { operations: { authIntrospection: () => Promise.reject(error) } });
  const answer = await call(introspection);
  t.deepEqual([answer.status, answer.headers["retry-after"]], [429, "7"]);
  t.deepEqual(json(answer), { resultCode: "A001311", resultMessage: "[A001311] Too many calls." });
  t.false(log.some((line) => line.includes('"level":"error"')));
});

test("an answer that cannot be written as JSON is 500", async (t) => {
  const answerOfTheFuture = { resultCode: "A1", resultMessage: "", action: "OK" as const, count: 1n };
  const { call } = await startApp(t, { operations: { authToken: () => Promise.resolve(answerOfTheFuture) } });
  t.is((await call(v3("/auth/token", { parameters: "" }))).status, 500);
});

test("a caller's own request id comes back and is logged", async (t) => {
  const { call, log } = await startApp(t);
  const id = "0f9a6b0e-4c5d.trace~1_".padEnd(64, "x");
  const answer = await call({ path: "/api/info", headers: { "x-request-id": id } });
  t.is(answer.headers["x-request-id"], id);
  t.true(log.some((line) => line.includes(id)));
});

for (const [what, id] of [
  ["of 65 characters", "x".repeat(65)],
  ["that is empty", ""],
  ["with a blank", "a b"],
  ["with a quote", 'a"b'],
  ["with characters beyond ASCII", "caf\u00e9"],
] as const) {
  test(`a request id ${what} is replaced`, async (t) => {
    const { call } = await startApp(t);
    t.is((await call({ path: "/api/info", headers: { "x-request-id": id } })).headers["x-request-id"], "id-1");
  });
}

test("one line per request: what was requested, where, the outcome and the duration", async (t) => {
  const clock = [1000, 1012.5437];
  const { call, log } = await startApp(t, { monotonicClock: () => clock.shift() ?? 0 });
  await call({ ...introspection, headers: { ...introspection.headers, "x-request-id": "abc" } });
  const { time, ...line } = JSON.parse(log.join("")) as Record<string, unknown>;
  t.regex(String(time), /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}\.\d{3}Z$/);
  t.deepEqual(line, {
    level: "info",
    requestId: "abc",
    method: "POST",
    route: "/api/{serviceId}/auth/introspection",
    status: 200,
    service: serviceId,
    resultCode: "A056001",
    action: "OK",
    sentence: "Valid.",
    ms: 12.5,
    msg: "request",
  });
});

test("the line of a wrong method names the route, that of an unknown path does not", async (t) => {
  const { call, log } = await startApp(t);
  await call({ method: "PUT", path: `/api/${serviceId}/auth/token` });
  await call({ path: "/api/nowhere" });
  const lines = log.map((line) => JSON.parse(line) as Record<string, unknown>);
  t.deepEqual(
    lines.map(({ status, route, resultCode }) => [status, route, resultCode]),
    [
      [405, "/api/{serviceId}/auth/token", "A000201"],
      [404, undefined, "A000201"],
    ],
  );
});
