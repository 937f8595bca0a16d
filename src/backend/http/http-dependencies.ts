import type { Logger } from "pino";
import type { ApiCallerCredentials } from "../../contract/api-caller-credentials.ts";
import type { InfoResponse } from "../../contract/info.ts";
import type { ServiceOperations } from "../service-operations.ts";

export type { ServiceOperations } from "../service-operations.ts";

/** All that the HTTP layer is handed. */
export interface HttpDependencies {
  /** The API as this caller may use it; rejects with `ApiError` 401. Requests are handed to it already read. */
  operationsFor(credentials: ApiCallerCredentials): Promise<ServiceOperations>;
  info(): Promise<InfoResponse>;
  readonly log: Logger;
  readonly newRequestId: () => string;
  /** Milliseconds that never run backwards, from any beginning; without it the log has no durations. */
  readonly monotonicClock?: () => number;
  /** Names what does not hold and only a new start of the process can mend; empty: nothing. Left out: nothing. */
  readonly livenessFailures?: () => readonly string[] | Promise<readonly string[]>;
  /** Names what does not hold and must for requests to be answered; empty: nothing. Left out: nothing. */
  readonly readinessFailures?: () => readonly string[] | Promise<readonly string[]>;
}
