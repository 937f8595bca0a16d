import type { DatabaseSync } from "node:sqlite";
import {
  accessTokenOfRow,
  clientOfRow,
  factQueries,
  refreshTokenOfRow,
  serviceOfRow,
  type AccessTokenRow,
  type ClientRow,
  type RefreshTokenRow,
  type ServiceRow,
} from "../facts.ts";
import type { SqlValue } from "../statement.ts";
import type {
  InvalidationEvents,
  InvalidationEventsQuery,
  StoredAccessToken,
  StoredClient,
  StoredRefreshToken,
  StoredService,
} from "../store.ts";
import { createEventReader } from "./event-reader.ts";
import { createPreparedStatements } from "./prepared-statements.ts";

/** The reads, synchronous: each is one look-up of some microseconds. */
export interface Reader {
  readService(serviceId: number): StoredService | undefined;
  readClient(serviceId: number, by: { clientId: number } | { clientIdAlias: string }): StoredClient | undefined;
  readAccessToken(serviceId: number, digest: Uint8Array): StoredAccessToken | undefined;
  readRefreshToken(serviceId: number, digest: Uint8Array): StoredRefreshToken | undefined;
  readInvalidationEvents(query: InvalidationEventsQuery): InvalidationEvents;
}

/** Never iterates: a statement left halfway would hold its snapshot, and later reads would miss acknowledged writes. */
export function createReader(db: DatabaseSync): Reader {
  const prepare = createPreparedStatements(db);

  function readRow(sql: string, ...values: SqlValue[]): unknown {
    return prepare(sql).get(...values);
  }

  return {
    readService(serviceId) {
      const row = readRow(factQueries.service, serviceId) as ServiceRow | undefined;
      return row && serviceOfRow(row);
    },
    readClient(serviceId, by) {
      const row = (
        "clientId" in by
          ? readRow(factQueries.clientById, serviceId, by.clientId)
          : readRow(factQueries.clientByAlias, serviceId, by.clientIdAlias)
      ) as ClientRow | undefined;
      return row && clientOfRow(row);
    },
    readAccessToken(serviceId, digest) {
      const row = readRow(factQueries.accessToken, serviceId, digest) as AccessTokenRow | undefined;
      return row && accessTokenOfRow(digest, row);
    },
    readRefreshToken(serviceId, digest) {
      const row = readRow(factQueries.refreshToken, serviceId, digest) as RefreshTokenRow | undefined;
      return row && refreshTokenOfRow(digest, row);
    },
    readInvalidationEvents: createEventReader(db),
  };
}
