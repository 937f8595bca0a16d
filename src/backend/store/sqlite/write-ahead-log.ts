import type { DatabaseSync } from "node:sqlite";

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
