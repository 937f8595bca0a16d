import { createHash, randomBytes } from "node:crypto";
import { readdir, readFile, stat } from "node:fs/promises";
import { dirname, join } from "node:path";
import test, { type ExecutionContext } from "ava";
import type { Command } from "../../../../src/backend/store/command.ts";
import { openSqliteStore } from "../../../../src/backend/store/sqlite/open-sqlite-store.ts";
import { StoreFailure, type Store } from "../../../../src/backend/store/store.ts";
import { anew } from "../checks/check.ts";
import { endGrant, issueGrant, issueTokens, revoke, twoServices, useAssertion } from "../commands.ts";
import { startChild } from "./child-process.ts";
import { writeOctets } from "./octets.ts";
import { temporaryFile } from "./temporary-file.ts";

async function openConfigured(t: ExecutionContext, path: string, busyTimeout = 5_000): Promise<Store> {
  const store = await openSqliteStore({ path, busyTimeout });
  t.teardown(() => store.close());
  t.is(await store.run(twoServices()), "done");
  return store;
}

test("a write that another process acknowledged is seen at once", async (t) => {
  const path = await temporaryFile(t);
  const store = await openConfigured(t, path);
  const other = startChild(t, "./store-process.ts", [path]);
  t.is(await other.line(), "open");
  const runElsewhere = (command: Command): Promise<string | undefined> => {
    other.process.stdin.write(`${JSON.stringify(command, writeOctets)}\n`);
    return other.line();
  };
  for (let round = 0; round < 50; round++) {
    const [here, there] = [issueTokens(), issueGrant(`grant ${round}`)];
    t.is(await store.run(here), "done");
    t.is(await runElsewhere(there), "done");
    t.truthy(await store.readAccessToken(1, there.accessToken.digest));
    t.is(await runElsewhere(revoke(here)), "done");
    t.is(await store.readAccessToken(1, here.accessToken.digest), undefined);
    t.is(await runElsewhere(endGrant(`grant ${round}`)), "done");
    t.is(await store.readAccessToken(1, there.accessToken.digest), undefined);
    t.is(await store.run(revoke(here)), "conflict");
  }
  other.process.stdin.end();
  await other.done();
  t.is(await store.run(issueTokens()), "done", "the other's end does no harm");
});

test("of a hundred uses of one assertion at once, half of them in another process, one is done", async (t) => {
  const path = await temporaryFile(t);
  const store = await openConfigured(t, path);
  const other = startChild(t, "./store-process.ts", [path]);
  t.is(await other.line(), "open");
  for (let round = 0; round < 20; round++) {
    const use = useAssertion();
    const uses = Array.from({ length: 50 }, () => anew(use, randomBytes(16)));
    for (const command of uses)
      other.process.stdin.write(`${JSON.stringify(anew(command, randomBytes(16)), writeOctets)}\n`);
    const here = await Promise.all(uses.map((command) => store.run(command)));
    const outcomes: unknown[] = [...here];
    while (outcomes.length < 100) outcomes.push(await other.line());
    t.is(outcomes.filter((outcome) => outcome === "done").length, 1);
    t.is(outcomes.filter((outcome) => outcome === "conflict").length, 99);
  }
  other.process.stdin.end();
  await other.done();
});

test("while another process holds the lock, nothing is acknowledged, and reads continue", async (t) => {
  const path = await temporaryFile(t);
  const store = await openConfigured(t, path, 50);
  const [before, during] = [issueTokens(), issueTokens()];
  await store.run(before);
  const locker = startChild(t, "./locking-process.ts", [path]);
  t.is(await locker.line(), "locked");
  await t.throwsAsync(store.run(during), {
    instanceOf: StoreFailure,
    message: "the write was not acknowledged: the database is locked by another process",
  });
  await t.throwsAsync(store.sweep(1, 1), { instanceOf: StoreFailure });
  t.truthy(await store.readAccessToken(1, before.accessToken.digest));
  t.is(await store.readAccessToken(1, during.accessToken.digest), undefined);
  // Whoever opens the store compares it with the mark beside it, under the lock: another could write meanwhile.
  await t.throwsAsync(openSqliteStore({ path, busyTimeout: 50 }), { instanceOf: StoreFailure });

  locker.process.stdin.end();
  t.is(await locker.line(), "released");
  await locker.done();
  t.is(await store.run(during), "done", "the same command again");
  t.truthy(await store.readAccessToken(1, during.accessToken.digest));
});

test("a write waits for another process that releases the lock in time", async (t) => {
  const path = await temporaryFile(t);
  const store = await openConfigured(t, path);
  const locker = startChild(t, "./locking-process.ts", [path]);
  t.is(await locker.line(), "locked");
  const write = store.run(issueTokens());
  locker.process.stdin.end();
  t.is(await write, "done");
});

test("processes that start at once on a new file all come up, and all that they write is kept", async (t) => {
  const path = await temporaryFile(t);
  const ids = [1, 2, 3, 4];
  const children = ids.map((id) => startChild(t, "./store-process.ts", [path, String(id)]));
  t.deepEqual(
    await Promise.all(children.map((child) => child.line())),
    ids.map(() => "open"),
  );
  for (const child of children) child.process.stdin.end();
  await Promise.all(children.map((child) => child.done()));
  const store = await openSqliteStore({ path });
  t.teardown(() => store.close());
  const services = await Promise.all(ids.map((id) => store.readService(id)));
  t.is(services.filter((service) => service !== undefined).length, 1, "the last configuration stands");
});

for (const acknowledged of [1, 40, 300]) {
  test(`after kill -9 at ${acknowledged} acknowledgements every acknowledged token is there`, async (t) => {
    const path = await temporaryFile(t);
    await (await openConfigured(t, path)).close();
    const child = startChild(t, "./issuing-process.ts", [path]);
    const lines: (string | undefined)[] = [];
    while (lines.length < acknowledged) lines.push(await child.line());
    child.process.kill("SIGKILL");
    lines.push(...(await child.rest()));
    await t.throwsAsync(child.done(), { message: /a signal/ });

    const store = await openSqliteStore({ path });
    t.teardown(() => store.close());
    // Only the last line can have been cut short by the signal.
    const digests = lines.filter((line) => line?.length === 64);
    t.true(digests.length >= Math.max(acknowledged, lines.length - 1));
    for (const digest of digests) {
      t.truthy(await store.readAccessToken(1, Buffer.from(digest ?? "", "hex")));
    }
    t.is(await store.run(issueTokens()), "done");
  });
}

test("nothing acknowledged is lost when the file is full, and nothing refused is there", async (t) => {
  const path = await temporaryFile(t);
  const store = await openSqliteStore({ path, maxPageCount: 40 });
  await store.run(twoServices());
  const kept = [];
  const refused = [];
  for (let round = 0; refused.length < 20; round++) {
    t.true(round < 100, "the file never became full");
    const issued = Array.from({ length: 10 }, () => issueGrant(randomBytes(8).toString("hex")));
    const outcomes = await Promise.allSettled(issued.map((command) => store.run(command)));
    for (const [index, command] of issued.entries()) {
      const outcome = outcomes[index];
      if (outcome?.status === "fulfilled") kept.push(command);
      else {
        refused.push(command);
        t.is(String(outcome?.reason), "StoreFailure: the write was not acknowledged: the disk or the database is full");
      }
    }
  }
  const [first] = kept;
  if (first === undefined) throw new Error("nothing was kept");
  t.is(await store.run(revoke(first)), "done", "a token can be revoked though the disk is full");
  await store.close();

  const reopened = await openSqliteStore({ path });
  t.teardown(() => reopened.close());
  for (const { accessToken, refreshToken } of kept) {
    t.is((await reopened.readAccessToken(1, accessToken.digest)) === undefined, accessToken === first.accessToken);
    t.truthy(await reopened.readRefreshToken(1, refreshToken.digest));
  }
  for (const { accessToken, refreshToken, grant } of refused) {
    t.is(await reopened.readAccessToken(1, accessToken.digest), undefined);
    t.is(await reopened.readRefreshToken(1, refreshToken.digest), undefined);
    t.is(await reopened.run(endGrant(grant.grantId)), "conflict");
  }
});

test("file and log contain digests but no token, and only their owner can read them", async (t) => {
  const path = await temporaryFile(t);
  const store = await openConfigured(t, path);
  const token = randomBytes(32).toString("base64url");
  const digest = createHash("sha256").update(token).digest();
  await store.run(issueTokens({ accessToken: { digest } }));
  t.truthy(await store.readAccessToken(1, digest));
  const files = await readdir(dirname(path));
  t.deepEqual(files.sort(), ["store.db", "store.db-mark", "store.db-shm", "store.db-wal"]);
  const contents = await Promise.all(files.map((file) => readFile(join(dirname(path), file))));
  t.true(contents.some((content) => content.includes(digest)));
  t.false(contents.some((content) => content.includes(token) || content.includes(Buffer.from(token, "base64url"))));
  for (const file of files) t.is((await stat(join(dirname(path), file))).mode & 0o777, 0o600, file);
  await store.close();
  t.deepEqual((await readdir(dirname(path))).sort(), ["store.db", "store.db-mark"], "the log is taken back at the end");
  t.true((await readFile(path)).includes(digest));
});
