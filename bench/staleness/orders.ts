import type { CacheOptions } from "../../src/resource-server/index.ts";

/** The argument of an API's process. */
export interface ApiArgument {
  /** The URL for introspection: the proxy between the APIs and the backend. */
  readonly baseUrl: string;
  readonly cache: CacheOptions;
  /** T: how many milliseconds one request waits for a response. */
  readonly timeout: number;
  readonly server: { readonly pem: string; readonly key: string };
}

/** The argument of the process that loads the APIs. */
export interface LoadArgument {
  readonly ports: readonly number[];
  readonly client: { readonly pem: string; readonly key: string };
}

/** A report of the load: every API has accepted the token once, or every API has rejected it. */
export interface LoadReport {
  readonly token: string;
  readonly now: "accepted" | "refused";
}

/**
 * Milliseconds of the clock that all processes of the machine share (CLOCK_MONOTONIC on Linux).
 *
 * `performance.now()` starts at another instant in every process.
 */
export function machineTime(): number {
  return Number(process.hrtime.bigint()) / 1_000_000;
}
