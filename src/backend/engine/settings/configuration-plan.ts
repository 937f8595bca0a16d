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
import type { ClientSettings, GrantType, ServiceSettings } from "./settings.ts";

/** A difference between two settings of one service or client; never a value. */
interface SettingsDifference {
  /** Names of members, as the configuration file spells them. */
  readonly members: readonly string[];
  /** Sentences about live tokens that are of no use while the new settings last; the old settings bring them back. */
  readonly effects: readonly string[];
}

/** Compares stored settings with wanted ones: both with opened secrets, or both without secrets. */
function serviceDifference(stored: Partial<ServiceSettings>, wanted: Partial<ServiceSettings>): SettingsDifference {
  const members = changedMembers(stored, wanted).map((name) =>
    name === "accessTokens" ? "serviceAccessTokens" : name,
  );
  const effects: string[] = [];
  if (members.includes("issuer")) {
    effects.push("APIs that verify JWT access tokens themselves refuse those of the former issuer");
  }
  const lost = lostKeys(stored.jwks, wanted.jwks);
  if (lost.length > 0) effects.push(`APIs cannot verify what was signed with ${lost.join(", ")}`);
  if (losesRefresh(stored.supportedGrantTypes, wanted.supportedGrantTypes)) effects.push(noRefresh);
  return { members, effects };
}

/** The same of a client. */
function clientDifference(stored: Partial<ClientSettings>, wanted: Partial<ClientSettings>): SettingsDifference {
  const effects: string[] = [];
  if (wanted.locked === true && stored.locked !== true) effects.push("its tokens are not active while it is locked");
  if (losesRefresh(stored.grantTypes, wanted.grantTypes)) effects.push(noRefresh);
  return { members: changedMembers(stored, wanted), effects };
}

const noRefresh = "its refresh tokens cannot be used without REFRESH_TOKEN";

function losesRefresh(stored: readonly GrantType[] = [], wanted: readonly GrantType[] = []): boolean {
  return stored.includes("REFRESH_TOKEN") && !wanted.includes("REFRESH_TOKEN");
}

/** A member that is not there has no JSON text, and so differs from every value. */
function changedMembers(stored: object, wanted: object): string[] {
  const names = new Set([...Object.keys(stored), ...Object.keys(wanted)]);
  const textOf = (settings: object, name: string): string | undefined =>
    JSON.stringify((settings as Readonly<Record<string, unknown>>)[name]);
  return [...names].filter((name) => textOf(stored, name) !== textOf(wanted, name));
}

interface PublicKey {
  readonly kid?: unknown;
  readonly kty?: unknown;
  readonly crv?: unknown;
  readonly n?: unknown;
  readonly x?: unknown;
  readonly y?: unknown;
}

/** The names of keys that are no longer there, be it under their `kid` or at all. */
function lostKeys(stored: string | undefined, wanted: string | undefined): string[] {
  const kept = new Set(keysOf(wanted).map(identityOf));
  const lost = keysOf(stored).filter((key) => !kept.has(identityOf(key)));
  return lost.map(({ kid }) => (typeof kid === "string" ? `the key ${JSON.stringify(kid)}` : "a key without kid"));
}

function keysOf(jwks: string | undefined): readonly PublicKey[] {
  return jwks === undefined ? [] : (JSON.parse(jwks) as { keys: readonly PublicKey[] }).keys;
}

/** The thumbprint of its public half: a new `alg` or `use` does not make another key. */
const identityOf = ({ kid, kty, crv, n, x, y }: PublicKey): string => JSON.stringify([kid, kty, crv, n, x, y]);

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

/** A service or client that is no longer configured. */
export interface Removal extends NamedOwner {
  /** The tokens that end with it permanently; `undefined` when they were not counted. */
  readonly liveTokens: LiveTokens | undefined;
  /** The caller allowed this removal. */
  readonly allowed: boolean;
}

/** The reads that a plan is made from. */
type PlannedStore = Pick<Store, "readServicesAfter" | "readClientsAfter"> & {
  /** Left out where the tables of tokens cannot be read. */
  readonly readLiveTokens?: Store["readLiveTokens"];
};

type PlanDependencies = Pick<Dependencies, "clock" | "secretBox"> & { readonly store: PlannedStore };

const page = 200;
/** After this many refused removals, no more are counted: the message has enough of them. */
const mostRefused = 100;

/** Compares a configuration with the store. Other processes may change the store meanwhile. */
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

/** Whether a removal ends, or may end, live tokens without permission. */
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

/** The store's reads resolve at once: without this pause, requests would wait for all of them. */
const yieldToOthers = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** Names are no secrets: they are kept as they are. */
function nameOf(row: ListedService | ListedClient): string | undefined {
  const { serviceName, clientName } = JSON.parse(row.settings) as { serviceName?: string; clientName?: string };
  return "clientId" in row ? clientName : serviceName;
}
