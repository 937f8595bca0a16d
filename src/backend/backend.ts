import { readEventsRequest } from "../contract/auth-introspection-events.ts";
import type { InfoResponse } from "../contract/info.ts";
import { operations, type OperationName, type Operations } from "../contract/operations.ts";
import type { Operation } from "../contract/operation.ts";
import { readRequest } from "../contract/read-request.ts";
import type { Engine, ServiceOperations } from "./engine/engine.ts";
import { openEngine, type BackendOptions, type OpenEngine } from "./open-engine.ts";
import { features, version } from "./version.ts";

/**
 * A backend in the same process: its operations act for the one service of the configuration, or for `serviceId`.
 *
 * They reject with `ApiError` for a wrong request, with `TypeError` for a service that there is not.
 */
export interface Backend extends Operations {
  /** The API as a service may use it. */
  operationsFor(serviceId: number): Operations;
  /** Closes the store, after what is under way; for a served backend, after its connections have drained. */
  close(): Promise<void>;
}

/**
 * Opens a backend: the store, the services and clients of the configuration in it, and the decisions over them.
 *
 * Throws `ConfigurationError` or `StoreFailure`, each with one readable message; nothing is then left open.
 *
 * @example const backend = await openBackend({ configuration: await readConfiguration({ path, env: process.env }) });
 */
export async function openBackend(options: BackendOptions): Promise<Backend> {
  return createBackend(await openEngine(options), options);
}

/** The operations of an open engine, for callers in the same process. */
export function createBackend({ engine, close }: OpenEngine, options: BackendOptions): Backend {
  let closing: Promise<void> | undefined;
  const operationsFor = (serviceId: number): Operations => ({ ...readingRequests(engine, serviceId), info });
  const own = (): Operations => operationsFor(ownServiceId(options));
  return {
    authToken: async (request) => own().authToken(request),
    authIntrospection: async (request) => own().authIntrospection(request),
    authIntrospectionStandard: async (request) => own().authIntrospectionStandard(request),
    authRevocation: async (request) => own().authRevocation(request),
    authIntrospectionEvents: (request, how) => own().authIntrospectionEvents(request, how),
    info,
    operationsFor,
    close: () => (closing ??= close()),
  };
}

/** What `GET /api/info` answers. */
export function info(): Promise<InfoResponse> {
  return Promise.resolve({ version, features: [...features] });
}

/** In the same process, too, a request is read before it is decided over; over HTTP the HTTP layer has done it. */
function readingRequests(engine: Engine, serviceId: number): ServiceOperations {
  const decisions = engine.operationsFor(serviceId);
  const reading = <Name extends Exclude<OperationName, "info">>(name: Name): ServiceOperations[Name] => {
    const decide = decisions[name] as (request: unknown) => Promise<never>;
    const operation: Operation = operations[name];
    return async (request: unknown) => decide(readRequest(operation, request));
  };
  return {
    authToken: reading("authToken"),
    authIntrospection: reading("authIntrospection"),
    authIntrospectionStandard: reading("authIntrospectionStandard"),
    authRevocation: reading("authRevocation"),
    async *authIntrospectionEvents(request, how) {
      yield* decisions.authIntrospectionEvents(readEventsRequest(request), how);
    },
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
