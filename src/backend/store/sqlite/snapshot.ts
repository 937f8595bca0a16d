import type { DatabaseSync } from "node:sqlite";
import { createPreparedStatements } from "./prepared-statements.ts";

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
