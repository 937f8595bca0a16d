import test, { type ExecutionContext } from "ava";
import { apiSecret, basic, bearer, json, serviceId, startApp, v2, v3, type CallOptions } from "./running-app.ts";

const introspection = v3("/auth/introspection", { token: "abc" });

/** The call is refused as said, in the API's error form, and reaches no operation. */
async function refusedAs(t: ExecutionContext, call: CallOptions, status: number, resultCode: string) {
  const app = await startApp(t);
  const answer = await app.call(call);
  const body = json(answer);
  t.deepEqual([answer.status, body["resultCode"]], [status, resultCode], answer.text);
  t.true(String(body["resultMessage"]).startsWith(`[${resultCode}] `));
  t.deepEqual(Object.keys(body), ["resultCode", "resultMessage"]);
  t.is(answer.headers["content-type"], "application/json");
  t.is(answer.headers["cache-control"], "no-store");
  t.deepEqual(app.operations.calls, []);
  return answer;
}

function withBody(body: string | Buffer, headers: Record<string, string> = {}): CallOptions {
  return { ...introspection, headers: { ...introspection.headers, ...headers }, body };
}

const nested = (open: string, close: string, depth: number): string => open.repeat(depth) + close.repeat(depth);

for (const [what, body] of [
  ["that is not JSON", "token=abc"],
  ["that is a JSON array", '[{"token":"abc"}]'],
  ["that is null", "null"],
  ["that is a string", '"abc"'],
  ["with a token that is a number", '{"token":1}'],
  ["with scopes that are a string", '{"token":"abc","scopes":"read"}'],
  ["with a certificate that is an object", '{"token":"abc","clientCertificate":{}}'],
  ["with a negative maxAge", '{"token":"abc","maxAge":-1}'],
  ["that breaks off", '{"token":"abc"'],
  ["with something after it", '{"token":"abc"}{}'],
  ["nested half a million deep", nested("[", "]", 500_000)],
  ["that opens half a million objects", '{"a":'.repeat(200_000)],
  ["with a member nested 300,000 deep where a text is due", `{"token":${nested("[", "]", 300_000)}}`],
  ["of blanks", "   "],
  ["of 60,000 members that nobody knows", `{"token":"abc"${',"a":1'.repeat(60_000)}}`],
] as const) {
  test(`a body ${what} is refused`, (t) => refusedAs(t, withBody(body), 400, "A126202"));
}

test("an unknown member is ignored at any depth", async (t) => {
  const app = await startApp(t);
  const answer = await app.call(withBody(`{"token":"abc","unknown":${nested("[", "]", 3990)}}`));
  t.is(answer.status, 200, answer.text);
  t.deepEqual(app.operations.calls, [{ name: "authIntrospection", request: { token: "abc" } }]);
});

test("members named like parts of every object change nothing", async (t) => {
  const app = await startApp(t);
  const answer = await app.call(
    withBody('{"__proto__":{"token":"evil"},"constructor":{"prototype":{"token":"evil"}}}'),
  );
  t.is(answer.status, 200);
  t.deepEqual(app.operations.calls, [{ name: "authIntrospection", request: {} }]);
  t.is(({} as Record<string, unknown>)["token"], undefined);
});

test("a body that is not UTF-8 is refused", (t) =>
  refusedAs(t, withBody(Buffer.from([...Buffer.from('{"token":"'), 0xff, ...Buffer.from('"}')])), 400, "A126202"));

test("a body that ends in the middle of a UTF-8 character is rejected", (t) =>
  refusedAs(t, withBody(Buffer.from('{"token":"é"}').subarray(0, 11)), 400, "A126202"));

test("a missing body is refused", (t) => refusedAs(t, withBody(""), 400, "A126203"));

test("a member that demands a check we lack is refused, with its name", async (t) => {
  const answer = await refusedAs(t, withBody('{"token":"abc","dpop":"proof-4713"}'), 403, "A001223");
  t.true(answer.text.includes("dpop"));
  t.false(answer.text.includes("4713"));
});

test("a missing Content-Type is refused", (t) =>
  refusedAs(t, { ...introspection, headers: { authorization: bearer } }, 400, "A258201"));

for (const contentType of [
  "text/plain",
  "application/jsonx",
  "application/json; charset=iso-8859-1",
  "application/json; charset=utf-8; charset=utf-16",
  "multipart/form-data; boundary=x",
  "json",
  ";",
]) {
  test(`the Content-Type ${contentType} is refused`, (t) =>
    refusedAs(t, withBody('{"token":"abc"}', { "content-type": contentType }), 400, "A258201"));
}

for (const contentType of [
  "application/json;charset=UTF-8",
  'Application/JSON; charset="utf-8"',
  "application/json; profile=x",
]) {
  test(`the Content-Type ${contentType} is accepted`, async (t) => {
    const { call } = await startApp(t);
    t.is((await call(withBody('{"token":"abc"}', { "content-type": contentType }))).status, 200);
  });
}

for (const coding of ["gzip", "br", "identity, gzip"]) {
  test(`a body with the content coding ${coding} is refused`, async (t) => {
    const answer = await refusedAs(t, withBody("x", { "content-encoding": coding }), 415, "A000201");
    t.is(answer.headers["accept-encoding"], "identity");
  });
}

const mebibyte = 1_048_576;
/** A JSON body of exactly that many octets. */
const sized = (octets: number): string => `{"token":"abc","unknown":"${"x".repeat(octets - 28)}"}`;

test("a body of exactly 1 MiB is read", async (t) => {
  const { call } = await startApp(t);
  t.is(sized(mebibyte).length, mebibyte);
  t.is((await call(withBody(sized(mebibyte)))).status, 200);
});

test("a body of 1 MiB and 1 octet is refused", (t) => refusedAs(t, withBody(sized(mebibyte + 1)), 413, "A000201"));

test("a body of 1 MiB and 1 octet without a declared length is refused", (t) =>
  refusedAs(t, withBody(sized(mebibyte + 1), { "transfer-encoding": "chunked" }), 413, "A000201"));

for (const method of ["GET", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"]) {
  test(`${method} where POST is due is answered 405 with Allow`, async (t) => {
    const { call, operations } = await startApp(t);
    for (const path of [`/api/${serviceId}/auth/introspection`, "/api/auth/token"]) {
      const answer = await call({ method, path, headers: { authorization: bearer } });
      t.deepEqual([answer.status, answer.headers["allow"]], [405, "POST"]);
      if (method !== "HEAD") t.is(json(answer)["resultCode"], "A000201");
    }
    t.deepEqual(operations.calls, []);
  });
}

for (const method of ["POST", "PUT", "DELETE", "OPTIONS"]) {
  test(`${method} where GET is due is answered 405 with Allow`, async (t) => {
    const { call } = await startApp(t);
    const answer = await call({ method, path: "/api/info" });
    t.deepEqual([answer.status, answer.headers["allow"]], [405, "GET, HEAD"]);
  });
}

for (const path of [
  "/",
  "/api",
  "/api/",
  "/api/unknown",
  "/API/auth/token",
  "/api/Auth/token",
  "/api/auth/token/",
  "//api/auth/token",
  "/api//auth/token",
  "/api/./auth/token",
  "/api/auth%2Ftoken",
  "/api/%61uth/token",
  "/api/auth/token;x=1",
  "/api/auth/tokens",
  "/api/%zz/auth/token",
  "/api/auth/%zz",
  "/api/auth/token/%zz",
  "/api/auth/%E0%A4%A",
  "/api/auth/introspection/STANDARD",
  "/api/0/auth/token",
  "/api/007/auth/token",
  "/api/12a/auth/token",
  "/api/-1/auth/token",
  "/api/9999999999999999/auth/token",
  "/api/99999999999999999999/auth/token",
  `/api/${serviceId}/info`,
  `/api/${serviceId}`,
  `/api/${serviceId}/auth/token/`,
]) {
  test(`there is nothing at ${path}`, (t) => refusedAs(t, { ...introspection, path }, 404, "A000201"));
}

test("a bad percent sequence where an operation takes a name is no crash", async (t) => {
  const { call } = await startApp(t);
  const answer = await call({ path: "/api/client/get/%zz", headers: { authorization: basic } });
  t.deepEqual([answer.status, json(answer)["resultCode"]], [403, "A001223"]);
});

test("the query is ignored", async (t) => {
  const app = await startApp(t);
  const answer = await app.call({ ...introspection, path: `${introspection.path}?token=from-the-query` });
  t.is(answer.status, 200);
  t.deepEqual(app.operations.calls, [{ name: "authIntrospection", request: { token: "abc" } }]);
});

for (const [shape, call, scheme] of [
  ["v2", v2("/auth/introspection", { token: "abc" }), "Basic"],
  ["v3", v3("/auth/introspection", { token: "abc" }), "Bearer"],
] as const) {
  const withAuthorization = (authorization: string): CallOptions => ({
    ...call,
    headers: { ...call.headers, authorization },
  });

  test(`no credentials in the ${shape} shape: 401 with a challenge`, async (t) => {
    const headers = { "content-type": "application/json" };
    const answer = await refusedAs(t, { ...call, headers }, 401, "A001202");
    t.regex(answer.headers["www-authenticate"] ?? "", new RegExp(`^${scheme} realm="certbound"`));
    t.false(answer.headers["www-authenticate"]?.includes("error"));
  });

  for (const authorization of [
    "",
    scheme,
    `${scheme} `,
    `${scheme} not base64 and no token`,
    `${scheme} \u00ff`,
    `${scheme},abc`,
    "Digest username=x",
    shape === "v2" ? bearer : basic,
  ]) {
    test(`the Authorization header "${authorization}" in the ${shape} shape is malformed: 400`, (t) =>
      refusedAs(t, withAuthorization(authorization), 400, "A001203"));
  }

  test(`two Authorization headers in the ${shape} shape are malformed, be they equal`, async (t) => {
    const { raw, operations } = await startApp(t);
    const line = `authorization: ${call.headers["authorization"] ?? ""}\r\n`;
    const answer = await raw(
      `POST ${call.path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-type: application/json\r\n${line}${line}content-length: 2\r\n\r\n{}`,
    );
    t.regex(answer, /^HTTP\/1\.1 400 /);
    t.regex(answer, /A001203/);
    t.deepEqual(operations.calls, []);
  });
}

test("v2 credentials are taken as they are, not form-decoded", async (t) => {
  const seen: unknown[] = [];
  const { call } = await startApp(t, {
    operationsFor: (credentials) => {
      seen.push(credentials);
      return Promise.reject(new Error("not needed"));
    },
  });
  const authorization = `Basic ${Buffer.from("key:a%2Bb+c:d").toString("base64")}`;
  await call({ ...v2("/auth/token", {}), headers: { authorization } });
  t.deepEqual(seen, [{ scheme: "basic", apiKey: "key", apiSecret: "a%2Bb+c:d" }]);
});

const wrongBasic = (pair: string): string => `Basic ${Buffer.from(pair).toString("base64")}`;

for (const [what, call, code] of [
  ["an API key of no service", { ...v2("/auth/token", {}), headers: { authorization: wrongBasic("1:x") } }, "A003201"],
  [
    "the wrong API secret",
    { ...v2("/auth/token", {}), headers: { authorization: wrongBasic(`${serviceId}:x`) } },
    "A003204",
  ],
  [
    "the API secret and something after it",
    { ...v2("/auth/token", {}), headers: { authorization: wrongBasic(`${serviceId}:${apiSecret}x`) } },
    "A003204",
  ],
  ["the wrong access token", { ...v3("/auth/token", {}), headers: { authorization: "Bearer x" } }, "A458101"],
  ["another service's access token", { ...v3("/auth/token", {}), path: "/api/1/auth/token" }, "A458101"],
] as const) {
  test(`${what} is refused with a challenge of the scheme`, async (t) => {
    const answer = await refusedAs(t, call, 401, code);
    const challenge = answer.headers["www-authenticate"] ?? "";
    t.regex(challenge, code === "A458101" ? /^Bearer realm="certbound", error="invalid_token"$/ : /^Basic realm="/);
  });
}

test("without credentials the body is not read", (t) =>
  refusedAs(
    t,
    { ...withBody("not JSON"), headers: { authorization: "Bearer wrong", "content-type": "text/plain" } },
    401,
    "A458101",
  ));
