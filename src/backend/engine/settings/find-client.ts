import type { Client, Service, Settings } from "./service-and-client.ts";

/** A client, and whether it was named by its alias. */
export interface NamedClient {
  readonly client: Client;
  readonly clientIdAliasUsed: boolean;
}

/** Finds a client by its number, else by its alias, be that enabled or not. */
export async function findClient(
  settings: Settings,
  service: Service,
  identifier: string,
): Promise<NamedClient | undefined> {
  const clientId = readIdentifier(identifier);
  const byNumber = clientId === undefined ? undefined : await settings.client(service, { clientId });
  if (byNumber !== undefined) return { client: byNumber, clientIdAliasUsed: false };
  const byAlias = await settings.client(service, { clientIdAlias: identifier });
  return byAlias && { client: byAlias, clientIdAliasUsed: true };
}

/** The same of an alias that is enabled only. */
export async function findEnabledClient(
  settings: Settings,
  service: Service,
  identifier: string,
): Promise<NamedClient | undefined> {
  const found = await findClient(settings, service, identifier);
  return found?.clientIdAliasUsed === true && !found.client.settings.clientIdAliasEnabled ? undefined : found;
}

/** The `client_id` that answers show: the alias when the request used it, else the number. */
export function clientIdOf({ client: { settings }, clientIdAliasUsed }: NamedClient): string {
  return (clientIdAliasUsed ? settings.clientIdAlias : undefined) ?? String(settings.clientId);
}

/** Reads the number of a service or a client in its one canonical spelling; `undefined` for any other text. */
export function readIdentifier(text: string): number | undefined {
  return /^[1-9][0-9]{0,15}$/.test(text) && Number.isSafeInteger(Number(text)) ? Number(text) : undefined;
}
