import type { Timing } from "./measurement/compare.ts";
import type { Load } from "./measurement/load.ts";
import type { Deployment } from "./deployment.ts";

/** What every bench is handed. */
export interface BenchContext {
  readonly load: Load;
  readonly deployment: Deployment;
  readonly timing: Timing;
  /** Where servers that are certbound's write a processor profile, if they shall. */
  readonly profileInto: string | undefined;
}

/** One idea: measures and prints. */
export type Bench = (context: BenchContext) => Promise<void>;

/** Connections that ask at the same time. */
export const connections = 64;
