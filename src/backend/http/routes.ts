import type { IncomingMessage } from "node:http";
import { ApiError, serviceUnavailable } from "../../contract/api-error.ts";
import type { ApiCallerCredentials, Operation } from "../../contract/operation.ts";
import { type OperationName, operations, streams } from "../../contract/operations.ts";
import { readRequest } from "../../contract/read-request.ts";
import { type UnsupportedOperation, unsupportedOperations } from "../../contract/unsupported-operations.ts";
import type { CallFacts, NotedCall, NoteFacts, ServiceOperations } from "../service-operations.ts";
import { type Answer, jsonAnswer, noContent, methodNotAllowed, nothingHere } from "./answer.ts";
import { readStreamRequest, type StreamAnswer } from "./event-stream.ts";
import { createFormBodyReader } from "./form-body.ts";
import type { HttpDependencies } from "./http-dependencies.ts";
import { apiChallenge, readApiCaller } from "./read-api-caller.ts";
import { createQueryReader, readBody } from "./read-body.ts";

/** One path and method, and its answer; `segments` are the variable ones of the path, undecoded. */
export interface Route {
  readonly method: UnsupportedOperation["methods"][number];
  readonly path: RoutePath;
  readonly respond: (
    request: IncomingMessage,
    segments: readonly string[],
    /** Aborts when the caller has gone; only who asks for it pays for it. */
    gone: () => AbortSignal,
    /** Records facts about the call for the log. */
    note: NoteFacts,
  ) => Answer | Promise<Answer | StreamAnswer>;
}

type Api = Pick<HttpDependencies, "operationsFor" | "info" | "livenessFailures" | "readinessFailures">;

const { info: infoOperation, ...serviceOperations } = operations;

/** Every operation of the contract in both shapes, and what needs no credentials. */
export function servedRoutes(api: Api): readonly Route[] {
  const names = Object.keys(serviceOperations) as Exclude<OperationName, "info">[];
  return [
    ...names.flatMap((name) => [operationRoute(api, name, "v3"), operationRoute(api, name, "v2")]),
    eventsRoute(api, "v3"),
    eventsRoute(api, "v2"),
    {
      method: infoOperation.method,
      path: routePath("open", infoOperation.path),
      respond: async () => jsonAnswer(200, await api.info()),
    },
    ...healthRoutes(api),
  ];
}

/** Every operation that the API has and that is not served: refused once the caller has shown who it is. */
export function unsupportedRoutes(api: Api): readonly Route[] {
  return unsupportedOperations.flatMap(({ methods, path, only }) =>
    shapesOf(only).flatMap((shape) =>
      methods.map((method) => ({
        method,
        path: routePath(shape, path),
        respond: async (request: IncomingMessage, segments: readonly string[], _gone: unknown, note: NoteFacts) => {
          if (shape !== "open") await authenticate(api, request, { shape, segments }, note);
          throw new ApiError(403, "A001223", `${path} is not supported by this backend.`);
        },
      })),
    ),
  );
}

function shapesOf(only: UnsupportedOperation["only"]): readonly ("v2" | "v3" | "open")[] {
  return only === undefined ? ["v3", "v2"] : [only];
}

function operationRoute(api: Api, name: keyof typeof serviceOperations, shape: "v2" | "v3"): Route {
  const operation: Operation = serviceOperations[name];
  const readForm = createFormBodyReader(operation);
  const readQuery = operation.method === "POST" ? undefined : createQueryReader(operation, readForm);
  return {
    method: operation.method,
    path: routePath(shape, operation.path),
    respond: async (request, segments, _gone, note) => {
      // Before the body: who may not call need not be listened to.
      const callers = await authenticate(api, request, { shape, segments }, note);
      const call = callers[name] as (request: unknown, call: NotedCall) => Promise<object | undefined>;
      const read = readQuery?.(request, shape === "v3" ? segments.slice(1) : segments);
      const asked = readRequest(operation, read ?? (await readBody(request, readForm)));
      const answer = await call(asked, { note });
      if (answer === undefined) return noContent;
      return jsonAnswer(200, shape === "v2" ? { type: operation.v2Type, ...answer } : answer, {
        pretty: (asked as { pretty?: unknown }).pretty === true,
        isDocument: operation.v2Type === undefined,
      });
    },
  };
}

/** Answers when the first event is available: until then, errors can still have their own status. */
function eventsRoute(api: Api, shape: "v2" | "v3"): Route {
  const { method, path } = streams.authIntrospectionEvents;
  return {
    method,
    path: routePath(shape, path),
    respond: async (request, segments, gone, note) => {
      if (request.method !== method) throw methodNotAllowed([method]);
      const { authIntrospectionEvents } = await authenticate(api, request, { shape, segments }, note);
      const signal = gone();
      const rest = authIntrospectionEvents(readStreamRequest(request), { signal })[Symbol.asyncIterator]();
      const first = await rest.next();
      try {
        if (first.done === true) throw serviceUnavailable("The stream has ended.");
        // From here on a change of the credentials ends the stream; one that came before is seen now.
        await authenticate(api, request, { shape, segments }, note);
      } catch (error) {
        await rest.return?.();
        throw error;
      }
      return { status: 200, first: first.value, rest: { [Symbol.asyncIterator]: () => rest } };
    },
  };
}

async function authenticate(
  api: Api,
  request: IncomingMessage,
  { shape, segments }: { readonly shape: "v2" | "v3"; readonly segments: readonly string[] },
  note: NoteFacts,
): Promise<ServiceOperations> {
  const serviceId = shape === "v3" ? Number(segments[0]) : 0;
  if (!Number.isSafeInteger(serviceId)) throw nothingHere();
  const credentials = shape === "v2" ? readApiCaller(request, shape) : readApiCaller(request, shape, serviceId);
  note(serviceNamedBy(credentials));
  try {
    return await api.operationsFor(credentials);
  } catch (error) {
    throw error instanceof ApiError && error.status === 401 ? withChallenge(error, shape) : error;
  }
}

/** The number that the caller gives, whether its credentials are accepted or not. */
function serviceNamedBy(credentials: ApiCallerCredentials): CallFacts {
  if (credentials.scheme === "bearer") return { service: credentials.serviceId };
  return /^[0-9]{1,15}$/.test(credentials.apiKey) ? { service: Number(credentials.apiKey) } : {};
}

/** HTTP's own demand on a 401 (RFC 9110 §15.5.2), which the engine does not know. */
function withChallenge(error: ApiError, shape: "v2" | "v3"): ApiError {
  const headers = { "WWW-Authenticate": apiChallenge(shape, true), ...error.headers };
  return new ApiError(error.status, error.resultCode, error.sentence, { cause: error, headers });
}

/** A path whose answer does not depend on the request. */
interface HealthRoute {
  readonly method: "GET";
  readonly path: RoutePath;
  readonly respond: () => Promise<Answer>;
}

/** Returns the names of the failed checks. */
type Probe = () => readonly string[] | Promise<readonly string[]>;

/**
 * The probes; none needs credentials.
 *
 * `/livez` and `/readyz` are Kubernetes' names, `/api/lifecycle/healthcheck` is the API's name of the latter. HEAD gets
 * the same without the body.
 */
function healthRoutes({
  livenessFailures,
  readinessFailures,
}: Pick<HttpDependencies, "livenessFailures" | "readinessFailures">): readonly HealthRoute[] {
  return [
    probeRoute(routePath("root", "/livez"), "NOT ALIVE", livenessFailures),
    probeRoute(routePath("root", "/readyz"), "NOT READY", readinessFailures),
    probeRoute(routePath("open", "/lifecycle/healthcheck"), "NOT READY", readinessFailures),
  ];
}

function probeRoute(path: RoutePath, otherwise: string, probe: Probe = () => []): HealthRoute {
  return {
    method: "GET",
    path,
    async respond() {
      const failed = await probe();
      const ok = failed.length === 0;
      return {
        status: ok ? 200 : 503,
        contentType: "text/plain; charset=utf-8",
        body: ok ? "OK" : `${otherwise}: ${failed.join(", ")}`,
      };
    },
  };
}

/** `open`: below `/api` like v2, and the operation asks for no credentials; `root`: neither, and not of the API. */
export type Shape = "v2" | "v3" | "open" | "root";

/** One path that the app answers. */
export interface RoutePath {
  readonly shape: Shape;
  /** Logged instead of the path, which may contain a token. */
  readonly template: string;
  /** Exact: case, no trailing slash. Its groups are the segments that vary; in the v3 shape the first is the service id. */
  readonly pattern: RegExp;
}

/**
 * Where an operation is, in one shape of the API (Authlete's API): a first segment of digits makes it v3.
 *
 * @example routePath("v3", "/auth/token").template // "/api/{serviceId}/auth/token"
 */
export function routePath(shape: Shape, path: string): RoutePath {
  const template = `${shape === "root" ? "" : "/api"}${shape === "v3" ? "/{serviceId}" : ""}${path}`;
  const pattern = template
    .replaceAll(".", "\\.")
    .replace("{serviceId}", "([1-9][0-9]{0,15})")
    .replaceAll(/\{[A-Za-z]+\}/g, "([^/]+)");
  return { shape, template, pattern: new RegExp(`^${pattern}$`) };
}
