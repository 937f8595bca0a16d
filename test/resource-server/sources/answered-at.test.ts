import test from "ava";
import { AccessTokenRefused } from "../../../src/resource-server/refusal/access-token-refused.ts";
import { IntrospectionMalformed } from "../../../src/resource-server/refusal/introspection-unavailable.ts";
import type { Warning } from "../../../src/resource-server/resource-server-options.ts";
import { openResourceServer } from "../../../src/resource-server/resource-server.ts";
import { ask, openEndpoint } from "../../support/endpoint-source.ts";
import { boundFacts, certificate, start } from "../../support/scripted-backend.ts";
import { startScriptedServer } from "../../support/scripted-server.ts";

const exp = start / 1000 + 60;
const date = new Date(start).toUTCString();

for (const [what, headers, change, answeredAt] of [
  ["its Date, to the end of that second", { date }, {}, start + 999],
  ["Date and Age, where a cache has kept the answer", { date, age: "20" }, {}, start + 20_999],
  ["expires_in, where that leaves less", { date }, { expires_in: 50 }, start + 10_000],
  ["Date, where that leaves less", { date }, { expires_in: 60 }, start + 999],
  ["expires_in as text", { date }, { expires_in: "50" }, start + 10_000],
  ["Date alone, without an expiry", { date }, { exp: undefined, expires_in: 50 }, start + 999],
] as const) {
  test(`the clock of an endpoint is read from its answer: ${what}`, async (t) => {
    const server = await startScriptedServer();
    t.teardown(() => server.stop());
    server.routes.set("/introspect", () => ({ headers, json: boundFacts({ exp, ...change }) }));
    const answer = await ask(openEndpoint(t, { url: `${server.url}/introspect` }));
    t.is(answer.answeredAt, answeredAt);
  });
}

test("an endpoint that sends no Date tells no time; an expires_in that is none is no answer", async (t) => {
  const server = await startScriptedServer();
  t.teardown(() => server.stop());
  let expires_in: unknown = undefined;
  server.routes.set("/introspect", (_, response) => {
    response.sendDate = false;
    return { json: boundFacts({ exp, expires_in }) };
  });
  const source = openEndpoint(t, { url: `${server.url}/introspect` });
  t.is((await ask(source)).answeredAt, undefined);
  for (expires_in of [-1, "soon", {}, true]) await t.throwsAsync(ask(source), { instanceOf: IntrospectionMalformed });
});

for (const wrong of [-3_600_000, 3_600_000]) {
  test(`over HTTP, an API whose clock is ${wrong / 3_600_000} h off ends a token of 4 s in time, with one warning`, async (t) => {
    const server = await startScriptedServer();
    t.teardown(() => server.stop());
    const time = { monotonic: 0 };
    const now = () => start + time.monotonic;
    server.routes.set("/introspect", () => ({
      headers: { date: new Date(now()).toUTCString() },
      json: boundFacts({ exp: start / 1000 + 4 }),
    }));
    const warnings: Warning[] = [];
    const source = openEndpoint(t, { url: `${server.url}/introspect` });
    const api = openResourceServer(
      { source, timeout: 60_000, cache: { ttl: 600 }, onWarning: (warning) => warnings.push(warning) },
      { clock: () => now() + wrong, monotonicClock: () => time.monotonic },
    );
    t.teardown(() => api.close());
    const authorize = () => api.authorize({ token: "token", certificate });
    await t.notThrowsAsync(authorize());
    time.monotonic = 3000;
    await t.notThrowsAsync(authorize());
    time.monotonic = 4000;
    await t.throwsAsync(authorize(), { instanceOf: AccessTokenRefused });
    t.deepEqual(
      warnings.map(({ code }) => code),
      ["CERTBOUND_CLOCK_OFFSET"],
    );
  });
}
