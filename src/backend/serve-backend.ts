import { randomBytes } from "node:crypto";
import type { ApiCallerCredentials } from "../contract/api-caller-credentials.ts";
import { ApiError } from "../contract/api-error.ts";
import { createBackend, info, type Backend } from "./backend.ts";
import type { Random } from "./engine/dependencies.ts";
import type { Engine } from "./engine/engine.ts";
import { sentenceOf } from "./engine/result.ts";
import { createHttpApp } from "./http/create-http-app.ts";
import { listen, type Listening } from "./http/listen.ts";
import { logOf, monotonicClockOf, openEngine, type BackendOptions, type OpenEngine } from "./open-engine.ts";
import type { ServiceOperations } from "./service-operations.ts";

/** A backend that answers over HTTP, too. */
export interface ServedBackend extends Backend {
  /** `http://127.0.0.1:8705`, or `unix:` and the path; the port that was got for port 0. */
  readonly address: Listening["address"];
}

const requestIdOctets = 9;
const requestIdsADraw = 256;

/**
 * Serves the API as the configuration says; resolves when it answers.
 *
 * The address comes first and the store after it: a start that fails because something else listens there has touched
 * nothing. Throws `ConfigurationError`, `StoreFailure` or the system's error; nothing is then left open.
 *
 * @example const { address } = await serveBackend({ configuration: await readConfiguration({ path, env: process.env }) });
 */
export async function serveBackend(options: BackendOptions): Promise<ServedBackend> {
  const log = logOf(options);
  const { random = randomBytes } = options;
  const opening = Promise.withResolvers<Engine>();
  opening.promise.catch(() => undefined);
  const started: { engine?: Engine } = {};
  let stopping = false;
  const app = createHttpApp({
    // Who connects before the store is open waits for it.
    operationsFor: async (credentials) => operationsForCaller(started.engine ?? (await opening.promise), credentials),
    info,
    log,
    newRequestId: requestIdsFrom(random),
    monotonicClock: monotonicClockOf(options),
    isStopping: () => stopping || started.engine === undefined,
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
  const { engine } = opened;
  started.engine = engine;
  opening.resolve(engine);
  async function close(): Promise<void> {
    stopping = true;
    // A stream would never end by itself, and what listens waits for every answer's end.
    engine.endStreams();
    await listening.close();
    await opened.close();
  }
  return { ...createBackend({ engine, close }, options), address: listening.address };
}

async function operationsForCaller(engine: Engine, credentials: ApiCallerCredentials): Promise<ServiceOperations> {
  const caller = await engine.authenticateApiCaller(credentials);
  if ("refusedWith" in caller) throw new ApiError(401, caller.refusedWith, sentenceOf(caller.refusedWith));
  return engine.operationsFor(caller.service.settings.apiKey);
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
