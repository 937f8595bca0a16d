import { Agent } from "node:https";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import type { ExecutionContext } from "ava";
import { createApiClient, type ApiClient } from "../../src/api-client/index.ts";
import type { ApiCommands, ApiServer } from "./api-commands.ts";
import { type BackendProcess, startBackendProcess } from "../support/backend-process.ts";
import { createAuthority, type TestCertificate } from "../support/certificates.ts";
import type { ProxyCommands } from "./fault-proxy-program.ts";
import { type ForkedProgram, forkProgram, sharedClock } from "../support/forked-program.ts";
import { type HttpAnswer, send } from "../support/https-request.ts";
import { apiSecret, secretOf, serviceAccessToken, serviceId } from "../support/settings.ts";

const authority = createAuthority({ subject: "CN=Client CA" });
export const right = authority.issue({ subject: "CN=client-a" });
export const wrong = authority.issue({ subject: "CN=client-b" });
const apiCertificate = authority.issue({ subject: "CN=localhost", san: [{ ip: "127.0.0.1" }] });

/** Milliseconds: of the resource server `brief`, and how late a revocation may be noticed there. */
const [ttl, lease, timeout] = [3000, 500, 1500];
/** B: while the stream is whole. */
export const boundWithStream = Math.max(lease, timeout);
/** B′: while it is not. */
export const boundWithoutStream = Math.max(ttl, timeout);

/**
 * `brief` is where bounds are measured; to `long` nothing but the stream can tell of a revocation in time. Nobody waits
 * for less than a busy machine may take.
 */
export const usualServers = {
  brief: { cache: { ttl: ttl / 1000, lease: lease / 1000, negativeTtl: 0.2 }, timeout },
  long: { cache: { ttl: 600, lease: lease / 1000, negativeTtl: 0.2 }, timeout },
} as const satisfies Record<string, ApiServer>;

/** Backend, fault proxy and API, each a process of its own; all are killed with the test. */
export interface FaultDeployment {
  /** The backend that the proxy leads to, unless a test leads it elsewhere. */
  readonly backend: BackendProcess;
  readonly proxy: ForkedProgram<ProxyCommands>;
  readonly api: ForkedProgram<ApiCommands>;
  readonly apiUrl: string;
  /** The store's file. */
  readonly store: string;
  /** Another backend on the same file, or on another one. */
  startBackend(store?: string): Promise<BackendProcess>;
  /** A token that is bound to the certificate `right`. `briefly`: for four seconds, else for an hour. */
  issue(how?: { readonly briefly?: boolean; readonly at?: BackendProcess }): Promise<string>;
  /** Revokes; answers when that was acknowledged, by the shared clock. The proxy has no part in it. */
  revoke(token: string, at?: BackendProcess): Promise<number>;
  /** A request over mutual TLS, on a kept-alive connection of the certificate's. */
  get(path: string, token: string, as?: TestCertificate): Promise<HttpAnswer>;
  /** The same; resolves when the request has left for the API's socket, also while the API is stopped. */
  send(path: string, token: string): Promise<{ readonly answer: Promise<HttpAnswer> }>;
  /** Asks again and again until then, by the shared clock, and once more after it; answers every status. */
  askUntil(path: string, token: string, until: number): Promise<number[]>;
  /** Asks until the status comes; fails with the test's own timeout. Answers those that came before. */
  askFor(status: number, path: string, token: string): Promise<number[]>;
  /** Resolves when a resource server's stream has vouched, for all that was asked before. */
  vouched(server: string): Promise<void>;
}

const secrets = {
  SECRET_KEY: Buffer.alloc(32, 9).toString("base64"),
  API_SECRET: apiSecret,
  ACCESS_TOKEN: serviceAccessToken,
  CLIENT_SECRET: secretOf(1),
};
/** Between two requests of one asker: so many leave the machine to the others. */
const pace = 20;

/** A machine has so much room: tests of a file that run at a time, at the most. */
const places = { free: 3, waiting: [] as (() => void)[] };

/** Takes a place until the test has ended. */
async function takePlace(t: ExecutionContext): Promise<void> {
  if (places.free > 0) places.free -= 1;
  else await new Promise<void>((resolve) => places.waiting.push(resolve));
  t.teardown(() => {
    const next = places.waiting.shift();
    if (next === undefined) places.free += 1;
    else next();
  });
}

/** Starts all; the stream of each resource server is whole when this resolves. */
export async function startFaultDeployment(
  t: ExecutionContext,
  servers: Readonly<Record<string, ApiServer>> = usualServers,
): Promise<FaultDeployment> {
  await takePlace(t);
  const folder = await mkdtemp(join(tmpdir(), "certbound-"));
  t.teardown(() => rm(folder, { recursive: true }));
  const store = join(folder, "store.sqlite");
  const startBackend = async (file = store): Promise<BackendProcess> => {
    const configuration = join(folder, "backend.yaml");
    await writeFile(configuration, configurationOf(file));
    return startBackendProcess(t, configuration, secrets);
  };
  const [backend, proxy, api] = await Promise.all([
    startBackend(),
    forkProgram<ProxyCommands>(t, new URL("fault-proxy-program.ts", import.meta.url)),
    forkProgram<ApiCommands>(t, new URL("api-program.ts", import.meta.url)),
  ]);
  const backendUrl = await proxy.tell("lead", backend.url);
  const { pem: certificate, key } = apiCertificate;
  const apiUrl = await api.tell("start", {
    backendUrl,
    serviceId,
    accessToken: serviceAccessToken,
    certificate,
    key,
    servers,
  });
  const clients = new Map<BackendProcess, ApiClient>();
  const clientOf = (at: BackendProcess): ApiClient => {
    const client = clients.get(at) ?? createApiClient(connectionTo(at));
    clients.set(at, client);
    return client;
  };
  const agent = new Agent({ keepAlive: true });
  t.teardown(async () => {
    agent.destroy();
    await Promise.all([...clients.values()].map((client) => client.close()));
  });

  const deployment: FaultDeployment = {
    backend,
    proxy,
    api,
    apiUrl,
    store,
    startBackend,
    async issue({ briefly = false, at = backend } = {}) {
      const parameters = `grant_type=client_credentials&${credentials(briefly ? 2 : 1)}`;
      const answer = await clientOf(at).authToken({ parameters, clientCertificate: right.pem });
      if (answer.accessToken === undefined) throw new Error(`No token: ${answer.resultMessage}`);
      return answer.accessToken;
    },
    async revoke(token, at = backend) {
      await clientOf(at).authRevocation({ parameters: `token=${token}&${credentials(1)}` });
      return sharedClock();
    },
    get: (path, token, as = right) =>
      send({ url: `${apiUrl}/${path}`, as, agent, headers: { authorization: `Bearer ${token}` } }),
    async send(path, token) {
      const { promise: sent, resolve } = Promise.withResolvers<undefined>();
      const onSent = (): void => {
        resolve(undefined);
      };
      const headers = { authorization: `Bearer ${token}` };
      const answer = send({ url: `${apiUrl}/${path}`, as: right, agent, headers, onSent });
      await Promise.race([sent, answer]);
      return { answer };
    },
    async askUntil(path, token, until) {
      const statuses: number[] = [];
      for (;;) {
        const last = sharedClock() > until;
        statuses.push((await deployment.get(path, token)).status);
        if (last) return statuses;
        await wait(pace);
      }
    },
    async askFor(status, path, token) {
      const statuses: number[] = [];
      for (;;) {
        const answer = await deployment.get(path, token);
        if (answer.status === status) return statuses;
        statuses.push(answer.status);
        await wait(pace);
      }
    },
    async vouched(server) {
      const { heartbeat } = await api.tell("taken", server);
      // The poll of the next one may have begun before.
      await api.tell("taking", { server, type: "heartbeat", count: heartbeat + 2 });
    },
  };
  const opener = await deployment.issue();
  for (const server of Object.keys(servers)) {
    await deployment.askFor(200, server, opener);
    await deployment.vouched(server);
  }
  return deployment;
}

function connectionTo({ url }: BackendProcess) {
  const timeout = { attempt: 30_000, total: 30_000 };
  return { baseUrl: url, serviceId, credentials: { accessToken: serviceAccessToken }, timeout };
}

function credentials(clientId: number): string {
  return `client_id=${clientId}&client_secret=${secretOf(1)}`;
}

function configurationOf(store: string): string {
  const client = `clientType: CONFIDENTIAL
        tokenAuthMethod: CLIENT_SECRET_POST
        clientSecret: { env: CLIENT_SECRET }
        tlsClientCertificateBoundAccessTokens: true`;
  return `listen: { port: 0 }
store: { sqlite: ${JSON.stringify(store)} }
secretKey: { env: SECRET_KEY }
log: { level: fatal }
services:
  - apiKey: ${serviceId}
    apiSecret: { env: API_SECRET }
    serviceAccessTokens: [{ env: ACCESS_TOKEN }]
    issuer: https://as.example.com
    tlsClientCertificateBoundAccessTokens: true
    clients:
      - clientId: 1
        ${client}
      - clientId: 2
        ${client}
        extension: { accessTokenDuration: 4 }
`;
}
