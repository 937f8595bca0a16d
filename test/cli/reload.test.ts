import { generateKeyPairSync, X509Certificate } from "node:crypto";
import { once } from "node:events";
import { rename, writeFile } from "node:fs/promises";
import { Agent } from "node:https";
import { dirname, join } from "node:path";
import { connect, type ConnectionOptions, type TLSSocket } from "node:tls";
import test, { type ExecutionContext } from "ava";
import { createKeyPair } from "../support/certificates.ts";
import { issueServerCertificate, writeConfiguration } from "./a-folder.ts";
import { beginRequest } from "./request-under-way.ts";
import { startCertbound, type Certbound, type LogLine } from "./run-certbound.ts";
import { callApi, isActive, secretClients, tokenOf } from "./secret-clients.ts";

const tls = "port: 0, tls: { certificate: { file: server.pem }, key: { file: server.key } }";
const reloaded = ({ msg }: LogLine): boolean => msg === "reloaded";
const notReloaded = (reason: RegExp) => (line: LogLine) =>
  line["msg"] === "not reloaded" && reason.test(String(line["reason"]));

async function start(t: ExecutionContext, text: string) {
  const path = await writeConfiguration(t, text);
  const certbound = startCertbound(t, ["serve", "--config", path]);
  const { listening, pid } = await certbound.line(({ msg }) => msg === "listening");
  /** As an editor or a deployment does it: never half a file. */
  const put = async (content: string, name = "backend.yaml"): Promise<void> => {
    await writeFile(join(dirname(path), "new"), content);
    await rename(join(dirname(path), "new"), join(dirname(path), name));
  };
  return { path, certbound, url: listening as string, pid, put };
}

async function stop(t: ExecutionContext, certbound: Certbound): Promise<string> {
  certbound.kill("SIGTERM");
  const { code, stdout, stderr } = await certbound.ended();
  t.deepEqual({ code, stderr }, { code: 0, stderr: "" });
  return stdout;
}

/** A new handshake: what was presented, and the session to resume. */
async function handshake(url: string, options: ConnectionOptions = {}) {
  const { hostname, port } = new URL(url);
  const socket = connect({ ...options, host: hostname, port: Number(port), rejectUnauthorized: false });
  // TLS 1.3 tickets come behind the handshake.
  const [session] = await Promise.all([once(socket, "session") as Promise<[Buffer]>, once(socket, "secureConnect")]);
  const presented = socket.getPeerX509Certificate()?.fingerprint256;
  const reused = socket.isSessionReused();
  socket.destroy();
  return { presented, reused, session: session[0] };
}

const introspection = { parameters: "token=unknown" };

test("SIGHUP takes over a configuration and a certificate, and no connection under load is lost", async (t) => {
  const { certbound, url, pid, put } = await start(t, secretClients({ listen: tls, clients: [1] }));
  const before = await handshake(url);
  const sockets = new Set<TLSSocket>();
  let stopLoad = false;
  const answered: number[] = [];
  async function load(index: number): Promise<void> {
    const agent = new Agent({ keepAlive: true, maxSockets: 1, rejectUnauthorized: false });
    agent.on("free", (socket: TLSSocket) => sockets.add(socket));
    while (!stopLoad) {
      const { resultCode } = await callApi(url, "/auth/introspection/standard", introspection, { agent });
      if (resultCode !== "A145001") throw new Error(String(resultCode));
      answered[index] = (answered[index] ?? 0) + 1;
    }
    agent.destroy();
  }
  const running = Array.from({ length: 8 }, (_, index) => load(index));
  const requests = async (): Promise<void> => {
    const from = [...answered];
    while (running.some((_, index) => (answered[index] ?? 0) < (from[index] ?? 0) + 2)) {
      await Promise.race([...running, callApi(url, "/auth/introspection/standard", introspection)]);
    }
  };
  await requests();

  const next = issueServerCertificate();
  await put(next.pem, "server.pem");
  await put(next.key, "server.key");
  await put(secretClients({ listen: tls, clients: [1, 2] }));
  process.kill(pid as number, "SIGHUP");
  const { changes, level } = await certbound.line(reloaded);
  t.deepEqual(changes, ["changes listen.tls: certificate, key", 'adds client 1004/2 "client-2"']);
  t.is(level, "info");
  await requests();
  stopLoad = true;
  await Promise.all(running);
  t.is(sockets.size, running.length, "each client had one connection from the beginning to the end");

  const after = await handshake(url);
  t.is(after.presented, new X509Certificate(next.pem).fingerprint256);
  t.not(after.presented, before.presented);
  const resumed = await handshake(url, { session: before.session });
  t.deepEqual([resumed.presented, resumed.reused], [after.presented, false], "a former session is not resumed");
  t.notRegex(await tokenOf(url, 2), /^A\d{6}$/);
  await t.throwsAsync(handshake(url, { maxVersion: "TLSv1.1", minVersion: "TLSv1" }));
  await stop(t, certbound);
});

test("a refused reload changes nothing, and the log has the reason", async (t) => {
  const text = (of: Partial<Parameters<typeof secretClients>[0]> = {}) =>
    secretClients({ listen: tls, clients: [1, 2], ...of }).replace("env: CERTBOUND_SECRET_KEY", "file: secret.key");
  const path = await writeConfiguration(t, text());
  const folder = dirname(path);
  await writeFile(join(folder, "secret.key"), "07".repeat(32));
  const certbound = startCertbound(t, ["serve", "--config", path]);
  const url = (await certbound.line(({ msg }) => msg === "listening"))["listening"] as string;
  const token = await tokenOf(url, 1);
  const { presented } = await handshake(url);
  const weak = issueServerCertificate(generateKeyPairSync("rsa", { modulusLength: 1024 }));
  await writeFile(join(folder, "weak.pem"), weak.pem);
  await writeFile(join(folder, "weak.key"), weak.key);
  await writeFile(join(folder, "other.key"), createKeyPair().privateKey.export({ type: "pkcs8", format: "pem" }));
  await writeFile(join(folder, "other-secret.key"), "08".repeat(32));

  const restart = (member: string) => new RegExp(`${member} has changed, and only a restart can apply that`);
  const other = 'adds client 1004/3 "client-3"';
  const more = { clients: [1, 2, 3] };
  const slips: readonly (readonly [text: string, reason: RegExp])[] = [
    ["a: [", /line 1, column 5/],
    [text({ clients: [1, 2, 2] }), /clients\[2\]\.clientId is the same/],
    [text({ clients: [2, 3] }), /leave out client 1004\/1 "client-1", and 1 live token would end for good/],
    [text({ ...more, listen: tls.replace("port: 0", "port: 1") }), restart("listen")],
    [text({ ...more, listen: "port: 0" }), restart("configuration: listen")],
    [text(more).replace("store.db", "other.db"), restart("store.sqlite")],
    [text(more).replace("secret.key", "other-secret.key"), restart("secretKey")],
    [text({ ...more, more: "log: { format: text }\n" }), restart("log.format")],
    [
      text({ ...more, listen: tls.replace("port: 0", "port: 2") }).replace("secret.key", "other-secret.key"),
      /2 problems\n {2}listen has changed[^]*\n {2}secretKey has changed/,
    ],
    [text(more).replace("server.key", "other.key"), /listen\.tls\.key is not the key of listen\.tls\.certificate/],
    [
      text(more).replace("server.pem", "weak.pem").replace("server.key", "weak.key"),
      /listen\.tls cannot be used: OpenSSL/,
    ],
    [text(more).replace("server.pem", "missing.pem"), /listen\.tls\.certificate cannot be read from .* \(ENOENT\)/],
  ];
  for (const [slip, reason] of slips) {
    await writeFile(path, slip);
    certbound.kill("SIGHUP");
    const line = await certbound.line(notReloaded(reason));
    t.is(line["level"], "error");
    t.true(await isActive(url, token), String(reason));
    t.is(await tokenOf(url, 3), "A244306", "no client was added");
    t.is((await handshake(url)).presented, presented);
  }
  await writeFile(path, text(more));
  certbound.kill("SIGHUP");
  t.deepEqual((await certbound.line(reloaded))["changes"], [other]);
  const stdout = await stop(t, certbound);
  t.false(stdout.includes(token));
  t.notRegex(stdout, /the-secret-of-client-c|BEGIN|0707|0808/);
});

test("a reload removes a client whose tokens were revoked, and applies the log level", async (t) => {
  const { certbound, url, put } = await start(t, secretClients({ clients: [1, 2], more: "log: { level: error }\n" }));
  await tokenOf(url, 1);
  await callApi(url, "/auth/token/revoke", { clientIdentifier: "1" });
  await put(secretClients({ clients: [2] }));
  certbound.kill("SIGHUP");
  t.deepEqual((await certbound.line(reloaded))["changes"], [
    "changes log.level: info",
    'removes client 1004/1 "client-1", which has no live tokens',
  ]);
  t.is(await tokenOf(url, 1), "A244306");
  t.regex(await stop(t, certbound), /"msg":"stopping".*\n.*"msg":"stopped"/);
});

test("SIGHUP during a stop has no effect: pending requests are answered, the exit code is 0", async (t) => {
  const { certbound, url, put } = await start(t, secretClients({ clients: [1] }));
  const request = await beginRequest(url);
  certbound.kill("SIGTERM");
  await certbound.line(({ msg }) => msg === "stopping");
  await put(secretClients({ clients: [] }));
  for (let index = 0; index < 5; index++) certbound.kill("SIGHUP");
  t.regex(await request.finish(), /^HTTP\/1\.1 200 /);
  const { code, stdout } = await certbound.ended();
  t.is(code, 0);
  t.notRegex(stdout, /reloaded/);
});
