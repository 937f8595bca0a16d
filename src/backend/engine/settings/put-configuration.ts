import type { PutConfiguration, TokenOwner } from "../../store/command.ts";
import { newAttempt } from "../answer/run-decided.ts";
import type { Dependencies } from "../dependencies.ts";
import { type ConfigurationPlan, isRefused, planConfiguration, type Removal } from "./configuration-plan.ts";
import { openService, sealConfiguration, type SealedService, type WantedServices } from "./sealed-settings.ts";

/** An id of the configuration belongs to a service or client that was made through the API. */
export class ConfigurationConflict extends Error {
  override readonly name = "ConfigurationConflict";
}

/** The store was written with another key: whatever reads it beside us would fail from then on. */
export class SecretKeyDiffers extends Error {
  override readonly name = "SecretKeyDiffers";
}

/** The configuration leaves out services or clients with live tokens, and their removal was not allowed. */
export class RemovalRefused extends Error {
  override readonly name = "RemovalRefused";
  readonly removals: readonly Removal[];

  constructor(removals: readonly Removal[]) {
    super("The configuration would end live tokens.");
    this.removals = removals;
  }
}

/** How a configuration is put. */
export interface PutOptions {
  /** What may be removed together with its live tokens. */
  readonly allowRemoval?: readonly TokenOwner[] | undefined;
  /** The secrets in the store are replaced: they were sealed under a former key. */
  readonly newSecretKey?: boolean | undefined;
}

type PutDependencies = Pick<Dependencies, "store" | "clock" | "random" | "secretBox">;

/** As every decision: after that many conflicts it is given up. */
const mostAttempts = 3;

/**
 * Refuses a key that cannot open the store's secrets of the configured services.
 *
 * Otherwise a backend on the same store with the right key could not open what this one seals.
 */
export async function checkSecretKey(
  {
    store,
    secretBox,
  }: { readonly store: Pick<Dependencies["store"], "readService"> } & Pick<Dependencies, "secretBox">,
  services: WantedServices,
): Promise<void> {
  for (const { settings } of services) {
    const stored = await store.readService(settings.apiKey);
    if (stored === undefined) continue;
    try {
      openService(settings.apiKey, stored.settings, secretBox);
    } catch (error) {
      throw new SecretKeyDiffers("The secrets in the store were encrypted under another key.", { cause: error });
    }
  }
}

/**
 * Makes the store's configured services and clients those of the file, all or none of them; returns the changes.
 *
 * Throws {@link SecretKeyDiffers}; {@link RemovalRefused} when live tokens would end; {@link ConfigurationConflict}
 * when the file uses an id that belongs to another source.
 */
export async function putConfiguration(
  dependencies: PutDependencies,
  services: WantedServices,
  { allowRemoval = [], newSecretKey = false }: PutOptions = {},
): Promise<ConfigurationPlan> {
  const { store, secretBox } = dependencies;
  if (!newSecretKey) await checkSecretKey(dependencies, services);
  const sealed = sealConfiguration(services, secretBox);
  for (let attempt = 0; attempt < mostAttempts; attempt++) {
    const plan = await planConfiguration(dependencies, sealed, { allowRemoval, newSecretKey });
    const refused = plan.removed.filter(isRefused);
    if (refused.length > 0) throw new RemovalRefused(refused);
    // A token that was issued since the plan was made is a conflict; the next plan counts it.
    if ((await store.run(commandOf(dependencies, sealed, allowRemoval))) === "done") return plan;
  }
  throw new ConfigurationConflict(
    "A service or client of the configuration has the id or alias of one that was made through the API, or got tokens each time that it was to be removed.",
  );
}

function commandOf(
  { clock, random }: PutDependencies,
  sealed: readonly SealedService[],
  mayRemove: readonly TokenOwner[],
): PutConfiguration {
  return {
    name: "put-configuration",
    attempt: newAttempt(random),
    changedAt: clock(),
    mayRemove,
    services: sealed.map(({ serviceId, settings, settingsTag, clients }) => ({
      serviceId,
      settings,
      settingsTag,
      clients: clients.map((client) => ({
        clientId: client.clientId,
        clientIdAlias: client.wanted.clientIdAlias,
        settings: client.settings,
        settingsTag: client.settingsTag,
      })),
    })),
  };
}
