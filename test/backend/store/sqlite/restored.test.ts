import { copyFile, cp, mkdir, readFile, rename, rm, stat, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import test, { type ExecutionContext } from "ava";
import { openSqliteStore } from "../../../../src/backend/store/sqlite/open-sqlite-store.ts";
import type { Store, UnexpectedOrigin } from "../../../../src/backend/store/store.ts";
import { issueTokens, twoServices } from "../commands.ts";
import { startChild } from "./child-process.ts";
import { writeOctets } from "./octets.ts";
import { temporaryFile } from "./temporary-file.ts";

/** Opens the store, says how it took it, and whether a watcher that stands at `cursor` may go on. */
async function open(t: ExecutionContext, path: string): Promise<{ store: Store; origins: UnexpectedOrigin[] }> {
  const origins: UnexpectedOrigin[] = [];
  const store = await openSqliteStore({ path, report: (origin) => origins.push(origin) });
  t.teardown(() => store.close());
  return { store, origins };
}

async function issue(store: Store, count = 1): Promise<void> {
  for (let issued = 0; issued < count; issued++) await store.run(issueTokens());
}

const headOf = async (store: Store): Promise<string> => (await store.readInvalidationEvents({ limit: 1 })).cursor;

const isReset = async (store: Store, after: string): Promise<boolean> =>
  (await store.readInvalidationEvents({ after, limit: 1 })).reset;

/** A store with some tokens that was closed; `cursor` is where a watcher stands who has taken in all events. */
async function closedStore(t: ExecutionContext): Promise<{ path: string; cursor: string }> {
  const path = await temporaryFile(t);
  const { store, origins } = await open(t, path);
  await store.run(twoServices());
  await issue(store, 3);
  const cursor = await headOf(store);
  await store.close();
  t.deepEqual(origins, [], "a new store");
  return { path, cursor };
}

function vacuumInto(path: string, to: string): void {
  using db = new DatabaseSync(path);
  db.prepare("VACUUM INTO ?").run(to);
}

/** Opens, issues one more token than the backup has, and closes. */
async function goOn(t: ExecutionContext, path: string): Promise<void> {
  const { store, origins } = await open(t, path);
  await issue(store);
  await store.close();
  t.deepEqual(origins, [], "it goes on");
}

async function expectReset(t: ExecutionContext, path: string, cursor: string, origin: UnexpectedOrigin) {
  const { store, origins } = await open(t, path);
  t.deepEqual(origins, [origin]);
  t.true(await isReset(store, cursor));
  const next = await headOf(store);
  await issue(store);
  await store.close();
  const again = await open(t, path);
  t.deepEqual(again.origins, [], "it is said once");
  t.false(await isReset(again.store, next));
  await again.store.close();
}

test("a store in continuous use keeps its epoch, after a stop, a stop without writes, and a vacuum", async (t) => {
  const { path, cursor } = await closedStore(t);
  for (let round = 0; round < 3; round++) await goOn(t, path);
  await (await open(t, path)).store.close();
  {
    using db = new DatabaseSync(path);
    db.exec("VACUUM");
  }
  const { store, origins } = await open(t, path);
  t.deepEqual(origins, []);
  t.false(await isReset(store, cursor));
});

const restores: Readonly<Record<string, (path: string, backup: string) => Promise<void>>> = {
  // The file stays the same one: only the count of its commits tells.
  "copied over it": (path, backup) => copyFile(backup, path),
  "moved to its place": (path, backup) => rename(backup, path),
  "copied after the store was deleted": async (path, backup) => {
    await rm(path);
    await copyFile(backup, path);
  },
};

for (const [how, restore] of Object.entries(restores)) {
  test(`a backup that is ${how} is noticed, though the stop was clean and only one write is lost`, async (t) => {
    const { path, cursor } = await closedStore(t);
    const backup = `${path}.backup`;
    vacuumInto(path, backup);
    await goOn(t, path);
    await restore(path, backup);
    const { store, origins } = await open(t, path);
    t.is(origins.length, 1);
    t.true(["went-back", "another-file"].includes(origins[0] ?? ""));
    t.true(await isReset(store, cursor));
  });
}

test("a backup that has all writes is taken for the store itself where it is the same file", async (t) => {
  const { path, cursor } = await closedStore(t);
  const backup = `${path}.backup`;
  vacuumInto(path, backup);
  await copyFile(backup, path);
  const { store, origins } = await open(t, path);
  t.deepEqual(origins, []);
  t.false(await isReset(store, cursor), "nothing is lost, so nobody has to forget");
});

test("a copy at another path is no continuation: its mark is missing", async (t) => {
  const { path, cursor } = await closedStore(t);
  const copy = `${path}.copy`;
  vacuumInto(path, copy);
  await expectReset(t, copy, cursor, "unmarked");
});

test("a removed mark means that the store was restored", async (t) => {
  const { path, cursor } = await closedStore(t);
  await rm(`${path}-mark`);
  await expectReset(t, path, cursor, "unmarked");
});

for (const [what, text] of Object.entries({
  "that is empty": "",
  "that is torn": "certbound-mark 1 00",
  "of another program": "x".repeat(200),
  "with more behind it": undefined,
})) {
  test(`a mark ${what} counts as missing, and is written anew`, async (t) => {
    const { path, cursor } = await closedStore(t);
    await writeFile(`${path}-mark`, text ?? `${await readFile(`${path}-mark`, "latin1")}\n`);
    await expectReset(t, path, cursor, "unmarked");
  });
}

test("another store at the same path is noticed, also when it has had more commits", async (t) => {
  const { path, cursor } = await closedStore(t);
  const elsewhere = await closedStore(t);
  for (let round = 0; round < 5; round++) await goOn(t, elsewhere.path);
  await copyFile(elsewhere.path, path);
  await expectReset(t, path, cursor, "another-store");
});

test("a folder that was copied with the mark in it is noticed by the numbers of its files", async (t) => {
  const { path, cursor } = await closedStore(t);
  const folder = `${dirname(path)}-copy`;
  t.teardown(() => rm(folder, { recursive: true, force: true }));
  await cp(dirname(path), folder, { recursive: true });
  await goOn(t, path);
  await rm(dirname(path), { recursive: true });
  await rename(folder, dirname(path));
  await expectReset(t, path, cursor, "another-file");
});

test("a store that went back and was written to again until it was as far on is noticed", async (t) => {
  const { path, cursor } = await closedStore(t);
  const backup = `${path}.backup`;
  vacuumInto(path, backup);
  await goOn(t, path);
  // Elsewhere, where its mark is missing, it gets an epoch of its own.
  const moved = join(dirname(path), "moved.db");
  await rename(backup, moved);
  const { store } = await open(t, moved);
  await issue(store, 9);
  await store.close();
  await copyFile(moved, path);
  await expectReset(t, path, cursor, "another-store");
});

test("an older state that is written over the open file is noticed by the next write", async (t) => {
  const { path } = await closedStore(t);
  const { store, origins } = await open(t, path);
  await issue(store, 5);
  const cursor = await headOf(store);
  {
    // What a program does that restores through SQLite, as its backup interface can.
    using db = new DatabaseSync(path);
    db.exec("UPDATE store_state SET commits = commits - 3");
  }
  await issue(store);
  t.true(await isReset(store, cursor));
  await store.close();
  t.deepEqual(origins, ["went-back"]);
});

test("two processes on one file, one after the other and at once, lose nothing and cause no reset", async (t) => {
  const { path, cursor } = await closedStore(t);
  const { store, origins } = await open(t, path);
  const other = startChild(t, "./store-process.ts", [path]);
  t.is(await other.line(), "open");
  for (let round = 0; round < 20; round++) {
    other.process.stdin.write(`${JSON.stringify(issueTokens(), writeOctets)}\n`);
    await issue(store);
    t.is(await other.line(), "done");
  }
  const third = await open(t, path);
  other.process.stdin.end();
  await other.done();
  await store.close();
  await third.store.close();
  const last = await open(t, path);
  t.deepEqual([...origins, ...third.origins, ...last.origins], []);
  t.false(await isReset(last.store, cursor));
});

test("a process that is killed while it writes leaves a store that goes on", async (t) => {
  const { path, cursor } = await closedStore(t);
  for (let round = 0; round < 5; round++) {
    const child = startChild(t, "./issuing-process.ts", [path]);
    await child.line();
    child.process.kill("SIGKILL");
    await child.done().catch(() => undefined);
    const { store, origins } = await open(t, path);
    t.deepEqual(origins, []);
    t.false(await isReset(store, cursor));
    await store.close();
  }
});

test("only the owner can read the mark; it has one size for good and contains no stored data", async (t) => {
  const { path } = await closedStore(t);
  const { mode, size } = await stat(`${path}-mark`);
  t.is(mode & 0o777, 0o600);
  await goOn(t, path);
  t.is((await stat(`${path}-mark`)).size, size);
  t.regex(
    await readFile(`${path}-mark`, "latin1"),
    /^certbound-mark 1 [0-9a-f]{32} \d+ \d+ *\n(?:[0-9a-f]{16} \d+ *\n){2}$/,
  );
});

test("a mark that cannot be written refuses the store, as any other file that it needs", async (t) => {
  const { path } = await closedStore(t);
  await rm(`${path}-mark`);
  await mkdir(`${path}-mark`);
  await t.throwsAsync(openSqliteStore({ path }), {
    message: /: the mark beside it, "-mark" after its name, is not readable and writable$/,
  });
});
