import { readIdentifier } from "../identifier.ts";
import type { Client, Service, Settings } from "../management/settings-memo.ts";

/** Finds the client that an API caller names by number or alias; `byAlias` says by which. */
export async function findClient(
  settings: Settings,
  service: Service,
  identifier: string,
): Promise<{ readonly client: Client; readonly byAlias: boolean } | undefined> {
  const clientId = readIdentifier(identifier);
  const byNumber = clientId === undefined ? undefined : await settings.client(service, { clientId });
  if (byNumber !== undefined) return { client: byNumber, byAlias: false };
  const byAlias = await settings.client(service, { clientIdAlias: identifier });
  return byAlias?.settings.clientIdAliasEnabled === true ? { client: byAlias, byAlias: true } : undefined;
}
