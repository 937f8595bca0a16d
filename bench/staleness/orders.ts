import type { CacheOptions } from "../../src/resource-server/index.ts";

/** What an API's process is started with. */
export interface ApiArgument {
  /** Where introspection goes: the proxy between the APIs and the backend. */
  readonly baseUrl: string;
  readonly cache: CacheOptions;
  /** T: milliseconds that one request waits for an answer. */
  readonly timeout: number;
  readonly server: { readonly pem: string; readonly key: string };
}

/** What the process that loads the APIs is started with. */
export interface LoadArgument {
  readonly ports: readonly number[];
  readonly client: { readonly pem: string; readonly key: string };
}

/** Told by the load: every API has accepted the token once, or every API has refused it. */
export interface LoadReport {
  readonly token: string;
  readonly now: "accepted" | "refused";
}

/**
 * Milliseconds of the clock that all processes of the machine share (CLOCK_MONOTONIC on Linux).
 *
 * `performance.now()` has a beginning of its own in every process.
 */
export function machineTime(): number {
  return Number(process.hrtime.bigint()) / 1_000_000;
}
