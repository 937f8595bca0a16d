import type { DatabaseSync } from "node:sqlite";
import type { Store, UnexpectedOrigin } from "../store.ts";
import { createBatch } from "./batch.ts";
import { inMemory, openReaderConnection, openWriterConnection, type ConnectionOptions } from "./connection.ts";
import { readFault, storeFailure } from "./fault.ts";
import { createLongReads } from "./long-reads.ts";
import { createSqliteStore } from "./sqlite-store.ts";
import { openWorkerHost } from "./worker-host.ts";
import { createInThreadHost, createWriter } from "./writer.ts";

export interface SqliteStoreOptions {
  /** The database file, made when it is missing; ":memory:" keeps nothing beyond the process. */
  readonly path: string;
  /** How long a write waits for another process that holds the lock, in milliseconds; 5000 unless told. */
  readonly busyTimeout?: number;
  /** The size that the file may grow to, in pages of 4 KiB; unlimited unless told. */
  readonly maxPageCount?: number;
  /** Told when the file is not the store that this path had, or an older state of it: its epoch was renewed. */
  readonly report?: (origin: UnexpectedOrigin) => void;
}

/**
 * Opens the embedded store: look-ups on the calling thread, lists and counts on a thread of their own, all writes on
 * another.
 *
 * Several processes may open one file; each sees at once what the others acknowledged. Rejects with
 * {@link StoreFailure}, whose message names the path and what is wrong with it.
 *
 * @example const store = await openSqliteStore({ path: "/var/lib/certbound/store.db" });
 */
export async function openSqliteStore(options: SqliteStoreOptions): Promise<Store> {
  const { path, busyTimeout = 5000, maxPageCount, report } = options;
  const connection: ConnectionOptions = { path, busyTimeout, maxPageCount };
  return path === inMemory ? openInMemory(connection) : openFile(connection, report);
}

function openInMemory(connection: ConnectionOptions): Store {
  const db = openConnection(openWriterConnection, connection);
  const host = createInThreadHost(createBatch(db), () => {
    db.close();
  });
  const writer = createWriter(host);
  return createSqliteStore(writer, db, () => writer.close());
}

async function openFile(connection: ConnectionOptions, report: SqliteStoreOptions["report"]): Promise<Store> {
  const writer = createWriter(await openWorkerHost(connection, undefined, report));
  try {
    const db = openConnection(openReaderConnection, connection);
    const longReads = createLongReads(connection);
    const close = async (): Promise<void> => {
      // The writer's connection goes last: only one that may write takes the log back into the file.
      db.close();
      await longReads.close();
      await writer.close();
    };
    return createSqliteStore(writer, db, close, longReads);
  } catch (error) {
    await writer.close();
    throw error;
  }
}

function openConnection(open: (options: ConnectionOptions) => DatabaseSync, options: ConnectionOptions): DatabaseSync {
  try {
    return open(options);
  } catch (error) {
    throw storeFailure(`the store ${options.path} cannot be opened`, readFault(error));
  }
}
