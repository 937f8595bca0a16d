import { connect } from "node:net";
import { once } from "node:events";
import test from "ava";
import { bearer, serviceId, startApp } from "./running-app.ts";

/** A request as octets. */
function post(path: string, body: string, headers: readonly string[] = []): string {
  return [
    `POST ${path} HTTP/1.1`,
    "host: backend",
    `authorization: ${bearer}`,
    "content-type: application/json",
    `content-length: ${Buffer.byteLength(body)}`,
    ...headers,
    "",
    body,
  ].join("\r\n");
}

const last = "GET /api/lifecycle/healthcheck HTTP/1.1\r\nhost: backend\r\nconnection: close\r\n\r\n";
const introspection = `/api/${serviceId}/auth/introspection`;

/** The status of every answer on the connection, in order. */
function statuses(octets: string): string[] {
  return [...octets.matchAll(/HTTP\/1\.1 (\d{3})/g)].map(([, status = ""]) => status);
}

test("pipelined requests are answered in order on one connection", async (t) => {
  const { raw, operations } = await startApp(t);
  const octets = await raw(
    post(introspection, '{"token":"1"}') + post(introspection, "[]") + post(introspection, '{"token":"3"}') + last,
  );
  t.deepEqual(statuses(octets), ["200", "400", "200", "200"]);
  t.deepEqual(
    operations.calls.map(({ request }) => request),
    [{ token: "1" }, { token: "3" }],
  );
});

const smuggled = post("/api/auth/token", "{}");

for (const [what, tooLarge] of [
  ["with a declared length", post(introspection, smuggled.padEnd(3_000_000, " "))],
  [
    "in chunks",
    [
      `POST ${introspection} HTTP/1.1`,
      "host: backend",
      `authorization: ${bearer}`,
      "content-type: application/json",
      "transfer-encoding: chunked",
      "",
      ...Array.from({ length: 40 }, () => `${(100_000).toString(16)}\r\n${smuggled.padEnd(100_000, " ")}`),
      "0",
      "",
      "",
    ].join("\r\n"),
  ],
] as const) {
  test(`a too large body ${what} is discarded unread, and the next request is answered`, async (t) => {
    const { raw, operations } = await startApp(t);
    const octets = await raw(tooLarge, post(introspection, '{"token":"after"}'), last);
    t.deepEqual(statuses(octets), ["413", "200", "200"]);
    t.deepEqual(operations.calls, [{ name: "authIntrospection", request: { token: "after" } }]);
  });
}

for (const [status, request] of [
  ["401", post(introspection, smuggled).replace(bearer, "Bearer wrong")],
  ["404", post("/nowhere", smuggled)],
  ["405", post("/api/info", smuggled)],
  ["400", post(introspection, smuggled).replace("application/json", "text/plain")],
] as const) {
  test(`the body of a request rejected with ${status} before it was read is discarded`, async (t) => {
    const { raw, operations } = await startApp(t);
    const octets = await raw(request, post(introspection, '{"token":"after"}'), last);
    t.deepEqual(statuses(octets), [status, "200", "200"]);
    t.deepEqual(operations.calls, [{ name: "authIntrospection", request: { token: "after" } }]);
  });
}

test("a caller that goes away within its body reaches no operation and is no fault", async (t) => {
  const { listening, log, operations, call } = await startApp(t);
  const socket = connect({ host: "127.0.0.1", port: listening.address.port ?? 0 });
  socket.write(post(introspection, '{"token":"abc"}').slice(0, -4));
  await once(socket, "connect");
  socket.end();
  socket.resume();
  await once(socket, "close");
  t.is((await call({ path: "/api/info" })).status, 200);
  t.deepEqual(operations.calls, []);
  t.false(log.some((line) => line.includes('"level":"error"')));
});

test("a caller that goes away while it is being answered is no fault", async (t) => {
  const asked = Promise.withResolvers<undefined>();
  const gone = Promise.withResolvers<undefined>();
  const { listening, log, call } = await startApp(t, {
    operations: {
      authIntrospection: async () => {
        asked.resolve(undefined);
        await gone.promise;
        return { resultCode: "A056001", resultMessage: "", action: "OK" };
      },
    },
  });
  const socket = connect({ host: "127.0.0.1", port: listening.address.port ?? 0 });
  socket.write(post(introspection, '{"token":"abc"}'));
  await asked.promise;
  socket.resetAndDestroy();
  await once(socket, "close");
  t.is((await call({ path: "/api/info" })).status, 200);
  gone.resolve(undefined);
  t.is((await call({ path: "/api/info" })).status, 200);
  t.false(log.some((line) => line.includes('"level":"error"')));
});
