import type { DatabaseSync } from "node:sqlite";
import { createPreparedStatements } from "./prepared-statements.ts";

/** Pages of 4 KiB: more than any command adds. */
const roomNeeded = 16;

/** SQLITE_FULL. */
const full = 13;

/**
 * A write that changes nothing and costs what a command's commit costs: a page in the log, and a wait for the disk.
 *
 * Runs within the batch's transaction, and answers 0 as a sweep does that found nothing. Throws SQLite's error, also
 * when the database may not grow by what a command can add.
 */
export function createWriteProbe(db: DatabaseSync): () => number {
  const prepare = createPreparedStatements(db);
  const read = (pragma: string): number => Object.values(prepare(`PRAGMA ${pragma}`).get() ?? {})[0] as number;
  return () => {
    const room = read("max_page_count") - read("page_count") + read("freelist_count");
    if (room < roomNeeded) throw Object.assign(new Error("database or disk is full"), { errcode: full });
    // The header's page is written with every change of this number, also to what it is already.
    prepare(`PRAGMA user_version = ${read("user_version")}`).run();
    return 0;
  };
}
