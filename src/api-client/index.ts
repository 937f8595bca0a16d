/** Entry `certbound/api-client`: one typed method for each operation, over HTTP. */
export { ApiError } from "../contract/api-error.ts";
export type {
  InvalidationEventsRequest,
  InvalidationMessage,
  OpenInvalidationEvents,
} from "../contract/auth-introspection-events.ts";
export type { CallOptions, OperationName, Operations, RequestOf, ResponseOf } from "../contract/operations.ts";
export { type ApiClient, createApiClient } from "./api-client.ts";
export type { ApiConnection } from "./api-connection.ts";
export { BackendAnswerMalformed, BackendUnavailable, BackendUntrusted } from "./backend-unavailable.ts";
