import { asConfigurationError, removalRefused } from "./apply-configuration.ts";
import type { ConfigurationError } from "./configuration/configuration-error.ts";
import type { Configuration } from "./configuration/configuration.ts";
import { inMemory } from "./configuration/resolve-configuration.ts";
import type { Clock, Random } from "./engine/dependencies.ts";
import {
  type ConfigurationPlan,
  isRefused,
  type NamedOwner,
  ownerKey,
  planConfiguration,
  type Removal,
} from "./engine/settings/configuration-plan.ts";
import { checkSecretKey, type PutOptions } from "./engine/settings/put-configuration.ts";
import { sealConfiguration } from "./engine/settings/sealed-settings.ts";
import { createSecretBox } from "./secret-box/aes-secret-box.ts";
import { type ReadableStore, readSqliteStore } from "./store/sqlite/read-sqlite-store.ts";
import type { LiveTokens } from "./store/store.ts";

/** Lines of a kind that are written out; the rest is counted. */
const mostListed = 50;

/**
 * Says what a configuration changes, a line each: ids, names, names of members and numbers of tokens, never a value.
 *
 * @example describePlan(plan) // ['changes client 1004/17 "batch": tlsClientAuthSubjectDn']
 */
export function describePlan({ added, changed, removed }: ConfigurationPlan): string[] {
  return [
    ...listed(added, (owner) => [`adds ${describeOwner(owner)}`]),
    ...listed(changed, (owner) => [
      `changes ${describeOwner(owner)}: ${owner.members.join(", ")}`,
      ...owner.effects.map((effect) => `  ${effect}`),
    ]),
    ...listed(removed, (removal) => [`removes ${describeRemoval(removal)}`]),
  ];
}

function describeRemoval({ liveTokens, ...removal }: Removal): string {
  const owner = describeOwner(removal);
  const none = liveTokens?.complete === true && liveTokens.count === 0;
  return none ? `${owner}, which has no live tokens` : `${owner} and ends ${describeTokens(liveTokens)} for good`;
}

/** A service or client by its ids and its name. */
export function describeOwner(owner: NamedOwner): string {
  const { clientId, name } = owner;
  const what = `${clientId === undefined ? "service" : "client"} ${ownerKey(owner)}`;
  return name === undefined ? what : `${what} ${JSON.stringify(name)}`;
}

/** How many tokens are live, or that this is not known. */
export function describeTokens(tokens: LiveTokens | undefined): string {
  if (tokens === undefined) return "its live tokens (not counted)";
  const { count, complete } = tokens;
  if (complete) return `${count === 0 ? "no" : count} live ${count === 1 ? "token" : "tokens"}`;
  return count === 0 ? "perhaps live tokens (too many old ones to count)" : `more than ${count} live tokens`;
}

function listed<Entry>(entries: readonly Entry[], lines: (entry: Entry) => string[]): string[] {
  const rest = entries.length - mostListed;
  return [...entries.slice(0, mostListed).flatMap(lines), ...(rest > 0 ? [`  and ${rest} more of this kind`] : [])];
}

/** What a start with this configuration would do to the store. */
export interface Comparison {
  /** `undefined`: there is no store, and a start would make one. */
  readonly plan: ConfigurationPlan | undefined;
  /** Why a start would be refused. */
  readonly refusal: ConfigurationError | undefined;
  /** `false`: an older version wrote the store, and its live tokens can only be counted after a start has migrated it. */
  readonly countsTokens: boolean;
}

/** What a comparison is made with. */
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
