import { once } from "node:events";
import type { IncomingMessage, ServerResponse } from "node:http";
import { createSecureServer } from "node:http2";
import type { AddressInfo } from "node:net";
import { monitorEventLoopDelay } from "node:perf_hooks";
import type { Duplex } from "node:stream";
import { WebSocketServer } from "ws";
import { createIntrospectionCaller, type OpenInvalidationEvents } from "../../src/api-client/introspection-caller.ts";
import { tlsSocket } from "../../src/client-certificate/tls-socket.ts";
import { refusalAnswer, writeAnswer, writeRawAnswer } from "../../src/resource-server/middleware/http-answer.ts";
import { authorizeRequest } from "../../src/resource-server/middleware/authorize-request.ts";
import {
  type AccessToken,
  type AuthorizeRequest,
  createResourceServer,
  readCertificate,
  type ResourceServer,
} from "../../src/resource-server/index.ts";
import type { Accepted, ApiCommands, ApiServer, ApiStart, Scatter, Stampede, Taken } from "./api-commands.ts";
import { obey, sharedClock } from "../support/forked-program.ts";

let offset = 0;
let lastReading = 0;
const monotonicClock = (): number => (lastReading = sharedClock());
const servers = new Map<string, ResourceServer>();
const accepted = new Map<string, Accepted[]>();
const aborts = new Map<string, number[]>();
const taken = new Map<string, Record<keyof Taken, number>>();
const asking = new Map<string, number>();
const watchers = new Set<() => void>();
const certificateOf = tlsSocket();
const webSockets = new WebSocketServer({ noServer: true });
const loopDelay = monitorEventLoopDelay({ resolution: 5 });

function openServer(name: string, { cache, timeout, questions }: ApiServer, start: ApiStart): void {
  const { backendUrl: baseUrl, serviceId, accessToken } = start;
  const caller = createIntrospectionCaller({
    baseUrl,
    serviceId,
    credentials: { accessToken },
    timeout: { attempt: timeout, total: timeout },
  });
  const counts = { reset: 0, invalidation: 0, heartbeat: 0 };
  taken.set(name, counts);
  const authIntrospectionEvents: OpenInvalidationEvents = async function* counted(request, options) {
    for await (const message of caller.authIntrospectionEvents(request, options)) {
      try {
        yield message;
      } finally {
        // The next one is asked for, or the connection is left after this one: it was taken in.
        counts[message.type] += 1;
        for (const watcher of watchers) watcher();
      }
    }
  };
  const backend = {
    authIntrospectionStandard: caller.authIntrospectionStandard.bind(caller),
    authIntrospection: caller.authIntrospection.bind(caller),
    authIntrospectionEvents,
  };
  const clock = (): number => Date.now() + offset;
  const limits = questions && { questions };
  servers.set(
    name,
    createResourceServer({ backend, cache, timeout, clock, monotonicClock, onWarning: () => undefined, ...limits }),
  );
}

async function admit(request: IncomingMessage) {
  const [, name = "", route = ""] = (request.url ?? "").split("/");
  const server = servers.get(name);
  if (server === undefined) throw new Error("No such resource server.");
  const put = authorizeRequest(
    server,
    { rawHeaders: request.rawHeaders, target: request.url },
    { certificate: () => certificateOf(request) },
  );
  countAsking(name, 1);
  const admission = await put.finally(() => {
    countAsking(name, -1);
  });
  if (!admission.granted) return { refusal: admission.refusal, route };
  const token = request.headers.authorization?.replace(/^Bearer /, "") ?? "";
  listOf(accepted, token).push({ server: name, at: lastReading });
  return { accessToken: admission.accessToken, token, route };
}

function countAsking(server: string, change: number): void {
  asking.set(server, (asking.get(server) ?? 0) + change);
  for (const watcher of watchers) watcher();
}

/** Resolves when it is so; looked at whenever something changes. */
function when(isSo: () => boolean): Promise<void> {
  return new Promise((resolve) => {
    const look = (): void => {
      if (!isSo()) return;
      watchers.delete(look);
      resolve();
    };
    watchers.add(look);
    look();
  });
}

function listOf<Item>(lists: Map<string, Item[]>, key: string): Item[] {
  const list = lists.get(key) ?? [];
  lists.set(key, list);
  return list;
}

function onAbort({ signal }: AccessToken, token: string, then: () => void): void {
  const aborted = (): void => {
    listOf(aborts, token).push(sharedClock());
    then();
  };
  if (signal.aborted) aborted();
  else signal.addEventListener("abort", aborted);
}

async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const admission = await admit(request);
  if (admission.refusal !== undefined) {
    writeAnswer(request, response, refusalAnswer(admission.refusal));
    return;
  }
  const { accessToken, token, route } = admission;
  response.writeHead(200);
  if (route !== "streamed") {
    response.end("served");
    return;
  }
  response.write("begun\n");
  onAbort(accessToken, token, () => {
    response.end("ended\n");
  });
}

async function upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): Promise<void> {
  const admission = await admit(request);
  if (admission.refusal !== undefined) {
    writeRawAnswer(socket, refusalAnswer(admission.refusal));
    return;
  }
  webSockets.handleUpgrade(request, socket, head, (webSocket) => {
    onAbort(admission.accessToken, admission.token, () => {
      webSocket.close(1008);
    });
    webSocket.send("begun");
  });
}

/** The status of what `authorize` makes of it, or the name of the error. */
async function statusOf(server: string, request: AuthorizeRequest): Promise<number | string> {
  try {
    await servers.get(server)?.authorize(request);
    return 200;
  } catch (error) {
    if (error instanceof Error && "status" in error && typeof error.status === "number") return error.status;
    return error instanceof Error ? error.name : "unknown";
  }
}

async function stampede({ server, token, count, certificates, leaderAborts }: Stampede) {
  const presented = certificates.map((pem) => readCertificate(pem));
  const leader = new AbortController();
  const all = Array.from({ length: count }, (_, at) => {
    const signal = at === 0 && leaderAborts === true ? leader.signal : undefined;
    return statusOf(server, { token, certificate: presented[at % presented.length], signal });
  });
  await turn();
  leader.abort();
  return Promise.all(all);
}

function scatter({ server, prefix, count }: Scatter) {
  const tokens = Array.from({ length: count }, (_, at) => `${prefix}-${at}`);
  return Promise.all(tokens.map((token) => statusOf(server, { token, certificate: undefined })));
}

function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

const mebibytes = (octets: number): number => Math.round(octets / 1_048_576);

const commands: ApiCommands = {
  async start(start: ApiStart) {
    for (const [name, server] of Object.entries(start.servers)) openServer(name, server, start);
    const listener = createSecureServer(
      {
        cert: start.certificate,
        key: start.key,
        requestCert: true,
        rejectUnauthorized: false,
        allowHTTP1: true,
        // Clients here keep connections for as long as a test lasts. Node's 5 s would close one just as it is used again.
        http1Options: { keepAliveTimeout: 600_000 },
        settings: { maxConcurrentStreams: 1000 },
      },
      (request, response) => {
        // Of the two APIs only what both have is used.
        const [ask, answer] = [request, response] as unknown as [IncomingMessage, ServerResponse];
        serve(ask, answer).catch(() => response.writeHead(500).end());
      },
    );
    listener.on("upgrade", (request: IncomingMessage, socket: Duplex, head: Buffer) => {
      upgrade(request, socket, head).catch(() => socket.destroy());
    });
    listener.listen(0, "127.0.0.1");
    await once(listener, "listening");
    loopDelay.enable();
    return `https://127.0.0.1:${(listener.address() as AddressInfo).port}`;
  },
  shift(milliseconds: number) {
    offset = milliseconds;
  },
  accepted: (token: string) => accepted.get(token) ?? [],
  taken: (server: string) => taken.get(server) ?? { reset: 0, invalidation: 0, heartbeat: 0 },
  taking: ({ server, type, count }: { server: string; type: keyof Taken; count: number }) =>
    when(() => (taken.get(server)?.[type] ?? 0) >= count),
  asking: ({ server, count }: { server: string; count: number }) => when(() => (asking.get(server) ?? 0) >= count),
  aborts: (token: string) => aborts.get(token) ?? [],
  stampede,
  scatter,
  turn,
  cost() {
    const delay = {
      p50: loopDelay.percentile(50) / 1e6,
      p99: loopDelay.percentile(99) / 1e6,
      most: loopDelay.max / 1e6,
    };
    loopDelay.reset();
    const { heapUsed, rss } = process.memoryUsage();
    return { delay, heap: mebibytes(heapUsed), resident: mebibytes(rss) };
  },
};
obey(commands);
