/**
 * What the HTTP layer costs beside bare node:http: run with `node --conditions=certbound-source bench/http.ts`.
 *
 * Each server is a process of its own and answers the same introspection request; the operation behind it does
 * nothing. The ratios of one run count, with 15 % for noise, and processor time more than requests per second.
 */
import { fork, type ChildProcess } from "node:child_process";
import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { createServer, type RequestListener } from "node:http";
import { connect, type AddressInfo } from "node:net";
import { setTimeout as wait } from "node:timers/promises";
import { createHttpApp } from "../src/backend/http/create-http-app.ts";
import { createLog } from "../src/backend/http/create-log.ts";
import type { ServiceOperations } from "../src/backend/http/http-dependencies.ts";
import { authIntrospection } from "../src/contract/auth-introspection.ts";

const { response } = authIntrospection.example;
const request = JSON.stringify({ token: "x".repeat(43), scopes: ["read"], clientCertificate: "y".repeat(1363) });

const bare: RequestListener = (incoming, outgoing) => {
  const chunks: Buffer[] = [];
  incoming.on("data", (chunk: Buffer) => chunks.push(chunk));
  incoming.on("end", () => {
    JSON.parse(Buffer.concat(chunks).toString());
    const body = JSON.stringify(response);
    outgoing.writeHead(200, { "Content-Type": "application/json", "Content-Length": Buffer.byteLength(body) });
    outgoing.end(body);
  });
};

function app(level: "info" | "silent"): RequestListener {
  const nothing = (): Promise<never> => Promise.reject(new Error("not measured"));
  const operations: ServiceOperations = {
    authToken: nothing,
    authIntrospection: () => Promise.resolve(response),
    authIntrospectionStandard: nothing,
    authRevocation: nothing,
  };
  return createHttpApp({
    operationsFor: () => Promise.resolve(operations),
    info: nothing,
    log: createLog({ level, stream: { write: () => undefined } }),
    newRequestId: randomUUID,
    monotonicClock: () => performance.now(),
  });
}

const servers: Readonly<Record<string, () => RequestListener>> = {
  "node:http": () => bare,
  "the app": () => app("info"),
  "the app, log silent": () => app("silent"),
};

interface Reading {
  readonly requests: number;
  /** Microseconds of the server's processor time. */
  readonly processor: number;
}

async function serve(name: string): Promise<void> {
  let requests = 0;
  let since = process.cpuUsage();
  const server = createServer(servers[name]?.());
  server.on("request", () => requests++);
  process.on("message", () => {
    const { user, system } = process.cpuUsage(since);
    process.send?.({ requests, processor: user + system } satisfies Reading);
    requests = 0;
    since = process.cpuUsage();
  });
  await once(server.listen(0, "127.0.0.1"), "listening");
  process.send?.((server.address() as AddressInfo).port);
}

async function read(server: ChildProcess): Promise<Reading> {
  server.send("read");
  return ((await once(server, "message")) as [Reading])[0];
}

/** Keeps 32 connections busy, one request at a time on each, until the function that it answers is called. */
function load(port: number): () => void {
  const octets = [
    "POST /api/3693555439/auth/introspection HTTP/1.1",
    "Host: 127.0.0.1",
    `Authorization: Bearer ${"z".repeat(43)}`,
    "Accept: application/json",
    "Content-Type: application/json",
    `Content-Length: ${Buffer.byteLength(request)}`,
    "",
    request,
  ].join("\r\n");
  const sockets = Array.from({ length: 32 }, () => {
    const socket = connect({ host: "127.0.0.1", port, noDelay: true });
    socket.on("data", (answer) => {
      if (!answer.toString("latin1").startsWith("HTTP/1.1 200 ")) throw new Error("not answered 200");
      socket.write(octets);
    });
    socket.write(octets);
    return socket;
  });
  return () => {
    for (const socket of sockets) socket.destroy();
  };
}

async function measure(name: string): Promise<{ perSecond: number; perRequest: number }> {
  const seconds = 3;
  const server = fork(import.meta.filename, [name]);
  try {
    const [port] = (await once(server, "message")) as [number];
    const stop = load(port);
    await wait(5000);
    await read(server);
    await wait(seconds * 1000);
    const { requests, processor } = await read(server);
    stop();
    return { perSecond: requests / seconds, perRequest: processor / requests };
  } finally {
    server.kill();
  }
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1] ?? Number.NaN;
}

const [name] = process.argv.slice(2);
if (name !== undefined) {
  await serve(name);
} else {
  const names = Object.keys(servers);
  const runs = new Map(names.map((server) => [server, [] as Awaited<ReturnType<typeof measure>>[]]));
  for (const round of [0, 1, 2]) {
    for (const server of round === 1 ? names.toReversed() : names) runs.get(server)?.push(await measure(server));
  }
  const row = (server: string) => ({
    perSecond: median(runs.get(server)?.map((run) => run.perSecond) ?? []),
    perRequest: median(runs.get(server)?.map((run) => run.perRequest) ?? []),
  });
  const base = row("node:http");
  for (const server of names) {
    const { perSecond, perRequest } = row(server);
    console.log(
      `${server.padEnd(22)} ${perSecond.toFixed(0).padStart(7)} requests/s (${(perSecond / base.perSecond).toFixed(2)})` +
        ` ${perRequest.toFixed(1).padStart(6)} µs of processor a request (${(base.perRequest / perRequest).toFixed(2)})`,
    );
  }
}
