import type { SecretBox } from "../dependencies.ts";
import type { ClientSettings, ServiceSettings } from "./settings.ts";
import { sealClient, sealService, type SealedSettings } from "./stored-settings.ts";

/** Services and their clients as the configuration file has them. */
export type WantedServices = readonly {
  readonly settings: ServiceSettings;
  readonly clients: readonly ClientSettings[];
}[];

/** A service as it is to be stored, beside what it was made from. */
export interface SealedService extends SealedSettings {
  readonly serviceId: number;
  readonly wanted: ServiceSettings;
  readonly clients: readonly SealedClient[];
}

/** A client, under the same rules. */
export interface SealedClient extends SealedSettings {
  readonly clientId: number;
  readonly wanted: ClientSettings;
}

/** Seals all secrets of a configuration. */
export function sealConfiguration(services: WantedServices, secretBox: SecretBox): readonly SealedService[] {
  return services.map(({ settings, clients }) => ({
    serviceId: settings.apiKey,
    wanted: settings,
    ...sealService(settings, secretBox),
    clients: clients.map((client) => ({
      clientId: client.clientId,
      wanted: client,
      ...sealClient(settings.apiKey, client, secretBox),
    })),
  }));
}
