import type { Operation } from "../contract/operation.ts";
import { operations, type CallOptions, type OperationName, type Operations } from "../contract/operations.ts";
import type { ApiConnection } from "./api-connection.ts";
import { createCaller, type Caller } from "./call.ts";
import { createEventStreams } from "./event-stream.ts";

/** Every operation of the API as a method, and `close`, which closes the connections. */
export type ApiClient = Operations & { close(): Promise<void> };

/**
 * Creates a client of a certbound backend, or of another server with the same API.
 *
 * Each method rejects with `ApiError`, `BackendUnavailable` or `BackendAnswerMalformed`. OAuth outcomes are return
 * values: see `action`. Throws a `TypeError` with a `code` for wrong options.
 *
 * @example const api = createApiClient({ baseUrl: "http://127.0.0.1:8705", serviceId, credentials: { apiSecret } })
 * const { action, responseContent } = await api.authToken({ parameters, clientCertificate })
 */
export function createApiClient(options: ApiConnection): ApiClient {
  const caller = createCaller(options);
  const streams = createEventStreams(options);
  return {
    ...oneMethodEach(caller),
    authIntrospectionEvents: streams.open,
    close() {
      streams.close();
      return caller.close();
    },
  };
}

/** One method for each operation, all over the same connections. */
function oneMethodEach({ call }: Caller): Pick<Operations, OperationName> {
  const names = Object.keys(operations) as OperationName[];
  const methods = names.map((name) => {
    const operation: Operation = operations[name];
    const method: AnyCall = (request, how) => call(operation, request, how);
    return [name, method] as const;
  });
  // Each name is paired with its own operation above, which the type of a list of pairs cannot express.
  return Object.fromEntries(methods) as Pick<Operations, OperationName>;
}

type AnyCall = (request: unknown, how?: CallOptions) => Promise<unknown>;
