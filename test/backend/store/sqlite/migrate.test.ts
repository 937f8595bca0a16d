import { DatabaseSync } from "node:sqlite";
import test from "ava";
import { useWriteAheadLog } from "../../../../src/backend/store/sqlite/connection.ts";
import { migrate, readSchemaVersion } from "../../../../src/backend/store/sqlite/migrate.ts";
import { migrations } from "../../../../src/backend/store/sqlite/migrations.ts";
import { temporaryFile } from "./temporary-file.ts";

/** Another process's deed just before a statement of ours. */
class Interrupted extends DatabaseSync {
  before: (sql: string) => void = () => undefined;
  override exec(sql: string): void {
    this.before(sql);
    super.exec(sql);
  }
}

test("migrating twice does it once", (t) => {
  using db = new DatabaseSync(":memory:");
  t.is(readSchemaVersion(db), 0);
  migrate(db);
  migrate(db);
  t.is(readSchemaVersion(db), migrations.length);
});

test("a process that comes second to the lock finds nothing to do", async (t) => {
  const path = await temporaryFile(t);
  using first = new DatabaseSync(path);
  using second = new Interrupted(path);
  const begun: string[] = [];
  second.before = (sql) => {
    if (sql !== "BEGIN IMMEDIATE") return;
    begun.push(sql);
    migrate(first);
  };
  migrate(second);
  t.is(begun.length, 1, "it had found an empty file");
  t.is(readSchemaVersion(second), migrations.length);
  t.false(second.isTransaction);
});

test("the change to the log waits for another's lock", async (t) => {
  const path = await temporaryFile(t);
  using other = new DatabaseSync(path);
  other.exec("BEGIN IMMEDIATE");
  using db = new Interrupted(path);
  let tries = 0;
  db.before = () => {
    if (++tries === 3) other.exec("ROLLBACK");
  };
  useWriteAheadLog(db, 10_000);
  t.is(tries, 3);
  t.is(db.prepare("PRAGMA journal_mode").get()?.["journal_mode"], "wal");
});

test("the change to the log does not wait for ever, and not for what is no lock", async (t) => {
  const path = await temporaryFile(t);
  using other = new DatabaseSync(path);
  other.exec("BEGIN IMMEDIATE");
  using db = new Interrupted(path);
  let tries = 0;
  db.before = () => tries++;
  t.throws(
    () => {
      useWriteAheadLog(db, 20);
    },
    { message: "database is locked" },
  );
  t.is(tries, 3);
  db.before = () => {
    throw new Error("something else");
  };
  t.throws(
    () => {
      useWriteAheadLog(db, 10_000);
    },
    { message: "something else" },
  );
});
