import { existsSync } from "node:fs";
import { resolve } from "node:path";
import type { Store } from "../store.ts";
import { openReadOnlyConnection } from "./connection.ts";
import { readFault, storeFailure } from "./fault.ts";
import { readSchemaVersion } from "./migrate.ts";
import { migrations } from "./migrations.ts";
import { createSqliteStore } from "./open-sqlite-store.ts";
import type { Writer } from "./writer.ts";

/** The reads of a store that was opened without joining its writers. */
export type ReadableStore = Pick<Store, "readService" | "readServicesAfter" | "readClientsAfter"> & {
  /** Left out for a store of an older version: its tables of tokens are others. */
  readonly readLiveTokens?: Store["readLiveTokens"];
};

/**
 * Reads a store that others may have open, and leaves its folder as it was; `undefined` when there is no store.
 *
 * Rejects with {@link StoreFailure} when the file cannot be used.
 *
 * @example const service = await readSqliteStore("/var/lib/certbound/store.db", (store) => store.readService(1004));
 */
export async function readSqliteStore<Facts>(
  path: string,
  read: (store: ReadableStore) => Promise<Facts>,
): Promise<Facts | undefined> {
  const file = resolve(path);
  if (!existsSync(file)) return undefined;
  // A log is there while a process has the store open, or if one was killed. Opening a store without a log to read it
  // the usual way would make one, which only a process that may write removes again.
  const log = `${file}-wal`;
  const isAtRest = !existsSync(log);
  try {
    const facts = await readOnce(file, isAtRest, read);
    if (!isAtRest || !existsSync(log)) return facts;
  } catch (error) {
    if (!isAtRest || !existsSync(log)) throw error;
  }
  // A process has opened the store meanwhile: what was read without its log may be inconsistent.
  return readOnce(file, false, read);
}

async function readOnce<Facts>(
  file: string,
  isAtRest: boolean,
  read: (store: ReadableStore) => Promise<Facts>,
): Promise<Facts | undefined> {
  const { db, version } = openToRead(file, isAtRest);
  const store = createSqliteStore(noWriter, db, () => {
    db.close();
    return Promise.resolve();
  });
  try {
    if (version === 0) return undefined;
    const settings: ReadableStore = {
      readService: (serviceId) => store.readService(serviceId),
      readServicesAfter: (after, limit) => store.readServicesAfter(after, limit),
      readClientsAfter: (after, limit) => store.readClientsAfter(after, limit),
    };
    if (version !== migrations.length) return await read(settings);
    return await read({ ...settings, readLiveTokens: (owner, now) => store.readLiveTokens(owner, now) });
  } finally {
    await store.close();
  }
}

function openToRead(file: string, isAtRest: boolean) {
  try {
    const db = openReadOnlyConnection(file, isAtRest);
    try {
      return { db, version: readSchemaVersion(db) };
    } catch (error) {
      db.close();
      throw error;
    }
  } catch (error) {
    throw storeFailure(`the store ${file} cannot be read`, readFault(error));
  }
}

const noWriter: Writer = {
  run: () => Promise.reject(new TypeError("the store was opened to be read")),
  isGone: () => true,
  close: () => Promise.resolve(),
};
