import { StreamUnavailable } from "../../../src/backend/engine/invalidation/event-follower.ts";
import { StoreFailure } from "../../../src/backend/store/store.ts";
import { once } from "node:events";
import test from "ava";
import { ApiError } from "../../../src/contract/api-error.ts";
import type {
  InvalidationEventsRequest,
  InvalidationMessage,
} from "../../../src/contract/auth-introspection-events.ts";
import { openEventSource } from "../../support/event-source.ts";
import {
  accessToken,
  apiSecret,
  basic,
  bearer,
  json,
  operationsForOneService,
  serviceId,
  startApp,
} from "./running-app.ts";

const paths = {
  v3: [`/api/${serviceId}/auth/introspection/events`, bearer],
  v2: ["/api/auth/introspection/events", basic],
} as const;
const [v3Path] = paths.v3;

/** An app whose streams are the test's: messages go in by hand. */
async function startStreams(t: Parameters<typeof startApp>[0], more: Parameters<typeof startApp>[1] = {}) {
  const requests: InvalidationEventsRequest[] = [];
  const opened = Promise.withResolvers<undefined>();
  const ended = Promise.withResolvers<"aborted" | "returned">();
  let waiting = Promise.withResolvers<undefined>();
  const messages: (InvalidationMessage | "end" | Error)[] = [];
  const app = await startApp(t, {
    ...more,
    operations: {
      ...more.operations,
      async *authIntrospectionEvents(request, { signal }) {
        requests.push(request);
        signal.addEventListener("abort", () => {
          ended.resolve("aborted");
          waiting.resolve(undefined);
        });
        opened.resolve(undefined);
        try {
          while (!signal.aborted) {
            const message = messages.shift();
            if (message === "end") return;
            if (message instanceof Error) throw message;
            if (message !== undefined) yield message;
            else await waiting.promise;
          }
        } finally {
          ended.resolve("returned");
        }
      },
    },
  });
  const send = (...more: typeof messages): void => {
    messages.push(...more);
    waiting.resolve(undefined);
    waiting = Promise.withResolvers();
  };
  return { app, url: app.listening.address.url, requests, opened: opened.promise, ended: ended.promise, send };
}

const reset = { type: "reset", cursor: "e:0" } as const;
const invalidation = { type: "invalidation", after: "e:0", cursor: "e:1.t", keys: ['a"b\nc', "ü"] } as const;
const heartbeat = { type: "heartbeat", after: "e:1.t", cursor: "e:1.t", polledAt: 12.5 } as const;

for (const [shape, [path, authorization]] of Object.entries(paths)) {
  test(`${shape}: each message is an event with its cursor as id and the other members as data`, async (t) => {
    const { url, send } = await startStreams(t);
    send(reset, invalidation, heartbeat, "end");
    const stream = await openEventSource(t, url + path, { authorization });
    t.is(stream.status, 200);
    t.like(stream.headers, {
      "content-type": "text/event-stream",
      "cache-control": "no-store",
      "x-accel-buffering": "no",
      "x-content-type-options": "nosniff",
    });
    t.truthy(stream.headers["x-request-id"]);
    t.deepEqual(await stream.next(), { event: "reset", id: "e:0", data: "{}" });
    t.deepEqual(await stream.next(), {
      event: "invalidation",
      id: "e:1.t",
      data: JSON.stringify({ after: "e:0", keys: invalidation.keys }),
    });
    t.deepEqual(await stream.next(), {
      event: "heartbeat",
      id: "e:1.t",
      data: JSON.stringify({ after: "e:1.t", polledAt: 12.5 }),
    });
    t.is(await stream.next(), undefined, "an end in good order");
  });
}

test("the cursor is read from Last-Event-ID, else from the query, and an empty one is no cursor", async (t) => {
  const { url, requests, send } = await startStreams(t);
  const cursors: [path: string, header: string | undefined, expected: string | undefined][] = [
    ["", undefined, undefined],
    ["?", undefined, undefined],
    ["?cursor=", undefined, undefined],
    ["?cursor=e%3A1", undefined, "e:1"],
    ["?other=1&cursor=a+b%00", undefined, "a b\0"],
    ["", "e:2", "e:2"],
    ["?cursor=e:1", "e:2", "e:2"],
    ["?cursor=e:1", "", "e:1"],
    [`?cursor=${"x".repeat(512)}`, undefined, "x".repeat(512)],
  ];
  for (const [query, header, expected] of cursors) {
    send(reset, "end");
    const headers = { authorization: bearer, ...(header !== undefined && { "last-event-id": header }) };
    t.is((await openEventSource(t, url + v3Path + query, headers)).status, 200);
    t.is(requests.at(-1)?.cursor, expected, query);
  }
});

for (const [what, query, headers] of [
  ["a query with two cursors", "?cursor=a&cursor=b", {}],
  ["a query with a cursor too long", `?cursor=${"x".repeat(513)}`, {}],
  ["a Last-Event-ID too long", "", { "last-event-id": "x".repeat(513) }],
] as const) {
  test(`refused with 400: ${what}`, async (t) => {
    const { url } = await startStreams(t);
    const stream = await openEventSource(t, url + v3Path + query, { authorization: bearer, ...headers });
    t.is(stream.status, 400);
    const { resultCode, resultMessage } = JSON.parse(await stream.text()) as Record<string, string>;
    t.is(resultCode, "A126202");
    t.false(resultMessage?.includes("xxx"));
  });
}

for (const [what, path, authorization, status, code] of [
  ["no credentials", v3Path, undefined, 401, "A001202"],
  ["another token", v3Path, `${bearer}x`, 401, "A458101"],
  ["another service's path", v3Path.replace(/\d+/, "77"), bearer, 401, "A458101"],
  ["another secret", paths.v2[0], `Basic ${Buffer.from(`${serviceId}:x`).toString("base64")}`, 401, "A003204"],
  ["Basic in the v3 shape", v3Path, basic, 400, "A001203"],
  ["Bearer in the v2 shape", paths.v2[0], bearer, 400, "A001203"],
  ["a path with a slash behind it", `${v3Path}/`, bearer, 404, "A000201"],
] as const) {
  test(`refused with ${status}: ${what}`, async (t) => {
    const { url, requests } = await startStreams(t);
    const headers = authorization === undefined ? {} : { authorization };
    const stream = await openEventSource(t, url + path, headers);
    t.is(stream.status, status);
    t.is((JSON.parse(await stream.text()) as { resultCode: string }).resultCode, code);
    t.is(stream.headers["www-authenticate"] === undefined, status !== 401);
    t.deepEqual(requests, []);
  });
}

for (const method of ["POST", "HEAD", "PUT", "DELETE"]) {
  test(`refused with 405: ${method}`, async (t) => {
    const { url, requests } = await startStreams(t);
    const stream = await openEventSource(t, url + v3Path, { authorization: bearer }, method);
    t.is(stream.status, 405);
    t.regex(stream.headers.allow ?? "", /GET/);
    t.deepEqual(requests, []);
  });
}

for (const [what, error, status] of [
  ["the store cannot be read", new StoreFailure("no disk"), 503],
  ["there are too many", new StreamUnavailable("full"), 503],
  ["something is broken", new Error("a bug"), 500],
] as const) {
  test(`before the first event a stream has a status: ${what}, ${status}`, async (t) => {
    const { url, send } = await startStreams(t);
    send(error);
    const stream = await openEventSource(t, url + v3Path, { authorization: bearer });
    t.is(stream.status, status);
    t.is(stream.headers["retry-after"], status === 503 ? "1" : undefined);
    t.is(stream.headers["content-type"], "application/json");
  });
}

test("a stream that ends before its first event is 503", async (t) => {
  const { url, send } = await startStreams(t);
  send("end");
  const stream = await openEventSource(t, url + v3Path, { authorization: bearer });
  t.deepEqual([stream.status, stream.headers["retry-after"]], [503, "1"]);
});

test("credentials that change while the stream is being opened are noticed, and the stream is closed", async (t) => {
  let asked = 0;
  const operations: { current?: Parameters<typeof operationsForOneService>[0] } = {};
  const streams = await startStreams(t, {
    operationsFor: (credentials) => {
      if (operations.current === undefined) throw new Error("not started");
      if (++asked === 2) return Promise.reject(new ApiError(401, "A458101", "Not any more."));
      return operationsForOneService(operations.current)(credentials);
    },
  });
  operations.current = streams.app.operations;
  streams.send(reset);
  const stream = await openEventSource(t, streams.url + v3Path, { authorization: bearer });
  t.is(stream.status, 401);
  t.truthy(stream.headers["www-authenticate"]);
  await streams.ended;
});

test("a stream that fails in the middle is broken off, never ended in good order", async (t) => {
  const { url, send } = await startStreams(t);
  send(reset);
  const stream = await openEventSource(t, url + v3Path, { authorization: bearer });
  t.is((await stream.next())?.event, "reset");
  send(new Error("a bug"));
  t.like(await t.throwsAsync(stream.next()), { code: "ECONNRESET" });
});

test("when the reader leaves, the stream is closed, and one line is logged, without the cursor", async (t) => {
  const { app, url, send, ended } = await startStreams(t);
  send(reset);
  const headers = { authorization: bearer, "last-event-id": "cursor-of-the-reader" };
  const stream = await openEventSource(t, `${url}${v3Path}?cursor=cursor-of-the-reader`, headers);
  await stream.next();
  t.deepEqual(app.log, []);
  stream.request.destroy();
  t.is(await ended, "aborted");
  await new Promise((resolve) => setImmediate(resolve));
  const lines = app.log.map((line) => JSON.parse(line) as Record<string, unknown>);
  t.deepEqual(
    lines.map(({ route, status, msg }) => ({ route, status, msg })),
    [{ route: "/api/{serviceId}/auth/introspection/events", status: 200, msg: "request" }],
  );
  for (const secret of ["cursor-of-the-reader", accessToken, apiSecret]) t.false(app.log.join("").includes(secret));
});

test("a reader that was gone before the first event leaves nothing behind", async (t) => {
  const { app, url, opened, ended } = await startStreams(t);
  const opening = t.throwsAsync(openEventSource(t, url + v3Path, { authorization: bearer }));
  await opened;
  await app.listening.close(AbortSignal.abort());
  await opening;
  t.is(await ended, "aborted");
});

test("a reader that does not read is cut off, and the app continues", async (t) => {
  const slow = await startStreams(t);
  const keys = [`token:${"x".repeat(65_536)}`];
  slow.send(reset);
  const stalled = await openEventSource(t, slow.url + v3Path, { authorization: bearer });
  await stalled.next();
  stalled.stall();
  let sent = 0;
  const cut = slow.ended.then(() => true);
  while (!(await Promise.race([cut, new Promise<false>((resolve) => setImmediate(resolve, false))]))) {
    slow.send({ type: "invalidation", after: `e:${sent}`, cursor: `e:${++sent}`, keys });
    if (sent > 2_000) break;
  }
  t.true(sent > 16, "a mebibyte waits for it at least");
  t.true(sent < 2_000, "it was cut off");
  const other = await openEventSource(
    t,
    slow.url + v3Path.replace(/events$/, "standard"),
    { authorization: bearer },
    "POST",
  );
  t.is(other.status, 400, "the app goes on");
});

test("a stream's connection ends with it, so that a stop has nothing to wait for", async (t) => {
  const { app, url, send } = await startStreams(t);
  send(reset, "end");
  const stream = await openEventSource(t, url + v3Path, { authorization: bearer, connection: "keep-alive" });
  t.is(stream.headers.connection, "close");
  const closed = once(stream.request, "close");
  await stream.until("reset");
  t.is(await stream.next(), undefined);
  await closed;
  await app.listening.close(new AbortController().signal);
  t.pass();
});

test("plain calls are answered as ever beside a stream", async (t) => {
  const { app, url, send } = await startStreams(t);
  send(reset);
  await openEventSource(t, url + v3Path, { authorization: bearer });
  t.is(json(await app.call({ path: "/api/info" }))["version"], "1.2.3");
});
