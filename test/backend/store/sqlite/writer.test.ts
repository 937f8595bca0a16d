import { DatabaseSync } from "node:sqlite";
import test, { type ExecutionContext } from "ava";
import { planCommand } from "../../../../src/backend/store/sql/statements.ts";
import { createBatch, type JobResult } from "../../../../src/backend/store/sqlite/batch.ts";
import { migrate } from "../../../../src/backend/store/sqlite/migrate.ts";
import { openSqliteStore } from "../../../../src/backend/store/sqlite/open-sqlite-store.ts";
import { createPreparedStatements } from "../../../../src/backend/store/sqlite/prepared-statements.ts";
import { createReader } from "../../../../src/backend/store/sqlite/reader.ts";
import { openWorkerHost } from "../../../../src/backend/store/sqlite/worker-host.ts";
import { createWriter, type Writer } from "../../../../src/backend/store/sqlite/writer.ts";
import { StoreFailure } from "../../../../src/backend/store/store.ts";
import { issueGrant, issueTokens, putConfiguration, revoke, twoServices } from "../commands.ts";
import { temporaryFile } from "./temporary-file.ts";

async function openDyingWriter(
  t: ExecutionContext,
  path: string,
  dies: "before" | "after" | "throws",
): Promise<Writer> {
  const options = { path, busyTimeout: 1_000, maxPageCount: undefined, dies };
  const file = new URL("./dying-writer.ts", import.meta.url);
  const writer = createWriter(await openWorkerHost(options, file));
  t.teardown(() => writer.close());
  return writer;
}

async function prepared(t: ExecutionContext): Promise<string> {
  const path = await temporaryFile(t);
  const store = await openSqliteStore({ path });
  await store.run(twoServices());
  await store.close();
  return path;
}

for (const dies of ["before", "after", "throws"] as const) {
  test(`when the writer's thread dies (${dies}) all that it owes fails, and all that comes later`, async (t) => {
    const writer = await openDyingWriter(t, await prepared(t), dies);
    const stopped = {
      instanceOf: StoreFailure,
      message: "the write was not acknowledged: the writer's thread has stopped",
    };
    const pending = [writer.run(issueTokens()), writer.run(issueTokens())];
    for (const job of pending) await t.throwsAsync(job, stopped);
    await t.throwsAsync(writer.run(issueTokens()), stopped);
    await writer.close();
    await t.throwsAsync(writer.run(issueTokens()), { message: "the write was not acknowledged: the store is closed" });
  });
}

test("pending commands fail when the thread dies, also while the store is closing", async (t) => {
  const writer = await openDyingWriter(t, await prepared(t), "before");
  const pending = writer.run(issueTokens());
  const closed = writer.close();
  await t.throwsAsync(pending, { instanceOf: StoreFailure });
  await closed;
});

test("a command whose acknowledgement was lost may be run again", async (t) => {
  const path = await prepared(t);
  const writer = await openDyingWriter(t, path, "after");
  const issued = issueTokens();
  await t.throwsAsync(writer.run(issued), { instanceOf: StoreFailure });

  const store = await openSqliteStore({ path });
  t.teardown(() => store.close());
  t.truthy(await store.readAccessToken(1, issued.accessToken.digest), "it had been kept");
  t.is(await store.run(issued), "done");
  t.is(await store.run(issueTokens(issued)), "done", "the same attempt");
  t.is(await store.run(issueTokens({ accessToken: issued.accessToken })), "conflict", "another attempt");
  t.is(await store.run(revoke(issued)), "done");
});

test("a command that was lost with the thread may be run again", async (t) => {
  const path = await prepared(t);
  const writer = await openDyingWriter(t, path, "before");
  const issued = issueTokens();
  await t.throwsAsync(writer.run(issued), { instanceOf: StoreFailure });

  const store = await openSqliteStore({ path });
  t.teardown(() => store.close());
  t.is(await store.readAccessToken(1, issued.accessToken.digest), undefined);
  t.is(await store.run(issued), "done");
  t.truthy(await store.readAccessToken(1, issued.accessToken.digest));
});

test("octets go to the thread alone, without the pool that they lie in", async (t) => {
  const options = { path: ":memory:", busyTimeout: 0, maxPageCount: undefined };
  const writer = createWriter(await openWorkerHost(options, new URL("./measuring-writer.ts", import.meta.url)));
  t.teardown(() => writer.close());
  const pooled = Buffer.from(Buffer.alloc(16).toString("base64url"), "base64url");
  t.true(pooled.buffer.byteLength > 16, "it lies in a pool");
  const commands = [issueTokens({ attempt: pooled }), issueTokens({ attempt: new Uint8Array(16) })];
  t.deepEqual(await Promise.all(commands.map((command) => writer.run(command))), [16, 16]);
});

test("a thread that does not start is a StoreFailure of the opening", async (t) => {
  const options = { path: await temporaryFile(t), busyTimeout: 1_000, maxPageCount: undefined };
  const missing = new URL("./no-such-worker.ts", import.meta.url);
  await t.throwsAsync(openWorkerHost(options, missing), {
    instanceOf: StoreFailure,
    message: `the store ${options.path} cannot be opened: the writer's thread has stopped`,
  });
});

test("five hundred commands of one batch are answered each with its own outcome", async (t) => {
  const store = await openSqliteStore({ path: await prepared(t) });
  t.teardown(() => store.close());
  const outcomes = await Promise.all(
    Array.from({ length: 500 }, (_, index) => store.run(issueTokens({ clientVersion: index % 3 === 0 ? 2 : 1 }))),
  );
  t.deepEqual(
    outcomes,
    outcomes.map((_, index) => (index % 3 === 0 ? "conflict" : "done")),
  );
});

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

test("a job that fills the disk may end the transaction despite its savepoint; then each is tried alone", (t) => {
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
  t.throws(() => createPreparedStatements(db)(put.sql).run(put.values), { message: /full/ });
  t.false(db.isTransaction);
});

test("a token for which there is no room fails alone", (t) => {
  const db = openDatabase();
  const batch = createBatch(db);
  batch([twoServices()]);
  leaveRoom(db, 2);
  const issued = [
    issueTokens(),
    issueTokens({ accessToken: { properties: [{ key: "k", value: large }] } }),
    issueTokens(),
  ];
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

test("while another connection holds the lock every job fails, and the next batch works", async (t) => {
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
