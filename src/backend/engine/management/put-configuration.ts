import { newAttempt } from "../attempt.ts";
import type { Dependencies } from "../dependencies.ts";
import type { ClientSettings, ServiceSettings } from "./settings.ts";
import { openService, sealClient, sealService } from "./stored-settings.ts";

/** An id of the configuration belongs to a service or client that was made through the API. */
export class ConfigurationConflict extends Error {
  override readonly name = "ConfigurationConflict";
}

/** The store was written with another key: whatever reads it beside us would fail from then on. */
export class SecretKeyDiffers extends Error {
  override readonly name = "SecretKeyDiffers";
}

/**
 * Refuses a key that does not open what the store has of the configured services.
 *
 * A backend that runs on the same store with the right key would find every secret sealed under the wrong one.
 */
export async function checkSecretKey(
  { store, secretBox }: Pick<Dependencies, "store" | "secretBox">,
  services: readonly { readonly settings: ServiceSettings }[],
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
 * Makes the store's configured services and clients those of the file, all or none of them.
 *
 * Throws {@link ConfigurationConflict} when the file takes an id that is not the file's to take.
 */
export async function putConfiguration(
  { store, clock, random, secretBox }: Pick<Dependencies, "store" | "clock" | "random" | "secretBox">,
  services: readonly { readonly settings: ServiceSettings; readonly clients: readonly ClientSettings[] }[],
): Promise<void> {
  const outcome = await store.run({
    name: "put-configuration",
    attempt: newAttempt(random),
    changedAt: clock(),
    services: services.map(({ settings, clients }) => ({
      serviceId: settings.apiKey,
      ...sealService(settings, secretBox),
      clients: clients.map((client) => ({
        clientId: client.clientId,
        clientIdAlias: client.clientIdAlias,
        ...sealClient(settings.apiKey, client, secretBox),
      })),
    })),
  });
  if (outcome === "conflict") {
    throw new ConfigurationConflict(
      "A service or client of the configuration has the id or alias of one that was made through the API.",
    );
  }
}
