import type { DatabaseSync, StatementSync } from "node:sqlite";
import {
  compileStatement,
  type Row,
  type RowQuery,
  type RowsQuery,
  type Values,
  valuesByPosition,
} from "../sql/statement.ts";

/** A statement that SQLite has prepared; its parameters are given by name. Throws SQLite's errors. */
interface PreparedStatement {
  /** The first row. */
  get(values?: Values): Row | undefined;
  /** All rows at once. A statement left halfway would hold its snapshot, and later reads would miss acknowledged writes. */
  all(values?: Values): Row[];
  /** How many rows it changed. */
  run(values?: Values): number;
}

/** Prepares each SQL text once. */
export function createPreparedStatements(db: DatabaseSync): (sql: string) => PreparedStatement {
  const prepared = new Map<string, PreparedStatement>();
  return (sql) => {
    const known = prepared.get(sql);
    if (known !== undefined) return known;
    // SQLite binds by position only parameters written as `?1`.
    const compiled = compileStatement(sql, (position) => `?${position}`);
    const fresh = withNames(db.prepare(compiled.sql), compiled.names);
    prepared.set(sql, fresh);
    return fresh;
  };
}

const noValues: Values = {};

function withNames(statement: StatementSync, names: readonly string[]): PreparedStatement {
  return {
    get: (values = noValues) => statement.get(...valuesByPosition(names, values)) as Row | undefined,
    all: (values = noValues) => statement.all(...valuesByPosition(names, values)) as Row[],
    run: (values = noValues) => Number(statement.run(...valuesByPosition(names, values)).changes),
  };
}

/** Carries reads out: the facts of one row, `undefined` without a row, or those of all rows. */
export interface Ask {
  <Facts>(query: RowQuery<Facts>): Facts | undefined;
  <Facts>(query: RowsQuery<Facts>): Facts;
}

export function createAsk(db: DatabaseSync): Ask {
  const prepare = createPreparedStatements(db);
  return function ask<Facts>(query: RowQuery<Facts> | RowsQuery<Facts>): Facts | undefined {
    const statement = prepare(query.sql);
    if ("all" in query) return query.all(statement.all(query.values));
    const row = statement.get(query.values);
    if (row !== undefined) return query.one(row);
    return query.otherwise === undefined ? undefined : ask(query.otherwise);
  };
}

/** Lets several reads see one state of the database. The reading must not wait for anything. */
export function createSnapshot(db: DatabaseSync): <Fact>(read: () => Fact) => Fact {
  const prepare = createPreparedStatements(db);
  return (read) => {
    prepare("BEGIN").run();
    try {
      return read();
    } finally {
      if (db.isTransaction) prepare("COMMIT").run();
    }
  };
}
