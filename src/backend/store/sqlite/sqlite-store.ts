import type { DatabaseSync } from "node:sqlite";
import { StoreFailure, type CommandOutcome, type Store } from "../store.ts";
import type { Job } from "./batch.ts";
import { readFault, storeFailure } from "./fault.ts";
import { createInThreadReads } from "./long-reads.ts";
import { checkSchema } from "./migrate.ts";
import { createReader, type Reader } from "./reader.ts";
import { createTokenLists } from "./token-lists.ts";
import { notAcknowledged, type Writer } from "./writer.ts";

/** The store over a writer, the connection that reads, and where long reads are done; `close` ends all of them. */
export function createSqliteStore(
  writer: Writer,
  db: DatabaseSync,
  close: () => Promise<void>,
  longReads = createInThreadReads(createTokenLists(db)),
): Store {
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

  /** The writer itself closes behind the readers. */
  function write(job: Job): ReturnType<Writer["run"]> {
    if (closing === undefined) return writer.run(job);
    return Promise.reject(new StoreFailure(`${notAcknowledged}: the store is closed`));
  }

  function refuseClosed(): void {
    if (!db.isOpen) throw new StoreFailure("nothing was read: the store is closed");
  }

  return {
    readService: (serviceId) => read((facts) => facts.readService(serviceId)),
    readClient: (serviceId, by) => read((facts) => facts.readClient(serviceId, by)),
    readServicesAfter: (after, limit) => read((facts) => facts.readServicesAfter(after, limit)),
    readClientsAfter: (after, limit) => read((facts) => facts.readClientsAfter(after, limit)),
    readLiveTokens: (owner, now) => read((facts) => facts.readLiveTokens(owner, now)),
    readAccessToken: (serviceId, digest) => read((facts) => facts.readAccessToken(serviceId, digest)),
    readRefreshToken: (serviceId, digest) => read((facts) => facts.readRefreshToken(serviceId, digest)),
    readTicket: (serviceId, digest) => read((facts) => facts.readTicket(serviceId, digest)),
    readCode: (serviceId, digest) => read((facts) => facts.readCode(serviceId, digest)),
    async listAccessTokens(serviceId, query) {
      refuseClosed();
      return longReads.run("listAccessTokens", serviceId, query);
    },
    async countTokens(serviceId, query) {
      refuseClosed();
      return longReads.run("countTokens", serviceId, query);
    },
    readInvalidationEvents: (query) => read((facts) => facts.readInvalidationEvents(query)),
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
    readClock: () => read((facts) => facts.readClock()),
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
