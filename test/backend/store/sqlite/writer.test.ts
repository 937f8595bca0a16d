import test, { type ExecutionContext } from "ava";
import { openSqliteStore } from "../../../../src/backend/store/sqlite/open-sqlite-store.ts";
import { openWorkerHost } from "../../../../src/backend/store/sqlite/worker-host.ts";
import { createWriter, type Writer } from "../../../../src/backend/store/sqlite/writer.ts";
import { StoreFailure } from "../../../../src/backend/store/store.ts";
import { issueTokens, revoke, twoServices } from "../commands.ts";
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

test("what is pending when the thread dies fails, also when the store is closing", async (t) => {
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

test("five hundred commands of one turn are answered each with its own outcome", async (t) => {
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
