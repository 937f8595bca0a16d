import type { ListedClient, ListedService, StoredClient, StoredService } from "./store.ts";

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
