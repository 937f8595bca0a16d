import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { DatabaseSync, SQLInputValue, StatementSync } from "node:sqlite";
import type { ExecutionContext } from "ava";
import { createBatch } from "../../src/backend/store/sqlite/batch.ts";
import { openReaderConnection, openWriterConnection } from "../../src/backend/store/sqlite/connection.ts";
import { createSqliteStore } from "../../src/backend/store/sqlite/open-sqlite-store.ts";
import { createInThreadHost, createWriter } from "../../src/backend/store/sqlite/writer.ts";
import type { Store } from "../../src/backend/store/store.ts";

/**
 * What becomes of the statement that fails: `before`, it is not executed; `after`, it is, and only its answer is lost
 * (of a COMMIT: all is kept); `rolled-back`, the database undoes the whole transaction with it, as a full disk does.
 */
export type FaultKind = "before" | "after" | "rolled-back";

/** Where the connection that writes fails; statements are counted from the last `failAt` or `heal`. */
export interface StatementFaults {
  /** The n-th statement from now on fails, n from 1, and `times - 1` more behind it; `times` is 1 unless told. */
  failAt(n: number, kind: FaultKind, times?: number): void;
  /** From now on none fails. */
  heal(): void;
  /** What was executed, or failed, since: its text, as SQLite gets it, and whether it failed. */
  readonly executed: readonly { readonly sql: string; readonly failed: boolean }[];
}

/**
 * A connection whose executed statements fail when they are told to: BEGIN, SAVEPOINT, each write, RELEASE, COMMIT and
 * the ROLLBACKs. Looks (`get`, `all`) are let through.
 */
function createFailingDatabase(db: DatabaseSync): { db: DatabaseSync; faults: StatementFaults } {
  const executed: { sql: string; failed: boolean }[] = [];
  let failing = { from: Number.POSITIVE_INFINITY, before: Number.POSITIVE_INFINITY, kind: "before" as FaultKind };

  function runStatement<Result>(sql: string, run: () => Result): Result {
    const n = executed.length + 1;
    const failed = n >= failing.from && n < failing.before;
    executed.push({ sql, failed });
    if (!failed) return run();
    if (failing.kind === "after") run();
    if (failing.kind === "rolled-back" && db.isTransaction) db.exec("ROLLBACK");
    throw Object.assign(new Error("disk I/O error"), { code: "ERR_SQLITE_ERROR", errcode: 10 });
  }

  const failingStatement = (statement: StatementSync, sql: string): StatementSync =>
    over(statement, {
      run: (...values: SQLInputValue[]) => runStatement(sql, () => statement.run(...values)),
    });

  function failAt(n: number, kind: FaultKind, times = 1): void {
    executed.length = 0;
    failing = { from: n, before: n + times, kind };
  }

  return {
    db: over(db, {
      prepare: (sql: string) => failingStatement(db.prepare(sql), sql),
      exec: (sql: string) => {
        runStatement(sql, () => {
          db.exec(sql);
        });
      },
    }),
    faults: {
      failAt,
      heal: () => {
        failAt(Number.POSITIVE_INFINITY, "before");
      },
      executed,
    },
  };
}

/** The object, with some of its methods replaced; the others find the native object that they need. */
function over<Native extends object>(native: Native, methods: { readonly [Name in keyof Native]?: unknown }): Native {
  return new Proxy(native, {
    get(target, name) {
      const own = (methods as Record<PropertyKey, unknown>)[name];
      if (own !== undefined) return own;
      const member: unknown = Reflect.get(target, name, target);
      return typeof member === "function" ? (member.bind(target) as unknown) : member;
    },
  });
}

/** A store over a file, its writer on this thread, over a connection that fails as told. */
export interface FailingStore {
  readonly store: Store;
  readonly faults: StatementFaults;
  readonly path: string;
}

/**
 * Opens one in a folder of its own; both go with the test.
 *
 * @example
 * const { store, faults } = await openFailingStore(t);
 * const { operations } = await createEngineByHand(t, services, { store });
 * faults.failAt(3, "before");
 */
export async function openFailingStore(t: ExecutionContext): Promise<FailingStore> {
  const folder = await mkdtemp(join(tmpdir(), "certbound-"));
  t.teardown(() => rm(folder, { recursive: true, force: true }));
  const path = join(folder, "store.db");
  const connection = { path, busyTimeout: 1_000, maxPageCount: undefined };
  const native = openWriterConnection(connection);
  const { db, faults } = createFailingDatabase(native);
  const writer = createWriter(
    createInThreadHost(createBatch(db), () => {
      native.close();
    }),
  );
  const reading = openReaderConnection(connection);
  const store = createSqliteStore(writer, reading, () => {
    reading.close();
    return writer.close();
  });
  t.teardown(() => store.close());
  return { store, faults, path };
}
