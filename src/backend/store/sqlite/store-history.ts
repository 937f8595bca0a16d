import type { DatabaseSync } from "node:sqlite";
import type { StoreOrigin, UnexpectedOrigin } from "../store.ts";
import { createPreparedStatements } from "./prepared-statements.ts";
import {
  identifyFile,
  markPathOf,
  openStoreMark,
  type FileIdentity,
  type MarkedCommit,
  type StoreMark,
} from "./store-mark.ts";

/** Counts a writer's commits, in the store and in the mark beside it, and detects an older state of the store. */
export interface StoreHistory {
  /**
   * Within a transaction that wrote, right before its COMMIT. With `renewEpoch`, every watcher has to clear its cache.
   * Throws errors of SQLite and of the file system.
   */
  beforeCommit(how?: { readonly renewEpoch: true }): void;
  /** After the COMMIT, before anyone is answered. */
  afterCommit(): void;
  /** Makes the mark survive a loss of power; without an effect when nothing was committed since the last time. */
  sync(): void;
  close(): void;
}

interface StoreFacts {
  readonly epoch: string;
  readonly commits: number;
  readonly file: FileIdentity;
}

const selectEpoch = "SELECT lower(hex(epoch)) AS epoch FROM store_epoch";
const selectCommits = "SELECT commits FROM store_state";
const countCommit = "UPDATE store_state SET commits = commits + 1 RETURNING commits";
const renewEpoch = "UPDATE store_epoch SET epoch = randomblob(16)";
const drawSession = "SELECT lower(hex(randomblob(8))) AS session";

/**
 * Whether the store is the one that the mark was last written for, and not an older state of it.
 *
 * A commit counts as acknowledged unless the mark shows otherwise: begun and not completed by the same session, whose
 * writes are in order. `docs/staleness.md` lists the cases.
 */
function originOf(mark: StoreMark | undefined, { epoch, commits, file }: StoreFacts): StoreOrigin {
  if (mark === undefined) return commits === 0 ? "new" : "unmarked";
  if (mark.epoch !== epoch) return "another-store";
  if (differs(mark.file.inode, file.inode) || differs(mark.file.born, file.born)) return "another-file";
  const { begun, committed } = mark;
  const lastMayBeUnfinished = begun.session === committed.session && begun.commits === committed.commits + 1;
  return commits < (lastMayBeUnfinished ? committed.commits : Math.max(begun.commits, committed.commits))
    ? "went-back"
    : "continued";
}

/** Zero: not known. */
function differs(marked: bigint, found: bigint): boolean {
  return marked !== 0n && found !== 0n && marked !== found;
}

/**
 * Begins a writer's session on a store: compares store and mark under the store's lock, gives the store a new epoch
 * unless it is the same store, and writes the mark. `report` is called for every origin except `new` and `continued`.
 *
 * @example const history = openStoreHistory(db, "/var/lib/certbound/store.db", (origin) => { log.error({ origin }); });
 */
export function openStoreHistory(
  db: DatabaseSync,
  path: string,
  report: (origin: UnexpectedOrigin) => void,
): StoreHistory {
  const prepare = createPreparedStatements(db);
  const mark = openStoreMark(markPathOf(path));
  const { session } = prepare(drawSession).get() as { session: string };
  /** The greatest number of commits that this session has seen. */
  let seen = 0;
  let counted = 0;
  let synced = -1;

  const epochNow = (): string => (prepare(selectEpoch).get() as { epoch: string }).epoch;

  function open(): void {
    prepare("BEGIN IMMEDIATE").run();
    try {
      const { commits } = prepare(selectCommits).get() as { commits: number };
      const origin = originOf(mark.read(), { epoch: epochNow(), commits, file: identifyFile(path) });
      seen = commits;
      if (origin === "continued") {
        prepare("ROLLBACK").run();
        return;
      }
      renew(count());
      prepare("COMMIT").run();
      complete();
      if (origin !== "new") report(origin);
    } catch (error) {
      if (db.isTransaction) prepare("ROLLBACK").run();
      throw error;
    }
  }

  function count(): { readonly begun: MarkedCommit; readonly committed: MarkedCommit } {
    counted = (prepare(countCommit).get() as { commits: number }).commits;
    return { begun: { session, commits: counted }, committed: { session, commits: counted - 1 } };
  }

  /** A cursor of the former epoch must not be continued. */
  function renew(counts: ReturnType<typeof count>): void {
    prepare(renewEpoch).run();
    mark.write({ epoch: epochNow(), file: identifyFile(path), ...counts });
  }

  function complete(): void {
    seen = counted;
    try {
      mark.complete({ session, commits: counted });
    } catch {
      // The commit is valid, and the mark shows that it was begun.
    }
  }

  try {
    open();
  } catch (error) {
    mark.close();
    throw error;
  }

  return {
    beforeCommit(how) {
      const counts = count();
      if (how !== undefined) {
        renew(counts);
        return;
      }
      if (counted > seen) {
        mark.begin(counts.begun, counts.committed);
        return;
      }
      // Someone wrote an older store over the file while it was open.
      renew(counts);
      report("went-back");
    },
    afterCommit: complete,
    sync() {
      if (synced === seen) return;
      synced = seen;
      try {
        mark.sync();
      } catch {
        // A mark that is behind after a loss of power is harmless; the next write is tried again.
      }
    },
    close() {
      this.sync();
      mark.close();
    },
  };
}
