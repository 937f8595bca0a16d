import { randomBytes } from "node:crypto";
import type { Logger } from "pino";
import type { ApiCallerCredentials } from "../contract/api-caller-credentials.ts";
import { ApiError } from "../contract/api-error.ts";
import type { InfoResponse } from "../contract/info.ts";
import { operations, type OperationName, type Operations } from "../contract/operations.ts";
import type { Operation } from "../contract/operation.ts";
import { readRequest } from "../contract/read-request.ts";
import { createChainVerifier } from "./chain-verification/create-chain-verifier.ts";
import { ConfigurationError } from "./configuration/configuration-error.ts";
import type { Configuration } from "./configuration/configuration.ts";
import type { Clock, Dependencies, Random } from "./engine/dependencies.ts";
import { createEngine, type Engine, type ServiceOperations } from "./engine/engine.ts";
import { ConfigurationConflict, putConfiguration } from "./engine/management/put-configuration.ts";
import type { Service } from "./engine/management/settings-memo.ts";
import { sentenceOf } from "./engine/result.ts";
import { createLog } from "./http/create-log.ts";
import { createHttpApp } from "./http/create-http-app.ts";
import { listen, type Listening } from "./http/listen.ts";
import { requireOpenssl } from "./require-openssl.ts";
import { createSecretBox } from "./secret-box/aes-secret-box.ts";
import { openSqliteStore } from "./store/sqlite/open-sqlite-store.ts";
import { startSweep } from "./sweep.ts";
import { features, version } from "./version.ts";

/** What a backend is opened with; clock and randomness are the machine's own unless handed in. */
export interface BackendOptions {
  readonly configuration: Configuration;
  /** Default: JSON lines on standard output, at the configuration's level. */
  readonly log?: Logger;
  /** Milliseconds since 1970. */
  readonly clock?: Clock;
  readonly random?: Random;
  /** Where `openssl` is looked for: the value of PATH. */
  readonly path?: string;
  /** Which service the operations of the backend itself act for; needed when there are several. */
  readonly serviceId?: number;
}

/**
 * A backend: the operations for a program in the same process, and the HTTP API once it listens.
 *
 * Its own operations act for the one service of the configuration, or for `serviceId`.
 */
export interface Backend extends Operations {
  /** The API as a service may use it; throws `TypeError` when there is no such service. */
  operationsFor(serviceId: number): Promise<Operations>;
  /** Serves the API as the configuration says; resolves when it accepts connections. */
  listen(): Promise<Listening["address"]>;
  /** Stops accepting, lets what is under way finish for a bounded time, and closes the store. */
  close(): Promise<void>;
}

const secretKeyOctets = 32;

/**
 * Opens a backend: the store, the services and clients of the configuration in it, and the decisions over them.
 *
 * Throws `ConfigurationError` or `StoreFailure`, each with one readable message; nothing is then left open.
 *
 * @example const backend = await openBackend({ configuration: await readConfiguration({ path, env: process.env }) });
 */
export async function openBackend(options: BackendOptions): Promise<Backend> {
  const { configuration, clock = Date.now, random = randomBytes, path } = options;
  const log = options.log ?? createLog({ level: configuration.log.level, stream: process.stdout });
  await requireOpenssl(configuration, path);
  const store = await openSqliteStore({ path: configuration.store.sqlite });
  const chainVerifier = createChainVerifier({ clock, ...(path === undefined ? {} : { path }) });
  async function closeAll(): Promise<void> {
    await chainVerifier.close();
    await store.close();
  }
  try {
    const secretBox = createSecretBox(configuration.secretKey ?? random(secretKeyOctets), random);
    const dependencies: Dependencies = { store, clock, random, secretBox, chainVerifier };
    await applyConfiguration(dependencies, configuration);
    const sweep = startSweep(store, clock, log);
    return createBackend({ ...options, log }, createEngine(dependencies), async () => {
      sweep.stop();
      await closeAll();
    });
  } catch (error) {
    await closeAll();
    throw error;
  }
}

async function applyConfiguration(dependencies: Dependencies, { services }: Configuration): Promise<void> {
  try {
    await putConfiguration(dependencies, services);
  } catch (error) {
    if (!(error instanceof ConfigurationConflict)) throw error;
    throw new ConfigurationError("services", [{ path: "", sentence: error.message }], { cause: error });
  }
}

function createBackend(
  options: BackendOptions & { readonly log: Logger },
  engine: Engine,
  closeParts: () => Promise<void>,
): Backend {
  const { configuration, log } = options;
  const info = (): Promise<InfoResponse> => Promise.resolve({ version, features: [...features] });
  let listening: Listening | undefined;
  let stopping = false;
  let closing: Promise<void> | undefined;

  async function operationsFor(serviceId: number): Promise<Operations> {
    const service = await engine.service(serviceId);
    if (service === undefined) throw new TypeError(`There is no service ${serviceId}.`);
    return { ...readingRequests(engine.operationsFor(service)), info };
  }

  async function operationsForCaller(credentials: ApiCallerCredentials): Promise<Operations> {
    const caller = await engine.authenticateApiCaller(credentials);
    if ("refusedWith" in caller) throw new ApiError(401, caller.refusedWith, sentenceOf(caller.refusedWith));
    return served(caller.service);
  }

  const servedOperations = new WeakMap<Service, Operations>();
  /** One object a version of a service, not one a request. */
  function served(service: Service): Operations {
    const known = servedOperations.get(service);
    if (known !== undefined) return known;
    const fresh = { ...engine.operationsFor(service), info };
    servedOperations.set(service, fresh);
    return fresh;
  }

  async function close(): Promise<void> {
    stopping = true;
    await listening?.close();
    await closeParts();
  }

  const own = (): Promise<Operations> => operationsFor(ownServiceId(options));
  return {
    authToken: async (request, call) => (await own()).authToken(request, call),
    authIntrospection: async (request, call) => (await own()).authIntrospection(request, call),
    authIntrospectionStandard: async (request, call) => (await own()).authIntrospectionStandard(request, call),
    authRevocation: async (request, call) => (await own()).authRevocation(request, call),
    info,
    operationsFor,
    async listen() {
      const app = createHttpApp({
        operationsFor: operationsForCaller,
        info,
        log,
        newRequestId: requestIdFrom(options),
        monotonicClock: () => performance.now(),
        isStopping: () => stopping,
      });
      const onError = (error: Error): void => {
        log.error({ err: error }, "a connection could not be accepted");
      };
      listening = await listen(app, { ...configuration.listen, onError });
      return listening.address;
    },
    close: () => (closing ??= close()),
  };
}

/** In the same process, too, a request is read before it is decided over; over HTTP the HTTP layer has done it. */
function readingRequests(engine: ServiceOperations): ServiceOperations {
  const reading = <Name extends Exclude<OperationName, "info">>(name: Name): ServiceOperations[Name] => {
    const decide = engine[name] as (request: unknown) => Promise<never>;
    const operation: Operation = operations[name];
    return async (request: unknown) => decide(readRequest(operation, request));
  };
  return {
    authToken: reading("authToken"),
    authIntrospection: reading("authIntrospection"),
    authIntrospectionStandard: reading("authIntrospectionStandard"),
    authRevocation: reading("authRevocation"),
  };
}

function ownServiceId({ configuration, serviceId }: BackendOptions): number {
  if (serviceId !== undefined) return serviceId;
  const [only, ...others] = configuration.services;
  if (only === undefined || others.length > 0) {
    throw new TypeError("openBackend: serviceId must say which of several services the backend's operations act for.");
  }
  return only.settings.apiKey;
}

function requestIdFrom({ random = randomBytes }: BackendOptions): () => string {
  return () => Buffer.from(random(9)).toString("base64url");
}
