import { inspect } from "node:util";
import test, { type ExecutionContext } from "ava";
import { AccessTokenRefused } from "../../../src/resource-server/refusal/access-token-refused.ts";
import {
  IntrospectionMalformed,
  IntrospectionUnavailable,
} from "../../../src/resource-server/refusal/introspection-unavailable.ts";
import type { IntrospectionEndpointOptions } from "../../../src/resource-server/sources/introspection-source.ts";
import { ask, clientSecret, openEndpoint, protectWith, token } from "../../support/endpoint-source.ts";
import { type Fault, startFaultProxy } from "../../support/fault-proxy.ts";
import { otherX5tS256, start, x5tS256 } from "../../support/scripted-backend.ts";
import { startScriptedServer } from "../../support/scripted-server.ts";

const good = { active: true, sub: "user", scope: "read", cnf: { "x5t#S256": x5tS256 }, exp: start / 1000 + 60 };
const json = { "content-type": "application/json" };

/** A server that answers well, a proxy in front of it that does not, and an API that asks through the proxy. */
async function startFaulty(t: ExecutionContext, options: Partial<IntrospectionEndpointOptions> = {}) {
  const server = await startScriptedServer();
  server.routes.set("/introspect", () => ({ json: good }));
  const proxy = await startFaultProxy({ to: server.url });
  const source = openEndpoint(t, { url: `${proxy.url}/introspect`, ...options });
  const api = protectWith(t, { source, cache: false });
  t.teardown(async () => {
    await proxy.close();
    await server.stop();
  });
  const authorize = (thumbprint = x5tS256) =>
    api.authorize({ token, certificate: { x5tS256: thumbprint }, requirement: { scopes: ["read"] } });
  return { server, proxy, source, authorize };
}

/** Neither the token nor a secret nor anything of the answer may be found in an error, however deep one looks. */
function holdsNothing(t: ExecutionContext, error: unknown): void {
  const seen = inspect(error, { depth: Infinity, showHidden: true, getters: true });
  const basic = Buffer.from(`api:${clientSecret}`).toString("base64");
  for (const text of [token, clientSecret, basic, "secret-in-the-answer"]) t.false(seen.includes(text), text);
}

const replaced = (body: string | Buffer, headers: Record<string, string> = json, status = 200): Fault => ({
  kind: "replace",
  status,
  headers,
  body,
});

const malformed: Record<string, Fault> = {
  "10 MiB": replaced(Buffer.alloc(10 * 1_048_576, " ")),
  "10 MiB of a valid answer": replaced(JSON.stringify({ ...good, more: "x".repeat(10 * 1_048_576) })),
  "a wrong media type": replaced(JSON.stringify(good), { "content-type": "text/plain" }),
  "no media type": replaced(JSON.stringify(good), {}),
  "another kind of JSON": replaced(JSON.stringify(good), { "content-type": "application/problem+json" }),
  "a media type that only begins so": replaced(JSON.stringify(good), { "content-type": "application/jsonx" }),
  "a page": replaced("<html><body>secret-in-the-answer</body></html>", { "content-type": "text/html" }),
  "a page that says it is JSON": replaced("<html>secret-in-the-answer</html>"),
  "an empty body": replaced(""),
  "half an object": replaced(JSON.stringify(good).slice(0, -5)),
  "two objects": replaced(`${JSON.stringify(good)}${JSON.stringify(good)}`),
  "single quotes, as WSO2's documents print": replaced("{'active':false}"),
  "compressed octets": replaced(Buffer.of(0x1f, 0x8b, 8, 0), { ...json, "content-encoding": "gzip" }),
  "a signed answer that nobody asked for": replaced("a.b.c", { "content-type": "application/token-introspection+jwt" }),
  "201": replaced(JSON.stringify(good), json, 201),
  "204": replaced("", {}, 204),
  "301 to a good answer": replaced("", { location: "/introspect" }, 301),
  "302": replaced("", { location: "/introspect" }, 302),
  "303": replaced("", { location: "/introspect" }, 303),
  "307": replaced("", { location: "/introspect" }, 307),
  "308": replaced("", { location: "/introspect" }, 308),
};
for (const [what, fault] of Object.entries(malformed)) {
  test(`malformed, which is no word about the token: ${what}`, async (t) => {
    const { proxy, authorize, server } = await startFaulty(t);
    proxy.fault = fault;
    const error = await t.throwsAsync(authorize(), { instanceOf: IntrospectionMalformed });
    t.like(error, { status: 503, headers: { "Retry-After": "1" } });
    holdsNothing(t, error);
    t.is(server.requests.length, 1);
    proxy.fault = { kind: "pass" };
    t.is((await authorize()).sub, "user");
  });
}

const unavailable: Record<
  string,
  [fault: Fault, attempts: number | "some", options?: Partial<IntrospectionEndpointOptions>]
> = {
  "400": [replaced('{"error":"Invalid input"}', json, 400), 1],
  "401": [replaced('{"error":"invalid_client"}', json, 401), 1],
  "403": [replaced("", {}, 403), 1],
  "404": [replaced("", {}, 404), 1],
  "500 with a valid answer in it": [replaced(JSON.stringify(good), json, 500), 1],
  "503": [replaced("", {}, 503), 3],
  "a connection that ends": [{ kind: "refuse" }, 3],
  "an answer cut in its body": [{ kind: "cut", after: 20 }, 1],
  "an answer cut before its body": [{ kind: "cut", after: 0 }, 1],
  never: [{ kind: "swallow" }, "some", { timeout: { attempt: 1500, total: 1500 } }],
  "an answer that begins and never ends": [
    { kind: "stall", after: 20 },
    "some",
    { timeout: { attempt: 1500, total: 1500 } },
  ],
  "slow, each time": [{ kind: "swallow" }, "some", { timeout: { attempt: 600, total: 60_000 } }],
};
for (const [what, [fault, attempts, options]] of Object.entries(unavailable)) {
  test(`unavailable, which is no word about the token: ${what}`, async (t) => {
    const { proxy, authorize } = await startFaulty(t, options);
    proxy.fault = fault;
    const error = await t.throwsAsync(authorize(), { instanceOf: IntrospectionUnavailable });
    t.like(error, { status: 503 });
    holdsNothing(t, error);
    if (attempts !== "some") t.is(proxy.arrived(), attempts);
    proxy.fault = { kind: "pass" };
    t.is((await authorize()).sub, "user");
  });
}

test("slow, then in time: a second attempt is made, and its answer counts", async (t) => {
  const { proxy, authorize } = await startFaulty(t, { timeout: { attempt: 2000, total: 60_000 } });
  let first = true;
  proxy.fault = () => {
    const fault: Fault = first ? { kind: "swallow" } : { kind: "pass" };
    first = false;
    return fault;
  };
  t.is((await authorize()).sub, "user");
  t.true(proxy.arrived() >= 2);
});

test("the authorization server's Retry-After is passed on", async (t) => {
  const { proxy, source } = await startFaulty(t);
  proxy.fault = replaced("", { "retry-after": "120" }, 500);
  const error = await t.throwsAsync(ask(source), { instanceOf: IntrospectionUnavailable });
  t.is(error.headers["Retry-After"], "120");
});

test("a caller that stops waiting gets its own reason", async (t) => {
  const { proxy, source } = await startFaulty(t);
  proxy.fault = { kind: "swallow" };
  const stop = new AbortController();
  const asked = source.ask(token, { signal: stop.signal });
  await proxy.arrival(1);
  stop.abort(new Error("gone home"));
  await t.throwsAsync(asked, { message: "gone home" });
});

test("an answer in pieces is put together", async (t) => {
  const { proxy, authorize } = await startFaulty(t);
  const until = new Promise<void>((resolve) => void proxy.arrival(1).then(resolve));
  proxy.fault = { kind: "hold", until };
  t.is((await authorize()).sub, "user");
});

// Shapes over the wire: what the reader's own tests say of each holds for what arrives by HTTP.

const read: Record<string, [change: object, expected: object, dialect?: IntrospectionEndpointOptions["dialect"]]> = {
  "scope null": [{ scope: null }, { scopes: [] }],
  "no scope": [{ scope: undefined }, { scopes: [] }],
  "an exp with a fraction": [{ exp: start / 1000 + 60.7 }, { exp: start / 1000 + 60 }],
  "aud as text": [{ aud: "a" }, { audience: ["a"] }],
  "aud as an array": [{ aud: ["a", "b"] }, { audience: ["a", "b"] }],
  "a padded thumbprint": [{ cnf: { "x5t#S256": `${x5tS256}=` } }, { x5tS256 }],
  "more members in cnf": [{ cnf: { "x5t#S256": x5tS256, note: [] } }, { x5tS256 }],
  'active as "true"': [{ active: "true" }, { active: true }, "spring"],
  "scope as an array": [{ scope: ["read"] }, { scopes: ["read"] }, "identityserver4"],
  "instants as text": [{ exp: String(start / 1000 + 60) }, { exp: start / 1000 + 60 }, { numericStrings: true }],
  "x5t#SHA256": [{ cnf: { "x5t#SHA256": x5tS256 } }, { x5tS256 }, "wso2"],
  "the binding among the scopes": [
    { cnf: undefined, scope: `read x5t#SHA256:${x5tS256}` },
    { x5tS256, scopes: ["read"] },
    "wso2",
  ],
};
for (const [what, [change, expected, dialect]] of Object.entries(read)) {
  test(`over the wire: ${what} is read${dialect === undefined ? "" : " where it is tolerated"}`, async (t) => {
    const { proxy, source } = await startFaulty(t, dialect === undefined ? {} : { dialect });
    proxy.fault = replaced(JSON.stringify({ ...good, ...change }), {
      "content-type": "application/json;charset=UTF-8",
    });
    const { record } = await ask(source);
    t.like("accessToken" in record ? record.accessToken : undefined, expected);
    if (dialect === undefined) return;
    const strict = await startFaulty(t);
    strict.proxy.fault = proxy.fault;
    const error = await t.throwsAsync(strict.authorize());
    t.true(error instanceof IntrospectionMalformed || error instanceof AccessTokenRefused);
    t.regex((error as { reason?: string }).reason ?? "", /dialect: /);
  });
}

const milliseconds = { exp: start + 60_000 };
test("over the wire: an exp in milliseconds is malformed, and the reason names it", async (t) => {
  const { proxy, authorize } = await startFaulty(t);
  proxy.fault = replaced(JSON.stringify({ ...good, ...milliseconds }));
  await t.throwsAsync(authorize(), { instanceOf: IntrospectionMalformed, message: /milliseconds/ });
});

const hex = Buffer.from(x5tS256, "base64url").toString("hex");
const brokenConfirmations: unknown[] = [
  {},
  null,
  [],
  "",
  x5tS256,
  0,
  { "x5t#S256": "" },
  { "x5t#S256": null },
  { "x5t#S256": 1 },
  { "x5t#S256": [x5tS256] },
  { "x5t#S256": hex },
  { "x5t#S256": x5tS256.toUpperCase() },
  { "x5t#S256": `${x5tS256}==` },
  { "x5t#S256": otherX5tS256 },
  { "x5t#s256": x5tS256 },
  { "x5t#SHA256": x5tS256 },
  { x5t: x5tS256 },
  { jwk: {} },
  { jwe: "" },
  { jku: "https://as.example" },
  { kid: "1" },
  { jkt: x5tS256 },
  { "x5t#S256": x5tS256, jwk: {} },
  { note: 1 },
];
for (const cnf of brokenConfirmations) {
  test(`over the wire: cnf ${JSON.stringify(cnf)} refuses with 401`, async (t) => {
    const { proxy, source } = await startFaulty(t);
    proxy.fault = replaced(JSON.stringify({ ...good, cnf }));
    const api = protectWith(t, { source });
    for (const binding of ["required", "if-bound"] as const) {
      for (const certificate of [{ x5tS256 }, undefined]) {
        const refused = await t.throwsAsync(api.authorize({ token, certificate, requirement: { binding } }), {
          instanceOf: AccessTokenRefused,
        });
        t.is(refused.status, 401);
        t.is(refused.error, "invalid_token");
      }
    }
  });
}
