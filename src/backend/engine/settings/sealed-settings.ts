import type { SecretBox } from "../dependencies.ts";
import type { ClientSettings, ServiceSettings } from "./settings.ts";

/** A service or client as stored: JSON text with sealed secrets, and a tag that differs when the settings do. */
export interface SealedSettings {
  readonly settings: string;
  readonly settingsTag: Uint8Array;
}

/** A row holds what belongs into another: someone has written to the store past the backend. */
export class MisplacedSettings extends Error {
  override readonly name = "MisplacedSettings";
}

/** Seals a service's secrets one by one, each under its own context. */
export function sealService(service: ServiceSettings, secretBox: SecretBox): SealedSettings {
  const context = serviceContext(service.apiKey);
  const sealed: ServiceSettings = {
    ...service,
    apiSecret: secretBox.seal(service.apiSecret, `${context}:apiSecret`),
    accessTokens: service.accessTokens.map((token) => secretBox.seal(token, `${context}:accessTokens`)),
    ...(service.jwks !== undefined && { jwks: secretBox.seal(service.jwks, `${context}:jwks`) }),
  };
  return { settings: JSON.stringify(sealed), settingsTag: secretBox.tag(JSON.stringify(service)) };
}

/** The reverse of {@link sealService}; throws when the text was sealed under another key, or for another service. */
export function openService(serviceId: number, text: string, secretBox: SecretBox): ServiceSettings {
  const sealed = JSON.parse(text) as ServiceSettings;
  if (sealed.apiKey !== serviceId) throw new MisplacedSettings("The settings are those of another service.");
  const context = serviceContext(serviceId);
  return {
    ...sealed,
    apiSecret: secretBox.open(sealed.apiSecret, `${context}:apiSecret`),
    accessTokens: sealed.accessTokens.map((token) => secretBox.open(token, `${context}:accessTokens`)),
    ...(sealed.jwks !== undefined && { jwks: secretBox.open(sealed.jwks, `${context}:jwks`) }),
  };
}

/** The parts of a stored service that can be read without the key of its secrets. */
export function withoutServiceSecrets(text: string): Partial<ServiceSettings> {
  return without(["apiSecret", "accessTokens", "jwks"] satisfies (keyof ServiceSettings)[], text);
}

/** The same of a client. */
export function withoutClientSecrets(text: string): Partial<ClientSettings> {
  return without(["clientSecret"] satisfies (keyof ClientSettings)[], text);
}

function without(secrets: readonly string[], text: string): object {
  const members = Object.entries(JSON.parse(text) as object);
  return Object.fromEntries(members.filter(([name]) => !secrets.includes(name)));
}

/** Seals a client's secret. */
export function sealClient(serviceId: number, client: ClientSettings, secretBox: SecretBox): SealedSettings {
  const context = clientContext(serviceId, client.clientId);
  const sealed: ClientSettings = {
    ...client,
    ...(client.clientSecret !== undefined && { clientSecret: secretBox.seal(client.clientSecret, context) }),
  };
  return { settings: JSON.stringify(sealed), settingsTag: secretBox.tag(JSON.stringify(client)) };
}

/** The reverse of {@link sealClient}; throws when the text was sealed under another key, or for another client. */
export function openClient(serviceId: number, clientId: number, text: string, secretBox: SecretBox): ClientSettings {
  const sealed = JSON.parse(text) as ClientSettings;
  if (sealed.clientId !== clientId) throw new MisplacedSettings("The settings are those of another client.");
  if (sealed.clientSecret === undefined) return sealed;
  const context = clientContext(serviceId, clientId);
  return { ...sealed, clientSecret: secretBox.open(sealed.clientSecret, context) };
}

const serviceContext = (serviceId: number): string => `service:${serviceId}`;
const clientContext = (serviceId: number, clientId: number): string =>
  `service:${serviceId}:client:${clientId}:clientSecret`;

/** Services and their clients as the configuration file has them. */
export type WantedServices = readonly {
  readonly settings: ServiceSettings;
  readonly clients: readonly ClientSettings[];
}[];

/** A service as it will be stored, with its settings. */
export interface SealedService extends SealedSettings {
  readonly serviceId: number;
  readonly wanted: ServiceSettings;
  readonly clients: readonly SealedClient[];
}

/** The same for a client. */
interface SealedClient extends SealedSettings {
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
