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
