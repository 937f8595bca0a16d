import type { PutConfiguration, TokenOwner } from "../command.ts";
import { clientColumns, listedClientColumns, listedServiceColumns, serviceColumns } from "../tables.ts";
import { mayHaveLiveTokens } from "./live-token-facts.ts";
import { columnsOf, recordReader, selectList } from "./records.ts";
import { ownerFacts } from "./standing.ts";
import type { Row, Statement } from "./statement.ts";

const serviceFacts = columnsOf("s", serviceColumns);
const clientFacts = { ...columnsOf("c", clientColumns), serviceVersion: ownerFacts.serviceVersion };
const listedServiceFacts = columnsOf("s", listedServiceColumns);
const listedClientFacts = columnsOf("c", listedClientColumns);

const presentService = `SELECT ${selectList(serviceFacts)} FROM service s WHERE s.service_id = :serviceId AND s.present = 1`;

const presentClient = `
  SELECT ${selectList(clientFacts)} FROM client c JOIN service s ON s.service_id = c.service_id
  WHERE c.service_id = :serviceId AND c.present = 1 AND s.present = 1`;

const clientById = `${presentClient} AND c.client_id = :clientId`;
const clientByAlias = `${presentClient} AND c.client_id_alias = :clientIdAlias`;

const servicesAfter = `
  SELECT ${selectList(listedServiceFacts)} FROM service s
  WHERE s.service_id > :after ORDER BY s.service_id LIMIT :limit`;

const clientsAfter = `
  SELECT ${selectList(listedClientFacts)} FROM client c
  WHERE (c.service_id, c.client_id) > (:serviceId, :clientId) ORDER BY c.service_id, c.client_id LIMIT :limit`;

const serviceOfRow = recordReader(serviceFacts);
const clientOfRow = recordReader(clientFacts);
const listedServiceOfRow = recordReader(listedServiceFacts);
const listedClientOfRow = recordReader(listedClientFacts);

/** The reads of services and clients. */
export const configurationQueries = {
  readService: (serviceId: number) => ({ sql: presentService, values: { serviceId }, one: serviceOfRow }),
  readClient: (serviceId: number, by: { readonly clientId: number } | { readonly clientIdAlias: string }) => ({
    sql: "clientId" in by ? clientById : clientByAlias,
    values: { serviceId, ...by },
    one: clientOfRow,
  }),
  readServicesAfter: (after: number, limit: number) => ({
    sql: servicesAfter,
    values: { after, limit },
    all: (rows: readonly Row[]) => rows.map(listedServiceOfRow),
  }),
  readClientsAfter: (after: { readonly serviceId: number; readonly clientId: number }, limit: number) => ({
    sql: clientsAfter,
    values: { ...after, limit },
    all: (rows: readonly Row[]) => rows.map(listedClientOfRow),
  }),
};

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
  VALUES (:serviceId, 1, 1, 1, 'configuration', :settings, :settingsTag, :attempt)
  ON CONFLICT (service_id) DO UPDATE SET ${upsertOf("service")}`;

const putClient = `
  INSERT INTO client (service_id, client_id, client_id_alias, version, first_version, present, source, settings,
    settings_tag, attempt)
  SELECT service_id, :clientId, :clientIdAlias, 1, 1, 1, 'configuration', :settings, :settingsTag, :attempt FROM service
  WHERE service_id = :serviceId AND NOT EXISTS (
    SELECT 1 FROM client
    WHERE service_id = :serviceId AND client_id_alias = :clientIdAlias AND client_id <> :clientId)
  ON CONFLICT (service_id, client_id) DO UPDATE SET client_id_alias = excluded.client_id_alias, ${upsertOf("client")}`;

/** Rows that this attempt did not put are no longer configured. The sealed secrets go, the versions stay taken. */
const leftOut = "source = 'configuration' AND present = 1 AND attempt <> :attempt";

const deletionOf = (table: "service" | "client", which = ""): string => `
  UPDATE ${table} SET present = 0, version = version + 1, first_version = version + 1, settings = '',
    changed_by = :attempt
  WHERE ${leftOut}${which}`;

const deleteService = deletionOf("service", " AND service_id = :serviceId");
const deleteClient = deletionOf("client", " AND service_id = :serviceId AND client_id = :clientId");
const deleteServices = deletionOf("service");
const deleteClients = deletionOf("client");

function allowedDeletion({ serviceId, clientId }: TokenOwner, attempt: Uint8Array): Statement {
  return clientId === undefined
    ? { sql: deleteService, values: { attempt, serviceId } }
    : { sql: deleteClient, values: { attempt, serviceId, clientId } };
}

/** Both change a row, without a difference, where the command would delete an owner of live tokens. */
const servicesWithTokens = `
  UPDATE service SET attempt = attempt
  WHERE ${leftOut} AND ${mayHaveLiveTokens({ service: "service.service_id" }, ":changedAt")}`;

const clientsWithTokens = `
  UPDATE client SET attempt = attempt
  WHERE ${leftOut} AND EXISTS (SELECT 1 FROM service s WHERE s.service_id = client.service_id AND s.present = 1)
    AND ${mayHaveLiveTokens({ service: "client.service_id", client: "client.client_id" }, ":changedAt")}`;

/**
 * Every put is a guard: it changes no row exactly when the id or the alias is taken by a row of another source.
 *
 * What may be removed is deleted first; then nothing that was left out may have live tokens. A token that another
 * process issues is there before this transaction, and counted, or finds its client gone.
 */
export function putConfigurationStatements({ services, mayRemove, attempt, changedAt }: PutConfiguration): Statement[] {
  const puts = services.flatMap(({ serviceId, settings, settingsTag, clients }): Statement[] => [
    { guard: true, sql: putService, values: { serviceId, settings, settingsTag, attempt } },
    ...clients.map(({ clientId, clientIdAlias = null, ...client }): Statement => ({
      guard: true,
      sql: putClient,
      values: { serviceId, clientId, clientIdAlias, ...client, attempt },
    })),
  ]);
  const values = { attempt, changedAt };
  return [
    { sql: clearAliases, values: {} },
    ...puts,
    ...mayRemove.map((owner) => allowedDeletion(owner, attempt)),
    { forbidden: true, sql: servicesWithTokens, values },
    { forbidden: true, sql: clientsWithTokens, values },
    { sql: deleteServices, values },
    { sql: deleteClients, values },
  ];
}
