import { fork, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { createApiClient } from "../../src/api-client/index.ts";
import type { CacheOptions } from "../../src/resource-server/index.ts";
import { createAuthority, type TestCertificate } from "../../test/support/certificates.ts";
import { serviceAccessToken, serviceId } from "../../test/support/settings.ts";
import { stopMessage } from "../measurement/pinned-process.ts";
import type { causes, WatchedToken } from "./causes.ts";
import { type ApiArgument, type LoadArgument, type LoadReport, machineTime } from "./orders.ts";
import { startStreamProxy } from "./stream-proxy.ts";

/** One way to run APIs, and its bound. */
export interface Scenario {
  readonly name: string;
  /** The cause that ends the tokens. */
  readonly cause: keyof typeof causes;
  readonly cache: CacheOptions;
  /** Whether the streams are silenced before the first token ends. */
  readonly cut: boolean;
  /** The computed bound (B or B′), in milliseconds. */
  readonly bound: number;
  /** How many tokens are sent at a time. */
  readonly atATime: number;
  /** The longest time that a token lives before it ends, so that responses of every age occur; in milliseconds. */
  readonly livesUpTo: number;
}

export interface Measured {
  readonly scenario: Scenario;
  /** Milliseconds from the acknowledged end to the last acceptance by any API, ascending; 0 if none came after the end. */
  readonly staleness: readonly number[];
  readonly requests: number;
  readonly unavailable: number;
  /** Introspection requests to the backend. */
  readonly questions: number;
  readonly seconds: number;
}

export interface Setting {
  readonly apis: number;
  /** T, milliseconds. */
  readonly timeout: number;
  readonly backendPort: number;
  readonly client: TestCertificate;
  /** Randomness, 0 to 1. */
  readonly draw: () => number;
}

/** Runs a scenario: every token is accepted by all APIs, ended, and sent until the last API rejects it. */
export async function measure(
  scenario: Scenario,
  tokens: readonly WatchedToken[],
  { apis, timeout, backendPort, client, draw }: Setting,
): Promise<Measured> {
  const server = createAuthority({ subject: "CN=staleness" }).issue({ subject: "CN=localhost" });
  const proxy = await startStreamProxy(backendPort);
  const argument: ApiArgument = { baseUrl: proxy.baseUrl, cache: scenario.cache, timeout, server };
  const children = Array.from({ length: apis }, () => start("api-process.ts", argument));
  const ports = await Promise.all(children.map(async (child) => (await heard(child)) as number));
  const load = start("load-process.ts", { ports, client } satisfies LoadArgument);
  await heard(load);
  const backend = createApiClient({
    baseUrl: `http://127.0.0.1:${backendPort}`,
    serviceId,
    credentials: { accessToken: serviceAccessToken },
    timeout: { attempt: 10_000, total: 10_000 },
  });

  const reports = new Map<string, () => void>();
  const reported = ({ token, now }: LoadReport): void => reports.get(`${now} ${token}`)?.();
  load.on("message", reported);
  const waitFor = (now: LoadReport["now"], token: string): Promise<void> =>
    new Promise((resolve) => reports.set(`${now} ${token}`, resolve));

  const acknowledged = new Map<string, number>();
  const startedAt = machineTime();
  const waiting = [...tokens];
  const line = async (): Promise<void> => {
    for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
      const { token, end } = next;
      const accepted = waitFor("accepted", token);
      const refused = waitFor("refused", token);
      load.send(token);
      await accepted;
      await new Promise((resolve) => setTimeout(resolve, draw() * scenario.livesUpTo));
      if (scenario.cut) proxy.silenceStreams();
      await end(backend);
      acknowledged.set(token, machineTime());
      await refused;
    }
  };
  await Promise.all(Array.from({ length: scenario.atATime }, line));
  const seconds = (machineTime() - startedAt) / 1000;

  load.off("message", reported);
  const counts = (await ask(load, "counts")) as { requests: number; unavailable: number };
  const accepted = (await Promise.all(children.map((child) => ask(child, "report")))) as Map<string, number>[];
  await Promise.all([...children, load].map(stop));
  await backend.close();
  const questions = proxy.questions();
  proxy.close();
  const staleness = [...acknowledged].map(([token, at]) =>
    Math.max(0, ...accepted.map((times) => (times.get(token) ?? Number.NEGATIVE_INFINITY) - at)),
  );
  return { scenario, staleness: staleness.toSorted((a, b) => a - b), ...counts, questions, seconds };
}

function start(file: string, argument: unknown): ChildProcess {
  return fork(fileURLToPath(new URL(file, import.meta.url)), [JSON.stringify(argument)], {
    env: { ...process.env, NODE_ENV: "production" },
    serialization: "advanced",
    stdio: ["ignore", "ignore", "inherit", "ipc"],
  });
}

async function heard(child: ChildProcess): Promise<unknown> {
  const ended = once(child, "exit").then(() => {
    throw new Error("a process of the measurement has ended");
  });
  ended.catch(() => undefined);
  return ((await Promise.race([once(child, "message"), ended])) as unknown[])[0];
}

async function ask(child: ChildProcess, message: string): Promise<unknown> {
  const answer = heard(child);
  child.send(message);
  return answer;
}

async function stop(child: ChildProcess): Promise<void> {
  const exited = once(child, "exit");
  child.send(stopMessage);
  await exited;
}
