import { type Agent, request as httpRequest, type IncomingHttpHeaders, type RequestOptions } from "node:http";
import { connect } from "node:net";
import type { ExecutionContext } from "ava";
import { createHttpApp } from "../../../src/backend/http/create-http-app.ts";
import { createLog } from "../../../src/backend/http/create-log.ts";
import type { HttpDependencies, ServiceOperations } from "../../../src/backend/http/http-dependencies.ts";
import { listen, type Listening } from "../../../src/backend/http/listen.ts";
import { apiErrorOf } from "../../../src/backend/api-error-of.ts";
import { ApiError } from "../../../src/contract/api-error.ts";
import type { ApiCallerCredentials } from "../../../src/contract/operation.ts";
import { type OperationName, operations } from "../../../src/contract/operations.ts";

export const serviceId = 3_693_555_439;
export const apiSecret = "secret-of-the-service-4711";
export const accessToken = "access-token-of-the-service-4712";
export const basic = `Basic ${Buffer.from(`${serviceId}:${apiSecret}`).toString("base64")}`;
export const bearer = `Bearer ${accessToken}`;

/** Operations that remember what they were asked and answer what they are told to. */
export interface FakeOperations extends ServiceOperations {
  readonly calls: { readonly name: string; readonly request: unknown }[];
}

/** What some operations answer; the others answer no more than every operation does. */
const answers: Partial<Record<OperationName, object>> = {
  authToken: { resultCode: "A052001", resultMessage: "[A052001] Done.", action: "OK", subject: undefined },
  authIntrospection: { resultCode: "A056001", resultMessage: "[A056001] Valid.", action: "OK" },
  authIntrospectionStandard: { resultCode: "A145001", resultMessage: "[A145001] Done.", action: "OK" },
  authRevocation: { resultCode: "A113001", resultMessage: "[A113001] Done.", action: "OK" },
};

export function fakeOperations(overrides: Partial<ServiceOperations> = {}): FakeOperations {
  const calls: { name: string; request: unknown }[] = [];
  const remembering = (Object.keys(operations) as OperationName[]).map((name) => [
    name,
    (request: unknown) => {
      calls.push({ name, request });
      if (name === "authTokenDelete") return Promise.resolve(undefined);
      return Promise.resolve(answers[name] ?? { resultCode: "A000000", resultMessage: "[A000000] Done." });
    },
  ]);
  return {
    ...(Object.fromEntries(remembering) as ServiceOperations),
    calls,
    authIntrospectionEvents: () => {
      throw new Error("The test has no events.");
    },
    ...overrides,
  };
}

/** Accepts the one service's credentials, as the engine would. */
export function operationsForOneService(operations: ServiceOperations): HttpDependencies["operationsFor"] {
  return (credentials: ApiCallerCredentials) => {
    if (credentials.scheme === "basic") {
      if (credentials.apiKey !== `${serviceId}`) return refused("A003201");
      return credentials.apiSecret === apiSecret ? Promise.resolve(operations) : refused("A003204");
    }
    const right = credentials.serviceId === serviceId && credentials.accessToken === accessToken;
    return right ? Promise.resolve(operations) : refused("A458101");
  };
}

function refused(resultCode: string): Promise<never> {
  return Promise.reject(new ApiError(401, resultCode, "The credentials are not accepted."));
}

export interface RunningApp {
  readonly listening: Listening;
  /** Every line of the log so far, as text. */
  readonly log: string[];
  readonly operations: FakeOperations;
  readonly call: (options: CallOptions) => Promise<HttpAnswer>;
  /** Sends octets as they are and answers all that came back until the server closed the connection. */
  readonly raw: (...chunks: (string | Buffer)[]) => Promise<string>;
}

export interface CallOptions {
  readonly method?: string;
  readonly path: string;
  readonly headers?: Readonly<Record<string, string | string[]>>;
  readonly body?: string | Buffer;
  readonly agent?: Agent;
}

export interface HttpAnswer {
  readonly status: number | undefined;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
}

/** Starts the app on a free port for the length of one test. */
export async function startApp(
  t: ExecutionContext,
  dependencies: Partial<HttpDependencies> & { readonly operations?: Partial<ServiceOperations> } = {},
): Promise<RunningApp> {
  const log: string[] = [];
  const operations = fakeOperations(dependencies.operations);
  let ids = 0;
  const app = createHttpApp({
    operationsFor: operationsForOneService(operations),
    info: () => Promise.resolve({ version: "1.2.3", features: ["client_credentials"] }),
    apiErrorOf,
    log: createLog({ level: "trace", stream: { write: (line) => void log.push(line) } }),
    newRequestId: () => `id-${++ids}`,
    monotonicClock: () => 0,
    ...dependencies,
  });
  const listening = await listen(app, { host: "127.0.0.1", port: 0 });
  t.teardown(() => listening.close(AbortSignal.abort()));
  return {
    listening,
    log,
    operations,
    call: (options) => call({ host: "127.0.0.1", port: listening.address.port }, options),
    raw: (...chunks) => raw(listening.address.port, chunks),
  };
}

/** One request and its answer, whole. */
export function call(to: RequestOptions, options: CallOptions): Promise<HttpAnswer> {
  const { method = "GET", path, headers = {}, body, agent = false } = options;
  return new Promise((resolve, reject) => {
    const request = httpRequest({ ...to, method, path, headers, agent }, (response) => {
      const chunks: Buffer[] = [];
      response.on("data", (chunk: Buffer) => chunks.push(chunk));
      response.on("error", reject);
      response.on("end", () => {
        resolve({
          status: response.statusCode,
          headers: response.headers,
          text: Buffer.concat(chunks).toString(),
        });
      });
    });
    request.on("error", reject);
    request.end(body);
  });
}

function raw(port: number | undefined, chunks: readonly (string | Buffer)[]): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host: "127.0.0.1", port: port ?? 0 });
    const received: Buffer[] = [];
    socket.on("data", (chunk) => received.push(chunk));
    socket.on("error", reject);
    socket.on("close", () => {
      resolve(Buffer.concat(received).toString());
    });
    for (const chunk of chunks) socket.write(chunk);
  });
}

/** A call of an operation in the v3 shape with everything right. */
export function v3(operation: string, body: unknown): CallOptions & { readonly headers: Record<string, string> } {
  return {
    method: "POST",
    path: `/api/${serviceId}${operation}`,
    headers: { authorization: bearer, "content-type": "application/json" },
    body: JSON.stringify(body),
  };
}

/** The same in the v2 shape. */
export function v2(operation: string, body: unknown): CallOptions & { readonly headers: Record<string, string> } {
  return {
    method: "POST",
    path: `/api${operation}`,
    headers: { authorization: basic, "content-type": "application/json" },
    body: JSON.stringify(body),
  };
}

export function json(answer: HttpAnswer): Record<string, unknown> {
  return JSON.parse(answer.text) as Record<string, unknown>;
}
