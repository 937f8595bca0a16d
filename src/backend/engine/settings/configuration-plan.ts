import type { TokenOwner } from "../../store/command.ts";
import type { ListedClient, ListedService, LiveTokens, Store } from "../../store/store.ts";
import type { Dependencies } from "../dependencies.ts";
import {
  openClient,
  openService,
  type SealedService,
  withoutClientSecrets,
  withoutServiceSecrets,
} from "./sealed-settings.ts";
import { clientDifference, serviceDifference, type SettingsDifference } from "./settings-difference.ts";

/** What putting a configuration would do to the store: ids, names and names of members, never a value. */
export interface ConfigurationPlan {
  /** No service was ever put into the store: it knows no token. */
  readonly storeIsNew: boolean;
  readonly added: readonly NamedOwner[];
  readonly changed: readonly (NamedOwner & SettingsDifference)[];
  /** Clients of a service that is removed are not listed one by one. */
  readonly removed: readonly Removal[];
}

/** A client, or without `clientId` a service. */
export interface NamedOwner extends TokenOwner {
  /** `clientName` or `serviceName`. */
  readonly name: string | undefined;
}

/** A service or client that is not configured any more. */
export interface Removal extends NamedOwner {
  /** What ends with it, for good; `undefined` where it was not counted. */
  readonly liveTokens: LiveTokens | undefined;
  /** Whoever puts the configuration has allowed for it. */
  readonly allowed: boolean;
}

/** The reads that a plan is made from. */
type PlannedStore = Pick<Store, "readServicesAfter" | "readClientsAfter"> & {
  /** Left out where the tables of tokens cannot be read. */
  readonly readLiveTokens?: Store["readLiveTokens"];
};

type PlanDependencies = Pick<Dependencies, "clock" | "secretBox"> & { readonly store: PlannedStore };

const page = 200;
/** After so many removals that are refused no more are counted: those are enough to say. */
const mostRefused = 100;

/** Compares a configuration with what is stored. Other processes may change the store meanwhile. */
export async function planConfiguration(
  dependencies: PlanDependencies,
  sealed: readonly SealedService[],
  { allowRemoval, newSecretKey }: { readonly allowRemoval: readonly TokenOwner[]; readonly newSecretKey: boolean },
): Promise<ConfigurationPlan> {
  const { store, secretBox } = dependencies;
  const tags = tagsOf(sealed);
  const services = await readAll(tags, (last?: ListedService) => store.readServicesAfter(last?.serviceId ?? -1, page));
  const clients = await readAll(tags, (last?: ListedClient) =>
    store.readClientsAfter(last ?? { serviceId: -1, clientId: -1 }, page),
  );
  const stored = new Map([...services, ...clients].filter(({ present }) => present).map((row) => [ownerKey(row), row]));
  const missing = new Map([...stored].filter(([, { source }]) => source === "configuration"));
  const added: NamedOwner[] = [];
  const changed: (NamedOwner & SettingsDifference)[] = [];

  function compare(owner: NamedOwner, tag: Uint8Array, difference: (text: string) => SettingsDifference): void {
    const row = stored.get(ownerKey(owner));
    missing.delete(ownerKey(owner));
    if (row === undefined) {
      added.push(owner);
    } else if (!isEqual(row.settingsTag, tag)) {
      const found = difference(row.settings);
      // Under a new key every tag differs.
      if (!newSecretKey || found.members.length > 0) changed.push({ ...owner, ...found });
    }
  }

  for (const { serviceId, wanted, settingsTag, clients: sealedClients } of sealed) {
    compare({ serviceId, name: wanted.serviceName }, settingsTag, (text) =>
      newSecretKey
        ? serviceDifference(withoutServiceSecrets(text), withoutServiceSecrets(JSON.stringify(wanted)))
        : serviceDifference(openService(serviceId, text, secretBox), wanted),
    );
    for (const client of sealedClients) {
      const { clientId } = client;
      compare({ serviceId, clientId, name: client.wanted.clientName }, client.settingsTag, (text) =>
        newSecretKey
          ? clientDifference(withoutClientSecrets(text), withoutClientSecrets(JSON.stringify(client.wanted)))
          : clientDifference(openClient(serviceId, clientId, text, secretBox), client.wanted),
      );
    }
  }
  const removed = await countRemovals(dependencies, missing, new Set(allowRemoval.map(ownerKey)));
  return { storeIsNew: services.length === 0, added, changed, removed };
}

async function countRemovals(
  { store, clock }: PlanDependencies,
  missing: ReadonlyMap<string, ListedService | ListedClient>,
  allowRemoval: ReadonlySet<string>,
): Promise<Removal[]> {
  const removed: Removal[] = [];
  let refused = 0;
  for (const row of missing.values()) {
    const { serviceId } = row;
    const clientId = "clientId" in row ? row.clientId : undefined;
    if (clientId !== undefined && missing.has(ownerKey({ serviceId }))) continue;
    const owner: TokenOwner = { serviceId, ...(clientId !== undefined && { clientId }) };
    const liveTokens = refused < mostRefused ? await store.readLiveTokens?.(owner, clock()) : undefined;
    const removal = { ...owner, name: nameOf(row), liveTokens, allowed: allowRemoval.has(ownerKey(owner)) };
    if (isRefused(removal)) refused += 1;
    removed.push(removal);
    await yieldToOthers();
  }
  return removed;
}

/** Whether a removal ends live tokens, or may, and nobody has allowed that. */
export function isRefused({ allowed, liveTokens }: Removal): boolean {
  return !allowed && (liveTokens === undefined || liveTokens.count > 0 || !liveTokens.complete);
}

/** `1004` for a service, `1004/17` for a client of it: as operators write them. */
export function ownerKey({ serviceId, clientId }: TokenOwner): string {
  return clientId === undefined ? String(serviceId) : `${serviceId}/${clientId}`;
}

function tagsOf(sealed: readonly SealedService[]): ReadonlyMap<string, Uint8Array> {
  return new Map(
    sealed.flatMap(({ serviceId, settingsTag, clients }): [string, Uint8Array][] => [
      [ownerKey({ serviceId }), settingsTag],
      ...clients.map(({ clientId, settingsTag: tag }): [string, Uint8Array] => [
        ownerKey({ serviceId, clientId }),
        tag,
      ]),
    ]),
  );
}

/** All rows; of those that do not change, which are most, without their settings. */
async function readAll<Row extends ListedService>(
  wanted: ReadonlyMap<string, Uint8Array>,
  read: (last?: Row) => Promise<readonly Row[]>,
): Promise<Row[]> {
  const rows: Row[] = [];
  for (;;) {
    const next = await read(rows.at(-1));
    for (const row of next) {
      const tag = wanted.get(ownerKey(row));
      rows.push(tag !== undefined && isEqual(tag, row.settingsTag) ? { ...row, settings: "" } : row);
    }
    if (next.length < page) return rows;
    await yieldToOthers();
  }
}

const isEqual = (one: Uint8Array, other: Uint8Array): boolean => Buffer.compare(one, other) === 0;

/** The store's reads answer at once: without this, requests would wait for all of them. */
const yieldToOthers = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** Names are no secrets: they are kept as they are. */
function nameOf(row: ListedService | ListedClient): string | undefined {
  const { serviceName, clientName } = JSON.parse(row.settings) as { serviceName?: string; clientName?: string };
  return "clientId" in row ? clientName : serviceName;
}
