import { once } from "node:events";
import { readFile, readdir } from "node:fs/promises";
import { request as plainRequest, type ClientRequest, type IncomingMessage } from "node:http";
import { request } from "node:https";
import { connect, type Socket } from "node:net";
import { dirname, join } from "node:path";
import test from "ava";
import { authorityPem, configuration, env, writeConfiguration } from "./a-folder.ts";
import { startCertbound, type Certbound } from "./run-certbound.ts";

const credentials = Buffer.from(`1004:${env["CERTBOUND_API_SECRET"] ?? ""}`).toString("base64");

const isListening = (line: Readonly<Record<string, unknown>>): boolean => line["msg"] === "listening";

async function urlOf(certbound: Certbound): Promise<string> {
  const { listening } = await certbound.line(isListening);
  return listening as string;
}

for (const signal of ["SIGTERM", "SIGINT"] as const) {
  test(`serve logs its address, answers, and ends with 0 on ${signal}`, async (t) => {
    const certbound = startCertbound(t, ["serve", "--config", await writeConfiguration(t)]);
    const url = await urlOf(certbound);
    t.regex(url, /^http:\/\/127\.0\.0\.1:[1-9][0-9]*$/);
    const answer = await fetch(`${url}/api/lifecycle/healthcheck`);
    t.is(answer.status, 200);
    await answer.text();
    certbound.kill(signal);
    const { code, stderr } = await certbound.ended();
    t.is(code, 0);
    t.is(stderr, "");
    await t.throwsAsync(fetch(`${url}/api/lifecycle/healthcheck`));
  });
}

test("serve speaks TLS itself if the configuration says so, with at least the version that it names", async (t) => {
  const tls = "tls: { certificate: { file: server.pem }, key: { file: server.key }, minVersion: TLSv1.3 }";
  const text = configuration.replace("port: 0 }", `port: 0, ${tls} }`);
  const certbound = startCertbound(t, ["serve", "--config", await writeConfiguration(t, text)]);
  const url = await urlOf(certbound);
  t.regex(url, /^https:\/\/127\.0\.0\.1:[1-9][0-9]*$/);
  t.is(await statusOf(request(`${url}/api/lifecycle/healthcheck`, { ca: authorityPem })), 200);
  const old = request(`${url}/api/lifecycle/healthcheck`, { ca: authorityPem, maxVersion: "TLSv1.2" });
  await t.throwsAsync(statusOf(old), { message: /protocol version/ });
  certbound.kill("SIGTERM");
  t.is((await certbound.ended()).code, 0);
});

test("serve listens on a unix socket beside its configuration, and removes it at the end", async (t) => {
  const text = configuration.replace("{ host: 127.0.0.1, port: 0 }", "{ unix: certbound.sock }");
  const path = await writeConfiguration(t, text);
  const socketPath = join(dirname(path), "certbound.sock");
  const certbound = startCertbound(t, ["serve", "--config", path]);
  t.is(await urlOf(certbound), `unix:${socketPath}`);
  t.is(await statusOf(plainRequest({ socketPath, path: "/api/lifecycle/healthcheck" })), 200);
  certbound.kill("SIGTERM");
  t.is((await certbound.ended()).code, 0);
  t.false((await readdir(dirname(path))).includes("certbound.sock"));
});

test("the address is logged at every level but silent", async (t) => {
  const path = await writeConfiguration(t, `${configuration}log: { level: error }\n`);
  const certbound = startCertbound(t, ["serve", "--config", path]);
  t.regex(await urlOf(certbound), /^http:/);
  certbound.kill("SIGTERM");
  const { code, stdout } = await certbound.ended();
  t.is(code, 0);
  t.is(stdout.trim().split("\n").length, 1);
});

test("a pending request is answered before serve stops", async (t) => {
  const certbound = startCertbound(t, ["serve", "--config", await writeConfiguration(t)]);
  const { socket, finish } = await halfARequest(await urlOf(certbound));
  certbound.kill("SIGTERM");
  await certbound.line((line) => line["msg"] === "stopping");
  const answer: Buffer[] = [];
  socket.on("data", (octets: Buffer) => answer.push(octets));
  finish();
  await once(socket, "close");
  t.regex(Buffer.concat(answer).toString(), /^HTTP\/1\.1 200 [^]*"resultCode"/);
  t.is((await certbound.ended()).code, 0);
});

test("a second signal ends serve at once, also with pending requests", async (t) => {
  const certbound = startCertbound(t, ["serve", "--config", await writeConfiguration(t)]);
  const { socket } = await halfARequest(await urlOf(certbound));
  socket.on("error", () => undefined);
  certbound.kill("SIGTERM");
  await certbound.line((line) => line["msg"] === "stopping");
  certbound.kill("SIGTERM");
  t.is((await certbound.ended()).code, 143);
  socket.destroy();
});

test("no secret of the configuration is written to the log, to standard error or to the store", async (t) => {
  const path = await writeConfiguration(t, `${configuration}log: { level: trace }\n`);
  const certbound = startCertbound(t, ["serve", "--config", path]);
  const url = await urlOf(certbound);
  const answer = await fetch(`${url}/api/auth/introspection`, {
    method: "POST",
    headers: { authorization: `Basic ${credentials}`, "content-type": "application/json" },
    body: JSON.stringify({ token: "the-token-that-is-asked-about" }),
  });
  t.is(answer.status, 200);
  await answer.text();
  certbound.kill("SIGTERM");
  const { code, stdout, stderr } = await certbound.ended();
  t.is(code, 0);
  const store = await readFile(join(dirname(path), "store.db"), "latin1");
  for (const written of [stdout, stderr, store]) {
    t.false(written.includes("the-api-secret"));
    t.false(written.includes(credentials));
    t.false(written.includes("07".repeat(32)));
    t.false(written.includes("the-token-that-is-asked-about"));
  }
});

async function statusOf(asked: ClientRequest): Promise<number | undefined> {
  asked.end();
  const [answer] = (await once(asked, "response")) as [IncomingMessage];
  answer.resume();
  await once(answer, "end");
  return answer.statusCode;
}

/** A request whose head the server has read, and all of whose body is sent but the last octet. */
async function halfARequest(url: string): Promise<{ socket: Socket; finish: () => void }> {
  const { hostname, port } = new URL(url);
  const socket = connect(Number(port), hostname);
  await once(socket, "connect");
  const body = JSON.stringify({ token: "unknown" });
  const head = [
    "POST /api/auth/introspection HTTP/1.1",
    "Host: backend",
    `Authorization: Basic ${credentials}`,
    "Content-Type: application/json",
    `Content-Length: ${body.length}`,
    // The server's "100 Continue" shows that it has read the head.
    "Expect: 100-continue",
  ];
  socket.write(`${head.join("\r\n")}\r\n\r\n`);
  const [first] = (await once(socket, "data")) as [Buffer];
  if (!/^HTTP\/1\.1 100 Continue\r\n\r\n$/.test(first.toString()))
    throw new Error(`the server said: ${first.toString()}`);
  socket.write(body.slice(0, -1));
  return { socket, finish: () => void socket.write(body.slice(-1)) };
}
