import { existsSync } from "node:fs";
import { resolve } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { StoreFailure, type UnexpectedOrigin } from "../store.ts";
import { readFault, storeFailure } from "./fault.ts";
import { migrate, readSchemaVersion, UnusableDatabase } from "./migrate.ts";
import { openStoreHistory } from "./store-history.ts";

/** The result of a clock reset; instants in milliseconds since 1970. */
export interface ClockReset {
  /** The former floor; 0 for none. */
  readonly before: number;
  /** How many access and refresh tokens were deleted, because they were issued later than the new floor. */
  readonly ended: number;
}

const tokens = ["access_token", "refresh_token"] as const;
const others = ["token_grant", "authorization_code", "ticket"] as const;

export interface SqliteClockResetOptions {
  /** Whether tokens may end that were issued later. */
  readonly endTokens: boolean;
  /** Called when the file is not this path's former store, or is an older state of it. */
  readonly report: (origin: UnexpectedOrigin) => void;
}

/**
 * Sets the floor under "now", deletes what was issued after it, and gives the store a new epoch.
 *
 * No process may have the store open. Throws {@link StoreFailure}.
 */
export function resetSqliteClock(
  path: string,
  now: number,
  { endTokens, report }: SqliteClockResetOptions,
): ClockReset {
  const file = resolve(path);
  if (!existsSync(file))
    throw new StoreFailure(`the clock of the store ${path} cannot be reset: there is no such file`);
  const db = new DatabaseSync(file, { timeout: 1_000 });
  try {
    takeAlone(db);
    if (!endTokens) refuseToEndTokens(db, now);
    migrate(db);
    const history = openStoreHistory(db, file, report);
    try {
      db.exec("BEGIN IMMEDIATE");
      const done = reset(db, now);
      history.beforeCommit({ renewEpoch: true });
      db.exec("COMMIT");
      history.afterCommit();
      return done;
    } finally {
      if (db.isTransaction) db.exec("ROLLBACK");
      history.close();
    }
  } catch (error) {
    throw storeFailure(`the clock of the store ${path} cannot be reset`, readFault(error));
  } finally {
    db.close();
  }
}

/** A write-ahead log can be removed only by the sole user of the file: a running backend has it open. */
function takeAlone(db: DatabaseSync): void {
  readSchemaVersion(db);
  db.exec("PRAGMA locking_mode = EXCLUSIVE");
  try {
    db.exec("PRAGMA journal_mode = DELETE; BEGIN EXCLUSIVE; COMMIT");
  } catch (cause) {
    const locked = "errcode" in (cause as Error) && (cause as { errcode: number }).errcode === 5;
    if (!locked) throw cause;
    throw new UnusableDatabase("a backend or another program has it open; stop it first", { cause });
  }
}

/** A clock that is behind would end every token. Nothing has been changed yet, not even the schema. */
function refuseToEndTokens(db: DatabaseSync, now: number): void {
  if (readSchemaVersion(db) === 0) return;
  const later = tokens.reduce((sum, table) => {
    const { count } = db.prepare(`SELECT count(*) AS count FROM ${table} WHERE created_at > ?1`).get(now) as {
      count: number;
    };
    return sum + count;
  }, 0);
  if (later === 0) return;
  throw new UnusableDatabase(
    `${later} access and refresh tokens were issued later than the time of this machine, ${new Date(now).toISOString()}, ` +
      "and would end for good: if that time is right, add --end-tokens",
  );
}

function reset(db: DatabaseSync, now: number): ClockReset {
  const { before } = db.prepare("SELECT clock AS before FROM store_state").get() as { before: number };
  const deleteFrom = (table: string): number =>
    Number(db.prepare(`DELETE FROM ${table} WHERE created_at > ?1`).run(now).changes);
  const ended = tokens.reduce((sum, table) => sum + deleteFrom(table), 0);
  for (const table of others) deleteFrom(table);
  db.prepare("UPDATE invalidation_event SET created_at = ?1 WHERE created_at > ?1").run(now);
  db.prepare("UPDATE store_state SET clock = ?1, clock_settled = 1, clock_in_doubt = 0").run(now);
  return { before, ended };
}
