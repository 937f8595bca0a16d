import { chmodSync, existsSync } from "node:fs";
import { resolve } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { pathToFileURL } from "node:url";
import { migrate, readSchemaVersion, UnusableDatabase } from "./migrate.ts";
import { defectOfStorePlace } from "./store-place.ts";

/** Milliseconds between two tries. */
const retryInterval = 10;

/**
 * Readers go on while the writer writes. Changing to it needs the file alone for a moment, and SQLite does not wait for
 * that by itself: two processes may start at once. Throws SQLite's error when it took longer than `busyTimeout`.
 */
export function useWriteAheadLog(db: DatabaseSync, busyTimeout: number): void {
  for (let waited = 0; ; waited += retryInterval) {
    try {
      db.exec("PRAGMA journal_mode = WAL");
      return;
    } catch (error) {
      if (!isBusy(error) || waited >= busyTimeout) throw error;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, retryInterval);
    }
  }
}

function isBusy(error: unknown): boolean {
  return error instanceof Error && "errcode" in error && error.errcode === 5;
}

/** Plain data: it crosses to the writer's thread. */
export interface ConnectionOptions {
  /** A file's path, or ":memory:". */
  readonly path: string;
  /** Milliseconds to wait for another process's lock. */
  readonly busyTimeout: number;
  /** The size that the database may grow to, in pages of 4 KiB. */
  readonly maxPageCount: number | undefined;
}

/** Private to its connection and gone with it. */
export const inMemory = ":memory:";

/** A reader never waits longer for a lock, in milliseconds: it runs on the serving thread. */
const longestReaderWait = 250;

/** Opens the connection that writes, with its schema up to date. Throws whatever SQLite or the file system did. */
export function openWriterConnection({ path, busyTimeout, maxPageCount }: ConnectionOptions): DatabaseSync {
  const file = fileOf(path);
  const isNew = path !== inMemory && !existsSync(file);
  if (path !== inMemory) refuseUnwritable(file);
  const db = open(file, { timeout: busyTimeout });
  try {
    // Digests and sealed secrets are the backend's alone. Never open the file to do this: closing a descriptor drops
    // the locks that SQLite holds on it elsewhere in this process.
    if (isNew) chmodSync(file, 0o600);
    readSchemaVersion(db);
    if (path !== inMemory) useWriteAheadLog(db, busyTimeout);
    db.exec("PRAGMA synchronous = FULL");
    if (maxPageCount !== undefined) db.exec(`PRAGMA max_page_count = ${maxPageCount}`);
    migrate(db);
    return db;
  } catch (error) {
    db.close();
    throw error;
  }
}

/** Opens a connection that only reads a file which a writer has open. */
export function openReaderConnection({ path, busyTimeout }: ConnectionOptions): DatabaseSync {
  return open(fileOf(path), { readOnly: true, timeout: Math.min(busyTimeout, longestReaderWait) });
}

/**
 * Opens a connection to a file that no connection of this process writes.
 *
 * `isAtRest`: no process has it open. Then a log is neither created nor looked for.
 */
export function openReadOnlyConnection(file: string, isAtRest: boolean): DatabaseSync {
  const url = pathToFileURL(resolve(file));
  if (isAtRest) url.searchParams.set("immutable", "1");
  return open(url, { readOnly: true, timeout: longestReaderWait });
}

/** Absolute, so that SQLite takes no name for a URI. */
function fileOf(path: string): string {
  return path === inMemory ? inMemory : resolve(path);
}

function open(file: string | URL, options: { readonly readOnly?: boolean; readonly timeout: number }): DatabaseSync {
  const db = new DatabaseSync(file, {
    ...options,
    enableForeignKeyConstraints: false,
    enableDoubleQuotedStringLiterals: false,
    allowExtension: false,
  });
  db.exec("PRAGMA trusted_schema = OFF");
  return db;
}

/** SQLite opens a file that it may not write, and fails only at the first command. */
function refuseUnwritable(file: string): void {
  const defect = defectOfStorePlace(file);
  if (defect !== undefined) throw new UnusableDatabase(`it ${defect}`);
}
