import type { Logger } from "pino";
import type { ApiError } from "../../contract/api-error.ts";
import type { InfoResponse } from "../../contract/info.ts";
import type { ApiCallerCredentials } from "../../contract/operation.ts";
import type { ServiceOperations } from "../service-operations.ts";

export type { ServiceOperations } from "../service-operations.ts";

/** All that the HTTP layer is handed. */
export interface HttpDependencies {
  /** The API as this caller may use it; rejects with `ApiError` 401. Requests are handed to it already read. */
  operationsFor(credentials: ApiCallerCredentials): Promise<ServiceOperations>;
  info(): Promise<InfoResponse>;
  /** The error that a caller gets when an operation rejects. */
  readonly apiErrorOf: (error: unknown) => ApiError;
  readonly log: Logger;
  readonly newRequestId: () => string;
  /** Milliseconds that never run backwards, from any beginning; without it the log has no durations. */
  readonly monotonicClock?: () => number;
  /** Names failures that only a restart of the process can repair; default: none. */
  readonly livenessFailures?: () => readonly string[] | Promise<readonly string[]>;
  /** Names failures that prevent answers; default: none. */
  readonly readinessFailures?: () => readonly string[] | Promise<readonly string[]>;
}
