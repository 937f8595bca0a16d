import type { DatabaseSync } from "node:sqlite";
import { applicationId, migrations } from "./migrations.ts";

/** The file is a database that this version cannot use; the message says why and names no path. */
export class UnusableDatabase extends Error {
  override readonly name = "UnusableDatabase";
}

/**
 * Brings the schema up to date in one transaction, or leaves the file as it was.
 *
 * Two processes may start at once: the second waits for the first one's transaction and then finds nothing to do.
 * Throws {@link UnusableDatabase} for a newer version's file and for another program's.
 */
export function migrate(db: DatabaseSync): void {
  if (readSchemaVersion(db) === migrations.length) return;
  db.exec("BEGIN IMMEDIATE");
  try {
    // Read again: until now another process may have held the lock and migrated.
    const version = readSchemaVersion(db);
    db.exec(`PRAGMA application_id = ${applicationId}`);
    db.exec("CREATE TABLE IF NOT EXISTS migration (number INTEGER PRIMARY KEY) STRICT");
    for (const [index, ddl] of migrations.entries()) {
      const number = index + 1;
      if (number <= version) continue;
      db.prepare("INSERT INTO migration (number) VALUES (?1)").run(number);
      db.exec(ddl);
    }
    db.exec("COMMIT");
  } catch (error) {
    if (db.isTransaction) db.exec("ROLLBACK");
    throw error;
  }
}

/** Throws {@link UnusableDatabase} unless the file has exactly this version's migrations. Changes nothing. */
export function checkSchema(db: DatabaseSync): void {
  const version = readSchemaVersion(db);
  if (version === migrations.length) return;
  throw new UnusableDatabase(`its schema is ${version}, and this version works with ${migrations.length}`);
}

/** The number of the file's migrations, 0 for an empty file; throws {@link UnusableDatabase}. Changes nothing. */
export function readSchemaVersion(db: DatabaseSync): number {
  // In this order: another process commits tables and mark together, so where there are tables the mark is there too.
  if (db.prepare("SELECT 1 FROM sqlite_schema LIMIT 1").get() === undefined) return 0;
  const { application_id: id } = db.prepare("PRAGMA application_id").get() as { application_id: number };
  if (id !== applicationId) throw new UnusableDatabase("it is another program's database");
  const { version } = db.prepare("SELECT coalesce(max(number), 0) AS version FROM migration").get() as {
    version: number;
  };
  if (version > migrations.length) {
    throw new UnusableDatabase(
      `it was written by a newer version (its schema is ${version}, this version knows ${migrations.length})`,
    );
  }
  return version;
}
