import type { DatabaseSync } from "node:sqlite";
import { type CommandOutcome, type Store, StoreFailure, type UnexpectedOrigin } from "../store.ts";
import { createBatch, type Job } from "./batch.ts";
import { type ConnectionOptions, inMemory, openReaderConnection, openWriterConnection } from "./connection.ts";
import { readFault, storeFailure } from "./fault.ts";
import { createInThreadReads, createLongReads } from "./long-reads.ts";
import { checkSchema } from "./migrate.ts";
import { createReader, type Reader } from "./reader.ts";
import { createTokenLists } from "./token-lists.ts";
import { openWorkerHost } from "./worker-host.ts";
import { createInThreadHost, createWriter, notAcknowledged, type Writer } from "./writer.ts";

export interface SqliteStoreOptions {
  /** The database file, made when it is missing; ":memory:" keeps nothing beyond the process. */
  readonly path: string;
  /** How long a write waits for another process that holds the lock, in milliseconds; default 5000. */
  readonly busyTimeout?: number;
  /** The maximum size of the file, in pages of 4 KiB; default unlimited. */
  readonly maxPageCount?: number;
  /** Called when the file is not this path's former store, or is an older state of it: its epoch was renewed. */
  readonly report?: (origin: UnexpectedOrigin) => void;
}

/**
 * Opens the embedded store: look-ups run on the calling thread, lists and counts on a second, all writes on a third.
 *
 * Several processes may open one file; each sees at once what the others acknowledged. Rejects with {@link
 * StoreFailure}, whose message names the path and the problem.
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

/** The store over a writer, a reading connection and a place for long reads; `close` closes all of them. */
export function createSqliteStore(
  writer: Writer,
  db: DatabaseSync,
  close: () => Promise<void>,
  longReads = createInThreadReads(createTokenLists(db)),
): Store {
  let closing: Promise<void> | undefined;

  /** A promise, as everything in the interface, though the answer is there at once. */
  function read<Fact>(look: () => Fact): Promise<Fact> {
    if (!db.isOpen) return Promise.reject(new StoreFailure("nothing was read: the store is closed"));
    try {
      return Promise.resolve(look());
    } catch (error) {
      return Promise.reject(storeFailure("nothing was read", readFault(error)));
    }
  }

  const lookUps = Object.fromEntries(
    Object.entries<(...query: never[]) => unknown>(createReader(db)).map(([name, look]) => [
      name,
      (...query: never[]) => read(() => look(...query)),
    ]),
  ) as Pick<Store, keyof Reader>;

  /** The writer closes after the readers. */
  function write(job: Job): ReturnType<Writer["run"]> {
    if (closing === undefined) return writer.run(job);
    return Promise.reject(new StoreFailure(`${notAcknowledged}: the store is closed`));
  }

  function refuseClosed(): void {
    if (!db.isOpen) throw new StoreFailure("nothing was read: the store is closed");
  }

  return {
    ...lookUps,
    async listAccessTokens(serviceId, query) {
      refuseClosed();
      return longReads.run("listAccessTokens", serviceId, query);
    },
    async countTokens(serviceId, query) {
      refuseClosed();
      return longReads.run("countTokens", serviceId, query);
    },
    async run(command) {
      return (await write(command)) as CommandOutcome;
    },
    async sweep(expiredBefore, limit) {
      checkSweepLimit(limit);
      return (await write({ name: "sweep", expiredBefore, limit })) as number;
    },
    async sweepInvalidationEvents(createdBefore, limit) {
      checkSweepLimit(limit);
      return (await write({ name: "sweep-events", createdBefore, limit })) as number;
    },
    checkSchema: () =>
      read(() => {
        checkSchema(db);
      }),
    async probeWrite() {
      await write({ name: "probe" });
    },
    hasLostWriter: () => writer.isGone(),
    async keepClock(clock) {
      await write({ name: "keep-clock", ...clock });
    },
    close: () => (closing ??= close()),
  };
}

function checkSweepLimit(limit: number): void {
  if (Number.isSafeInteger(limit) && limit >= 1) return;
  throw Object.assign(new TypeError("limit must be a whole number, 1 or more"), { code: "ERR_SWEEP_LIMIT" });
}
