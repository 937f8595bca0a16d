import type { DatabaseSync } from "node:sqlite";
import { configurationQueries } from "../sql/configuration.ts";
import { liveTokensQuery } from "../sql/live-token-facts.ts";
import type { RowQuery } from "../sql/statement.ts";
import { ticketQueries } from "../sql/tickets-and-codes.ts";
import { tokenQueries } from "../sql/token-facts.ts";
import type { KeptClock, Store } from "../store.ts";
import { createEventReader } from "./event-reader.ts";
import { createAsk, createPreparedStatements } from "./prepared-statements.ts";

/** The reads of the interface that are one look-up of some microseconds, synchronous. */
export type Reader = {
  readonly [Name in Extract<keyof Store, `read${string}`>]: (
    ...query: Parameters<Store[Name]>
  ) => Awaited<ReturnType<Store[Name]>>;
};

const queries = { ...configurationQueries, ...tokenQueries, ...ticketQueries, readLiveTokens: liveTokensQuery };

type LookUps = Pick<Reader, keyof typeof queries>;

const selectClock = "SELECT clock, clock_settled, clock_in_doubt FROM store_state";

/** Creates them over a connection. */
export function createReader(db: DatabaseSync): Reader {
  const prepare = createPreparedStatements(db);
  const ask = createAsk(db);
  const lookUps = Object.entries(queries).map(([name, query]) => [
    name,
    (...of: unknown[]) => ask((query as (...of: unknown[]) => RowQuery<unknown>)(...of)),
  ]);
  return {
    ...(Object.fromEntries(lookUps) as LookUps),
    readInvalidationEvents: createEventReader(db),
    readClock(): KeptClock {
      const row = prepare(selectClock).get() as { clock: number; clock_settled: number; clock_in_doubt: number };
      const inDoubt = row.clock_in_doubt;
      return { actedOn: row.clock, settled: row.clock_settled === 1, ...(inDoubt !== 0 && { inDoubt }) };
    },
  };
}
