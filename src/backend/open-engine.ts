import { randomBytes } from "node:crypto";
import type { Logger } from "pino";
import { createChainVerifier } from "./chain-verification/create-chain-verifier.ts";
import { ConfigurationError } from "./configuration/configuration-error.ts";
import type { Configuration } from "./configuration/configuration.ts";
import type { Clock, Dependencies, MonotonicClock, Random } from "./engine/dependencies.ts";
import { createEngine, type Engine } from "./engine/engine.ts";
import {
  checkSecretKey,
  ConfigurationConflict,
  putConfiguration,
  SecretKeyDiffers,
} from "./engine/management/put-configuration.ts";
import { createLog } from "./http/create-log.ts";
import type { OnCall } from "./observed-call.ts";
import { createRemoteJwks } from "./remote-jwks/create-remote-jwks.ts";
import { requireOpenssl } from "./require-openssl.ts";
import { createSecretBox } from "./secret-box/aes-secret-box.ts";
import { hasEvents } from "./store/command-events.ts";
import { openSqliteStore } from "./store/sqlite/open-sqlite-store.ts";
import type { Store } from "./store/store.ts";
import { startSweep } from "./sweep.ts";

/** What a backend is opened with; clock and randomness are the machine's own unless handed in. */
export interface BackendOptions {
  readonly configuration: Configuration;
  /** Default: on standard output, at the configuration's level and in its format. */
  readonly log?: Logger;
  /**
   * Told of each call that this program makes of the backend in its own process; a backend that is served logs those
   * that come over HTTP. Example: `({ level, ...call }) => log[level](call, "call")`.
   */
  readonly onCall?: OnCall;
  /** Milliseconds since 1970. */
  readonly clock?: Clock;
  /** Milliseconds that never run backwards. */
  readonly monotonicClock?: MonotonicClock;
  readonly random?: Random;
  /** Where `openssl` is looked for: the value of PATH. */
  readonly path?: string;
  /** Which service the operations of the backend itself act for; needed when there are several. */
  readonly serviceId?: number;
  /** The configuration's `secretKey` is new: what the store has sealed under the former one is replaced, not refused. */
  readonly newSecretKey?: boolean;
}

type ManagementDependencies = Pick<Dependencies, "store" | "clock" | "random" | "secretBox">;

/** The decisions over an open store, and how to close what they rest on. */
export interface OpenEngine {
  readonly engine: Engine;
  readonly close: () => Promise<void>;
}

const secretKeyOctets = 32;

/** Opens the store, puts the configuration into it, and builds the engine over both; on failure nothing stays open. */
export async function openEngine(options: BackendOptions): Promise<OpenEngine> {
  const { configuration, clock = Date.now, random = randomBytes, path } = options;
  const monotonicClock = monotonicClockOf(options);
  await requireOpenssl(configuration, path);
  const store = await openSqliteStore({ path: configuration.store.sqlite });
  const chainVerifier = createChainVerifier({ clock, ...(path === undefined ? {} : { path }) });
  const remoteJwks = createRemoteJwks({ monotonicClock });
  async function closeAll(): Promise<void> {
    remoteJwks.close();
    await chainVerifier.close();
    await store.close();
  }
  try {
    const secretBox = createSecretBox(configuration.secretKey ?? random(secretKeyOctets), random);
    const log = logOf(options);
    const engine: Engine = createEngine({
      clock,
      monotonicClock,
      random,
      secretBox,
      chainVerifier,
      remoteJwks,
      store: hintingStore(store, () => {
        engine.hintEvents();
      }),
      reportFault(error, what) {
        log.error({ err: error }, what);
      },
    });
    await applyConfiguration({ store, clock, random, secretBox }, options);
    const sweep = startSweep(store, clock, log);
    return {
      engine,
      async close() {
        engine.endStreams();
        sweep.stop();
        await closeAll();
      },
    };
  } catch (error) {
    await closeAll();
    throw error;
  }
}

/** The store, with a word to the streams after each command of this process that they are to learn of. */
function hintingStore(store: Store, hint: () => void): Store {
  return {
    ...store,
    async run(command) {
      const outcome = await store.run(command);
      if (outcome === "done" && hasEvents(command)) hint();
      return outcome;
    },
  };
}

/** The monotonic clock that was handed in, or the machine's own. */
export function monotonicClockOf({ monotonicClock = () => performance.now() }: BackendOptions): MonotonicClock {
  return monotonicClock;
}

/** The log that was handed in, or one on standard output as the configuration says. */
export function logOf({ log, configuration }: BackendOptions): Logger {
  const place = { stream: process.stdout, isTerminal: process.stdout.isTTY, noColor: process.env["NO_COLOR"] };
  return log ?? createLog({ ...configuration.log, ...place });
}

async function applyConfiguration(dependencies: ManagementDependencies, options: BackendOptions): Promise<void> {
  const { services } = options.configuration;
  try {
    if (options.newSecretKey !== true) await checkSecretKey(dependencies, services);
    await putConfiguration(dependencies, services);
  } catch (error) {
    if (error instanceof SecretKeyDiffers) {
      const sentence =
        "is not the key that the store was written with; to replace it, stop every backend on the store and start one with --new-secret-key";
      throw new ConfigurationError("configuration", [{ path: "secretKey", sentence }], { cause: error });
    }
    if (!(error instanceof ConfigurationConflict)) throw error;
    throw new ConfigurationError("configuration", [{ path: "services", sentence: error.message }], { cause: error });
  }
}
