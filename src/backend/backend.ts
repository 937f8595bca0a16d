import { readEventsRequest } from "../contract/auth-introspection-events.ts";
import type { InfoResponse } from "../contract/info.ts";
import { operations, type CallOptions, type OperationName, type Operations } from "../contract/operations.ts";
import type { Operation } from "../contract/operation.ts";
import { readRequest } from "../contract/read-request.ts";
import { apiErrorOf } from "./api-error-of.ts";
import { CallRefused } from "./engine/answer/result.ts";
import type { Engine } from "./engine/engine.ts";
import { observeCall } from "./observed-call.ts";
import { monotonicClockOf, openEngine, type BackendOptions, type OpenEngine } from "./open-engine.ts";
import type { NotedCall } from "./service-operations.ts";
import { features, version } from "./version.ts";

/**
 * A backend in the same process: its operations act for the only service of the configuration, or for `serviceId`.
 *
 * They reject with `ApiError` for a wrong request, with `TypeError` for an unknown service.
 */
export interface Backend extends Operations {
  /** The API as a service may use it. */
  operationsFor(serviceId: number): Operations;
  /** Closes the store after the calls in progress; for a served backend, after its connections have drained. */
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
export function createBackend(
  { engine, close }: Pick<OpenEngine, "engine" | "close">,
  options: BackendOptions,
): Backend {
  let closing: Promise<void> | undefined;
  const operationsFor = (serviceId: number): Operations => readingRequests(engine, serviceId, options);
  let ofOwnService: { readonly id: number; readonly operations: Operations } | undefined;
  /** A reload may have changed which one that is. */
  const own = (): Operations => {
    const id = ownServiceId(options);
    if (ofOwnService?.id !== id) ofOwnService = { id, operations: operationsFor(id) };
    return ofOwnService.operations;
  };
  return {
    ...ofWhichever(own),
    authIntrospectionEvents: (request, how) => own().authIntrospectionEvents(request, how),
    operationsFor,
    close: () => (closing ??= close()),
  };
}

/** What `GET /api/info` answers. */
export function info(): Promise<InfoResponse> {
  return Promise.resolve({ version, features: [...features] });
}

/** Each operation of the service that `own` names when it is called; it rejects with what `own` throws. */
function ofWhichever(own: () => Operations): Pick<Operations, OperationName> {
  return eachOperation((name) => async (request, options) => (own()[name] as AnyOperation)(request, options));
}

/** Requests are read here, too, before they are decided; over HTTP the HTTP layer does it. */
function readingRequests(engine: Engine, serviceId: number, options: BackendOptions): Operations {
  const { onCall } = options;
  const monotonicClock = monotonicClockOf(options);
  const decisions = engine.operationsFor(serviceId);
  return {
    ...eachOperation((name) => {
      const decide = decisions[name] as AnyOperation;
      const operation: Operation = operations[name];
      const call = async (request: unknown, noted?: NotedCall): Promise<unknown> =>
        asApiError(() => decide(readRequest(operation, request), noted));
      if (onCall === undefined) return call;
      const watched = { operation: name, service: serviceId, isDocument: operation.v2Type === undefined };
      return (request, how) =>
        observeCall(onCall, monotonicClock, { ...watched, options: how }, (noted) => call(request, noted));
    }),
    async *authIntrospectionEvents(request, how) {
      yield* decisions.authIntrospectionEvents(readEventsRequest(request), how);
    },
  };
}

/** A caller's mistake is an `ApiError`, over HTTP and in the same process. */
async function asApiError(call: () => Promise<unknown>): Promise<unknown> {
  try {
    return await call();
  } catch (error) {
    throw error instanceof CallRefused ? apiErrorOf(error) : error;
  }
}

type AnyOperation = (request: unknown, options?: CallOptions) => Promise<unknown>;

/** `info`, which is about no service, and a method for each other operation of the table. */
function eachOperation(create: (name: ServiceOperationName) => AnyOperation): Pick<Operations, OperationName> {
  const names = Object.keys(operations).filter((name): name is ServiceOperationName => name !== "info");
  // The type of a list of pairs cannot express that each method fits its own name.
  const methods = Object.fromEntries(names.map((name) => [name, create(name)]));
  return { ...(methods as Pick<Operations, ServiceOperationName>), info };
}

type ServiceOperationName = Exclude<OperationName, "info">;

function ownServiceId({ configuration, serviceId }: Pick<BackendOptions, "configuration" | "serviceId">): number {
  if (serviceId !== undefined) return serviceId;
  const [only, ...others] = configuration.services;
  if (only === undefined || others.length > 0) {
    throw new TypeError("openBackend: serviceId must say which of several services the backend's operations act for.");
  }
  return only.settings.apiKey;
}
