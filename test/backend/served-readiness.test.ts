import { once } from "node:events";
import { stat } from "node:fs/promises";
import { request as httpRequest, type IncomingMessage } from "node:http";
import { connect } from "node:net";
import { dirname, join } from "node:path";
import test, { type ExecutionContext } from "ava";
import { pino } from "pino";
import { createReadiness, type FailedCheck, storeLiveness, storeReadiness } from "../../src/backend/readiness.ts";
import { serveBackend, type ServedBackend } from "../../src/backend/serve-backend.ts";
import { openReaderConnection } from "../../src/backend/store/sqlite/connection.ts";
import { createSqliteStore, openSqliteStore } from "../../src/backend/store/sqlite/open-sqlite-store.ts";
import { openWorkerHost } from "../../src/backend/store/sqlite/worker-host.ts";
import { createWriter } from "../../src/backend/store/sqlite/writer.ts";
import type { Store } from "../../src/backend/store/store.ts";
import { clientSettings, configurationOf, serviceSettings } from "../support/settings.ts";
import { makeStoreFile, type StoreFile } from "../support/store-beside.ts";
import { issueGrant, issueTokens, twoServices } from "./store/commands.ts";
import { type Child, startChild } from "./store/sqlite/child-process.ts";

const free = { tlsClientCertificateBoundAccessTokens: false };
const services = [
  { settings: serviceSettings({ apiKey: 1, ...free }), clients: [clientSettings({ clientId: 1, ...free })] },
];

interface Served {
  readonly backend: Promise<ServedBackend>;
  readonly socketPath: string;
  readonly log: string[];
  /** Milliseconds of the monotonic clock that the backend has. */
  now: number;
}

function serve(t: ExecutionContext, { path, configuration }: StoreFile, clock: () => number = Date.now): Served {
  const socketPath = join(dirname(path), "backend.sock");
  const log: string[] = [];
  const served: Served = {
    backend: serveBackend({
      configuration: configurationOf(services, { ...configuration, listen: { unix: socketPath } }),
      log: pino({ level: "info" }, { write: (line: string) => void log.push(line) }),
      monotonicClock: () => served.now,
      clock,
    }),
    socketPath,
    log,
    now: 0,
  };
  t.teardown(async () => (await served.backend).close());
  return served;
}

async function get(socketPath: string, path: string): Promise<string> {
  const asked = httpRequest({ socketPath, path, agent: false }).end();
  const [answer] = (await once(asked, "response")) as [IncomingMessage];
  let body = "";
  for await (const chunk of answer.setEncoding("utf8")) body += String(chunk);
  return `${answer.statusCode} ${body}`;
}

const probes = ["/livez", "/readyz", "/api/lifecycle/healthcheck"];
const ask = ({ socketPath }: Served) => Promise.all(probes.map((path) => get(socketPath, path)));
const allHold = ["200 OK", "200 OK", "200 OK"];
const notReady = (names: string) => ["200 OK", `503 NOT READY: ${names}`, `503 NOT READY: ${names}`];

async function lock(t: ExecutionContext, path: string): Promise<Child> {
  const locker = startChild(t, "./locking-process.ts", [path]);
  t.is(await locker.line(), "locked");
  return locker;
}

async function release(t: ExecutionContext, locker: Child): Promise<void> {
  locker.process.stdin.end();
  t.is(await locker.line(), "released");
}

test("while another process locks the store, the backend is alive and not ready, and then ready again", async (t) => {
  const file = await makeStoreFile(t);
  const served = serve(t, file);
  const backend = await served.backend;
  t.deepEqual(await ask(served), allHold);
  const locker = await lock(t, file.path);
  t.deepEqual(await ask(served), allHold, "an answer is kept for a second");
  served.now += 1000;
  t.deepEqual(await ask(served), notReady("store-write"));
  served.now += 1000;
  t.deepEqual(await ask(served), notReady("store-write"));
  await release(t, locker);
  // The writer works in order: once this is written the probe before it is done.
  t.is((await backend.authTokenCreate({ grantType: "CLIENT_CREDENTIALS", clientId: 1 })).action, "OK");
  served.now += 1000;
  t.deepEqual(await ask(served), allHold);
  const told = served.log
    .map((line) => JSON.parse(line) as { msg: string; check?: string; level: number })
    .filter(({ msg }) => msg.includes("ready"));
  t.deepEqual(
    told.map(({ msg, check }) => [msg, check]),
    [
      ["not ready", "store-write"],
      ["ready again", undefined],
    ],
  );
});

test("a backend whose clock steps back by 20 s is alive, and not ready until it has caught up", async (t) => {
  const wall = Date.parse("2026-11-21T08:00:00Z");
  let stepped = 0;
  const served = serve(t, await makeStoreFile(t), () => wall + served.now + stepped);
  await served.backend;
  const pass = (milliseconds: number): void => void (served.now += milliseconds);
  t.deepEqual(await ask(served), allHold);
  stepped = -20_000;
  pass(1_000);
  t.deepEqual(await ask(served), notReady("clock"));
  // Time goes on at half its speed meanwhile: 20 s are caught up with after 40.
  pass(38_000);
  t.deepEqual(await ask(served), notReady("clock"));
  pass(3_000);
  t.deepEqual(await ask(served), allHold);
  // Half a second is what daemons that set clocks do.
  stepped -= 500;
  pass(1_000);
  t.deepEqual(await ask(served), allHold);
  stepped = 0;
  pass(1_000);
  t.deepEqual(await ask(served), allHold);
  const told = served.log
    .map((line) => JSON.parse(line) as { msg: string; check?: string })
    .filter(({ msg }) => ["not ready", "ready again"].includes(msg))
    .map(({ msg, check }) => [msg, check]);
  t.deepEqual(told, [
    ["not ready", "clock"],
    ["ready again", undefined],
  ]);
});

test("a backend that waits for its store at the start is alive and not ready", async (t) => {
  const file = await makeStoreFile(t);
  await (await openSqliteStore({ path: file.path })).close();
  const locker = await lock(t, file.path);
  const served = serve(t, file);
  for (;;) {
    const answers = await ask(served).catch(() => undefined);
    if (answers === undefined) continue;
    t.deepEqual(answers, notReady("starting"));
    break;
  }
  await release(t, locker);
  await served.backend;
  t.deepEqual(await ask(served), allHold);
});

test("a stopping backend is alive and not ready on connections that are still open", async (t) => {
  const served = serve(t, await makeStoreFile(t));
  const backend = await served.backend;
  t.deepEqual(await ask(served), allHold);
  const sockets = await Promise.all(
    probes.map(async (path) => {
      const socket = connect(served.socketPath);
      await once(socket, "connect");
      // Answered, so the server has read this connection; then a request that is under way at the stop.
      socket.write("GET /api/info HTTP/1.1\r\nHost: backend\r\n\r\n");
      await once(socket, "data");
      socket.write(`GET ${path} HTTP/1.1\r\nHost: backend\r\n`);
      return socket;
    }),
  );
  // A round trip on another connection: what was written before it has been read.
  t.deepEqual(await ask(served), allHold);
  const closed = backend.close();
  const answers = sockets.map(async (socket) => {
    let text = "";
    socket.setEncoding("utf8").on("data", (chunk: string) => (text += chunk));
    socket.write("\r\n");
    await once(socket, "close");
    return text;
  });
  const [live = "", ...others] = await Promise.all(answers);
  t.regex(live, /^HTTP\/1\.1 200 (?=[^]*\r\nConnection: close\r\n)[^]*\r\n\r\nOK$/);
  for (const other of others) {
    t.regex(other, /^HTTP\/1\.1 503 (?=[^]*\r\nConnection: close\r\n)[^]*\r\n\r\nNOT READY: stopping$/);
  }
  await closed;
});

test("a schema of another version makes the backend not ready", async (t) => {
  const file = await makeStoreFile(t);
  const served = serve(t, file);
  await served.backend;
  file.tamper("INSERT INTO migration (number) VALUES (999)");
  t.deepEqual(await ask(served), notReady("store-read"));
  file.tamper("DELETE FROM migration WHERE number = 999");
  served.now += 1000;
  t.deepEqual(await ask(served), allHold);
  file.tamper("DELETE FROM migration WHERE number = (SELECT max(number) FROM migration)");
  served.now += 1000;
  t.deepEqual(await ask(served), notReady("store-read"));
});

test("a hundred requests of strangers within a second cause one write", async (t) => {
  const file = await makeStoreFile(t);
  const served = serve(t, file);
  await served.backend;
  const writes = async (): Promise<number> => (await stat(`${file.path}-wal`)).size;
  const before = await writes();
  await Promise.all(Array.from({ length: 100 }, () => get(served.socketPath, "/readyz")));
  const frame = 4096 + 24;
  t.is(await writes(), before + frame);
  served.now += 1000;
  await Promise.all(Array.from({ length: 100 }, () => get(served.socketPath, "/livez")));
  t.is(await writes(), before + frame, "to be alive nothing is written");
  await get(served.socketPath, "/readyz");
  t.is(await writes(), before + 2 * frame);
});

test("the death of the writer's thread is seen by both probes", async (t) => {
  const { path } = await makeStoreFile(t);
  const first = await openSqliteStore({ path });
  await first.run(twoServices());
  await first.close();
  const options = { path, busyTimeout: 1_000, maxPageCount: undefined };
  const dying = new URL("./store/sqlite/dying-writer.ts", import.meta.url);
  const writer = createWriter(await openWorkerHost({ ...options, dies: "before" } as typeof options, dying));
  const db = openReaderConnection(options);
  const store = createSqliteStore(writer, db, () => {
    db.close();
    return writer.close();
  });
  t.teardown(() => store.close());
  t.deepEqual(storeLiveness(store), []);
  await t.throwsAsync(store.run(issueTokens()), { message: /the writer's thread has stopped/ });
  t.deepEqual(storeLiveness(store), ["store-writer"]);
  await t.throwsAsync(store.probeWrite(), { message: /the writer's thread has stopped/ });
  const failedChecks = createReadiness({ checks: storeReadiness(store), monotonicClock: () => 0 });
  t.deepEqual(await failedChecks(), ["store-write"]);
});

async function fill(store: Store): Promise<void> {
  for (let round = 0; round < 1000; round++) {
    const outcome = await store.run(issueGrant(`grant ${round}`)).catch(() => "full");
    if (outcome === "full") return;
  }
  throw new Error("the file never became full");
}

test("a full database fails the write that nothing hangs on, and no longer when there is room again", async (t) => {
  const { path, tamper } = await makeStoreFile(t);
  const store = await openSqliteStore({ path, maxPageCount: 60 });
  t.teardown(() => store.close());
  await store.run(twoServices());
  await store.probeWrite();
  await fill(store);
  await t.throwsAsync(store.probeWrite(), { message: /the disk or the database is full/ });
  await store.checkSchema();
  tamper("DELETE FROM access_token; DELETE FROM refresh_token; DELETE FROM token_grant");
  await store.probeWrite();
});

test("a store that is closed is neither readable nor writable", async (t) => {
  const { path } = await makeStoreFile(t);
  const store = await openSqliteStore({ path });
  await store.close();
  await t.throwsAsync(store.checkSchema(), { message: /closed/ });
  await t.throwsAsync(store.probeWrite(), { message: /closed/ });
});

/** A check that is as it is told, and counts how often it was run. */
function counted(name: string, holds: () => boolean | Promise<void>) {
  const check = {
    name,
    runs: 0,
    check(): void | Promise<void> {
      check.runs++;
      const outcome = holds();
      if (outcome === false) throw new Error(`${name} does not hold`);
      return outcome === true ? undefined : outcome;
    },
  };
  return check;
}

test("the names of the failed checks come in their order, whatever they throw or reject with", async (t) => {
  const checks = [
    counted("a", () => false),
    counted("b", () => true),
    counted("c", () => Promise.reject(new Error("no"))),
    counted("d", () => Promise.resolve()),
    // eslint-disable-next-line @typescript-eslint/prefer-promise-reject-errors -- a check may be anyone's
    counted("e", () => Promise.reject(undefined)),
  ];
  t.deepEqual(await createReadiness({ checks, monotonicClock: () => 0 })(), ["a", "c", "e"]);
  t.deepEqual(await createReadiness({ checks: [], monotonicClock: () => 0 })(), []);
});

test("a thousand requests within a second run each check once, and so in each second that follows", async (t) => {
  let now = 5;
  let holds = true;
  const checks = [counted("sync", () => holds), counted("async", () => Promise.resolve())];
  const failedChecks = createReadiness({ checks, monotonicClock: () => now });
  const ask = () => Promise.all(Array.from({ length: 1000 }, () => failedChecks()));
  t.true((await ask()).every((names) => names.length === 0));
  holds = false;
  now += 999;
  t.true(
    (await ask()).every((names) => names.length === 0),
    "the answer is kept for a second",
  );
  t.deepEqual(
    checks.map(({ runs }) => runs),
    [1, 1],
  );
  now += 1;
  t.true((await ask()).every((names) => names.join() === "sync"));
  t.deepEqual(
    checks.map(({ runs }) => runs),
    [2, 2],
  );
});

test("a check that does not answer in time counts as failed, and is not begun again before it has ended", async (t) => {
  let now = 0;
  let patience = new AbortController();
  const waits: number[] = [];
  let ends = Promise.withResolvers<undefined>();
  const slow = counted("slow", () => ends.promise);
  const quick = counted("quick", () => true);
  const failedChecks = createReadiness({
    checks: [slow, quick],
    monotonicClock: () => now,
    timeoutSignal(milliseconds) {
      waits.push(milliseconds);
      return patience.signal;
    },
  });
  const first = failedChecks();
  await new Promise(setImmediate);
  patience.abort();
  t.deepEqual(await first, ["slow"]);
  patience = new AbortController();
  for (let second = 1; second <= 100; second++) {
    now += 1000;
    t.deepEqual(await failedChecks(), ["slow"], "without waiting for it");
  }
  t.deepEqual([slow.runs, quick.runs], [1, 101]);
  ends.resolve(undefined);
  await ends.promise;
  await new Promise(setImmediate);
  now += 1000;
  t.deepEqual(await failedChecks(), []);
  t.is(slow.runs, 2);
  t.true(
    waits.every((milliseconds) => milliseconds < 1000),
    "Kubernetes gives a probe one second",
  );

  ends = Promise.withResolvers();
  now += 1000;
  const last = failedChecks();
  ends.reject(new Error("late"));
  t.deepEqual(await last, ["slow"]);
});

test("a change of the answer is logged once, with the reasons", async (t) => {
  let now = 0;
  let holds = true;
  const changes: (readonly FailedCheck[])[] = [];
  const failedChecks = createReadiness({
    checks: [counted("a", () => holds)],
    monotonicClock: () => now,
    onChange: (failed) => changes.push(failed),
  });
  for (const next of [true, true, false, false, true, true]) {
    holds = next;
    now += 1000;
    await failedChecks();
  }
  t.deepEqual(
    changes.map((failed) => failed.map(({ name, error }) => `${name}: ${(error as Error).message}`)),
    [["a: a does not hold"], []],
  );
});
