import { spawn } from "node:child_process";
import { once } from "node:events";
import { access, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { Agent } from "node:http";
import { request as httpsRequest } from "node:https";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connect as connectTls, type ConnectionOptions } from "node:tls";
import test, { type ExecutionContext } from "ava";
import { listen } from "../../../src/backend/http/listen.ts";
import { createSelfSigned } from "../../support/certificates.ts";
import { call, startApp, v3 } from "./running-app.ts";

const never = new AbortController().signal;
const introspection = v3("/auth/introspection", { token: "abc" });

/** An app whose introspection waits to be let go. */
async function startHeldApp(t: ExecutionContext, expected: number) {
  const reached = Promise.withResolvers<undefined>();
  const letGo = Promise.withResolvers<undefined>();
  let held = 0;
  const app = await startApp(t, {
    operations: {
      authIntrospection: async () => {
        if (++held === expected) reached.resolve(undefined);
        await letGo.promise;
        return { resultCode: "A056001", resultMessage: "[A056001] Valid.", action: "OK" };
      },
    },
  });
  return { ...app, reached: reached.promise, letGo: letGo.resolve.bind(undefined, undefined) };
}

test("on close, pending requests are answered with Connection: close, and new connections are refused", async (t) => {
  const { listening, call, reached, letGo } = await startHeldApp(t, 20);
  const agent = new Agent({ keepAlive: true });
  const answers = Array.from({ length: 20 }, (_, index) =>
    call({ ...introspection, ...(index % 2 === 0 && { agent }) }),
  );
  await reached;
  let closed = false;
  const closing = listening.close(never).then(() => (closed = true));
  const refused = await t.throwsAsync(call({ path: "/api/info" }));
  t.is((refused as NodeJS.ErrnoException).code, "ECONNREFUSED");
  t.false(closed);
  letGo();
  for (const { status, headers } of await Promise.all(answers)) {
    t.deepEqual([status, headers["connection"]], [200, "close"]);
  }
  await closing;
  t.deepEqual(agent.freeSockets, {});
});

test("before close, connections live on", async (t) => {
  const { call } = await startApp(t);
  const agent = new Agent({ keepAlive: true });
  const answer = await call({ path: "/api/info", agent });
  t.is(answer.headers["connection"], "keep-alive");
  agent.destroy();
});

test("on close, a connection between two requests ends, and so does one that never said anything", async (t) => {
  const { listening } = await startApp(t);
  const address = { host: "127.0.0.1", port: listening.address.port ?? 0 };
  const used = connect(address);
  used.write("GET /api/lifecycle/healthcheck HTTP/1.1\r\nhost: backend\r\n\r\n");
  await once(used, "data");
  const silent = connect(address);
  await once(silent, "connect");
  // The silent one was accepted before this request was.
  await call(address, { path: "/api/info" });
  const ended = Promise.all([once(used, "close"), once(silent, "close")]);
  for (const socket of [used, silent]) socket.on("error", () => undefined).resume();
  await listening.close(never);
  await ended;
  t.pass();
});

test("a request that comes on a living connection right after close has begun is answered, as its last", async (t) => {
  const { listening, call } = await startApp(t);
  const agents = Array.from({ length: 10 }, () => new Agent({ keepAlive: true }));
  for (const agent of agents) await call({ path: "/api/info", agent });
  const closing = listening.close(never);
  const answers = await Promise.all(agents.map((agent) => call({ path: "/api/info", agent })));
  for (const { status, headers } of answers) t.deepEqual([status, headers["connection"]], [200, "close"]);
  await closing;
});

test("a request that is pending at the deadline is cut off", async (t) => {
  const { listening, call, reached, letGo } = await startHeldApp(t, 1);
  const answer = call(introspection);
  await reached;
  const deadline = new AbortController();
  const closing = listening.close(deadline.signal);
  deadline.abort();
  await closing;
  const error = await t.throwsAsync(answer);
  t.is((error as NodeJS.ErrnoException).code, "ECONNRESET");
  letGo();
});

test("closing twice, the second time with a deadline that has passed, ends at once", async (t) => {
  const { listening, call, reached, letGo } = await startHeldApp(t, 1);
  const answer = t.throwsAsync(call(introspection));
  await reached;
  const first = listening.close(never);
  await listening.close(AbortSignal.abort());
  await first;
  await answer;
  letGo();
});

test("a port that is taken is the system's error", async (t) => {
  const { listening } = await startApp(t);
  const error = await t.throwsAsync(listen(() => undefined, { host: "127.0.0.1", port: listening.address.port ?? 0 }));
  t.is((error as NodeJS.ErrnoException).code, "EADDRINUSE");
});

async function temporaryFolder(t: ExecutionContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "certbound-"));
  t.teardown(() => rm(folder, { recursive: true }));
  return folder;
}

test("a unix socket is served, and gone after close", async (t) => {
  const unix = join(await temporaryFolder(t), "backend.sock");
  const listening = await listen((_, response) => response.end("here"), { unix });
  t.deepEqual(listening.address, { url: `unix:${unix}`, port: undefined });
  t.is((await call({ socketPath: unix }, { path: "/" })).text, "here");
  await listening.close(never);
  await t.throwsAsync(access(unix));
});

test("the socket of a process that was killed is taken over; one that is served or a file is not", async (t) => {
  const unix = join(await temporaryFolder(t), "backend.sock");
  const program = `require("node:net").createServer().listen(${JSON.stringify(unix)}, () => console.log("up"))`;
  const killed = spawn(process.execPath, ["-e", program], { stdio: ["ignore", "pipe", "inherit"] });
  await once(killed.stdout, "data");
  killed.kill("SIGKILL");
  await once(killed, "exit");
  await access(unix);
  const listening = await listen((_, response) => response.end("ours"), { unix });
  const taken = await t.throwsAsync(listen(() => undefined, { unix }));
  t.is((taken as NodeJS.ErrnoException).code, "EADDRINUSE");
  t.is((await call({ socketPath: unix }, { path: "/" })).text, "ours");
  await listening.close(never);

  await writeFile(unix, "a file");
  await t.throwsAsync(listen(() => undefined, { unix }));
  t.is(await readFile(unix, "utf8"), "a file");
});

async function listenWithTls(t: ExecutionContext) {
  const { pem, key } = createSelfSigned({ subject: "CN=localhost" });
  const listening = await listen((_, response) => response.end("secret"), {
    host: "127.0.0.1",
    port: 0,
    tls: { certificate: pem, key },
  });
  t.teardown(() => listening.close(AbortSignal.abort()));
  return { listening, to: { host: "127.0.0.1", port: listening.address.port ?? 0, ca: pem, servername: "localhost" } };
}

async function handshake(options: ConnectionOptions): Promise<string | null> {
  const socket = connectTls({ checkServerIdentity: () => undefined, ...options });
  try {
    await once(socket, "secureConnect");
    return socket.getProtocol();
  } finally {
    socket.destroy();
  }
}

test("with a certificate it is HTTPS, of 1.2 and 1.3 and not below", async (t) => {
  const { listening, to } = await listenWithTls(t);
  t.regex(listening.address.url, /^https:/);
  for (const version of ["TLSv1.2", "TLSv1.3"] as const) {
    t.is(await handshake({ ...to, minVersion: version, maxVersion: version }), version);
  }
  const old = { minVersion: "TLSv1.1", maxVersion: "TLSv1.1", ciphers: "DEFAULT@SECLEVEL=0" } as const;
  const error = await t.throwsAsync(handshake({ ...to, ...old }));
  t.regex((error as NodeJS.ErrnoException).code ?? "", /^ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION$/);
});

test("a client that asks to renegotiate is refused", async (t) => {
  const { to } = await listenWithTls(t);
  const socket = connectTls({ ...to, maxVersion: "TLSv1.2", checkServerIdentity: () => undefined });
  await once(socket, "secureConnect");
  const errors: (string | undefined)[] = [];
  socket.on("error", ({ code }: NodeJS.ErrnoException) => errors.push(code));
  const closed = new Promise((resolve) => socket.once("close", resolve));
  socket.renegotiate({}, () => socket.destroy());
  await closed;
  t.is(errors[0], "ERR_SSL_NO_RENEGOTIATION");
});

test("over TLS, too, pending requests are answered at close", async (t) => {
  const { pem, key } = createSelfSigned({ subject: "CN=localhost" });
  const reached = Promise.withResolvers<() => void>();
  const listening = await listen(
    (_, response) => {
      reached.resolve(() => response.end("done"));
    },
    { host: "127.0.0.1", port: 0, tls: { certificate: pem, key } },
  );
  const request = httpsRequest({
    host: "127.0.0.1",
    port: listening.address.port,
    ca: pem,
    checkServerIdentity: () => undefined,
    agent: false,
  }).end();
  const answered = once(request, "response");
  const respond = await reached.promise;
  const closing = listening.close(never);
  respond();
  const [response] = (await answered) as [{ statusCode: number; resume(): void }];
  t.is(response.statusCode, 200);
  response.resume();
  await closing;
});
