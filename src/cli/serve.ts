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
  /** Only say whether a start would succeed and what it would change: nothing is made, written or served. */
  readonly check?: boolean;
  /** The configuration's `secretKey` is new, and no other backend runs on the store. */
  readonly newSecretKey?: boolean;
  /** Services and clients that may be removed together with their live tokens. */
  readonly allowRemoval?: readonly Removable[];
}

/** What does not start because of its configuration or surroundings. */
const cannotStart = 2;

/**
 * Runs a backend until the process is told to stop; resolves to the exit code.
 *
 * 0 after a graceful stop, 2 with one message on standard error when it cannot start.
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

/** Throws if a start would be refused. */
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
  // Whoever starts the backend waits for this line.
  toldAtEveryLevel(log).info({ listening: backend.address.url, pid: host.pid }, "listening");
  reloads.begin(() => reload(config, backend, log, host));
  // Awaited first: a reload may change what `log.info` is.
  const signal = await stopped;
  log.info({ signal }, "stopping");
  await reloads.end();
  await backend.close();
  log.info("stopped");
}

/** A configuration that cannot be applied changes nothing; the log says why. */
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
 * The first signal starts a graceful stop; a second one stops at once. SIGHUP asks for a reload, unless the process has
 * lost its terminal.
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

/** Carries out reloads, one after the other; requests that arrive while one waits are one. */
export interface Reloads {
  /** Asks for a reload; one that is asked for before `begin` is done then. */
  ask(): void;
  /** From now on `reload` is called for what is asked; it must not reject. */
  begin(reload: () => Promise<void>): void;
  /** Forgets what waits and whatever will be asked; resolves when the one under way is done. */
  end(): Promise<void>;
}

/**
 * Queues reload signals, which come at any moment, also before the start has ended and after the stop.
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

/** What the thread is handed. */
export interface ConfigurationToRead {
  readonly path: string;
  readonly env: Readonly<Record<string, string | undefined>>;
}

/** What it answers, once. */
export type ReadingOfConfiguration = Configuration | { readonly error: readonly Problem[] };

/** Taken from this file's own name: the compiler does not rewrite the ending inside a URL. */
const workerFile = new URL(`./configuration-worker${extname(import.meta.url)}`, import.meta.url);

/**
 * Reads and checks a configuration as `readConfiguration` does, on a thread of its own.
 *
 * The checks of a thousand clients take some hundred milliseconds, in which a backend that serves would answer nobody.
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
      reject(new Error("the thread that reads the configuration has ended without an answer"));
    });
  });
  if ("error" in reading) throw new ConfigurationError(path, reading.error);
  return reading;
}
