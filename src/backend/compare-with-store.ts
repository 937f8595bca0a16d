import { asConfigurationError, removalRefused } from "./apply-configuration.ts";
import type { ConfigurationError } from "./configuration/configuration-error.ts";
import type { Configuration } from "./configuration/configuration.ts";
import { inMemory } from "./configuration/resolve-configuration.ts";
import type { Clock, Random } from "./engine/dependencies.ts";
import { isRefused, planConfiguration, type ConfigurationPlan } from "./engine/settings/configuration-plan.ts";
import { checkSecretKey, type PutOptions } from "./engine/settings/put-configuration.ts";
import { sealConfiguration } from "./engine/settings/sealed-settings.ts";
import { createSecretBox } from "./secret-box/aes-secret-box.ts";
import { readSqliteStore, type ReadableStore } from "./store/sqlite/read-sqlite-store.ts";

/** The effects on the store of a start with this configuration. */
export interface Comparison {
  /** `undefined`: there is no store, and a start would make one. */
  readonly plan: ConfigurationPlan | undefined;
  /** Why a start would be refused. */
  readonly refusal: ConfigurationError | undefined;
  /** `false`: an older version wrote the store, and its live tokens can only be counted after a start has migrated it. */
  readonly countsTokens: boolean;
}

/** The dependencies of a comparison. */
export interface ComparisonOptions extends PutOptions {
  readonly clock: Clock;
  readonly random: Random;
}

/**
 * Compares a configuration with the store that it names, without writing to it or beside it.
 *
 * Rejects with `StoreFailure` when the store cannot be read, with `ConfigurationError` when its secret key is another.
 *
 * @example const { plan, refusal } = await compareWithStore(configuration, { clock: Date.now, random: randomBytes });
 */
export async function compareWithStore(configuration: Configuration, options: ComparisonOptions): Promise<Comparison> {
  const { store, secretKey, services } = configuration;
  if (store.sqlite === inMemory || secretKey === undefined) {
    return { plan: undefined, refusal: undefined, countsTokens: true };
  }
  const { clock, random, allowRemoval = [], newSecretKey = false } = options;
  const secretBox = createSecretBox(secretKey, random);

  async function compare(readable: ReadableStore): Promise<Comparison> {
    if (!newSecretKey) await checkSecretKey({ store: readable, secretBox }, services);
    const sealed = sealConfiguration(services, secretBox);
    const plan = await planConfiguration({ store: readable, clock, secretBox }, sealed, { allowRemoval, newSecretKey });
    const countsTokens = readable.readLiveTokens !== undefined;
    const refused = countsTokens ? plan.removed.filter(isRefused) : [];
    return { plan, refusal: refused.length === 0 ? undefined : removalRefused(refused), countsTokens };
  }

  try {
    return (
      (await readSqliteStore(store.sqlite, compare)) ?? { plan: undefined, refusal: undefined, countsTokens: true }
    );
  } catch (error) {
    throw asConfigurationError(error);
  }
}
