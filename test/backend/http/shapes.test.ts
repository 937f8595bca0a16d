import test, { type ExecutionContext } from "ava";
import { routePath } from "../../../src/backend/http/routes.ts";
import { operations } from "../../../src/contract/operations.ts";
import { unsupportedOperations } from "../../../src/contract/unsupported-operations.ts";
import { accessToken, basic, bearer, type CallOptions, json, serviceId, startApp, v2, v3 } from "./running-app.ts";

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

test("a v2 body has its type and a v3 body does not; members without a value are left out", async (t) => {
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
  ["an invalid number", "token=a&maxAge=1e3"],
  ["a number beyond 2^53", "token=a&maxAge=9999999999999999"],
  ["a member with structure", "token=a&headers=x"],
] as const) {
  test(`a form with ${why} is rejected, and the answer does not quote it`, async (t) => {
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
  test(`${path} names the failed checks, and no other probe does`, async (t) => {
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
  test(`${methods.join(", ")} ${path} (${only ?? "both shapes"}) is no unknown path: 403 A001223`, async (t) => {
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

// Operations by GET and DELETE: the request is in the path and the query.

const shapes = {
  v3: { below: `/api/${serviceId}`, authorization: bearer },
  v2: { below: "/api", authorization: basic },
} as const;

/** A call in both shapes; what the operation was asked, each time the same. */
async function asked(t: ExecutionContext, method: string, path: string, more: Partial<CallOptions> = {}) {
  const { call, operations } = await startApp(t);
  for (const { below, authorization } of Object.values(shapes)) {
    const headers = { authorization, ...more.headers };
    const answer = await call({ ...more, method, path: below + path, headers });
    t.true(answer.status === 200 || answer.status === 204, answer.text);
  }
  t.is(operations.calls.length, 2);
  t.deepEqual(operations.calls[0], operations.calls[1]);
  return operations.calls[0];
}

test("a query has strings, numbers, also negative ones, and an empty value counts as absent", async (t) => {
  const query = "?clientIdentifier=4711&subject=j%C3%BCrgen+%2B1&tokenStatus=VALID&start=-1&end=20&unknown=1";
  t.deepEqual(await asked(t, "GET", `/auth/token/get/list${query}`), {
    name: "authTokenGetList",
    request: { clientIdentifier: "4711", subject: "jürgen +1", tokenStatus: "VALID", start: -1, end: 20 },
  });
  t.deepEqual(await asked(t, "GET", "/auth/token/get/list?subject=&start="), { name: "authTokenGetList", request: {} });
  t.deepEqual(await asked(t, "GET", "/auth/token/get/list"), { name: "authTokenGetList", request: {} });
});

test("a query has flags", async (t) => {
  t.deepEqual(await asked(t, "GET", "/service/jwks/get?includePrivateKeys=true&pretty=false"), {
    name: "serviceJwksGet",
    request: { includePrivateKeys: true, pretty: false },
  });
});

test("a segment of the path is a member, percent-decoded, which no query takes the place of", async (t) => {
  for (const [segment, accessTokenIdentifier] of [
    ["abc.d-e_f~1", "abc.d-e_f~1"],
    ["a%2Fb%2B%3D%3D", "a/b+=="],
    ["a+b", "a+b"],
    ["%E2%82%AC", "€"],
    ["get", "get"],
    ["%7BaccessTokenIdentifier%7D", "{accessTokenIdentifier}"],
  ] as const) {
    t.deepEqual(await asked(t, "DELETE", `/auth/token/delete/${segment}?accessTokenIdentifier=other`), {
      name: "authTokenDelete",
      request: { accessTokenIdentifier },
    });
  }
});

for (const [what, path] of [
  ["a flag that is neither true nor false", "/service/jwks/get?pretty=yes"],
  ["a flag in capitals", "/service/jwks/get?includePrivateKeys=TRUE"],
  ["a flag that is a number", "/service/jwks/get?includePrivateKeys=1"],
  ["an invalid number", "/auth/token/get/list?start=1e3"],
  ["a number beyond 2^53", "/auth/token/get/list?start=9999999999999999"],
  ["an unknown status", "/auth/token/get/list?tokenStatus=valid"],
  ["a parameter twice", "/auth/token/get/list?subject=zz&subject=zz"],
  ["a bad percent sequence in the query", "/auth/token/get/list?subject=%zz"],
  ["octets in the query that are not UTF-8", "/auth/token/get/list?subject=%FF"],
] as const) {
  test(`a query with ${what} is rejected, and the answer does not quote it`, async (t) => {
    const { call, operations } = await startApp(t);
    const answer = await call({ path: `/api${path}`, headers: { authorization: basic } });
    t.deepEqual([answer.status, json(answer)["resultCode"]], [400, "A126202"], answer.text);
    t.false(answer.text.includes("zz"));
    t.deepEqual(operations.calls, []);
  });
}

for (const segment of ["%zz", "%FF", "%", "a%2"]) {
  test(`the segment ${segment} is refused`, async (t) => {
    const { call, operations } = await startApp(t);
    for (const { below, authorization } of Object.values(shapes)) {
      const path = `${below}/auth/token/delete/${segment}`;
      const answer = await call({ method: "DELETE", path, headers: { authorization } });
      t.deepEqual([answer.status, json(answer)["resultCode"]], [400, "A126202"], answer.text);
    }
    t.deepEqual(operations.calls, []);
  });
}

for (const path of ["/auth/token/delete", "/auth/token/delete/", "/auth/token/delete/a/b", "/auth/token/delete/a/"]) {
  test(`DELETE ${path} is no path of the API`, async (t) => {
    const { call, operations } = await startApp(t);
    const answer = await call({ method: "DELETE", path: `/api${path}`, headers: { authorization: basic } });
    t.is(answer.status, 404);
    t.deepEqual(operations.calls, []);
  });
}

test("another method is refused with those that there are", async (t) => {
  const { call, operations } = await startApp(t);
  for (const [method, path, allow] of [
    ["GET", "/auth/token/delete/abc", "DELETE"],
    ["POST", "/auth/token/delete/abc", "DELETE"],
    ["POST", "/auth/token/get/list", "GET, HEAD"],
    ["DELETE", "/service/jwks/get", "GET, HEAD"],
    ["PUT", "/service/configuration", "GET, HEAD, POST"],
  ] as const) {
    const answer = await call({ method, path: `/api${path}`, headers: { authorization: basic } });
    t.deepEqual([answer.status, answer.headers.allow], [405, allow], `${method} ${path}`);
    t.is(json(answer)["resultCode"], "A000201");
  }
  t.deepEqual(operations.calls, []);
});

test("an unauthenticated request is rejected before anything is read", async (t) => {
  const { call, operations } = await startApp(t);
  for (const [method, path] of [
    ["DELETE", "/api/auth/token/delete/%zz"],
    ["GET", "/api/auth/token/get/list?start=no"],
    ["GET", `/api/1/service/jwks/get`],
  ] as const) {
    t.is((await call({ method, path })).status, 401);
  }
  t.deepEqual(operations.calls, []);
});

test("a body, and its type, are ignored for a request without a body", async (t) => {
  for (const [method, path] of [
    ["GET", "/service/jwks/get"],
    ["DELETE", "/auth/token/delete/abc"],
  ] as const) {
    for (const contentType of ["application/json", "text/plain"]) {
      const headers = { "content-type": contentType };
      const body = '{"pretty":true}';
      // Node's own client writes a body of such a request without saying how long it is.
      const framed = { ...headers, "content-length": String(body.length) };
      t.truthy(await asked(t, method, path, { headers: framed, body }));
      t.truthy(await asked(t, method, path, { headers }));
    }
  }
});

test("an answer of nothing is 204, without a body or a type of one", async (t) => {
  const { call } = await startApp(t, { operations: { serviceJwksGet: () => Promise.resolve(undefined) } });
  const answer = await call({ path: "/api/service/jwks/get", headers: { authorization: basic } });
  t.deepEqual([answer.status, answer.text], [204, ""]);
  t.is(answer.headers["content-type"], undefined);
  t.is(answer.headers["content-length"], undefined);
  t.is(answer.headers["cache-control"], "no-store");
  t.is(answer.headers["x-request-id"], "id-1");
});

test("a document is returned bare, in both shapes, and indented on request", async (t) => {
  const document = { issuer: "https://as.example.com", list: [1] };
  const answering = () => Promise.resolve(document);
  const { call } = await startApp(t, {
    operations: { serviceConfiguration: answering, serviceConfigurationPost: answering },
  });
  const indented = '{\n  "issuer": "https://as.example.com",\n  "list": [\n    1\n  ]\n}\n';
  for (const { below, authorization } of Object.values(shapes)) {
    const path = `${below}/service/configuration`;
    t.is((await call({ path, headers: { authorization } })).text, JSON.stringify(document));
    t.is((await call({ path: `${path}?pretty=false`, headers: { authorization } })).text, JSON.stringify(document));
    const pretty = await call({ path: `${path}?pretty=true`, headers: { authorization } });
    t.is(pretty.text, indented);
    t.is(pretty.headers["content-type"], "application/json");
    t.is(pretty.headers["content-length"], String(indented.length));
    const headers = { authorization, "content-type": "application/json" };
    t.is((await call({ method: "POST", path, headers, body: '{"pretty":true}' })).text, indented);
  }
});

test("the log has the route, not a token in the path and not the query", async (t) => {
  const { call, log } = await startApp(t);
  const headers = { authorization: `Bearer ${accessToken}` };
  await call({ method: "DELETE", path: `/api/${serviceId}/auth/token/delete/MARKER-1?a=MARKER-2`, headers });
  await call({ path: `/api/${serviceId}/auth/token/get/list?subject=MARKER-3&start=MARKER-4`, headers });
  t.false(log.join("").includes("MARKER"));
  const routes = log.map((line) => (JSON.parse(line) as { route?: unknown }).route);
  t.deepEqual(routes, [
    "/api/{serviceId}/auth/token/delete/{accessTokenIdentifier}",
    "/api/{serviceId}/auth/token/get/list",
  ]);
});

test("members of a returned document are no outcome and are not logged", async (t) => {
  const document = { issuer: "https://as.example.com", resultCode: "MARKER-1", action: { "MARKER-2": 1 } };
  const { call, log } = await startApp(t, {
    operations: { serviceConfiguration: () => Promise.resolve(document) },
  });
  const answer = await call({ path: "/api/service/configuration", headers: { authorization: basic } });
  t.deepEqual(json(answer), document);
  t.is(log.length, 1);
  t.false(log.join("").includes("MARKER"));
});
