import type { DatabaseSync, StatementSync } from "node:sqlite";

/** Each SQL text is prepared once; SQLite binds by position only what is written `?1`. */
export function createPreparedStatements(db: DatabaseSync): (sql: string) => StatementSync {
  const prepared = new Map<string, StatementSync>();
  return (sql) => {
    const known = prepared.get(sql);
    if (known !== undefined) return known;
    const fresh = db.prepare(sql.replaceAll(/\$(\d+)/g, "?$1"));
    prepared.set(sql, fresh);
    return fresh;
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
