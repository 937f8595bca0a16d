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
import { createRemoteJwks } from "./remote-jwks/create-remote-jwks.ts";
import { requireOpenssl } from "./require-openssl.ts";
import { reportRestoredStore } from "./restored-store.ts";
import { createSecretBox } from "./secret-box/aes-secret-box.ts";
import { hasEvents } from "./store/command-events.ts";
import { openForwardClock, type KeptForwardClock } from "./open-forward-clock.ts";
import { openSqliteStore } from "./store/sqlite/open-sqlite-store.ts";
import type { Store } from "./store/store.ts";
import { startSweep } from "./sweep.ts";

/** What a backend is opened with; clock and randomness are the machine's own unless handed in. */
export interface BackendOptions {
  readonly configuration: Configuration;
  /** Default: JSON lines on standard output, at the configuration's level. */
  readonly log?: Logger;
  /** The wall clock: milliseconds since 1970. */
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
  /** Milliseconds by which the wall clock is behind what was acted on already; 0 when it is not. */
  readonly clockBehind: () => number;
  readonly close: () => Promise<void>;
}

const secretKeyOctets = 32;

/** Opens the store, puts the configuration into it, and builds the engine over both; on failure nothing stays open. */
export async function openEngine(options: BackendOptions): Promise<OpenEngine> {
  const { configuration, random = randomBytes, path } = options;
  const { monotonicClock = () => performance.now() } = options;
  await requireOpenssl(configuration, path);
  const log = logOf(options);
  const store = await openSqliteStore({
    path: configuration.store.sqlite,
    report(origin) {
      reportRestoredStore(log, origin);
    },
  });
  const forwardClock = await openClock(store, log, options, monotonicClock);
  const clock = forwardClock.now;
  const chainVerifier = createChainVerifier({ clock, ...(path === undefined ? {} : { path }) });
  const remoteJwks = createRemoteJwks({ monotonicClock });
  async function closeAll(): Promise<void> {
    remoteJwks.close();
    await chainVerifier.close();
    await forwardClock.close();
    await store.close();
  }
  try {
    const secretBox = createSecretBox(configuration.secretKey ?? random(secretKeyOctets), random);
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
    const sweep = startSweep(store, clock, log, forwardClock.isDoubtful);
    return {
      engine,
      clockBehind: forwardClock.behind,
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

/** On failure the store is closed. */
async function openClock(
  store: Store,
  log: Logger,
  { clock: wallClock = Date.now }: BackendOptions,
  monotonicClock: MonotonicClock,
): Promise<KeptForwardClock> {
  try {
    return await openForwardClock({ store, wallClock, monotonicClock, log });
  } catch (error) {
    await store.close();
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

/** The log that was handed in, or one of JSON lines on standard output. */
export function logOf({ log, configuration }: BackendOptions): Logger {
  return log ?? createLog({ level: configuration.log.level, stream: process.stdout });
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
