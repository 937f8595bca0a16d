import test from "ava";
import { routePath } from "../../../src/backend/http/routes.ts";
import { operations } from "../../../src/contract/operations.ts";
import { unsupportedOperations } from "../../../src/contract/unsupported-operations.ts";
import { basic, bearer, json, serviceId, startApp, v2, v3 } from "./running-app.ts";

test("both shapes reach the same operation with the same request", async (t) => {
  const { call, operations: fake } = await startApp(t);
  const request = { token: "abc", scopes: ["read"], clientCertificate: null };
  for (const shape of [v2, v3]) t.is((await call(shape("/auth/introspection", request))).status, 200);
  t.deepEqual(fake.calls, [
    { name: "authIntrospection", request },
    { name: "authIntrospection", request },
  ]);
});

for (const [name, path] of [
  ["authToken", "/auth/token"],
  ["authIntrospection", "/auth/introspection"],
  ["authIntrospectionStandard", "/auth/introspection/standard"],
  ["authRevocation", "/auth/revocation"],
  ["authTokenCreate", "/auth/token/create"],
  ["authTokenUpdate", "/auth/token/update"],
  ["authTokenRevoke", "/auth/token/revoke"],
  ["serviceConfigurationPost", "/service/configuration"],
] as const) {
  test(`POST ${path} is ${name}`, async (t) => {
    const { call, operations: fake } = await startApp(t);
    t.is((await call(v3(path, { parameters: "a=b" }))).status, 200);
    t.is((await call(v2(path, { parameters: "a=b" }))).status, 200);
    t.deepEqual(
      fake.calls.map((made) => made.name),
      [name, name],
    );
  });
}

test("a v2 body says its type and a v3 body does not; members without a value are left out", async (t) => {
  const { call } = await startApp(t);
  const rest = { resultCode: "A052001", resultMessage: "[A052001] Done.", action: "OK" };
  t.deepEqual(json(await call(v2("/auth/token", { parameters: "" }))), { type: "tokenResponse", ...rest });
  t.deepEqual(json(await call(v3("/auth/token", { parameters: "" }))), rest);
});

test("a request may be a form: blanks between scopes, repeated resources, true and numbers as text", async (t) => {
  const { call, operations: fake } = await startApp(t);
  const body = "token=a%2Bb&scopes=read+write&resources=urn%3Aa&resources=urn%3Ab&unknown=1&maxAge=0&dpop=";
  const sent = await call({
    ...v2("/auth/introspection", {}),
    headers: { authorization: basic, "content-type": "application/x-www-form-urlencoded;charset=UTF-8" },
    body,
  });
  t.is(sent.status, 200, sent.text);
  t.deepEqual(fake.calls[0]?.request, {
    token: "a+b",
    scopes: ["read", "write"],
    resources: ["urn:a", "urn:b"],
    maxAge: 0,
  });
  const flag = await call({
    ...v3("/auth/introspection/standard", {}),
    headers: { authorization: bearer, "content-type": "application/x-www-form-urlencoded" },
    body: "parameters=token%3Dabc&withHiddenProperties=true",
  });
  t.is(flag.status, 200, flag.text);
  t.deepEqual(fake.calls[1]?.request, { parameters: "token=abc", withHiddenProperties: true });
});

for (const [why, body] of [
  ["a parameter twice", "token=a&token=b"],
  ["a bad percent sequence", "token=%zz"],
  ["octets that are not UTF-8", "token=%FF"],
  ["a flag that is neither true nor false", "token=a&requestBodyContained=yes"],
  ["a number that is none", "token=a&maxAge=1e3"],
  ["a number beyond 2^53", "token=a&maxAge=9999999999999999"],
  ["a member with structure", "token=a&headers=x"],
] as const) {
  test(`a form with ${why} is refused, without a word of it in the answer`, async (t) => {
    const { call, operations: fake } = await startApp(t);
    const answer = await call({
      ...v3("/auth/introspection", {}),
      headers: { authorization: bearer, "content-type": "application/x-www-form-urlencoded" },
      body,
    });
    t.is(answer.status, 400);
    t.is(json(answer)["resultCode"], "A126202");
    t.false(answer.text.includes("zz"));
    t.deepEqual(fake.calls, []);
  });
}

test("GET /api/info and the health check ask for no credentials; HEAD is answered without a body", async (t) => {
  const { call } = await startApp(t);
  const info = await call({ path: "/api/info" });
  t.deepEqual([info.status, json(info)], [200, { version: "1.2.3", features: ["client_credentials"] }]);
  const health = await call({ path: "/api/lifecycle/healthcheck" });
  t.deepEqual([health.status, health.text], [200, "OK"]);
  t.regex(health.headers["content-type"] ?? "", /^text\/plain/);
  const head = await call({ method: "HEAD", path: "/api/lifecycle/healthcheck" });
  t.deepEqual([head.status, head.headers["content-length"], head.text], [200, "2", ""]);
});

for (const [path, word] of [
  ["/api/lifecycle/healthcheck", "READY"],
  ["/readyz", "READY"],
  ["/livez", "ALIVE"],
] as const) {
  test(`${path} names what does not hold, and nothing else does`, async (t) => {
    let failed: readonly string[] = [];
    const asked = word === "READY" ? "readinessFailures" : "livenessFailures";
    const { call } = await startApp(t, { [asked]: () => Promise.resolve(failed) });
    const others = ["/livez", "/readyz"].filter((other) => (other === "/livez") !== (word === "ALIVE"));
    t.like(await call({ path }), { status: 200, text: "OK" });
    failed = ["store-write", "clock"];
    const answer = await call({ path });
    t.like(answer, { status: 503, text: `NOT ${word}: store-write, clock` });
    t.is(answer.headers["content-type"], "text/plain; charset=utf-8");
    t.is(answer.headers["cache-control"], "no-store");
    t.like(await call({ method: "HEAD", path }), { status: 503, text: "" });
    t.is((await call({ method: "POST", path })).status, 405);
    for (const other of others) t.is((await call({ path: other })).status, 200);
    failed = [];
    t.is((await call({ path })).status, 200);
  });
}

for (const path of ["/livez/", "/Readyz", "/api/livez", "/health", "/healthz", "/readyz/x"]) {
  test(`${path} is no probe`, async (t) => {
    const { call } = await startApp(t);
    t.is((await call({ path })).status, 404);
  });
}

for (const { methods, path, only } of unsupportedOperations) {
  test(`${methods.join(", ")} ${path} (${only ?? "both shapes"}) is told apart from an unknown path: 403 A001223`, async (t) => {
    const { call } = await startApp(t);
    const filled = path.replaceAll(/\{[A-Za-z]+\}/g, "some%2Fthing");
    for (const method of methods) {
      const shapes = only === undefined ? (["v2", "v3"] as const) : [only];
      for (const shape of shapes) {
        const where = shape === "v3" ? `/api/${serviceId}${filled}` : `/api${filled}`;
        const authorization = shape === "v3" ? bearer : basic;
        const answer = await call({ method, path: where, headers: shape === "open" ? {} : { authorization } });
        t.deepEqual([answer.status, json(answer)["resultCode"]], [403, "A001223"], `${method} ${where}`);
        if (shape === "open") continue;
        t.is((await call({ method, path: where })).status, 401);
        t.is((await call({ method: "PATCH", path: where, headers: { authorization } })).status, 405);
      }
    }
  });
}

test("no operation is both served and in the table of those that are not", (t) => {
  const served = Object.values(operations);
  for (const { methods, path } of unsupportedOperations) {
    const { pattern } = routePath("v2", path);
    const both = served.filter(
      (operation) => methods.includes(operation.method) && pattern.test(`/api${operation.path}`),
    );
    t.deepEqual(both, [], path);
  }
});
