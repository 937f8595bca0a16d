import { once } from "node:events";
import { readdirSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { createServer } from "node:https";
import { type AddressInfo, connect } from "node:net";
import { connect as connectTls } from "node:tls";
import test, { type ExecutionContext } from "ava";
import { createLoginThrottle } from "../../examples/login-throttle.ts";
import { serverTimeouts } from "../../src/serving/server-timeouts.ts";
import type { ApiHooksCommands, BrokenApi, ApiEntry, ApiHook } from "./api-hooks-program.ts";
import { createSelfSigned } from "../support/certificates.ts";
import { collectGarbage } from "../support/collect-garbage.ts";
import { type BrokenResponse, brokenResponses, type Failure, failures } from "../support/failing-hooks.ts";
import { forkProgram } from "../support/forked-program.ts";

const entries: readonly ApiEntry[] = ["node", "node, upgrade", "express", "koa", "fastify"];

/** What the client gets when the hook fails: of those that decide something 500, of those that are only told their usual. */
const expected: Readonly<Record<ApiHook, { readonly token: "good" | "bad"; readonly outcomes: readonly Outcome[] }>> = {
  onDecision: { token: "good", outcomes: [200, 101] },
  onWarning: { token: "good", outcomes: [200, 101] },
  onRefusal: { token: "bad", outcomes: [401] },
  onError: { token: "good", outcomes: [500] },
  listener: { token: "good", outcomes: [500] },
  ask: { token: "good", outcomes: [500, 503] },
  // What is not `true` is no claim; the token is then shown to the other issuer.
  claims: { token: "good", outcomes: [500, 503, 200, 101] },
  certificate: { token: "good", outcomes: [500] },
  requirement: { token: "good", outcomes: [500] },
  issuer: { token: "good", outcomes: [500] },
};
type Outcome = number | "closed";

/** Sends one request on a connection of its own and waits for the status, or for the connection's end without one. */
async function ask(url: string, path: string, token: "good" | "bad", upgrade: boolean): Promise<Outcome> {
  const { hostname, port } = new URL(url);
  const socket = connect(Number(port), hostname);
  const lines = [`GET ${path} HTTP/1.1`, "Host: localhost", `Authorization: Bearer ${token}`];
  lines.push(...(upgrade ? ["Connection: Upgrade", "Upgrade: websocket"] : ["Connection: close"]), "", "");
  let received = "";
  socket.setEncoding("utf8").on("data", (text: string) => (received += text));
  socket.on("error", () => undefined);
  const closed = once(socket, "close");
  socket.write(lines.join("\r\n"));
  await closed;
  const status = /^HTTP\/1\.1 (\d{3}) /.exec(received)?.[1];
  return status === undefined ? "closed" : Number(status);
}

for (const entry of entries) {
  test(`no hook ends the process or keeps a client waiting, however it fails (${entry})`, async (t) => {
    const apis = new Map<string, BrokenApi & { hook: ApiHook; failure: Failure }>();
    for (const hook of Object.keys(expected) as ApiHook[]) {
      // Elsewhere they are the framework's.
      if ((hook === "onError" || hook === "listener") && !entry.startsWith("node")) continue;
      for (const failure of Object.keys(failures) as Failure[]) {
        // What the API's own code never answers is the API's own affair, and so is what it makes of its answer.
        const own = failure === "never ends" || failure.startsWith("answers");
        if (own && (hook === "listener" || hook === "onError")) continue;
        apis.set(`/${apis.size}`, { entry, hook, failure });
      }
    }
    const program = await forkProgram<ApiHooksCommands>(t, new URL("./api-hooks-program.ts", import.meta.url));
    const url = await program.tell("start", Object.fromEntries(apis));
    for (const [path, { hook, failure }] of apis) {
      const { token, outcomes } = expected[hook];
      const outcome = await ask(url, path, token, entry === "node, upgrade");
      t.true(outcomes.includes(outcome), `${hook} ${failure}: ${outcome}`);
    }
    t.deepEqual(await program.tell("escaped"), { uncaught: [], unhandled: [] });
  });

  if (entry === "node, upgrade") continue;
  test(`no response object ends the process or keeps a client waiting, whatever cannot be written (${entry})`, async (t) => {
    const apis = new Map<string, BrokenApi & { response: BrokenResponse; failure: Failure | undefined }>();
    for (const response of Object.keys(brokenResponses) as BrokenResponse[]) {
      apis.set(`/${apis.size}`, { entry, response, failure: undefined } as never);
      apis.set(`/${apis.size}`, { entry, response, hook: "requirement", failure: "throws" });
    }
    const program = await forkProgram<ApiHooksCommands>(t, new URL("./api-hooks-program.ts", import.meta.url));
    const url = await program.tell("start", Object.fromEntries(apis));
    for (const [path, { response, failure }] of apis) {
      const outcome = await ask(url, path, "bad", false);
      const begun = response.startsWith("another");
      t.true(
        (begun ? [200, 204, "closed"] : [401, 500, "closed"]).includes(outcome),
        `${response} ${failure}: ${outcome}`,
      );
    }
    t.deepEqual(await program.tell("escaped"), { uncaught: [], unhandled: [] });
  });
}

test("middleware for HTTP stands in front of WebSockets as engine.io calls it, and nobody gets past it", async (t) => {
  const program = await forkProgram<ApiHooksCommands>(t, new URL("./api-hooks-program.ts", import.meta.url));
  const url = await program.tell("start", {});
  for (const entry of ["express", "node"]) {
    for (const events of [true, false]) {
      const path = `/engine/${entry}/${events}`;
      t.is(await ask(url, `${path}/none`, "good", true), 101);
      t.is(await ask(url, `${path}/none`, "bad", true), "closed");
      for (const failure of ["throws", "throws-nothing", "throws-a-text"]) {
        t.is(await ask(url, `${path}/${failure}`, "good", true), "closed", `${path} ${failure}`);
      }
    }
  }
  t.deepEqual(await program.tell("escaped"), { uncaught: [], unhandled: [] });
});

function open() {
  let now = 1_800_000_000_000;
  const throttle = createLoginThrottle(() => now);
  return { ...throttle, pass: (seconds: number) => void (now += seconds * 1000) };
}

test("an address has a few free tries, then waits longer and longer, a quarter of an hour at the most", (t) => {
  const { begin, pass } = open();
  for (let at = 0; at < 5; at++) t.is(begin(`name-${at}`, "192.0.2.1"), 0);
  const waits: number[] = [];
  for (let at = 0; at < 14; at++) {
    const wait = begin(`other-${at}`, "192.0.2.1");
    waits.push(wait);
    pass(wait);
    t.is(begin(`another-${at}`, "192.0.2.1"), 0);
  }
  t.deepEqual(waits.slice(0, 5), [1, 2, 4, 8, 16]);
  t.is(waits.at(-1), 900);
  t.is(begin("name", "192.0.2.2"), 0);
});

test("many addresses guess at one name no faster than one, and the owner's own address never waits", (t) => {
  const { begin, succeeded, pass } = open();
  t.is(begin("alice", "192.0.2.1"), 0);
  succeeded("alice", "192.0.2.1");
  let guesses = 0;
  for (let second = 0; second < 600; second++) {
    for (let at = 0; at < 10; at++)
      if (begin("alice", `198.51.100.${(second * 10 + at) % 250}-${second}`) === 0) guesses += 1;
    pass(1);
  }
  t.true(guesses < 40, String(guesses));
  t.is(begin("alice", "192.0.2.1"), 0);
  succeeded("alice", "192.0.2.1");
  t.true(begin("alice", "203.0.113.1") <= 30);
});

test("guesses at other names from an owner's address do not delay the owner; a success ends the count", (t) => {
  const { begin, succeeded } = open();
  begin("alice", "192.0.2.1");
  succeeded("alice", "192.0.2.1");
  for (let at = 0; at < 50; at++) begin(`name-${at}`, "192.0.2.1");
  for (let at = 0; at < 4; at++) t.is(begin("alice", "192.0.2.1"), 0);
  succeeded("alice", "192.0.2.1");
  for (let at = 0; at < 4; at++) t.is(begin("alice", "192.0.2.1"), 0);
});

test("a name takes the same room however long it is", async (t) => {
  const { begin } = open();
  await collectGarbage();
  const before = process.memoryUsage().heapUsed;
  for (let at = 0; at < 1000; at++) begin(`${at}`.padEnd(60_000, "x"), `192.0.2.${at}`);
  await collectGarbage();
  t.true(process.memoryUsage().heapUsed - before < 10_000_000);
  begin("", undefined);
});

const identity = createSelfSigned({ subject: "CN=localhost" });
const examples = new URL("../../examples/", import.meta.url);

/** A server with the same members and shorter times, long enough for a busy machine to send what it is to be cut off in. */
async function serve(
  t: ExecutionContext,
  moments: Partial<Record<keyof typeof serverTimeouts, number>>,
): Promise<number> {
  const server = createServer({ cert: identity.pem, key: identity.key, ...serverTimeouts, ...moments });
  server.on("request", (request, response) => {
    request.resume().once("end", () => response.writeHead(204).end());
  });
  server.on("tlsClientError", () => undefined);
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  t.teardown(() => server.close());
  return (server.address() as AddressInfo).port;
}

const moment = 500;

for (const [what, sent, received, moments] of [
  ["half a header", "GET / HTTP/1.1\r\nHost:", 408, { headersTimeout: moment }],
  [
    "half a body",
    "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nhalf",
    408,
    { headersTimeout: moment, requestTimeout: moment },
  ],
  ["an idle connection", "GET / HTTP/1.1\r\nHost: a\r\n\r\n", 204, { keepAliveTimeout: moment }],
] as const) {
  test(`a client that leaves it at ${what} gets ${received}, and its connection is closed`, async (t) => {
    const port = await serve(t, { ...moments, connectionsCheckingInterval: 50 });
    const socket = connectTls({ host: "127.0.0.1", port, rejectUnauthorized: false });
    let text = "";
    socket.setEncoding("utf8").on("data", (chunk: string) => (text += chunk));
    await once(socket, "secureConnect");
    socket.write(sent);
    await once(socket, "close");
    t.regex(text, new RegExp(`^HTTP/1\\.1 ${received} `));
    t.is(text.match(/HTTP\/1\.1/g)?.length, 1);
  });
}

test("half a handshake is cut off without a word", async (t) => {
  const handshake = connect(await serve(t, { handshakeTimeout: moment }), "127.0.0.1");
  let octets = 0;
  handshake.on("data", (chunk) => (octets += chunk.length));
  handshake.write(Buffer.from([22, 3, 1]));
  await new Promise((resolve) => handshake.on("error", () => undefined).once("close", resolve));
  t.is(octets, 0);
});

test("no limit is longer than 75 seconds, and each is one", (t) => {
  t.true(Object.values(serverTimeouts).every((milliseconds) => milliseconds > 0 && milliseconds <= 75_000));
});

for (const name of readdirSync(examples)) {
  if (!name.endsWith(".ts")) continue;
  test(`every server of examples/${name} has the timeouts`, async (t) => {
    const text = (await readFile(new URL(name, examples), "utf8")).replaceAll(/^import .*$/gm, "");
    const servers = [...text.matchAll(/\b(?:create[A-Za-z]*Server|fastify)\((?!\{ baseUrl)([^]*?\n\S)/g)].filter(
      ([call]) => !call.startsWith("createResourceServer") && !call.startsWith("createWebSocketServer"),
    );
    for (const [call = ""] of servers) t.regex(call, /serverTimeouts|\.\.\.tls|^createServer\(\n {2}tls,/, call);
    if (text.includes("...tls")) t.regex(text, /const tls = \{[^}]*\.\.\.serverTimeouts/);
    t.pass();
  });
}
