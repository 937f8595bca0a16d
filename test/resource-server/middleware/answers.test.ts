import { once } from "node:events";
import type { Socket } from "node:net";
import test from "ava";
import { protectedResourceMetadata } from "../../../src/resource-server/protected-resource-metadata.ts";
import { createAuthority } from "../../support/certificates.ts";
import { frameworks } from "./frameworks.ts";
import { factsBoundTo, startProtectedApi } from "../../support/protected-api.ts";
import { createScriptedBackend } from "../../support/scripted-backend.ts";

const authority = createAuthority({ subject: "CN=Client CA" });
const a = authority.issue({ subject: "CN=client-a" });
const b = authority.issue({ subject: "CN=client-b" });
const metadata = protectedResourceMetadata({ resource: "https://api.example.com/v1", scopes_supported: ["read"] });

function present<Value>(value: Value | undefined): Value {
  if (value === undefined) throw new TypeError("There should be one.");
  return value;
}

for (const framework of frameworks) {
  const where = `(${framework.name})`;

  test(`9440-2.4-b (a resource server's answers): no-store unless the API sets its own ${where}`, async (t) => {
    const api = await startProtectedApi(t, { framework });
    api.backend.tokens.set("token-a", factsBoundTo(a));
    const answers = [
      await api.get("token-a", a),
      await api.get("token-a", b),
      await api.get(undefined),
      await api.get("token-a", a, { url: `${api.url}/pay` }),
    ];
    await api.backend.stop();
    answers.push(await api.get("cold", a));
    t.deepEqual(
      answers.map(({ status, headers }) => [status, headers["cache-control"]]),
      [200, 401, 401, 403, 503].map((status) => [status, "no-store"]),
    );
    const cached = await api.get("token-a", a, { url: `${api.url}/cached` });
    t.is(cached.headers["cache-control"], "private, max-age=60");
  });

  test(`a route's own scopes are required too, all of them, with the same refusal ${where}`, async (t) => {
    const api = await startProtectedApi(t, { framework });
    const { tokens } = api.backend;
    tokens.set("reader", factsBoundTo(a));
    tokens.set("payer", factsBoundTo(a, { scope: "pay" }));
    tokens.set("both", factsBoundTo(a, { scope: "pay read" }));
    const { status, headers, body } = await api.get("reader", a, { url: `${api.url}/pay` });
    t.is(status, 403);
    t.is(headers["www-authenticate"], 'Bearer realm="accounts", error="insufficient_scope", scope="pay"');
    t.is(headers["content-type"]?.split(";")[0], "application/json");
    t.deepEqual(JSON.parse(body), { error: "insufficient_scope" });
    t.is(api.refusals[0]?.code, "scope_insufficient");
    t.is((await api.get("payer", a, { url: `${api.url}/pay` })).status, 200);
    for (const [token, expected] of [
      ["reader", 403],
      ["payer", 403],
      ["both", 200],
    ] as const) {
      t.is((await api.get(token, a, { url: `${api.url}/both` })).status, expected, token);
    }
    t.is(api.served(), 2);
  });

  test(`HEAD is refused without a body, and OPTIONS like any request ${where}`, async (t) => {
    const api = await startProtectedApi(t, { framework });
    api.backend.tokens.set("token-a", factsBoundTo(a));
    const head = await api.get("token-a", b, { method: "HEAD" });
    t.deepEqual([head.status, head.body], [401, ""]);
    t.is(head.headers["www-authenticate"], 'Bearer realm="accounts", error="invalid_token"');
    t.is((await api.get("token-a", a, { method: "HEAD" })).status, 200);
    t.is((await api.get(undefined, a, { method: "OPTIONS" })).status, 401);
    t.is((await api.get("token-a", a, { method: "OPTIONS" })).status, 200);
  });

  test(`an API fault is reported and answered with 500; the next request is served ${where}`, async (t) => {
    const api = await startProtectedApi(t, { framework });
    api.backend.tokens.set("token-a", factsBoundTo(a));
    t.is((await api.get("token-a", a, { url: `${api.url}/broken` })).status, 500);
    t.deepEqual(
      api.faults.map((fault) => (fault as Error).message),
      ["The API's own fault."],
    );
    t.deepEqual(api.refusals, []);
    t.is((await api.get("token-a", a)).status, 200);
  });

  test(`a fault in the protection of the API opens nothing ${where}`, async (t) => {
    const certificate = (): never => {
      throw new Error("The certificate source's fault.");
    };
    const api = await startProtectedApi(t, { framework, protection: { certificate } });
    api.backend.tokens.set("token-a", factsBoundTo(a));
    t.is((await api.get("token-a", a)).status, 500);
    t.is(api.served(), 0);
    t.is(api.faults.length, 1);
  });

  test(`a client that leaves ends the waiting of its own request ${where}`, async (t) => {
    const backend = createScriptedBackend();
    const asked = Promise.withResolvers<undefined>();
    backend.before = () => {
      asked.resolve(undefined);
      return new Promise(() => undefined);
    };
    const api = await startProtectedApi(t, { framework, library: { backend, timeout: 60_000 } });
    const leaving = new AbortController();
    const answer = api.get("token-a", a, { signal: leaving.signal });
    await asked.promise;
    const signal = present(backend.signals[0]);
    t.false(signal.aborted);
    const aborted = once(signal, "abort");
    leaving.abort();
    await t.throwsAsync(answer);
    await aborted;
    t.is(api.served(), 0);
    t.deepEqual([api.refusals, api.faults], [[], []]);
  });

  test(`a client that leaves ends no other client's wait ${where}`, async (t) => {
    const backend = createScriptedBackend();
    backend.tokens.set("token-a", factsBoundTo(a));
    const asked = Promise.withResolvers<undefined>();
    const answered = Promise.withResolvers<undefined>();
    backend.before = () => {
      asked.resolve(undefined);
      return answered.promise;
    };
    const api = await startProtectedApi(t, { framework, library: { backend, timeout: 60_000 } });
    const arrived = (): Promise<unknown> => once(api.server, "request");
    const sockets: Socket[] = [];
    api.server.on("secureConnection", (socket: Socket) => sockets.push(socket));
    const leaving = new AbortController();
    const first = api.get("token-a", a, { signal: leaving.signal });
    await asked.promise;
    const isIn = arrived();
    const second = api.get("token-a", a);
    await isIn;
    const gone = once(present(sockets[0]), "close");
    leaving.abort();
    await t.throwsAsync(first);
    await gone;
    t.false(backend.signals[0]?.aborted);
    answered.resolve(undefined);
    t.is((await second).status, 200);
    t.is(api.served(), 1);
    t.is(backend.asked.length, 1);
    t.deepEqual([api.refusals, api.faults], [[], []]);
  });

  test(`the API's metadata are open to everybody and every origin, and nothing else is ${where}`, async (t) => {
    const api = await startProtectedApi(t, { framework, metadata });
    const url = `${api.url}/.well-known/oauth-protected-resource/v1`;
    const { status, headers, body } = await api.get(undefined, undefined, { url });
    t.is(status, 200);
    t.is(headers["content-type"]?.split(";")[0], "application/json");
    t.is(headers["access-control-allow-origin"], "*");
    t.deepEqual(JSON.parse(body), {
      resource: "https://api.example.com/v1",
      scopes_supported: ["read"],
      bearer_methods_supported: ["header"],
      tls_client_certificate_bound_access_tokens: true,
    });
    t.is((await api.get(undefined, undefined, { url: `${url}?a=b` })).status, 200);
    const head = await api.get(undefined, undefined, { url, method: "HEAD" });
    t.deepEqual([head.status, head.body], [200, ""]);
    const preflight = await api.get(undefined, undefined, { url, method: "OPTIONS" });
    t.is(preflight.status, 204);
    t.is(preflight.headers["access-control-allow-origin"], "*");
    t.is(preflight.headers["access-control-allow-headers"], "*");
    for (const other of [`${url}/`, `${url}/more`, `${api.url}/.well-known/oauth-protected-resource`]) {
      t.is((await api.get(undefined, undefined, { url: other })).status, 401, other);
    }
    t.is(api.served(), 0);
  });

  test(`challenges name the metadata where there are some ${where}`, async (t) => {
    const named = [
      [metadata, "https://api.example.com/.well-known/oauth-protected-resource/v1"],
      ["https://elsewhere.example.com/metadata", "https://elsewhere.example.com/metadata"],
    ] as const;
    for (const [resourceMetadata, url] of named) {
      const api = await startProtectedApi(t, { framework, protection: { resourceMetadata } });
      api.backend.tokens.set("token-a", factsBoundTo(a));
      const challenges = [
        (await api.get(undefined)).headers["www-authenticate"],
        (await api.get("none", a)).headers["www-authenticate"],
        (await api.get("token-a", a, { url: `${api.url}/pay` })).headers["www-authenticate"],
      ];
      t.deepEqual(challenges, [
        `Bearer realm="accounts", resource_metadata="${url}"`,
        `Bearer realm="accounts", error="invalid_token", resource_metadata="${url}"`,
        `Bearer realm="accounts", error="insufficient_scope", scope="pay", resource_metadata="${url}"`,
      ]);
    }
  });
}
