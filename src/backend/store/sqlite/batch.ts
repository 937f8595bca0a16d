import type { DatabaseSync } from "node:sqlite";
import type { Command } from "../command.ts";
import type { Statement } from "../sql/statement.ts";
import { planCommand, sweepStatements } from "../sql/statements.ts";
import type { CommandOutcome } from "../store.ts";
import { createEventSweep } from "./event-reader.ts";
import { type Fault, readFault } from "./fault.ts";
import { createPreparedStatements } from "./prepared-statements.ts";
import type { StoreHistory } from "./store-history.ts";

/** Pages of 4 KiB: more than any command adds. */
const roomNeeded = 16;

/** SQLITE_FULL. */
const full = 13;

/**
 * A write that changes nothing and costs as much as a command's commit: a page in the log, and a wait for the disk.
 *
 * Runs within the batch's transaction and returns 0, like a sweep without rows. Throws SQLite's error, also when the
 * database has no room for a command.
 */
function createWriteProbe(db: DatabaseSync): () => number {
  const prepare = createPreparedStatements(db);
  const read = (pragma: string): number => Object.values(prepare(`PRAGMA ${pragma}`).get() ?? {})[0] as number;
  return () => {
    const room = read("max_page_count") - read("page_count") + read("freelist_count");
    if (room < roomNeeded) throw Object.assign(new Error("database or disk is full"), { errcode: full });
    // SQLite writes the header's page at every assignment of this number, even of the same one.
    prepare(`PRAGMA user_version = ${read("user_version")}`).run();
    return 0;
  };
}

/** A job of the writer: a command, a sweep of expired rows or of old events, the clock's floor, or the probe. */
export type Job =
  | Command
  | { readonly name: "probe" }
  | { readonly name: "sweep"; readonly expiredBefore: number; readonly limit: number }
  | { readonly name: "sweep-events"; readonly createdBefore: number; readonly limit: number }
  | { readonly name: "keep-clock"; readonly actedOn: number; readonly settled: boolean; readonly inDoubt?: number };

/** A command's outcome, the number of rows that a sweep deleted, or why it failed. */
export type JobResult = CommandOutcome | number | Fault;

/** Carries jobs out in one commit; answers in their order, and only when what they did is durable. */
export type Batch = (jobs: readonly Job[]) => JobResult[];

/**
 * Raises the floor under "now", never lowers it; only the process that used the last instant can declare it settled.
 */
const keepClock = `
  UPDATE store_state
  SET clock = max(clock, :actedOn), clock_settled = CASE WHEN clock <= :actedOn THEN :settled ELSE clock_settled END,
    clock_in_doubt = coalesce(:inDoubt, clock_in_doubt)
  WHERE clock < :actedOn OR (clock = :actedOn AND clock_settled <> :settled) OR clock_in_doubt <> :inDoubt`;

/** The database undid the whole transaction, the jobs before the failing one with it. */
class TransactionLost extends Error {
  override readonly name = "TransactionLost";
}

/**
 * The only function that writes, synchronous on the thread that hosts it.
 *
 * A job that conflicts or fails is rolled back to its savepoint, and the others continue. A full disk ends the whole
 * transaction despite savepoints: then each job is repeated in its own transaction. `history` counts the transactions
 * that wrote; a database in memory needs none.
 */
export function createBatch(db: DatabaseSync, history?: Pick<StoreHistory, "beforeCommit" | "afterCommit">): Batch {
  const prepare = createPreparedStatements(db);
  /** Rows that were changed, also those of jobs that were undone. */
  let written = 0;
  const sweepEvents = createEventSweep(db);
  const probe = createWriteProbe(db);

  function runBatch(jobs: readonly Job[]): JobResult[] {
    try {
      prepare("BEGIN IMMEDIATE").run();
      const before = written;
      const results = jobs.map(runJob);
      const counts = written > before ? history : undefined;
      counts?.beforeCommit();
      prepare("COMMIT").run();
      counts?.afterCommit();
      return results;
    } catch (error) {
      const fault = rollBack(error);
      if (error instanceof TransactionLost && jobs.length > 1) return jobs.flatMap((job) => runBatch([job]));
      return jobs.map(() => fault);
    }
  }

  /** Leaves no transaction open, whatever happened, so that the next batch can begin. */
  function rollBack(error: unknown): Fault {
    const fault = readFault(error instanceof TransactionLost ? error.cause : error);
    try {
      if (db.isTransaction) prepare("ROLLBACK").run();
      return fault;
    } catch (second) {
      return { ...fault, detail: `${fault.detail}; then ${readFault(second).detail}` };
    }
  }

  function runJob(job: Job): JobResult {
    prepare("SAVEPOINT job").run();
    try {
      const result = doJob(job);
      prepare("RELEASE job").run();
      return result;
    } catch (error) {
      if (!db.isTransaction) throw new TransactionLost("the transaction was rolled back", { cause: error });
      undoJob();
      prepare("RELEASE job").run();
      return readFault(error);
    }
  }

  function doJob(job: Job): CommandOutcome | number {
    if (job.name === "sweep") return sweep(job.expiredBefore, job.limit);
    if (job.name === "probe") return probe();
    if (job.name === "sweep-events") return noteWritten(sweepEvents(job.createdBefore, job.limit));
    if (job.name === "keep-clock") {
      const { actedOn, settled, inDoubt = null } = job;
      return change({ sql: keepClock, values: { actedOn, settled: settled ? 1 : 0, inDoubt } });
    }
    return runCommand(job);
  }

  /** The savepoint itself remains, to be released. */
  function undoJob(): void {
    prepare("ROLLBACK TO job").run();
  }

  function runCommand(command: Command): CommandOutcome {
    const { statements, applied } = planCommand(command);
    for (const statement of statements) {
      const changed = change(statement) > 0;
      if ((statement.guard === true && !changed) || (statement.forbidden === true && changed)) {
        undoJob();
        return applied !== undefined && found(applied) ? "done" : "conflict";
      }
    }
    return "done";
  }

  function sweep(expiredBefore: number, limit: number): number {
    return sweepStatements(expiredBefore, limit).reduce((deleted, statement) => deleted + change(statement), 0);
  }

  function change(statement: Statement): number {
    return noteWritten(prepare(statement.sql).run(statement.values));
  }

  function noteWritten(rows: number): number {
    written += rows;
    return rows;
  }

  function found(statement: Statement): boolean {
    return prepare(statement.sql).get(statement.values) !== undefined;
  }

  return runBatch;
}
