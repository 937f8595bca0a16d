import { operations, type Operations } from "../contract/operations.ts";
import type { ApiConnection } from "./api-connection.ts";
import { createCaller } from "./call.ts";
import { createEventStreams } from "./event-stream.ts";

/** Every operation of the API as a method, and the end of the connections. */
export type ApiClient = Operations & { close(): Promise<void> };

/**
 * Creates a client of a certbound backend, or of any API of that shape.
 *
 * Each method rejects with `ApiError`, `BackendUnavailable` or `BackendAnswerMalformed`; OAuth outcomes are values:
 * look at `action`. Throws a `TypeError` with a `code` for wrong options.
 *
 * @example const api = createApiClient({ baseUrl: "http://127.0.0.1:8705", serviceId, credentials: { apiSecret } })
 * const { action, responseContent } = await api.authToken({ parameters, clientCertificate })
 */
export function createApiClient(options: ApiConnection): ApiClient {
  const caller = createCaller(options);
  const streams = createEventStreams(options);
  const { call } = caller;
  return {
    authToken: (request, how) => call(operations.authToken, request, how),
    authIntrospection: (request, how) => call(operations.authIntrospection, request, how),
    authIntrospectionStandard: (request, how) => call(operations.authIntrospectionStandard, request, how),
    authRevocation: (request, how) => call(operations.authRevocation, request, how),
    info: (request, how) => call(operations.info, request, how),
    authIntrospectionEvents: streams.open,
    close() {
      streams.close();
      return caller.close();
    },
  };
}
