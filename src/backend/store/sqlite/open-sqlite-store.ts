import type { DatabaseSync } from "node:sqlite";
import { StoreFailure, type CommandOutcome, type Store } from "../store.ts";
import { createBatch } from "./batch.ts";
import { inMemory, openReaderConnection, openWriterConnection, type ConnectionOptions } from "./connection.ts";
import { readFault, storeFailure } from "./fault.ts";
import { createReader, type Reader } from "./reader.ts";
import { openWorkerHost } from "./worker-host.ts";
import { createInThreadHost, createWriter, type Writer } from "./writer.ts";

export interface SqliteStoreOptions {
  /** The database file, made when it is missing; ":memory:" keeps nothing beyond the process. */
  readonly path: string;
  /** How long a write waits for another process that holds the lock, in milliseconds; 5000 unless told. */
  readonly busyTimeout?: number;
  /** The size that the file may grow to, in pages of 4 KiB; unlimited unless told. */
  readonly maxPageCount?: number;
}

/**
 * Opens the embedded store: reads on the calling thread, all writes on one thread of their own.
 *
 * Several processes may open one file; each sees at once what the others acknowledged. Rejects with
 * {@link StoreFailure}, whose message names the path and what is wrong with it.
 *
 * @example const store = await openSqliteStore({ path: "/var/lib/certbound/store.db" });
 */
export async function openSqliteStore(options: SqliteStoreOptions): Promise<Store> {
  const { path, busyTimeout = 5000, maxPageCount } = options;
  const connection: ConnectionOptions = { path, busyTimeout, maxPageCount };
  return path === inMemory ? openInMemory(connection) : openFile(connection);
}

function openInMemory(connection: ConnectionOptions): Store {
  const db = openConnection(openWriterConnection, connection);
  const host = createInThreadHost(createBatch(db), () => {
    db.close();
  });
  const writer = createWriter(host);
  return createStore(writer, db, () => writer.close());
}

async function openFile(connection: ConnectionOptions): Promise<Store> {
  const writer = createWriter(await openWorkerHost(connection));
  try {
    const db = openConnection(openReaderConnection, connection);
    return createStore(writer, db, () => {
      // The writer's connection goes last: only one that may write takes the log back into the file.
      db.close();
      return writer.close();
    });
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

function createStore(writer: Writer, db: DatabaseSync, close: () => Promise<void>): Store {
  const reader = createReader(db);
  let closing: Promise<void> | undefined;

  /** A promise, as everything in the interface, though the answer is there at once. */
  function read<Fact>(look: (reader: Reader) => Fact): Promise<Fact> {
    if (!db.isOpen) return Promise.reject(new StoreFailure("nothing was read: the store is closed"));
    try {
      return Promise.resolve(look(reader));
    } catch (error) {
      return Promise.reject(storeFailure("nothing was read", readFault(error)));
    }
  }

  return {
    readService: (serviceId) => read((facts) => facts.readService(serviceId)),
    readClient: (serviceId, by) => read((facts) => facts.readClient(serviceId, by)),
    readAccessToken: (serviceId, digest) => read((facts) => facts.readAccessToken(serviceId, digest)),
    readRefreshToken: (serviceId, digest) => read((facts) => facts.readRefreshToken(serviceId, digest)),
    readTicket: (serviceId, digest) => read((facts) => facts.readTicket(serviceId, digest)),
    readCode: (serviceId, digest) => read((facts) => facts.readCode(serviceId, digest)),
    listAccessTokens: (serviceId, query) => read((facts) => facts.listAccessTokens(serviceId, query)),
    countEnded: (serviceId, attempt, now) => read((facts) => facts.countEnded(serviceId, attempt, now)),
    readInvalidationEvents: (query) => read((facts) => facts.readInvalidationEvents(query)),
    async run(command) {
      return (await writer.run(command)) as CommandOutcome;
    },
    async sweep(expiredBefore, limit) {
      checkSweepLimit(limit);
      return (await writer.run({ name: "sweep", expiredBefore, limit })) as number;
    },
    async sweepInvalidationEvents(createdBefore, limit) {
      checkSweepLimit(limit);
      return (await writer.run({ name: "sweep-events", createdBefore, limit })) as number;
    },
    close: () => (closing ??= close()),
  };
}

function checkSweepLimit(limit: number): void {
  if (Number.isSafeInteger(limit) && limit >= 1) return;
  throw Object.assign(new TypeError("limit must be a whole number, 1 or more"), { code: "ERR_SWEEP_LIMIT" });
}
