import { randomBytes } from "node:crypto";
import { ApiError } from "../contract/api-error.ts";
import type { ApiCallerCredentials } from "../contract/operation.ts";
import { apiErrorOf } from "./api-error-of.ts";
import { type Backend, createBackend, info } from "./backend.ts";
import { describePlan } from "./describe-plan.ts";
import type { Configuration } from "./configuration/configuration.ts";
import { sentenceOf } from "./engine/answer/result.ts";
import type { Random } from "./engine/dependencies.ts";
import type { Engine } from "./engine/engine.ts";
import { createHttpApp } from "./http/create-http-app.ts";
import { listen, type Listening } from "./http/listen.ts";
import {
  type BackendOptions,
  logOf,
  monotonicClockOf,
  openEngine,
  type OpenEngine,
  type Removable,
  toldAtEveryLevel,
} from "./open-engine.ts";
import { createReadiness } from "./readiness.ts";
import { describeProcessChanges, refuseRestartMembers, tlsOf } from "./reload-configuration.ts";
import { requireOpenssl } from "./require-openssl.ts";
import type { ServiceOperations } from "./service-operations.ts";

/** A backend that answers over HTTP, too. */
export interface ServedBackend extends Backend {
  /** `http://127.0.0.1:8705`, or `unix:` and the path; the port that was got for port 0. */
  readonly address: Listening["address"];
  /**
   * Takes over another configuration while it serves, all of it or nothing; resolves to what changed, a line each.
   *
   * No connection is lost: the certificate of the listener counts for new handshakes. One reload at a time: a second one
   * waits. Rejects with `ConfigurationError` when only a restart could apply it, or when it would end live tokens.
   *
   * @example await backend.reload(await readConfiguration({ path, env: process.env }));
   */
  reload(configuration: Configuration, options?: ReloadOptions): Promise<readonly string[]>;
}

/** The removals that a reload may make; those allowed at the start do not count here. */
export type ReloadOptions = Pick<BackendOptions, "allowRemoval">;

const requestIdOctets = 9;
const requestIdsADraw = 256;

/**
 * Serves the API as configured; resolves when it answers.
 *
 * It listens before it opens the store: a start that fails because the address is in use has changed nothing. Throws
 * `ConfigurationError`, `StoreFailure` or the system's error; nothing then stays open.
 *
 * @example const { address } = await serveBackend({ configuration: await readConfiguration({ path, env: process.env }) });
 */
export async function serveBackend(options: BackendOptions): Promise<ServedBackend> {
  const log = logOf(options);
  const { random = randomBytes } = options;
  const monotonicClock = monotonicClockOf(options);
  const opening = Promise.withResolvers<Engine>();
  opening.promise.catch(() => undefined);
  const started: {
    engine?: Engine;
    livenessFailures?: OpenEngine["livenessFailures"];
    failedChecks?: () => Promise<readonly string[]>;
  } = {};
  let stopping = false;
  const app = createHttpApp({
    // Who connects before the store is open waits for it.
    operationsFor: async (credentials) => operationsForCaller(started.engine ?? (await opening.promise), credentials),
    info,
    apiErrorOf,
    log,
    newRequestId: requestIdsFrom(random),
    monotonicClock,
    livenessFailures: () => started.livenessFailures?.() ?? [],
    readinessFailures: () => (stopping ? ["stopping"] : (started.failedChecks?.() ?? ["starting"])),
  });
  const onError = (error: Error): void => {
    log.error({ err: error }, "a connection could not be accepted");
  };
  const listening = await listen(app, { ...options.configuration.listen, onError });
  let opened: OpenEngine;
  try {
    opened = await openEngine({ ...options, log });
  } catch (error) {
    opening.reject(error);
    await listening.close(AbortSignal.abort());
    throw error;
  }
  const { engine, livenessFailures, readinessChecks } = opened;
  const failedChecks = createReadiness({
    checks: readinessChecks,
    monotonicClock,
    onChange(failed) {
      if (failed.length === 0) log.info("ready again");
      for (const { name, error } of failed) log.warn({ check: name, err: error }, "not ready");
    },
  });
  Object.assign(started, { engine, livenessFailures, failedChecks });
  opening.resolve(engine);
  let running = options.configuration;
  let reloaded: Promise<unknown> = Promise.resolve();

  async function takeOver(wanted: Configuration, allowRemoval: readonly Removable[]): Promise<readonly string[]> {
    if (stopping) throw new TypeError("reload: the backend is closed.");
    refuseRestartMembers(running, wanted);
    await requireOpenssl(wanted, options.path);
    const tls = tlsOf(wanted.listen);
    // All that can fail comes before the store, and the store before what cannot.
    const useTls = tls === undefined ? undefined : listening.prepareTls(tls);
    const plan = await opened.put(wanted, allowRemoval);
    useTls?.();
    if (options.log === undefined) log.level = wanted.log.level;
    const changes = [...describeProcessChanges(running, wanted), ...describePlan(plan)];
    running = wanted;
    toldAtEveryLevel(log).info({ changes }, "reloaded");
    return changes;
  }

  function reload(wanted: Configuration, { allowRemoval = [] }: ReloadOptions = {}): Promise<readonly string[]> {
    const done = reloaded.then(() => takeOver(wanted, allowRemoval));
    reloaded = done.catch(() => undefined);
    return done;
  }

  async function close(): Promise<void> {
    stopping = true;
    await reloaded;
    // A stream would never end by itself, and what listens waits for every answer's end.
    engine.endStreams();
    await listening.close();
    await opened.close();
  }
  const own: BackendOptions = {
    ...options,
    get configuration() {
      return running;
    },
  };
  return { ...createBackend({ engine, close }, own), address: listening.address, reload };
}

async function operationsForCaller(engine: Engine, credentials: ApiCallerCredentials): Promise<ServiceOperations> {
  const caller = await engine.authenticateApiCaller(credentials);
  if ("error" in caller) throw new ApiError(401, caller.error, sentenceOf(caller.error));
  return engine.operationsOf(caller.service);
}

/** Randomness is drawn for many ids at once: a draw for each would be the dearest thing an id costs. */
function requestIdsFrom(random: Random): () => string {
  let octets = Buffer.alloc(0);
  let used = 0;
  return () => {
    if (used === octets.length) {
      octets = Buffer.from(random(requestIdOctets * requestIdsADraw));
      used = 0;
    }
    return octets.toString("base64url", used, (used += requestIdOctets));
  };
}
