import type { PutConfiguration, TokenOwner } from "../command.ts";
import type { ListedClient, ListedService, StoredClient, StoredService } from "../store.ts";
import { mayHaveLiveTokens } from "./live-token-facts.ts";
import type { Statement } from "./statement.ts";

/** The reads of services and clients, in the one SQL text that every driver runs. */
export const configurationQueries = {
  service: `
    SELECT service_id, version, settings FROM service WHERE service_id = $1 AND present = 1`,
  clientById: `
    SELECT c.client_id, c.version, c.settings, s.version AS service_version
    FROM client c JOIN service s ON s.service_id = c.service_id
    WHERE c.service_id = $1 AND c.client_id = $2 AND c.present = 1 AND s.present = 1`,
  clientByAlias: `
    SELECT c.client_id, c.version, c.settings, s.version AS service_version
    FROM client c JOIN service s ON s.service_id = c.service_id
    WHERE c.service_id = $1 AND c.client_id_alias = $2 AND c.present = 1 AND s.present = 1`,
  servicesAfter: `
    SELECT service_id, present, source, settings, settings_tag FROM service
    WHERE service_id > $1 ORDER BY service_id LIMIT $2`,
  clientsAfter: `
    SELECT service_id, client_id, present, source, settings, settings_tag FROM client
    WHERE (service_id, client_id) > ($1, $2) ORDER BY service_id, client_id LIMIT $3`,
} as const;

export interface ServiceRow {
  readonly service_id: number;
  readonly version: number;
  readonly settings: string;
}

export interface ClientRow {
  readonly client_id: number;
  readonly version: number;
  readonly settings: string;
  readonly service_version: number;
}

export interface ListedServiceRow {
  readonly service_id: number;
  readonly present: number;
  readonly source: string;
  readonly settings: string;
  readonly settings_tag: Uint8Array;
}

export interface ListedClientRow extends ListedServiceRow {
  readonly client_id: number;
}

export function listedServiceOfRow(row: ListedServiceRow): ListedService {
  return {
    serviceId: row.service_id,
    present: row.present === 1,
    source: row.source,
    settings: row.settings,
    settingsTag: row.settings_tag,
  };
}

export function listedClientOfRow(row: ListedClientRow): ListedClient {
  return { ...listedServiceOfRow(row), clientId: row.client_id };
}

export function serviceOfRow(row: ServiceRow): StoredService {
  return { serviceId: row.service_id, version: row.version, settings: row.settings };
}

export function clientOfRow(row: ClientRow): StoredClient {
  return {
    clientId: row.client_id,
    version: row.version,
    settings: row.settings,
    serviceVersion: row.service_version,
  };
}

/** Aliases may move from one client to another, so the old ones go before the new ones come. */
const clearAliases = `
  UPDATE client SET client_id_alias = NULL WHERE source = 'configuration' AND client_id_alias IS NOT NULL`;

/**
 * The version grows when the settings do; a row that comes back after its deletion begins above every version it had.
 * Unchanged settings keep their text, so that a version always means the same text, however often it was sealed.
 */
const upsertOf = (table: "service" | "client"): string => {
  const unchanged = `${table}.present = 1 AND ${table}.settings_tag = excluded.settings_tag`;
  return `
    version = CASE WHEN ${unchanged} THEN ${table}.version ELSE ${table}.version + 1 END,
    first_version = CASE WHEN ${table}.present = 1 THEN ${table}.first_version ELSE ${table}.version + 1 END,
    settings = CASE WHEN ${unchanged} THEN ${table}.settings ELSE excluded.settings END,
    changed_by = CASE WHEN ${unchanged} THEN ${table}.changed_by ELSE excluded.attempt END,
    settings_tag = excluded.settings_tag, present = 1, source = excluded.source, attempt = excluded.attempt
  WHERE ${table}.source = 'configuration' OR ${table}.present = 0`;
};

const putService = `
  INSERT INTO service (service_id, version, first_version, present, source, settings, settings_tag, attempt)
  VALUES ($1, 1, 1, 1, 'configuration', $2, $3, $4)
  ON CONFLICT (service_id) DO UPDATE SET ${upsertOf("service")}`;

const putClient = `
  INSERT INTO client (service_id, client_id, client_id_alias, version, first_version, present, source, settings,
    settings_tag, attempt)
  SELECT service_id, $2, $3, 1, 1, 1, 'configuration', $4, $5, $6 FROM service
  WHERE service_id = $1
    AND NOT EXISTS (SELECT 1 FROM client WHERE service_id = $1 AND client_id_alias = $3 AND client_id <> $2)
  ON CONFLICT (service_id, client_id) DO UPDATE SET client_id_alias = excluded.client_id_alias, ${upsertOf("client")}`;

/** What this attempt did not put is no longer configured. The sealed secrets go, the versions stay taken. */
const leftOut = "source = 'configuration' AND present = 1 AND attempt <> $1";

const deletionOf = (table: "service" | "client", which = ""): string => `
  UPDATE ${table} SET present = 0, version = version + 1, first_version = version + 1, settings = '',
    changed_by = $1
  WHERE ${leftOut}${which}`;

const deleteService = deletionOf("service", " AND service_id = $2");
const deleteClient = deletionOf("client", " AND service_id = $2 AND client_id = $3");
const deleteServices = deletionOf("service");
const deleteClients = deletionOf("client");

function allowedDeletion({ serviceId, clientId }: TokenOwner, attempt: Uint8Array): Statement {
  return clientId === undefined
    ? { sql: deleteService, values: [attempt, serviceId] }
    : { sql: deleteClient, values: [attempt, serviceId, clientId] };
}

/** Both change a row, without a difference, where something would be deleted that must not be. */
const servicesWithTokens = `
  UPDATE service SET attempt = attempt
  WHERE ${leftOut} AND ${mayHaveLiveTokens({ service: "service.service_id" }, "$2")}`;

const clientsWithTokens = `
  UPDATE client SET attempt = attempt
  WHERE ${leftOut} AND EXISTS (SELECT 1 FROM service s WHERE s.service_id = client.service_id AND s.present = 1)
    AND ${mayHaveLiveTokens({ service: "client.service_id", client: "client.client_id" }, "$2")}`;

/**
 * Every put is a guard: it changes no row exactly when the id or the alias is taken by a row of another source.
 *
 * What may be removed is deleted first; then nothing that was left out may have live tokens. A token that another
 * process issues is there before this transaction, and counted, or finds its client gone.
 */
export function putConfigurationStatements({ services, mayRemove, attempt, changedAt }: PutConfiguration): Statement[] {
  const puts = services.flatMap(({ serviceId, settings, settingsTag, clients }): Statement[] => [
    { guard: true, sql: putService, values: [serviceId, settings, settingsTag, attempt] },
    ...clients.map((client): Statement => ({
      guard: true,
      sql: putClient,
      values: [serviceId, client.clientId, client.clientIdAlias ?? null, client.settings, client.settingsTag, attempt],
    })),
  ]);
  return [
    { sql: clearAliases, values: [] },
    ...puts,
    ...mayRemove.map((owner) => allowedDeletion(owner, attempt)),
    { forbidden: true, sql: servicesWithTokens, values: [attempt, changedAt] },
    { forbidden: true, sql: clientsWithTokens, values: [attempt, changedAt] },
    { sql: deleteServices, values: [attempt] },
    { sql: deleteClients, values: [attempt] },
  ];
}
