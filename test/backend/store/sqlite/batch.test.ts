import { DatabaseSync } from "node:sqlite";
import test from "ava";
import { createBatch, type JobResult } from "../../../../src/backend/store/sqlite/batch.ts";
import { migrate } from "../../../../src/backend/store/sqlite/migrate.ts";
import { createReader } from "../../../../src/backend/store/sqlite/reader.ts";
import { planCommand } from "../../../../src/backend/store/sql/statements.ts";
import { issueGrant, issueTokens, putConfiguration, revoke, twoServices } from "../commands.ts";
import { temporaryFile } from "./temporary-file.ts";

function openDatabase(path = ":memory:"): DatabaseSync {
  const db = new DatabaseSync(path);
  migrate(db);
  return db;
}

const outcomes = (results: readonly JobResult[]): unknown[] =>
  results.map((result) => (typeof result === "object" ? result.reason : result));

const countOf = (db: DatabaseSync, table: string): unknown =>
  db.prepare(`SELECT count(*) AS n FROM ${table}`).get()?.["n"];

/** Lets the file grow by so many pages and no further. */
function leaveRoom(db: DatabaseSync, pages: number): void {
  const size = Number(db.prepare("PRAGMA page_count").get()?.["page_count"]);
  db.exec(`PRAGMA max_page_count = ${size + pages}`);
}

const large = "x".repeat(20_000);

test("a job that conflicts or fails is undone alone", (t) => {
  const db = openDatabase();
  const [first, last, halfway] = [issueTokens(), issueTokens(), issueGrant("grant")];
  const results = createBatch(db)([
    twoServices(),
    first,
    { ...halfway, refreshToken: { ...halfway.refreshToken, digest: new Uint8Array(31) } },
    issueTokens({ clientVersion: 7 }),
    last,
    { name: "sweep", expiredBefore: 0, limit: 10 },
  ]);
  t.deepEqual(outcomes(results), ["done", "done", "the database failed", "conflict", "done", 0]);
  t.is(countOf(db, "access_token"), 2);
  t.is(countOf(db, "token_grant"), 0);
  t.false(db.isTransaction);
});

test("a job that fills the database may end the transaction despite its savepoint; then each is tried alone", (t) => {
  const db = openDatabase();
  const batch = createBatch(db);
  const [before, after] = [issueTokens(), issueTokens()];
  batch([twoServices()]);
  leaveRoom(db, 2);
  const tooLarge = putConfiguration({ id: 3, settings: large });
  t.deepEqual(outcomes(batch([before, tooLarge, revoke(before), after])), [
    "done",
    "the disk or the database is full",
    "done",
    "done",
  ]);
  const reader = createReader(db);
  t.is(reader.readAccessToken(1, before.accessToken.digest), undefined, "it was revoked");
  t.is(reader.readService(3), undefined);
  t.truthy(reader.readAccessToken(1, after.accessToken.digest));
  t.is(countOf(db, "access_token"), 2);
  t.false(db.isTransaction);
});

test("SQLite does end the transaction when such a statement fills the database", (t) => {
  // What the test above stands on: were it otherwise, it would not reach the second try.
  const db = openDatabase();
  createBatch(db)([twoServices()]);
  leaveRoom(db, 2);
  db.exec("BEGIN IMMEDIATE; SAVEPOINT job");
  const put = planCommand(putConfiguration({ id: 3, settings: large })).statements.find(({ guard }) => guard === true);
  if (put === undefined) throw new Error("a configuration has a guard");
  t.throws(() => db.prepare(put.sql.replaceAll(/\$(\d+)/g, "?$1")).run(...put.values), { message: /full/ });
  t.false(db.isTransaction);
});

test("a token for which there is no room fails alone", (t) => {
  const db = openDatabase();
  const batch = createBatch(db);
  batch([twoServices()]);
  leaveRoom(db, 2);
  const issued = [issueTokens(), issueTokens({ accessToken: { properties: large } }), issueTokens()];
  t.deepEqual(outcomes(batch(issued)), ["done", "the disk or the database is full", "done"]);
  t.is(countOf(db, "access_token"), 2);
});

test("when the commit fails every job of it fails and nothing is kept", (t) => {
  const db = openDatabase();
  const batch = createBatch(db);
  batch([twoServices()]);
  db.exec(`
    PRAGMA foreign_keys = ON;
    CREATE TABLE parent (id INTEGER PRIMARY KEY);
    CREATE TABLE child (id INTEGER REFERENCES parent (id) DEFERRABLE INITIALLY DEFERRED);
    CREATE TRIGGER dangling AFTER INSERT ON access_token WHEN NEW.subject = 'dangling'
      BEGIN INSERT INTO child VALUES (1); END;`);
  const results = batch([issueTokens(), issueTokens({ subject: "dangling" }), issueTokens({ clientVersion: 7 })]);
  t.deepEqual(outcomes(results), Array(3).fill("the database failed"));
  t.is(countOf(db, "access_token"), 0);
  t.false(db.isTransaction);
  t.deepEqual(outcomes(batch([issueTokens()])), ["done"]);
});

test("when another connection holds the lock every job fails, and the next batch works", async (t) => {
  const path = await temporaryFile(t);
  const [db, other] = [openDatabase(path), new DatabaseSync(path)];
  const batch = createBatch(db);
  batch([twoServices()]);
  other.exec("BEGIN IMMEDIATE");
  const issued = [issueTokens(), issueTokens()];
  t.deepEqual(outcomes(batch(issued)), Array(2).fill("the database is locked by another process"));
  other.exec("ROLLBACK");
  t.deepEqual(outcomes(batch(issued)), ["done", "done"]);
  db.close();
  other.close();
});

test("a closed database is a fault of every job, not an exception", (t) => {
  const db = openDatabase();
  const batch = createBatch(db);
  db.close();
  t.deepEqual(outcomes(batch([issueTokens(), issueTokens()])), Array(2).fill("the database failed"));
});
