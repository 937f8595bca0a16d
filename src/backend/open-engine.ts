import { randomBytes } from "node:crypto";
import type { Logger } from "pino";
import { applyConfiguration } from "./apply-configuration.ts";
import { createChainVerifier } from "./chain-verification/create-chain-verifier.ts";
import { describePlan } from "./describe-plan.ts";
import type { Configuration } from "./configuration/configuration.ts";
import { inMemory } from "./configuration/resolve-configuration.ts";
import type { Clock, MonotonicClock, Random } from "./engine/dependencies.ts";
import { createEngine, type Engine } from "./engine/engine.ts";
import type { ConfigurationPlan } from "./engine/settings/configuration-plan.ts";
import { createLog } from "./http/create-log.ts";
import type { OnCall } from "./observed-call.ts";
import { type KeptForwardClock, openForwardClock } from "./open-forward-clock.ts";
import { reportRestoredStore } from "./restored-store.ts";
import { clockReadiness, type ReadinessCheck, storeLiveness, storeReadiness } from "./readiness.ts";
import { createRemoteJwks } from "./remote-jwks/create-remote-jwks.ts";
import { requireOpenssl } from "./require-openssl.ts";
import { createSecretBox } from "./secret-box/aes-secret-box.ts";
import { hasEvents } from "./store/sql/command-events.ts";
import type { TokenOwner } from "./store/command.ts";
import { openSqliteStore } from "./store/sqlite/open-sqlite-store.ts";
import type { Store } from "./store/store.ts";
import { startSweep } from "./sweep.ts";

/** The options of a backend; the default clock and randomness are the machine's own. */
export interface BackendOptions {
  readonly configuration: Configuration;
  /** Default: on standard output, at the configuration's level and in its format. */
  readonly log?: Logger;
  /**
   * Called for each call that this program makes of the backend in its own process. Calls over HTTP are logged instead.
   * Example: `({ level, ...call }) => log[level](call, "call")`.
   */
  readonly onCall?: OnCall;
  /** The wall clock: milliseconds since 1970. */
  readonly clock?: Clock;
  /** Milliseconds that never run backwards. */
  readonly monotonicClock?: MonotonicClock;
  readonly random?: Random;
  /** Where `openssl` is looked for: the value of PATH. */
  readonly path?: string;
  /** Which service the operations of the backend itself act for; needed when there are several. */
  readonly serviceId?: number;
  /** The configuration's `secretKey` is new: secrets sealed under the former one are replaced instead of refused. */
  readonly newSecretKey?: boolean;
  /**
   * Services and clients that the configuration may leave out although they have live tokens, which then end
   * permanently.
   *
   * A configuration that leaves out others with live tokens is refused with `ConfigurationError`. Default: none.
   */
  readonly allowRemoval?: readonly Removable[];
}

/** A client, or without `clientId` a service with all its clients. */
export type Removable = TokenOwner;

/** The decisions over an open store, and how to close what they rest on. */
export interface OpenEngine {
  readonly engine: Engine;
  /** Applies another configuration to the store, all of it or nothing; throws `ConfigurationError`. */
  readonly put: (configuration: Configuration, allowRemoval: readonly Removable[]) => Promise<ConfigurationPlan>;
  /** The checks of readiness. */
  readonly readinessChecks: readonly ReadinessCheck[];
  /** Names failures that only a restart of the process can repair. */
  readonly livenessFailures: () => readonly string[];
  readonly close: () => Promise<void>;
}

const secretKeyOctets = 32;

/** Opens the store, puts the configuration into it, and builds the engine over both; on failure nothing stays open. */
export async function openEngine(options: BackendOptions): Promise<OpenEngine> {
  const { configuration, random = randomBytes, path } = options;
  const monotonicClock = monotonicClockOf(options);
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
  const chainVerifier = createChainVerifier({ clock, ...(path !== undefined && { path }) });
  const remoteJwks = createRemoteJwks({ monotonicClock });
  async function closeAll(): Promise<void> {
    remoteJwks.close();
    await chainVerifier.close();
    await forwardClock.close();
    await store.close();
  }
  try {
    const secretBox = createSecretBox(configuration.secretKey ?? random(secretKeyOctets), random);
    const hinted = hintingStore(store, () => {
      engine.hintEvents();
    });
    const engine: Engine = createEngine({
      clock,
      monotonicClock,
      random,
      secretBox,
      chainVerifier,
      remoteJwks,
      heartbeatInterval: configuration.events.heartbeatInterval * 1000,
      store: hinted,
      reportFault(error, what) {
        log.error({ err: error }, what);
      },
    });
    const { allowRemoval, newSecretKey } = options;
    const management = { store: hinted, clock, random, secretBox };
    logStart(log, configuration, await applyConfiguration(management, configuration, { allowRemoval, newSecretKey }));
    const sweep = startSweep({ store, clock, log, configuration, isDoubtful: forwardClock.isDoubtful });
    return {
      engine,
      put: (wanted, removable) => applyConfiguration(management, wanted, { allowRemoval: removable }),
      readinessChecks: [...storeReadiness(store), clockReadiness(forwardClock)],
      livenessFailures: () => storeLiveness(store),
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

/** The monotonic clock that was handed in, or the machine's own. */
export function monotonicClockOf({ monotonicClock = () => performance.now() }: BackendOptions): MonotonicClock {
  return monotonicClock;
}

/** The given log, or one on standard output as configured. */
export function logOf({ log, configuration }: BackendOptions): Logger {
  const place = { stream: process.stdout, isTerminal: process.stdout.isTTY, noColor: process.env["NO_COLOR"] };
  return log ?? createLog({ ...configuration.log, ...place });
}

/** A log whose `info` lines are written at every level except `silent`, because the operator waits for them. */
export function toldAtEveryLevel(log: Logger): Logger {
  return log.child({}, log.level === "silent" ? {} : { level: "info" });
}

function logStart(log: Logger, { store }: Configuration, plan: ConfigurationPlan): void {
  if (plan.storeIsNew) {
    if (store.sqlite === inMemory) return;
    log.warn({ store: store.sqlite }, "the store is new: it knows no token that was issued before");
    return;
  }
  const changes = describePlan(plan);
  if (changes.length > 0) log[plan.removed.length > 0 ? "warn" : "info"]({ changes }, "the configuration has changed");
}
