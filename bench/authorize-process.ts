/** An API's process: measures the cost of `authorize()`. */
import { hash } from "node:crypto";
import { Agent, request as httpRequest } from "node:http";
import { createResourceServer, readCertificate, type ResourceServer } from "../src/resource-server/index.ts";
import { serviceAccessToken, serviceId } from "../test/support/settings.ts";
import { standardIntrospectionCalls } from "./calls.ts";
import { benchToken, clientOfToken, type Deployment } from "./deployment.ts";
import { argumentOf, stopMessage } from "./measurement/pinned-process.ts";

export interface AuthorizeArgument {
  readonly deployment: Deployment;
  readonly port: number;
}

export interface AuthorizeOrder {
  readonly what: "digest and map" | "warm, library" | "warm, backend" | "node:http" | "cold, library" | "cold, backend";
  /** Concurrent calls. */
  readonly atATime: number;
  readonly milliseconds: number;
}

export interface AuthorizeReading {
  /** Microseconds from request to response, the median of batches of 1000 calls or of single calls. */
  readonly elapsed: number;
  /** Microseconds of this process's processor time per call. */
  readonly processor: number;
  readonly perSecond: number;
}

const { deployment, port } = argumentOf(process.argv) as AuthorizeArgument;
const backend = {
  baseUrl: `http://127.0.0.1:${port}`,
  serviceId,
  credentials: { accessToken: serviceAccessToken },
  timeout: { attempt: 10_000, total: 10_000 },
};
const requirement = { scopes: ["read"] };
const presented = Array.from({ length: 1000 }, (_, number) => ({
  token: benchToken(number),
  certificate: certificateOf(number),
  requirement,
}));
const digests = new Map(presented.map(({ token }) => [hash("sha256", token, "base64url"), token]));

/** Certificates as the connection's memo has them; `decide: "backend"` sends the PEM text. */
function certificateOf(number: number) {
  return readCertificate(clientOfToken(deployment, number).pem);
}

const remembering = { ttl: 3600, maxEntries: 10_000 };
const library = createResourceServer({ backend, cache: remembering });
const atBackend = createResourceServer({ backend, cache: remembering, decide: "backend" });
const askingLibrary = createResourceServer({ backend, cache: false, timeout: 10_000 });
const askingBackend = createResourceServer({ backend, cache: false, decide: "backend", timeout: 10_000 });
const agent = new Agent({ keepAlive: true, maxSockets: 64 });
const calls = standardIntrospectionCalls(deployment);

let drawn = 0;
function drawPresented() {
  const one = presented[drawn++ % presented.length];
  if (one === undefined) throw new Error("nothing to present");
  return one;
}

const authorizing = (server: ResourceServer) => () => server.authorize(drawPresented());

const ways: Readonly<Record<AuthorizeOrder["what"], () => unknown>> = {
  "digest and map": () => {
    if (digests.get(hash("sha256", drawPresented().token, "base64url")) === undefined) throw new Error("unknown");
  },
  "warm, library": authorizing(library),
  "warm, backend": authorizing(atBackend),
  "node:http": askBare,
  "cold, library": authorizing(askingLibrary),
  "cold, backend": authorizing(askingBackend),
};

/** The same request without the library. */
function askBare(): Promise<unknown> {
  const call = calls[drawn++ % calls.length];
  if (call === undefined) throw new Error("nothing to ask");
  return new Promise((resolve, reject) => {
    const asking = httpRequest({ port, path: call.path, method: "POST", agent, headers: call.headers }, (answer) => {
      const chunks: Buffer[] = [];
      answer.on("data", (chunk: Buffer) => chunks.push(chunk));
      answer.on("end", () => {
        resolve(JSON.parse(Buffer.concat(chunks).toString()));
      });
    });
    asking.on("error", reject);
    asking.end(call.body);
  });
}

async function measure({ what, atATime, milliseconds }: AuthorizeOrder): Promise<AuthorizeReading> {
  const way = ways[what];
  const batch = what === "digest and map" || what.startsWith("warm") ? 1000 : 1;
  const elapsed: number[] = [];
  let count = 0;
  const from = performance.now();
  const since = process.cpuUsage();
  const line = async (): Promise<void> => {
    while (performance.now() - from < milliseconds) {
      const startedAt = performance.now();
      for (let index = 0; index < batch; index++) {
        const result = way();
        if (result instanceof Promise) await result;
      }
      elapsed.push(((performance.now() - startedAt) * 1000) / batch);
      count += batch;
    }
  };
  await Promise.all(Array.from({ length: atATime }, line));
  const { user, system } = process.cpuUsage(since);
  const sorted = elapsed.toSorted((a, b) => a - b);
  return {
    elapsed: sorted[sorted.length >> 1] ?? Number.NaN,
    processor: (user + system) / count,
    perSecond: (count * 1000) / (performance.now() - from),
  };
}

process.on("message", (order: AuthorizeOrder | typeof stopMessage) => {
  if (order === stopMessage) process.exit(0);
  void measure(order).then((reading) => process.send?.(reading));
});
process.send?.("ready");
