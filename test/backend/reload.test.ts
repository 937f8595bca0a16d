import test, { type ExecutionContext } from "ava";
import { pino } from "pino";
import { serveBackend } from "../../src/backend/serve-backend.ts";
import { ConfigurationError } from "../../src/backend/configuration/configuration-error.ts";
import type { Configuration } from "../../src/backend/configuration/configuration.ts";
import type { ClientSettings } from "../../src/backend/engine/settings/settings.ts";
import { send } from "../support/https-request.ts";
import { clientSettings, configurationOf, secretOf, serviceId, serviceSettings } from "../support/settings.ts";

const client = (clientId: number, settings: Partial<ClientSettings> = {}): ClientSettings =>
  clientSettings({ clientId, tlsClientCertificateBoundAccessTokens: false, ...settings });

const of = (...clients: readonly ClientSettings[]): Configuration => ({
  ...configurationOf([{ settings: serviceSettings(), clients }]),
  listen: { host: "127.0.0.1", port: 0, behindTls: false },
});

async function start(t: ExecutionContext, options: Partial<Parameters<typeof serveBackend>[0]> = {}) {
  const lines: Record<string, unknown>[] = [];
  const log = pino(
    { level: "warn" },
    { write: (line) => void lines.push(JSON.parse(line) as Record<string, unknown>) },
  );
  const backend = await serveBackend({ configuration: of(client(1), client(2)), log, ...options });
  t.teardown(() => backend.close());
  const issue = (clientId: number) =>
    backend.authToken({
      parameters: "grant_type=client_credentials",
      clientId: String(clientId),
      clientSecret: secretOf(clientId),
    });
  return { backend, lines, issue };
}

test("reload returns the changes and logs them in one line at every level", async (t) => {
  const { backend, lines, issue } = await start(t);
  t.deepEqual(await backend.reload(of(client(1), client(2), client(3))), [`adds client ${serviceId}/3`]);
  t.deepEqual(await backend.reload(of(client(1), client(2), client(3))), []);
  t.deepEqual(
    lines.map(({ msg, changes }) => [msg, changes]),
    [
      ["reloaded", [`adds client ${serviceId}/3`]],
      ["reloaded", []],
    ],
  );
  t.is((await issue(3)).action, "OK");
});

test("reloads are carried out one after the other, in their order", async (t) => {
  const { backend, issue } = await start(t);
  const order: number[] = [];
  const reloads = Array.from({ length: 20 }, async (_, index) => {
    const changes = await backend.reload(of(client(1), client(100 + index)));
    order.push(index);
    return changes;
  });
  const changes = await Promise.all(reloads);
  t.deepEqual(
    order,
    [...order].sort((a, b) => a - b),
  );
  t.deepEqual(changes[7], [
    `adds client ${serviceId}/107`,
    `removes client ${serviceId}/106, which has no live tokens`,
  ]);
  t.is((await issue(119)).action, "OK");
  t.is((await issue(118)).action, "INVALID_CLIENT");
});

test("a reload ends no live tokens unless allowed itself; the start's permission does not count", async (t) => {
  const allowRemoval = [{ serviceId, clientId: 1 }];
  const { backend, issue } = await start(t, { allowRemoval });
  const { accessToken } = await issue(1);
  const refused = await t.throwsAsync(backend.reload(of(client(2), client(3))), { instanceOf: ConfigurationError });
  t.regex(refused.message, /leave out client \d+\/1, and 1 live token would end for good: .* --allow-removal \d+\/1$/);
  const isActive = async (): Promise<boolean> =>
    (await backend.authIntrospectionStandard({ parameters: `token=${String(accessToken)}` })).responseContent !==
    '{"active":false}';
  t.true(await isActive());
  t.is((await issue(3)).action, "INVALID_CLIENT");
  await backend.reload(of(client(2), client(3)), { allowRemoval });
  t.false(await isActive());
});

test("a reload that fails does not keep the next from its work", async (t) => {
  const { backend } = await start(t);
  const [first, second] = await Promise.allSettled([
    backend.reload({ ...of(), store: { sqlite: "/elsewhere/store.db" } }),
    backend.reload(of(client(1))),
  ]);
  t.is(first.status, "rejected");
  t.is(second.status, "fulfilled");
});

for (const [section, change] of Object.entries({
  "events.heartbeatInterval": { events: { heartbeatInterval: 0.5, retention: 3600 } },
  "events.retention": { events: { heartbeatInterval: 0.25, retention: 60 } },
  "sweep.interval": { sweep: { interval: 1, expiredRetention: 600 } },
  "sweep.expiredRetention": { sweep: { interval: 60, expiredRetention: 60 } },
})) {
  test(`${section} needs a restart`, async (t) => {
    const { backend } = await start(t);
    await t.throwsAsync(backend.reload({ ...of(), ...change }), {
      instanceOf: ConfigurationError,
      message: new RegExp(`${section} has changed, and only a restart can apply that`),
    });
  });
}

test("openssl missing while a new client needs it is refused, and nothing is changed", async (t) => {
  const { backend, issue } = await start(t, { path: "/nothing" });
  const pki = client(3, { tokenAuthMethod: "TLS_CLIENT_AUTH", tlsClientAuthSubjectDn: "CN=a" });
  await t.throwsAsync(backend.reload(of(client(1), client(4), pki)), {
    instanceOf: ConfigurationError,
    message: /openssl/,
  });
  t.is((await issue(4)).action, "INVALID_CLIENT");
  t.is((await issue(2)).action, "OK");
});

test("requests that run meanwhile see the old configuration or the new one, and are all answered", async (t) => {
  const { backend } = await start(t);
  const path = `/api/${serviceId}/auth/introspection/standard`;
  const { accessTokens } = serviceSettings();
  const headers = { authorization: `Bearer ${accessTokens[0] ?? ""}`, "content-type": "application/json" };
  const ask = () =>
    send({ url: backend.address.url + path, method: "POST", headers, body: '{"parameters":"token=x"}' });
  const asked: Promise<{ status: number }>[] = [];
  for (let index = 0; index < 10; index++) {
    asked.push(ask(), ask());
    await backend.reload(of(client(1), client(200 + index)));
  }
  for (const { status } of await Promise.all(asked)) t.is(status, 200);
});

test("a backend's own operations follow a reload to another service", async (t) => {
  const { backend } = await start(t, { configuration: of() });
  const other = {
    ...of(),
    services: [{ settings: serviceSettings({ apiKey: 5, issuer: "https://five" }), clients: [] }],
  };
  await backend.reload(other);
  t.regex(JSON.stringify(await backend.serviceConfiguration({})), /https:\/\/five/);
});

test("close waits for the running reload; a waiting one, and any later one, is rejected", async (t) => {
  const { backend, lines } = await start(t);
  const underWay = backend.reload(of(client(1)));
  const waiting = backend.reload(of(client(3)));
  // It has begun and waits for the store.
  for (let step = 0; step < 5; step++) await Promise.resolve();
  const closing = backend.close();
  const [first, second] = await Promise.allSettled([underWay, waiting]);
  t.deepEqual([first.status, second.status], ["fulfilled", "rejected"]);
  await closing;
  await t.throwsAsync(backend.reload(of(client(1))), { instanceOf: TypeError });
  t.is(lines.length, 1);
});
