import type { DatabaseSync } from "node:sqlite";
import {
  clientOfRow,
  type ClientRow,
  configurationQueries,
  listedClientOfRow,
  type ListedClientRow,
  listedServiceOfRow,
  type ListedServiceRow,
  serviceOfRow,
  type ServiceRow,
} from "../sql/configuration.ts";
import { liveTokensOfRows, type LiveTokensRow, liveTokensStatement } from "../sql/live-token-facts.ts";
import type { SqlValue } from "../sql/statement.ts";
import { codeOfRow, type CodeRow, ticketOfRow, ticketQueries, type TicketRow } from "../sql/tickets-and-codes.ts";
import {
  type AccessTokenByJwtRow,
  accessTokenOfRow,
  type AccessTokenRow,
  refreshTokenOfRow,
  type RefreshTokenRow,
  tokenQueries,
} from "../sql/token-facts.ts";
import type { Store } from "../store.ts";
import { createEventReader } from "./event-reader.ts";
import { createPreparedStatements } from "./prepared-statements.ts";

const selectClock = "SELECT clock, clock_settled, clock_in_doubt FROM store_state";

/** The reads of the interface that are one look-up of some microseconds, synchronous. */
export type Reader = {
  readonly [Name in Extract<keyof Store, `read${string}`>]: (
    ...query: Parameters<Store[Name]>
  ) => Awaited<ReturnType<Store[Name]>>;
};

/** Never iterates: a statement left halfway would hold its snapshot, and later reads would miss acknowledged writes. */
export function createReader(db: DatabaseSync): Reader {
  const prepare = createPreparedStatements(db);

  function readRow(sql: string, ...values: readonly SqlValue[]): unknown {
    return prepare(sql).get(...values);
  }

  function readRows(sql: string, ...values: readonly SqlValue[]): unknown {
    return prepare(sql).all(...values);
  }

  return {
    readServicesAfter(after, limit) {
      const rows = readRows(configurationQueries.servicesAfter, after, limit) as ListedServiceRow[];
      return rows.map(listedServiceOfRow);
    },
    readClientsAfter({ serviceId, clientId }, limit) {
      const rows = readRows(configurationQueries.clientsAfter, serviceId, clientId, limit) as ListedClientRow[];
      return rows.map(listedClientOfRow);
    },
    readLiveTokens(owner, now) {
      const { sql, values } = liveTokensStatement(owner, now);
      return liveTokensOfRows(readRows(sql, ...values) as LiveTokensRow[]);
    },
    readService(serviceId) {
      const row = readRow(configurationQueries.service, serviceId) as ServiceRow | undefined;
      return row && serviceOfRow(row);
    },
    readClient(serviceId, by) {
      const row = (
        "clientId" in by
          ? readRow(configurationQueries.clientById, serviceId, by.clientId)
          : readRow(configurationQueries.clientByAlias, serviceId, by.clientIdAlias)
      ) as ClientRow | undefined;
      return row && clientOfRow(row);
    },
    readAccessToken(serviceId, digest) {
      const row = readRow(tokenQueries.accessToken, serviceId, digest) as AccessTokenRow | undefined;
      if (row !== undefined) return accessTokenOfRow(digest, row);
      const byJwt = readRow(tokenQueries.accessTokenByJwt, serviceId, digest) as AccessTokenByJwtRow | undefined;
      return byJwt && accessTokenOfRow(byJwt.digest, byJwt);
    },
    readRefreshToken(serviceId, digest) {
      const row = readRow(tokenQueries.refreshToken, serviceId, digest) as RefreshTokenRow | undefined;
      return row && refreshTokenOfRow(digest, row);
    },
    readTicket(serviceId, digest) {
      const row = readRow(ticketQueries.ticket, serviceId, digest) as TicketRow | undefined;
      return row && ticketOfRow(digest, row);
    },
    readCode(serviceId, digest) {
      const row = readRow(ticketQueries.code, serviceId, digest) as CodeRow | undefined;
      return row && codeOfRow(digest, row);
    },
    readInvalidationEvents: createEventReader(db),
    readClock() {
      const row = readRow(selectClock) as { clock: number; clock_settled: number; clock_in_doubt: number };
      const inDoubt = row.clock_in_doubt === 0 ? {} : { inDoubt: row.clock_in_doubt };
      return { actedOn: row.clock, settled: row.clock_settled === 1, ...inDoubt };
    },
  };
}
