import { describeOwner, describeTokens } from "./describe-plan.ts";
import { ConfigurationError, type Problem } from "./configuration/configuration-error.ts";
import type { Configuration } from "./configuration/configuration.ts";
import type { Dependencies } from "./engine/dependencies.ts";
import { type ConfigurationPlan, ownerKey, type Removal } from "./engine/settings/configuration-plan.ts";
import {
  ConfigurationConflict,
  putConfiguration,
  type PutOptions,
  RemovalRefused,
  SecretKeyDiffers,
} from "./engine/settings/put-configuration.ts";

export type ManagementDependencies = Pick<Dependencies, "store" | "clock" | "random" | "secretBox">;

/**
 * Puts the configuration into the store, all of it or nothing, and returns what that changed.
 *
 * Throws `ConfigurationError`, also where it would end live tokens that `allowRemoval` does not name.
 */
export async function applyConfiguration(
  dependencies: ManagementDependencies,
  { services }: Configuration,
  options: PutOptions,
): Promise<ConfigurationPlan> {
  try {
    return await putConfiguration(dependencies, services, options);
  } catch (error) {
    throw asConfigurationError(error);
  }
}

/** Turns a conflict between configuration and store into a `ConfigurationError`; returns other errors unchanged. */
export function asConfigurationError(error: unknown): unknown {
  if (error instanceof RemovalRefused) return removalRefused(error.removals, error);
  const problem = problemOf(error);
  return problem === undefined ? error : new ConfigurationError("configuration", [problem], { cause: error });
}

/** Names the clients and services that cannot be removed, how many tokens that would end, and what to do. */
export function removalRefused(removals: readonly Removal[], cause?: RemovalRefused): ConfigurationError {
  return new ConfigurationError("configuration", removals.map(problemOfRemoval), { cause });
}

function problemOf(error: unknown): Problem | undefined {
  if (error instanceof SecretKeyDiffers) {
    const sentence =
      "is not the key that the store was written with; to replace it, stop every backend on the store and start one with --new-secret-key";
    return { path: "secretKey", sentence };
  }
  return error instanceof ConfigurationConflict ? { path: "services", sentence: error.message } : undefined;
}

function problemOfRemoval(removal: Removal): Problem {
  const what = `leave out ${describeOwner(removal)}, and ${describeTokens(removal.liveTokens)} would end for good`;
  const remedy = `put it back, revoke its tokens first (auth/token/revoke), or start with --allow-removal ${ownerKey(removal)}`;
  return { path: "services", sentence: `${what}: ${remedy}` };
}
