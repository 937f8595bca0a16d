import { createHash, randomBytes } from "node:crypto";
import { chmod, chown, copyFile, cp, mkdir, readFile, stat, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import test, { type ExecutionContext } from "ava";
import { openWriterConnection, useWriteAheadLog } from "../../../../src/backend/store/sqlite/connection.ts";
import { migrate, readSchemaVersion } from "../../../../src/backend/store/sqlite/migrate.ts";
import { migrations } from "../../../../src/backend/store/sqlite/migrations.ts";
import { openSqliteStore } from "../../../../src/backend/store/sqlite/open-sqlite-store.ts";
import { StoreFailure } from "../../../../src/backend/store/store.ts";
import { tokenDigest } from "../../../../src/oauth/token-digest.ts";
import {
  exchange,
  issueCode,
  issueTokens,
  keepTicket,
  rotate,
  twoServices,
  updateTicket,
  useAssertion,
} from "../commands.ts";
import { startChild } from "./child-process.ts";
import { temporaryFile } from "./temporary-file.ts";

async function refuses(t: ExecutionContext, path: string, why: string): Promise<void> {
  await t.throwsAsync(openSqliteStore({ path, busyTimeout: 50 }), {
    instanceOf: StoreFailure,
    message: `the store ${path} cannot be opened: ${why}`,
  });
}

function execute(path: string, sql: string): void {
  using db = new DatabaseSync(path);
  db.exec(sql);
}

async function makeStore(path: string): Promise<void> {
  const store = await openSqliteStore({ path });
  await store.run(twoServices());
  await store.close();
}

test("an acknowledged write is on the disk: every commit is synchronous, and the log is written ahead", async (t) => {
  using db = openWriterConnection({ path: await temporaryFile(t), busyTimeout: 50, maxPageCount: undefined });
  t.deepEqual({ ...db.prepare("PRAGMA synchronous").get() }, { synchronous: 2 });
  t.deepEqual({ ...db.prepare("PRAGMA journal_mode").get() }, { journal_mode: "wal" });
});

test("a closed store opens again with its data", async (t) => {
  const path = await temporaryFile(t);
  await makeStore(path);
  const store = await openSqliteStore({ path });
  t.teardown(() => store.close());
  t.is((await store.readService(1))?.settings, "service 1");
});

test("an empty file is a new store", async (t) => {
  const path = await temporaryFile(t);
  await writeFile(path, "");
  await makeStore(path);
  t.true((await stat(path)).size > 0);
});

test("a path is never taken for a URI", async (t) => {
  const path = await temporaryFile(t, "file:store?mode=memory");
  await makeStore(path);
  t.true((await stat(path)).size > 0);
});

test("a file of a newer version is refused and left as it is", async (t) => {
  const path = await temporaryFile(t);
  await makeStore(path);
  const newer = migrations.length + 1;
  execute(path, `PRAGMA journal_mode = DELETE; INSERT INTO migration (number) VALUES (${newer})`);
  const before = await readFile(path);
  await refuses(
    t,
    path,
    `it was written by a newer version (its schema is ${newer}, this version knows ${migrations.length})`,
  );
  t.deepEqual(await readFile(path), before);
});

test("another program's database is refused and left as it is", async (t) => {
  const path = await temporaryFile(t);
  execute(path, "CREATE TABLE theirs (id INTEGER)");
  const before = await readFile(path);
  await refuses(t, path, "it is another program's database");
  t.deepEqual(await readFile(path), before);
  execute(path, "PRAGMA application_id = 77");
  await refuses(t, path, "it is another program's database");
});

test("a file that is no database is refused and left unchanged", async (t) => {
  for (const content of [
    "services: []\n",
    "x".repeat(10_000),
    "SQLite format 3\0 but then something else".repeat(50),
  ]) {
    const path = await temporaryFile(t);
    await writeFile(path, content);
    await refuses(t, path, "it is not a database");
    t.is(await readFile(path, "utf8"), content);
  }
});

test("a directory in place of the file, or a missing folder, is refused", async (t) => {
  const path = await temporaryFile(t);
  await mkdir(path);
  await refuses(t, path, `it is not a file: ${path}`);
  const folder = join(path, "missing");
  await refuses(t, join(folder, "store.db"), `it has no folder: ${folder} does not exist; make it first`);
});

test("a file that is cut short is refused", async (t) => {
  const path = await temporaryFile(t);
  await makeStore(path);
  const content = await readFile(path);
  await writeFile(path, content.subarray(0, 4_096));
  await refuses(t, path, "the database file is damaged");
});

test("a new file that another process locks is refused", async (t) => {
  const path = await temporaryFile(t);
  const locker = startChild(t, "./locking-process.ts", [path]);
  t.is(await locker.line(), "locked");
  await refuses(t, path, "the database is locked by another process");
  locker.process.stdin.end();
  await locker.done();
  await makeStore(path);
  t.pass("and opens when it is let go");
});

test("a migration that fails leaves the file as it was", async (t) => {
  const path = await temporaryFile(t);
  await t.throwsAsync(openSqliteStore({ path, maxPageCount: 3 }), {
    instanceOf: StoreFailure,
    message: `the store ${path} cannot be opened: the disk or the database is full`,
  });
  {
    using db = new DatabaseSync(path);
    t.deepEqual(db.prepare("SELECT name FROM sqlite_schema").all(), []);
  }
  await makeStore(path);
});

const nobody = 65534;

const openingProgram = `
import { openSqliteStore } from "./store/sqlite/open-sqlite-store.ts";
if (process.getuid() === 0) {
  process.setgroups([]);
  process.setgid(${nobody});
  process.setuid(${nobody});
}
try {
  const store = await openSqliteStore({ path: process.argv[2] });
  console.log("open");
  await store.close();
} catch (error) {
  console.log(String(error));
}
`;

/** The store's code where anyone may read it: the checkout may lie in a folder that only its owner can enter. */
async function copyStore(t: ExecutionContext): Promise<string> {
  const program = await temporaryFile(t, "open.ts");
  await cp(new URL("../../../../src/backend/store", import.meta.url), join(dirname(program), "store"), {
    recursive: true,
  });
  await writeFile(join(dirname(program), "package.json"), '{ "type": "module" }');
  await writeFile(program, openingProgram);
  await chmod(dirname(program), 0o755);
  return program;
}

/** What a process that may not override file modes is told when it opens the store. */
async function openAsNobody(t: ExecutionContext, program: string, path: string): Promise<string | undefined> {
  const child = startChild(t, program, [path]);
  const line = await child.line();
  await child.done();
  return line;
}

async function giveToNobody(...paths: readonly string[]): Promise<void> {
  if (process.getuid?.() !== 0) return;
  for (const path of paths) await chown(path, nobody, nobody);
}

test("a read-only file and a read-only directory are refused at once", async (t) => {
  const program = await copyStore(t);
  const path = await temporaryFile(t);
  const writable = join(dirname(path), "writable.db");
  await makeStore(path);
  await copyFile(path, writable);
  await giveToNobody(dirname(path), path, writable);
  t.is(await openAsNobody(t, program, writable), "open", "the account itself is not the hindrance");

  await chmod(path, 0o444);
  t.is(
    await openAsNobody(t, program, path),
    `StoreFailure: the store ${path} cannot be opened: it is a file that this user may not read and write: ${path}`,
  );
  await chmod(path, 0o600);
  await chmod(dirname(path), 0o555);
  for (const file of [path, join(dirname(path), "new.db")]) {
    t.is(
      await openAsNobody(t, program, file),
      `StoreFailure: the store ${file} cannot be opened: it is in a folder that this user may not write to: ${dirname(path)}`,
    );
  }
  await chmod(dirname(path), 0o700);
  await chmod(`${path}-mark`, 0o400);
  t.is(
    await openAsNobody(t, program, path),
    `StoreFailure: the store ${path} cannot be opened: the mark beside it, "-mark" after its name, is not readable and writable`,
  );
  await chmod(`${path}-mark`, 0o600);
  await giveToNobody(`${path}-mark`);
  t.is(await openAsNobody(t, program, path), "open");
});

test("opening a second store in one process drops no lock of the first", async (t) => {
  const path = await temporaryFile(t);
  await makeStore(path);
  const first = await openSqliteStore({ path });
  t.teardown(() => first.close());
  const issued = issueTokens();
  t.is(await first.run(issued), "done");
  const second = await openSqliteStore({ path });
  await second.close();
  // Another process that comes and goes would take the log away from under the first store if its lock were lost.
  const child = startChild(t, "./store-process.ts", [path]);
  t.is(await child.line(), "open");
  child.process.stdin.end();
  await child.done();
  t.true((await stat(`${path}-wal`)).size > 0);
  t.truthy(await first.readAccessToken(1, issued.accessToken.digest));
  t.is(await first.run(issueTokens()), "done");
});

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

test("the change to the log waits for a bounded time, and only for a lock", async (t) => {
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

const draw = () => randomBytes(32).toString("base64url");

test("6749-10.3 6749-10.4: database, log and dump contain no usable token, code or ticket", async (t) => {
  const path = await temporaryFile(t);
  const store = await openSqliteStore({ path });
  t.teardown(() => store.close());
  const raw = {
    ticket: draw(),
    code: draw(),
    accessToken: draw(),
    jwt: `${draw()}.${draw()}.${draw()}`,
    refreshToken: draw(),
    successor: draw(),
    jti: draw(),
  };
  const keep = keepTicket({ digest: tokenDigest(raw.ticket) });
  const code = issueCode(keep, { digest: tokenDigest(raw.code) });
  const tokens = exchange(code, {
    accessToken: { digest: tokenDigest(raw.accessToken), jwtDigest: tokenDigest(raw.jwt) },
  });
  const family = { ...tokens, refreshToken: { ...tokens.refreshToken, digest: tokenDigest(raw.refreshToken) } };
  const rotation = rotate(family);
  const commands = [
    twoServices(),
    keep,
    updateTicket(keep),
    code,
    family,
    { ...rotation, refreshToken: { ...rotation.refreshToken, digest: tokenDigest(raw.successor) } },
    useAssertion({ digest: tokenDigest(raw.jti) }),
  ];
  for (const command of commands) t.is(await store.run(command), "done");

  const files = await Promise.all([path, `${path}-wal`].map((file) => readFile(file)));
  t.true((files[1]?.length ?? 0) > 0, "the log has not been taken back into the file yet");
  using db = new DatabaseSync(path, { readOnly: true });
  const tables = db.prepare("SELECT name FROM sqlite_schema WHERE type = 'table'").all();
  const rows = tables.flatMap(({ name }) => db.prepare(`SELECT * FROM ${String(name)}`).all());
  const cells = rows.flatMap((row) =>
    Object.values(row).map((cell) => (cell instanceof Uint8Array ? cell : String(cell))),
  );
  const dumped = Buffer.concat(cells.map((cell) => Buffer.from(cell)));
  t.true(dumped.includes(tokenDigest(raw.accessToken)), "a dump that would find the token itself");
  for (const [name, text] of Object.entries(raw)) {
    for (const form of [Buffer.from(text), ...text.split(".").map((part) => Buffer.from(part, "base64url"))]) {
      for (const place of [...files, dumped]) t.false(place.includes(form), name);
    }
    t.true(dumped.includes(createHash("sha256").update(text).digest()), `${name} is known by its digest`);
  }
  // No digest opens anything: what is looked up is the digest of what is presented.
  for (const digest of [family.accessToken.digest, family.refreshToken.digest, code.code.digest, keep.ticket.digest]) {
    const presented = tokenDigest(Buffer.from(digest).toString("base64url"));
    t.is(await store.readAccessToken(1, presented), undefined);
    t.is(await store.readRefreshToken(1, presented), undefined);
    t.is(await store.readCode(1, presented), undefined);
    t.is(await store.readTicket(1, presented), undefined);
  }
});
