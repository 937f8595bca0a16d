import { randomBytes } from "node:crypto";
import { extname } from "node:path";
import { Worker } from "node:worker_threads";
import type { Logger } from "pino";
import { checkSurroundings } from "../backend/check-surroundings.ts";
import { compareWithStore, type Comparison } from "../backend/compare-with-store.ts";
import { ConfigurationError, type Problem } from "../backend/configuration/configuration-error.ts";
import type { Configuration } from "../backend/configuration/configuration.ts";
import { readConfiguration } from "../backend/configuration/read-configuration.ts";
import { describePlan } from "../backend/describe-plan.ts";
import { createLog } from "../backend/http/create-log.ts";
import { type Removable, toldAtEveryLevel } from "../backend/open-engine.ts";
import { requireOpenssl } from "../backend/require-openssl.ts";
import { serveBackend, type ServedBackend } from "../backend/serve-backend.ts";
import type { ProgramHost, StopSignal } from "./program-host.ts";
import { explainStartFailure } from "./start-failure.ts";

export interface ServeOptions {
  /** Path of the configuration file. */
  readonly config: string;
  /** Only report whether a start would succeed and what it would change; nothing is written or served. */
  readonly check?: boolean;
  /** The `secretKey` in the configuration is new, and no other backend uses the store. */
  readonly newSecretKey?: boolean;
  /** Services and clients that may be removed with their live tokens. */
  readonly allowRemoval?: readonly Removable[];
}

/** The exit code for a configuration or environment that prevents a start. */
const cannotStart = 2;

/**
 * Runs a backend until a signal stops it. Resolves to the exit code.
 *
 * 0 after a graceful stop, or 2 with one message on standard error if it cannot start.
 *
 * @example process.exitCode = await serve({ config: "backend.yaml" }, host);
 */
export async function serve(options: ServeOptions, host: ProgramHost): Promise<number> {
  try {
    await (options.check === true ? report(options, host) : run(options, host));
    return 0;
  } catch (error) {
    const explained = explainStartFailure(error);
    if (explained === undefined) throw error;
    host.stderr.write(`certbound: ${explained}\n`);
    return cannotStart;
  }
}

/** Throws if a start would fail. */
async function report(options: ServeOptions, host: ProgramHost): Promise<void> {
  const { config: path } = options;
  const configuration = await readConfiguration({ path, env: host.env });
  const { services, warnings } = configuration;
  await requireOpenssl(configuration, host.env["PATH"]);
  const found = await checkSurroundings(path, configuration, { clock: Date.now });
  const comparison = await compareWithStore(configuration, { ...options, clock: Date.now, random: randomBytes });
  for (const warning of [...warnings, ...found]) host.stderr.write(`certbound: warning: ${warning}\n`);
  host.stdout.write(`${describeComparison(configuration, comparison).join("\n")}\n`);
  if (comparison.refusal !== undefined) throw comparison.refusal;
  const clients = services.reduce((sum, service) => sum + service.clients.length, 0);
  host.stdout.write(`${path} is valid (services: ${services.length}, clients: ${clients}). Nothing was started.\n`);
}

function describeComparison({ store }: Configuration, { plan, countsTokens }: Comparison): string[] {
  if (store.sqlite === ":memory:") return ["The store is in memory: it is new at each start."];
  if (plan === undefined) return [`The store ${store.sqlite} does not exist: a start makes a new one.`];
  const lines = describePlan(plan);
  if (lines.length === 0) return [`A start changes nothing in the store ${store.sqlite}.`];
  return [
    `A start changes the store ${store.sqlite}:`,
    ...lines.map((line) => `  ${line}`),
    ...(plan.removed.length > 0 && !countsTokens
      ? ["An older version wrote the store: a start migrates it, counts the live tokens, and may then be refused."]
      : []),
  ];
}

async function run(options: ServeOptions, host: ProgramHost): Promise<void> {
  const { config, newSecretKey = false, allowRemoval = [] } = options;
  const reloads = createReloads();
  const stopped = stopSignal(host, reloads);
  const configuration = await readConfiguration({ path: config, env: host.env });
  const { stdout: stream, stdoutIsTerminal: isTerminal = false } = host;
  const log = createLog({ ...configuration.log, stream, isTerminal, noColor: host.env["NO_COLOR"] });
  for (const warning of configuration.warnings) log.warn(warning);
  const path = host.env["PATH"];
  const backend = await serveBackend({
    ...{ configuration, log, newSecretKey, allowRemoval },
    ...(path !== undefined && { path }),
  });
  // Programs that start the backend wait for this line.
  toldAtEveryLevel(log).info({ listening: backend.address.url, pid: host.pid }, "listening");
  reloads.begin(() => reload(config, backend, log, host));
  // Awaited first, because a reload may replace `log.info`.
  const signal = await stopped;
  log.info({ signal }, "stopping");
  await reloads.end();
  await backend.close();
  log.info("stopped");
}

/** Reloads the configuration. If that fails, nothing changes, and the log says why. */
async function reload(path: string, backend: ServedBackend, log: Logger, host: ProgramHost): Promise<void> {
  try {
    const configuration = await readConfigurationAside({ path, env: host.env });
    for (const warning of configuration.warnings) log.warn(warning);
    await backend.reload(configuration);
    log.level = configuration.log.level;
  } catch (error) {
    const reason = explainStartFailure(error);
    log.error(reason === undefined ? { err: error } : { reason }, "not reloaded");
  }
}

/**
 * The first signal starts a graceful stop, a second one stops immediately. SIGHUP requests a reload, unless the process
 * has lost its terminal; then it stops.
 */
function stopSignal(host: ProgramHost, reloads: Reloads): Promise<StopSignal> {
  const { promise, resolve } = Promise.withResolvers<StopSignal>();
  let asked = false;
  host.onSignal((signal) => {
    if (asked) host.exit(signal === "SIGINT" ? 130 : 143);
    asked = true;
    resolve(signal);
  });
  const hadTerminal = host.hasTerminal();
  host.onHangUp(() => {
    if (hadTerminal && !host.hasTerminal()) resolve("SIGHUP");
    else reloads.ask();
  });
  return promise;
}

/** Runs reloads one after the other. Requests during a waiting reload are merged into it. */
export interface Reloads {
  /** Requests a reload. A request before `begin` waits for it. */
  ask(): void;
  /** Starts to run reloads with this function, which must not reject. */
  begin(reload: () => Promise<void>): void;
  /** Drops waiting and later requests; resolves when the running reload is done. */
  end(): Promise<void>;
}

/**
 * Creates a queue for reload signals, which may also arrive during the start and after the stop.
 *
 * @example const reloads = createReloads(); host.onHangUp(() => { reloads.ask(); });
 */
export function createReloads(): Reloads {
  let reload: (() => Promise<void>) | undefined;
  let asked = false;
  let ended = false;
  let underWay: Promise<void> | undefined;

  async function work(how: () => Promise<void>): Promise<void> {
    while (asked && !ended) {
      asked = false;
      await how();
    }
    underWay = undefined;
  }

  function start(): void {
    if (reload !== undefined && asked && !ended) underWay ??= work(reload);
  }

  return {
    ask() {
      asked = true;
      start();
    },
    begin(how) {
      reload = how;
      start();
    },
    async end() {
      ended = true;
      await underWay;
    },
  };
}

/** The input of the thread. */
export interface ConfigurationToRead {
  readonly path: string;
  readonly env: Readonly<Record<string, string | undefined>>;
}

/** The result of the thread. */
export type ReadingOfConfiguration = Configuration | { readonly error: readonly Problem[] };

/** The extension is that of this file, because the compiler does not rewrite it inside a URL. */
const workerFile = new URL(`./configuration-worker${extname(import.meta.url)}`, import.meta.url);

/**
 * Reads and validates a configuration like `readConfiguration`, but on its own thread.
 *
 * Validating a thousand clients takes some hundred milliseconds, which would block a running backend.
 * Rejects with {@link ConfigurationError}.
 *
 * @example await backend.reload(await readConfigurationAside({ path, env: process.env }));
 */
export async function readConfigurationAside({ path, env }: ConfigurationToRead): Promise<Configuration> {
  const workerData: ConfigurationToRead = { path, env: { ...env } };
  const worker = new Worker(workerFile, { workerData, env: {}, name: "certbound configuration reader" });
  const reading = await new Promise<ReadingOfConfiguration>((resolve, reject) => {
    worker.once("message", resolve);
    worker.once("error", reject);
    worker.once("exit", () => {
      reject(new Error("the thread that reads the configuration ended without a result"));
    });
  });
  if ("error" in reading) throw new ConfigurationError(path, reading.error);
  return reading;
}
