import test, { type ExecutionContext } from "ava";
import { createLongReads } from "../../../../src/backend/store/sqlite/long-reads.ts";
import { openSqliteStore } from "../../../../src/backend/store/sqlite/open-sqlite-store.ts";
import { StoreFailure } from "../../../../src/backend/store/store.ts";
import { issueTokens, twoServices } from "../commands.ts";
import { temporaryFile } from "./temporary-file.ts";

const query = { status: "all", now: 0, start: 0, end: 5, most: 10 } as const;
const count = { of: { clientId: 11 }, now: 0, most: 10 } as const;

async function start(t: ExecutionContext, file?: URL) {
  const path = await temporaryFile(t);
  const store = await openSqliteStore({ path });
  t.teardown(() => store.close());
  await store.run(twoServices());
  const reads = createLongReads({ path, busyTimeout: 5_000, maxPageCount: undefined }, file);
  t.teardown(() => reads.close());
  return { store, reads };
}

test.serial("lists see all acknowledged writes and run one after the other, and counts run before lists", async (t) => {
  const { store, reads } = await start(t);
  const order: string[] = [];
  const note = async <Facts>(name: string, read: Promise<Facts>): Promise<Facts> => {
    const facts = await read;
    order.push(name);
    return facts;
  };
  for (const expected of [1, 2]) {
    t.is(await store.run(issueTokens()), "done");
    const [list] = await Promise.all([
      note("list", reads.run("listAccessTokens", 1, query)),
      note("second list", reads.run("listAccessTokens", 1, query)),
      note("count", reads.run("countTokens", 1, count)),
      note("second count", reads.run("countTokens", 1, count)),
    ]);
    t.is(list.totalCount, expected);
    t.deepEqual(order.splice(0), ["list", "count", "second count", "second list"]);
  }
});

test.serial("no more than 64 lists wait; a count does not wait for a place among them", async (t) => {
  const { reads } = await start(t);
  const waiting = Array.from({ length: 65 }, () => reads.run("listAccessTokens", 1, query));
  const refused = reads.run("listAccessTokens", 1, query);
  const counted = reads.run("countTokens", 1, count);
  await t.throwsAsync(refused, { instanceOf: StoreFailure, message: /too many/ });
  t.deepEqual(await counted, { count: 0, moreThanCounted: false });
  t.is((await Promise.all(waiting)).length, 65);
  t.is((await reads.run("listAccessTokens", 1, query)).totalCount, 0, "and there is place again");
});

test.serial("a thread that has died fails its read; the next one begins a thread anew", async (t) => {
  const { reads } = await start(t, new URL("./dying-reader.ts", import.meta.url));
  const both = [reads.run("countTokens", 1, count), reads.run("countTokens", 1, count)];
  for (const read of both) {
    await t.throwsAsync(read, {
      instanceOf: StoreFailure,
      message: "nothing was read: the reader's thread has stopped",
    });
  }
});

test.serial("a read that the database rejects fails, and the thread continues", async (t) => {
  const { reads } = await start(t);
  await t.throwsAsync(reads.run("countTokens", 1, { ...count, of: {} }), { instanceOf: StoreFailure });
  t.deepEqual(await reads.run("countTokens", 1, count), { count: 0, moreThanCounted: false });
});

test.serial("closing fails waiting and running reads", async (t) => {
  const { reads } = await start(t);
  const [underWay, waits] = [reads.run("listAccessTokens", 1, query), reads.run("listAccessTokens", 1, query)];
  const failures = Promise.all([underWay, waits].map((read) => t.throwsAsync(read, { instanceOf: StoreFailure })));
  await reads.close();
  await failures;
});
