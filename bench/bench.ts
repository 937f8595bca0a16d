import type { Timing } from "./measurement/compare.ts";
import type { Load } from "./measurement/load.ts";
import type { Deployment } from "./deployment.ts";

/** The arguments of every bench. */
export interface BenchContext {
  readonly load: Load;
  readonly deployment: Deployment;
  readonly timing: Timing;
  /** The folder for processor profiles of certbound's own servers; without it, none is written. */
  readonly profileInto: string | undefined;
}

/** One idea: measures and prints. */
export type Bench = (context: BenchContext) => Promise<void>;

/** Concurrent connections. */
export const connections = 64;
