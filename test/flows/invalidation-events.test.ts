import test, { type ExecutionContext } from "ava";
import type { EventSourceMessage } from "eventsource-parser";
import { pino } from "pino";
import { createApiClient, type ApiClient } from "../../src/api-client/index.ts";
import { openBackend } from "../../src/backend/backend.ts";
import type { Configuration } from "../../src/backend/configuration/configuration.ts";
import type { ServiceSettings } from "../../src/backend/engine/settings/settings.ts";
import { serveBackend } from "../../src/backend/serve-backend.ts";
import type { InvalidationMessage } from "../../src/contract/auth-introspection-events.ts";
import { startBackendProcess } from "../support/backend-process.ts";
import { writeBackendConfiguration } from "./backend-configuration.ts";
import { createAuthority } from "../support/certificates.ts";
import { openEventSource, type EventSource } from "../support/event-source.ts";
import { keepTokens } from "../support/keep-tokens.ts";
import { makeStoreFile, openStoreBeside } from "../support/store-beside.ts";
import {
  apiSecret,
  clientSettings,
  configurationOf,
  secretOf,
  serviceAccessToken,
  serviceId,
  serviceSettings,
} from "../support/settings.ts";

const client = clientSettings({
  clientId: 1,
  tokenAuthMethod: "CLIENT_SECRET_POST",
  tlsClientCertificateBoundAccessTokens: false,
});
const parameters = `client_id=1&client_secret=${secretOf(1)}`;
const tokenTwo = "service-two-access-token-0123456789abcdefgh";
const serviceTwo = serviceSettings({ apiKey: serviceId + 1, accessTokens: [tokenTwo] });

function configurationWith(service: Partial<ServiceSettings>, more: Partial<Configuration> = {}): Configuration {
  const services = [
    { settings: serviceSettings(service), clients: [client] },
    { settings: serviceTwo, clients: [client] },
  ];
  return configurationOf(services, more);
}

/** A backend that is served over HTTP from a file, with two services that each have a client 1. */
async function start(t: ExecutionContext, more: Partial<Configuration> = {}) {
  const file = await makeStoreFile(t);
  const log = pino({ level: "silent" });
  const backend = await serveBackend({ configuration: configurationWith({}, { ...file.configuration, ...more }), log });
  t.teardown(() => backend.close());
  const { url } = backend.address;
  const clientOf = (id: number, accessToken: string): ApiClient => {
    const tls = more.listen !== undefined && "tls" in more.listen ? { ca: authority.certificate.pem } : undefined;
    const api = createApiClient({
      baseUrl: url,
      serviceId: id,
      credentials: { accessToken },
      timeout: { attempt: 30_000, total: 30_000 },
      ...(tls && { tls }),
    });
    t.teardown(() => api.close());
    return api;
  };
  return { backend, file, url, api: clientOf(serviceId, serviceAccessToken), two: clientOf(serviceId + 1, tokenTwo) };
}

const authority = createAuthority({ subject: "CN=Backend CA" });

const v3 = (url: string, id = serviceId): string => `${url}/api/${id}/auth/introspection/events`;
const bearer = { authorization: `Bearer ${serviceAccessToken}` };
const basic = { authorization: `Basic ${Buffer.from(`${serviceId}:${apiSecret}`).toString("base64")}` };

/** Issues a token and revokes it; answers the keys that its introspection answer had in between. */
async function issueAndRevoke(t: ExecutionContext, api: ApiClient): Promise<string[]> {
  const { accessToken = "" } = await api.authToken({ parameters: `grant_type=client_credentials&${parameters}` });
  const { invalidationKeys = [] } = await api.authIntrospectionStandard({ parameters: `token=${accessToken}` });
  t.is(invalidationKeys.length, 3);
  await api.authRevocation({ parameters: `token=${accessToken}&${parameters}` });
  t.regex((await api.authIntrospectionStandard({ parameters: `token=${accessToken}` })).responseContent ?? "", /false/);
  return invalidationKeys;
}

const dataOf = ({ data }: EventSourceMessage): Record<string, unknown> => JSON.parse(data) as Record<string, unknown>;
const keysIn = (events: readonly EventSourceMessage[]): unknown[] =>
  events.flatMap((event) => (event.event === "invalidation" ? (dataOf(event)["keys"] as string[]) : []));

/** Reads on until so many keys have come and a heartbeat behind them; checks the chain of cursors all along. */
async function readKeys(t: ExecutionContext, stream: EventSource, count: number, from: string | undefined) {
  const events: EventSourceMessage[] = [];
  let at = from;
  while (keysIn(events).length < count || events.at(-1)?.event !== "heartbeat") {
    for (const event of await stream.until("heartbeat")) {
      if (event.event !== "reset") t.is(dataOf(event)["after"], at ?? dataOf(event)["after"]);
      at = event.id;
      events.push(event);
    }
  }
  return { events, keys: keysIn(events), cursor: at ?? "" };
}

for (const [shape, path, headers] of [
  ["v3", `/api/${serviceId}`, bearer],
  ["v2", "/api", basic],
] as const) {
  test(`${shape}: first a reset, then a heartbeat, and a revocation before the heartbeat that vouches for it`, async (t) => {
    const { url, api } = await start(t);
    const before = performance.now();
    const stream = await openEventSource(t, `${url}${path}/auth/introspection/events`, headers);
    t.is(stream.status, 200);
    const [reset, heartbeat] = await stream.until("heartbeat");
    t.is(reset?.event, "reset");
    t.is(heartbeat?.id, reset?.id);
    t.true(Number(dataOf(heartbeat ?? { data: "{}" })["polledAt"]) > before, "polled after the request");
    const keys = await issueAndRevoke(t, api);
    const read = await readKeys(t, stream, 1, reset?.id);
    t.deepEqual(read.keys, [keys[0]]);
    t.is(keys.filter((key) => key.startsWith("token:")).length, 1);
  });
}

test("twenty revocations at once come once each, and nothing else comes", async (t) => {
  const { url, api } = await start(t);
  const stream = await openEventSource(t, v3(url), bearer);
  const [reset] = await stream.until("heartbeat");
  const revoked = await Promise.all(Array.from({ length: 20 }, () => issueAndRevoke(t, api)));
  const { keys } = await readKeys(t, stream, 20, reset?.id);
  t.deepEqual(keys.sort(), revoked.map(([key]) => key).sort());
});

test("a reader that returns with Last-Event-ID gets exactly what it missed, also of another process", async (t) => {
  const { url, api, file } = await start(t);
  const first = await openEventSource(t, v3(url), bearer);
  const read = await readKeys(t, first, 0, undefined);
  first.request.destroy();
  const missed = [await issueAndRevoke(t, api), await issueAndRevoke(t, api)].map(([key]) => key);
  const store = await openStoreBeside(t, file);
  const { refreshToken, grantId } = await keepTokens({ store }, { clientId: 1, now: Date.now() });
  await api.authRevocation({ parameters: `token=${refreshToken}&${parameters}` });
  const again = await openEventSource(t, v3(url), { ...bearer, "last-event-id": read.cursor });
  const { keys, events } = await readKeys(t, again, 3, read.cursor);
  t.deepEqual(keys, [...missed, `grant:${grantId}`]);
  t.is(events[0]?.event, "invalidation", "no reset");
  const byQuery = await openEventSource(t, `${v3(url)}?cursor=${encodeURIComponent(read.cursor)}`, bearer);
  t.deepEqual((await readKeys(t, byQuery, 3, read.cursor)).keys, keys);
});

test("a service never sees another's keys, though its cursor moves past them", async (t) => {
  const { url, api, two } = await start(t);
  const [ofOne, ofTwo] = [
    await openEventSource(t, v3(url), bearer),
    await openEventSource(t, v3(url, serviceId + 1), { authorization: `Bearer ${tokenTwo}` }),
  ];
  const [one, other] = [await readKeys(t, ofOne, 0, undefined), await readKeys(t, ofTwo, 0, undefined)];
  const [keyOfOne] = await issueAndRevoke(t, api);
  const [keyOfTwo] = await issueAndRevoke(t, two);
  t.deepEqual((await readKeys(t, ofTwo, 1, other.cursor)).keys, [keyOfTwo]);
  t.deepEqual((await readKeys(t, ofOne, 1, one.cursor)).keys, [keyOfOne]);
  const resumed = await openEventSource(t, v3(url, serviceId + 1), {
    authorization: `Bearer ${tokenTwo}`,
    "last-event-id": other.cursor,
  });
  t.deepEqual((await readKeys(t, resumed, 1, other.cursor)).keys, [keyOfTwo]);
  t.is((await openEventSource(t, v3(url, serviceId + 1), bearer)).status, 401, "one's credentials at the other");
});

for (const [what, headers, status] of [
  ["without credentials", {}, 401],
  ["with a wrong token", { authorization: "Bearer wrong" }, 401],
  ["with another scheme", basic, 400],
] as const) {
  test(`refused as everywhere: ${what}`, async (t) => {
    const { url } = await start(t);
    const stream = await openEventSource(t, v3(url), headers);
    t.is(stream.status, status);
    t.is(stream.headers["content-type"], "application/json");
  });
}

test("while the store is unreadable there is no heartbeat and no new stream; afterwards nothing is lost", async (t) => {
  const { url, api, file } = await start(t);
  const stream = await openEventSource(t, v3(url), bearer);
  const { cursor } = await readKeys(t, stream, 0, undefined);
  file.tamper("ALTER TABLE invalidation_event RENAME TO away");
  const broken = performance.now();
  const refused = await openEventSource(t, v3(url), bearer);
  t.is(refused.status, 503);
  t.is(refused.headers["retry-after"], "1");
  const mended = performance.now();
  file.tamper("ALTER TABLE away RENAME TO invalidation_event");
  const [key] = await issueAndRevoke(t, api);
  const { keys, events } = await readKeys(t, stream, 1, cursor);
  t.deepEqual(keys, [key]);
  const polls = events.flatMap((event) => (event.event === "heartbeat" ? [Number(dataOf(event)["polledAt"])] : []));
  t.deepEqual(
    polls.filter((polledAt) => polledAt > broken && polledAt < mended),
    [],
  );
  t.true((polls.at(-1) ?? 0) > mended);
});

test("a stop ends streams in good order, at once, and opens no new one", async (t) => {
  const { backend, url } = await start(t);
  const streams = await Promise.all([1, 2, 3].map(() => openEventSource(t, v3(url), bearer)));
  for (const stream of streams) await stream.until("heartbeat");
  await backend.close();
  for (const stream of streams) {
    let event = await stream.next();
    while (event !== undefined) {
      t.is(event.event, "heartbeat");
      event = await stream.next();
    }
  }
  await t.throwsAsync(openEventSource(t, v3(url), bearer));
});

test("when another node changes the service's credentials, streams end and the old ones open no new one", async (t) => {
  const { url, file } = await start(t);
  const stream = await openEventSource(t, v3(url), bearer);
  await stream.until("heartbeat");
  const next = "the-next-service-access-token-0123456789abcdef";
  const other = await openBackend({
    configuration: configurationWith({ accessTokens: [next] }, file.configuration),
    log: pino({ level: "silent" }),
  });
  t.teardown(() => other.close());
  const last = (await stream.until("invalidation")).at(-1);
  t.deepEqual(dataOf(last ?? { data: "" })["keys"], [`service:${serviceId}`]);
  t.is(await stream.next(), undefined);
  t.is((await openEventSource(t, v3(url), bearer)).status, 401);
  const again = { authorization: `Bearer ${next}`, "last-event-id": last?.id ?? "" };
  t.is((await (await openEventSource(t, v3(url), again)).next())?.event, "heartbeat");
});

/** What an api client, or a backend in the same process, hands out, until it is told to stop. */
async function* reading(
  t: ExecutionContext,
  open: ApiClient["authIntrospectionEvents"],
  cursor?: string,
): AsyncGenerator<InvalidationMessage, void> {
  const leaving = new AbortController();
  t.teardown(() => {
    leaving.abort();
  });
  yield* open({ cursor }, { signal: leaving.signal });
}

async function nextOf(messages: AsyncGenerator<InvalidationMessage, void>, type: string): Promise<InvalidationMessage> {
  for (;;) {
    const next = await messages.next();
    if (next.done === true) throw new Error("the stream ended");
    if (next.value.type === type) return next.value;
  }
}

const backendCertificate = authority.issue({ subject: "CN=backend", san: [{ ip: "127.0.0.1" }] });
const listenTls = {
  host: "127.0.0.1",
  port: 0,
  behindTls: false,
  tls: { certificate: backendCertificate.pem, key: backendCertificate.key, minVersion: "TLSv1.2" },
} as const;
for (const [what, more] of [
  ["plain HTTP", {}],
  ["TLS", { listen: listenTls }],
] as const) {
  test(`the api client over ${what} and a caller in the process get the same messages`, async (t) => {
    const { api, backend } = await start(t, more);
    const far = reading(t, api.authIntrospectionEvents);
    const near = reading(t, backend.operationsFor(serviceId).authIntrospectionEvents);
    const [farReset, nearReset] = [(await far.next()).value, (await near.next()).value] as InvalidationMessage[];
    t.deepEqual(farReset, nearReset);
    t.is(farReset?.type, "reset");
    const [key] = await issueAndRevoke(t, api);
    const event = await nextOf(far, "invalidation");
    t.deepEqual(await nextOf(near, "invalidation"), event);
    t.deepEqual(event.type === "invalidation" && event.keys, [key]);
    const heartbeat = await nextOf(far, "heartbeat");
    t.is(heartbeat.cursor, event.cursor);
    t.is((await nextOf(near, "heartbeat")).cursor, event.cursor);
    const resumed = reading(t, api.authIntrospectionEvents, farReset?.cursor);
    t.deepEqual((await resumed.next()).value, event);
  });
}

test("in the process a wrong request is an ApiError, and an unknown service is a TypeError", async (t) => {
  const { backend } = await start(t);
  const signal = AbortSignal.timeout(60_000);
  const open = async (id: number, request: unknown): Promise<void> => {
    const { authIntrospectionEvents } = backend.operationsFor(id);
    for await (const message of authIntrospectionEvents(request as object, { signal }))
      if (message.type === "reset") return;
  };
  for (const request of [{ cursor: 1 }, { cursor: "x".repeat(513) }, null]) {
    t.like(await t.throwsAsync(open(serviceId, request)), { name: "ApiError", status: 400, resultCode: "A126202" });
  }
  t.true((await t.throwsAsync(open(77, {}))) instanceof TypeError);
  await t.notThrowsAsync(open(serviceId, { cursor: "of another store" }));
});

const secrets = {
  SECRET_KEY: Buffer.alloc(32, 9).toString("base64"),
  API_SECRET: apiSecret,
  ACCESS_TOKEN: serviceAccessToken,
  CLIENT_SECRET: secretOf(1),
};

test("a revocation by one process reaches the stream of another; a signal ends stream and process", async (t) => {
  const configuration = await writeBackendConfiguration(t);
  const [here, there] = [
    await startBackendProcess(t, configuration, secrets),
    await startBackendProcess(t, configuration, secrets),
  ];
  const stream = await openEventSource(t, v3(here.url), bearer);
  const { cursor } = await readKeys(t, stream, 0, undefined);
  const api = createApiClient({
    baseUrl: there.url,
    serviceId,
    credentials: { accessToken: serviceAccessToken },
    timeout: { attempt: 30_000, total: 30_000 },
  });
  t.teardown(() => api.close());
  const [first] = await issueAndRevoke(t, api);
  const [second] = await issueAndRevoke(t, api);
  const read = await readKeys(t, stream, 2, cursor);
  t.deepEqual(read.keys, [first, second]);
  t.is(await here.end("SIGTERM"), 0);
  for (let event = await stream.next(); event !== undefined; event = await stream.next())
    t.is(event.event, "heartbeat");
  const [third] = await issueAndRevoke(t, api);
  const elsewhere = await openEventSource(t, v3(there.url), { ...bearer, "last-event-id": read.cursor });
  t.deepEqual((await readKeys(t, elsewhere, 1, read.cursor)).keys, [third], "a cursor is good at every process");
});
