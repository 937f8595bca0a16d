import type { Configuration } from "../backend/configuration/configuration.ts";
import { readConfiguration } from "../backend/configuration/read-configuration.ts";
import { createLog } from "../backend/http/create-log.ts";
import { requireOpenssl } from "../backend/require-openssl.ts";
import { serveBackend } from "../backend/serve-backend.ts";
import type { ProgramHost, StopSignal } from "./program-host.ts";
import { explainStartFailure } from "./start-failure.ts";

export interface ServeOptions {
  /** Path of the configuration file. */
  readonly config: string;
  /** Only say whether the configuration would be accepted: nothing is opened, made or listened on. */
  readonly check?: boolean;
  /** The configuration's `secretKey` is new, and no other backend runs on the store. */
  readonly newSecretKey?: boolean;
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
export async function serve(
  { config, check = false, newSecretKey = false }: ServeOptions,
  host: ProgramHost,
): Promise<number> {
  try {
    const configuration = await readConfiguration({ path: config, env: host.env });
    if (check) await report(config, configuration, host);
    else await run(configuration, newSecretKey, host);
    return 0;
  } catch (error) {
    const explained = explainStartFailure(error);
    if (explained === undefined) throw error;
    host.stderr.write(`certbound: ${explained}\n`);
    return cannotStart;
  }
}

async function report(path: string, configuration: Configuration, host: ProgramHost): Promise<void> {
  const { services, warnings } = configuration;
  await requireOpenssl(configuration, host.env["PATH"]);
  for (const warning of warnings) host.stderr.write(`certbound: warning: ${warning}\n`);
  const clients = services.reduce((sum, service) => sum + service.clients.length, 0);
  host.stdout.write(`${path} is valid (services: ${services.length}, clients: ${clients}). Nothing was started.\n`);
}

async function run(configuration: Configuration, newSecretKey: boolean, host: ProgramHost): Promise<void> {
  const stopped = stopSignal(host);
  const { level } = configuration.log;
  const { stdout: stream, stdoutIsTerminal: isTerminal = false } = host;
  const log = createLog({ ...configuration.log, stream, isTerminal, noColor: host.env["NO_COLOR"] });
  for (const warning of configuration.warnings) log.warn(warning);
  const path = host.env["PATH"];
  const backend = await serveBackend({ configuration, log, newSecretKey, ...(path !== undefined && { path }) });
  // Whoever starts the backend waits for this line: it is told at every level but silent.
  log.child({}, level === "silent" ? {} : { level: "info" }).info({ listening: backend.address.url }, "listening");
  log.info({ signal: await stopped }, "stopping");
  await backend.close();
  log.info("stopped");
}

/** The first signal asks for a graceful stop; whoever sends a second one does not want to wait. */
function stopSignal(host: ProgramHost): Promise<StopSignal> {
  const { promise, resolve } = Promise.withResolvers<StopSignal>();
  let asked = false;
  host.onSignal((signal) => {
    if (asked) host.exit(signal === "SIGINT" ? 130 : 143);
    asked = true;
    resolve(signal);
  });
  return promise;
}
