import { spawn } from "node:child_process";
import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { createServer as createTlsServer } from "node:https";
import type { AddressInfo } from "node:net";
import { mock } from "node:test";
import { inspect } from "node:util";
import test, { type ExecutionContext } from "ava";
import type { ApiConnection } from "../../src/api-client/api-connection.ts";
import {
  BackendAnswerMalformed,
  BackendUnavailable,
  BackendUntrusted,
} from "../../src/api-client/backend-unavailable.ts";
import { createApiClient } from "../../src/api-client/index.ts";
import { createIntrospectionCaller } from "../../src/api-client/introspection-caller.ts";
import type { InvalidationMessage } from "../../src/contract/auth-introspection-events.ts";
import { createAuthority } from "../support/certificates.ts";

const secret = "api-secret-7f3a";
const canary = "canary-c0ffee";
const never = new AbortController().signal;
const authority = createAuthority({ subject: "CN=Backend CA" });
const right = authority.issue({ subject: "CN=backend", san: [{ ip: "127.0.0.1" }] });

type Respond = (response: ServerResponse, request: IncomingMessage) => void;

/** A server that answers every request as told, and a client of it; both ended with the test. */
async function start(t: ExecutionContext, respond: Respond, options: Partial<ApiConnection> = {}, tls?: typeof right) {
  const requests: IncomingMessage[] = [];
  const listener = (request: IncomingMessage, response: ServerResponse): void => {
    requests.push(request);
    respond(response, request);
  };
  const server = tls ? createTlsServer({ cert: tls.pem, key: tls.key }, listener) : createServer(listener);
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  t.teardown(() => {
    server.closeAllConnections();
    server.close();
  });
  const baseUrl = `${tls ? "https" : "http"}://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const caller = createIntrospectionCaller({
    baseUrl,
    serviceId: 4711,
    credentials: { apiSecret: secret },
    timeout: { attempt: 60_000, total: 60_000 },
    ...options,
  });
  t.teardown(() => caller.close());
  return { caller, requests, baseUrl, server };
}

/** Writes a stream and ends it. */
function streamOf(...parts: readonly (string | Uint8Array)[]): Respond {
  return (response) => {
    response.writeHead(200, { "content-type": "text/event-stream" });
    for (const part of parts) response.write(part);
    response.end();
  };
}

/** Writes each part in a turn of its own, so that no two come together. */
function drip(...parts: readonly (string | Uint8Array)[]): Respond {
  return (response) => {
    response.writeHead(200, { "content-type": "text/event-stream" });
    const rest = parts.values();
    const writeNext = (): void => {
      const { done, value } = rest.next();
      if (done === true) response.end();
      else response.write(value, () => setImmediate(writeNext));
    };
    writeNext();
  };
}

type Opened = Awaited<ReturnType<typeof start>>["caller"];

async function readAll({ authIntrospectionEvents }: Opened, cursor?: string): Promise<InvalidationMessage[]> {
  const messages = [];
  for await (const message of authIntrospectionEvents({ cursor }, { signal: never })) messages.push(message);
  return messages;
}

/** What reading throws; neither credentials nor what was received may be found in it. */
async function failureOf(t: ExecutionContext, caller: Opened): Promise<Error> {
  const error = await t.throwsAsync(readAll(caller));
  const seen = inspect(error, { depth: Infinity, showHidden: true, getters: true }) + JSON.stringify(error);
  for (const text of [secret, Buffer.from(`4711:${secret}`).toString("base64"), canary]) t.false(seen.includes(text));
  return error;
}

const reset = "event: reset\nid: e:0\ndata: {}\n\n";
const invalidation = 'event: invalidation\nid: e:1\ndata: {"after":"e:0","keys":["token:a","grant:b"]}\n\n';
const heartbeat = 'event: heartbeat\nid: e:1\ndata: {"after":"e:1","polledAt":12.5}\n\n';
const messages: InvalidationMessage[] = [
  { type: "reset", cursor: "e:0" },
  { type: "invalidation", cursor: "e:1", after: "e:0", keys: ["token:a", "grant:b"] },
  { type: "heartbeat", cursor: "e:1", after: "e:1", polledAt: 12.5 },
];

for (const [what, credentials, path, authorization] of [
  ["v2", { apiSecret: secret }, "/api", `Basic ${Buffer.from(`4711:${secret}`).toString("base64")}`],
  ["v3", { accessToken: "service-token" }, "/api/4711", "Bearer service-token"],
] as const) {
  test(`${what}: the three messages are read, and the requested position is sent`, async (t) => {
    const { caller, requests } = await start(t, streamOf(reset, invalidation, heartbeat), { credentials });
    t.deepEqual(await readAll(caller), messages);
    t.deepEqual(await readAll(caller, "e:7 /?&#ü"), messages);
    t.deepEqual(
      requests.map(({ method, url, headers }) => [method, url, headers.authorization, headers.accept]),
      [
        ["GET", `${path}/auth/introspection/events`, authorization, "text/event-stream"],
        [
          "GET",
          `${path}/auth/introspection/events?cursor=e%3A7%20%2F%3F%26%23%C3%BC`,
          authorization,
          "text/event-stream",
        ],
      ],
    );
    t.is(requests[0]?.headers["accept-encoding"], "identity");
  });
}

test("the api client has the stream, too", async (t) => {
  const { baseUrl } = await start(t, streamOf(reset));
  const api = createApiClient({
    baseUrl,
    serviceId: 4711,
    credentials: { apiSecret: secret },
    timeout: { attempt: 60_000, total: 60_000 },
  });
  t.teardown(() => api.close());
  for await (const message of api.authIntrospectionEvents({}, { signal: never })) t.deepEqual(message, messages[0]);
});

const octets = Buffer.from(reset + invalidation.replace("token:a", "tökén:a") + heartbeat);
const withReturns = octets.toString().replaceAll("\n", "\r\n");
const oneByOne = (text: Uint8Array): Uint8Array[] => [...text].map((octet) => Uint8Array.of(octet));
for (const [what, parts] of Object.entries({
  "octet by octet": oneByOne(octets),
  "octet by octet, with carriage returns": oneByOne(Buffer.from(withReturns)),
  "octet by octet, with a byte order mark": oneByOne(Buffer.from(`\uFEFF${octets.toString()}`)),
  "with comments and other fields": [": hello\n", "retry: 10\n", "foo: bar\n", octets],
  "with a byte order mark": [Uint8Array.of(0xef, 0xbb, 0xbf), octets],
  "with carriage returns": [withReturns],
  "with events of types that are not known": [
    "event: other\ndata: x\n\n",
    "data: no type\n\n",
    "event: constructor\nid: 1\ndata: {}\n\n",
    "event: Reset\nid: 1\ndata: {}\n\n",
    octets,
  ],
  "with members that are not known": [octets.toString().replace('{"after":"e:1",', '{"after":"e:1","more":[1],')],
  "with data on several lines": [octets.toString().replace('{"after":"e:1",', '{"after":\ndata: "e:1",')],
  "cut off in an event that never came whole": [octets, "event: reset\nid: e:9\ndata: {}\n"],
})) {
  test(`understood: a stream ${what}`, async (t) => {
    const { caller } = await start(t, drip(...parts));
    t.deepEqual(await readAll(caller), [messages[0], { ...messages[1], keys: ["tökén:a", "grant:b"] }, messages[2]]);
  });
}

const badEvents: Record<string, string | Uint8Array> = {
  "no id": `event: reset\ndata: {"x":"${canary}"}\n\n`,
  "an empty id": "event: reset\nid:\ndata: {}\n\n",
  "an id with a blank": `event: reset\nid: ${canary} a\ndata: {}\n\n`,
  "an id that is not ASCII": "event: reset\nid: ü\ndata: {}\n\n",
  "an id of 513 characters": `event: reset\nid: ${"x".repeat(513)}\ndata: {}\n\n`,
  "data that is not JSON": `event: heartbeat\nid: e:1\ndata: ${canary}\n\n`,
  "no data": "event: reset\nid: e:1\ndata:\n\n",
  "data that is null": "event: reset\nid: e:1\ndata: null\n\n",
  "data that is an array": "event: reset\nid: e:1\ndata: []\n\n",
  "a heartbeat without after": 'event: heartbeat\nid: e:1\ndata: {"polledAt":1}\n\n',
  "a heartbeat without polledAt": 'event: heartbeat\nid: e:1\ndata: {"after":"e:1"}\n\n',
  "a heartbeat polled at a text": 'event: heartbeat\nid: e:1\ndata: {"after":"e:1","polledAt":"1"}\n\n',
  "a heartbeat polled before the beginning": 'event: heartbeat\nid: e:1\ndata: {"after":"e:1","polledAt":-1}\n\n',
  "a heartbeat polled at infinity": 'event: heartbeat\nid: e:1\ndata: {"after":"e:1","polledAt":1e999}\n\n',
  "an invalidation without keys": 'event: invalidation\nid: e:1\ndata: {"after":"e:0"}\n\n',
  "an invalidation with one key": `event: invalidation\nid: e:1\ndata: {"after":"e:0","keys":"${canary}"}\n\n`,
  "an invalidation with a number as key": 'event: invalidation\nid: e:1\ndata: {"after":"e:0","keys":[1]}\n\n',
  "an invalidation without after": 'event: invalidation\nid: e:1\ndata: {"keys":["a"]}\n\n',
  "octets that are not UTF-8": Buffer.concat([Buffer.from("event: res"), Uint8Array.of(0xff), Buffer.from("\n\n")]),
  "an event of more than 1 MiB": `event: invalidation\nid: e:1\ndata: {"after":"e:0","keys":["${"x".repeat(1_100_000)}"]}\n\n`,
  "an event of more than 1 MiB in short lines": `event: reset\nid: e:1\n${`data: ${"x".repeat(1_000)}\n`.repeat(1_100)}\n`,
  "a line that never ends": `data: ${"x".repeat(1_200_000)}`,
};
for (const [what, bad] of Object.entries(badEvents)) {
  test(`refused as malformed: ${what}`, async (t) => {
    const { caller } = await start(t, streamOf(reset, bad, heartbeat));
    const error = await failureOf(t, caller);
    t.true(error instanceof BackendAnswerMalformed, inspect(error));
    t.regex(error.message, /^GET \/auth\/introspection\/events: an event /);
  });
}

const badAnswers: Record<string, Respond> = {
  JSON: (response) => response.writeHead(200, { "content-type": "application/json" }).end("{}"),
  "a page": (response) => response.writeHead(200, { "content-type": "text/html" }).end(`<p>${canary}</p>`),
  "no type": (response) => response.writeHead(200).end(reset),
  "a type that begins alike": (response) =>
    response.writeHead(200, { "content-type": "text/event-streams" }).end(reset),
  "a compressed stream": (response) =>
    response.writeHead(200, { "content-type": "text/event-stream", "content-encoding": "gzip" }).end(reset),
  "201": (response) => response.writeHead(201, { "content-type": "text/event-stream" }).end(reset),
  "204": (response) => response.writeHead(204).end(),
  "a redirect": (response) => response.writeHead(307, { location: "/elsewhere" }).end(),
  "a redirect for good": (response) => response.writeHead(301, { location: `/?${canary}` }).end(canary),
};
for (const [what, respond] of Object.entries(badAnswers)) {
  test(`refused as malformed: ${what} for an answer`, async (t) => {
    const { caller, requests } = await start(t, respond);
    const error = await failureOf(t, caller);
    t.true(error instanceof BackendAnswerMalformed, inspect(error));
    t.is(requests.length, 1);
  });
}

for (const status of [400, 401, 403, 404, 429, 500, 502, 503]) {
  test(`${status} is the API's error, and not asked again`, async (t) => {
    const { caller, requests } = await start(t, (response) => {
      const body = JSON.stringify({ resultCode: "A001202", resultMessage: "[A001202] No." });
      response.writeHead(status, { "content-type": "application/json", "retry-after": "7" }).end(body);
    });
    const error = await failureOf(t, caller);
    t.like(error, { name: "ApiError", status, resultCode: "A001202", message: "[A001202] No." });
    t.is((error as unknown as { headers: Record<string, string> }).headers["Retry-After"], "7");
    t.is(requests.length, 1);
  });
}

test("an error whose body never ends is cut off", async (t) => {
  const { caller } = await start(t, (response) => {
    response.writeHead(503, { "content-type": "text/plain" });
    const more = (): void => {
      while (!response.destroyed && response.write(canary.repeat(1_000)));
      if (!response.destroyed) response.once("drain", more);
    };
    more();
  });
  t.true((await failureOf(t, caller)) instanceof BackendAnswerMalformed);
});

test("a connection that breaks in the middle is an outage, after what came before", async (t) => {
  const { caller } = await start(t, (response) => {
    response.writeHead(200, { "content-type": "text/event-stream" });
    response.write(reset + invalidation, () => response.destroy());
  });
  const stream = caller.authIntrospectionEvents({}, { signal: never })[Symbol.asyncIterator]();
  t.deepEqual((await stream.next()).value, messages[0]);
  t.deepEqual((await stream.next()).value, messages[1]);
  const error = await t.throwsAsync(stream.next());
  t.true(error instanceof BackendUnavailable);
  t.like(error, { code: "ECONNRESET" });
});

test("an answer that changes protocols ends the reading as an outage, not never", async (t) => {
  const { caller } = await start(t, (response) => {
    response.socket?.end("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n");
  });
  t.like(await failureOf(t, caller), { name: "BackendUnavailable", code: "ECONNRESET" });
});

test("a refused connection is an outage with the system's code", async (t) => {
  const { caller, server } = await start(t, streamOf(reset));
  server.close();
  await once(server, "close");
  t.like(await failureOf(t, caller), { name: "BackendUnavailable", code: "ECONNREFUSED" });
});

for (const [what, respond] of Object.entries({
  "no answer": () => undefined,
  "an error without its end": (response: ServerResponse) => response.writeHead(503).write("x"),
})) {
  test(`${what} within the attempt timeout is an outage`, async (t) => {
    const { caller } = await start(t, respond, { timeout: { attempt: 50, total: 60_000 } });
    t.like(await failureOf(t, caller), { name: "BackendUnavailable", code: "ETIMEDOUT" });
  });
}

// Its timers are moved by hand, so it must be alone.
test.serial("a silence after the answer has begun is not judged here", async (t) => {
  let late: () => void = () => undefined;
  const { caller } = await start(t, (response) => {
    response.writeHead(200, { "content-type": "text/event-stream" }).write(reset);
    late = () => response.end(heartbeat);
  });
  mock.timers.enable({ apis: ["setTimeout"] });
  t.teardown(() => {
    mock.timers.reset();
  });
  const stream = caller.authIntrospectionEvents({}, { signal: never })[Symbol.asyncIterator]();
  await stream.next();
  mock.timers.tick(3_600_000);
  late();
  t.deepEqual((await stream.next()).value, messages[2]);
});

test("aborting the signal closes the connection and ends the reading", async (t) => {
  const gone = Promise.withResolvers<undefined>();
  const { caller, requests } = await start(t, (response) => {
    response.writeHead(200, { "content-type": "text/event-stream" }).write(reset);
    response.once("close", () => {
      gone.resolve(undefined);
    });
  });
  const leaving = new AbortController();
  const stream = caller.authIntrospectionEvents({}, { signal: leaving.signal })[Symbol.asyncIterator]();
  await stream.next();
  const next = stream.next();
  leaving.abort(new Error("leaving"));
  t.is((await next).done, true);
  await gone.promise;
  const late = caller.authIntrospectionEvents({}, { signal: leaving.signal })[Symbol.asyncIterator]();
  t.is((await late.next()).done, true);
  t.is(requests.length, 1);
});

test("a reader that stops closes the connection", async (t) => {
  const gone = Promise.withResolvers<undefined>();
  const { caller } = await start(t, (response) => {
    response.writeHead(200, { "content-type": "text/event-stream" }).write(reset);
    response.once("close", () => {
      gone.resolve(undefined);
    });
  });
  for await (const message of caller.authIntrospectionEvents({}, { signal: never })) {
    t.is(message.type, "reset");
    break;
  }
  await gone.promise;
});

test("an answer that is no stream has its connection closed, whether it ends or not", async (t) => {
  const gone = Promise.withResolvers<undefined>();
  const { caller } = await start(t, (response) => {
    response.writeHead(200, { "content-type": "text/html" }).write("<p>");
    response.once("close", () => {
      gone.resolve(undefined);
    });
  });
  t.true((await failureOf(t, caller)) instanceof BackendAnswerMalformed);
  await gone.promise;
});

test("close breaks streams off and opens no new one", async (t) => {
  const { caller } = await start(t, (response) => {
    response.writeHead(200, { "content-type": "text/event-stream" }).write(reset);
  });
  const stream = caller.authIntrospectionEvents({}, { signal: never })[Symbol.asyncIterator]();
  await stream.next();
  const next = t.throwsAsync(stream.next());
  await caller.close();
  t.like(await next, { name: "BackendUnavailable", code: "ERR_CLOSED" });
  t.like(await failureOf(t, caller), { name: "BackendUnavailable", code: "ERR_CLOSED" });
});

test("streams take no connection away from the calls", async (t) => {
  const { caller } = await start(
    t,
    (response, { url }) => {
      if (url?.endsWith("/events") === true) {
        response.writeHead(200, { "content-type": "text/event-stream" }).write(reset);
      } else {
        const body = JSON.stringify({ resultCode: "A", resultMessage: "[A]", action: "OK", responseContent: "{}" });
        response.writeHead(200, { "content-type": "application/json" }).end(body);
      }
    },
    { maxSockets: 1 },
  );
  const streams = [1, 2, 3].map(() => caller.authIntrospectionEvents({}, { signal: never })[Symbol.asyncIterator]());
  for (const stream of streams) t.is((await stream.next()).done, false);
  t.is((await caller.authIntrospectionStandard({ parameters: "token=x" })).action, "OK");
});

test("over TLS the backend is verified, and a wrong backend gets no request", async (t) => {
  const tls = { ca: authority.certificate.pem };
  const { caller } = await start(t, streamOf(reset, heartbeat), { tls }, right);
  t.is((await readAll(caller)).length, 2);
  const other = createAuthority({ subject: "CN=Backend CA" }).issue({
    subject: "CN=backend",
    san: [{ ip: "127.0.0.1" }],
  });
  const wrong = await start(t, streamOf(reset), { tls }, other);
  t.true((await failureOf(t, wrong.caller)) instanceof BackendUntrusted);
  t.is(wrong.requests.length, 0);
});

test("an open stream does not keep the process alive", async (t) => {
  const { baseUrl } = await start(t, (response) => {
    response.writeHead(200, { "content-type": "text/event-stream" }).write(reset);
  });
  const program = `
    import { createIntrospectionCaller } from ${JSON.stringify(new URL("../../src/api-client/introspection-caller.ts", import.meta.url).href)};
    const caller = createIntrospectionCaller({ baseUrl: ${JSON.stringify(baseUrl)}, serviceId: 1, credentials: { apiSecret: "x" } });
    void (async () => {
      for await (const { type } of caller.authIntrospectionEvents({}, { signal: new AbortController().signal })) console.log(type);
    })();
  `;
  const child = spawn(process.execPath, [...process.execArgv, "--input-type=module", "-e", program], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  t.teardown(() => child.kill("SIGKILL"));
  let printed = "";
  child.stdout.on("data", (chunk: Buffer) => (printed += chunk.toString()));
  const [code] = (await once(child, "close")) as [number];
  t.is(code, 0);
  t.is(printed, "reset\n");
});
