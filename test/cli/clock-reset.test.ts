import { copyFile, rename } from "node:fs/promises";
import { dirname, join } from "node:path";
import test from "ava";
import { openSqliteStore } from "../../src/backend/store/sqlite/open-sqlite-store.ts";
import { issueTokens, twoServices } from "../backend/store/commands.ts";
import { writeConfiguration } from "./a-folder.ts";
import { runHere } from "./run-certbound.ts";

const farAhead = Date.parse("2036-12-01T00:00:00Z");

test("clock reset sets a store's time to the machine's, and says from what to what", async (t) => {
  const path = await writeConfiguration(t);
  const file = join(dirname(path), "store.db");
  const store = await openSqliteStore({ path: file });
  await store.keepClock({ actedOn: farAhead, settled: true });
  await store.close();
  const before = Date.now();
  const { code, stdout, stderr } = await runHere(["clock", "reset", "--config", path]);
  t.is(stderr, "");
  t.is(code, 0);
  t.regex(
    stdout,
    /^The store's time was 2036-12-01T00:00:00\.000Z; it is now 20.*Z\. Deleted tokens, which were issued later than that: 0\.\n$/,
  );
  const again = await openSqliteStore({ path: file });
  t.teardown(() => again.close());
  const { actedOn, settled } = await again.readClock();
  t.true(settled);
  t.true(actedOn >= before && actedOn < farAhead);
});

test("clock reset refuses while something has the store open, and changes nothing", async (t) => {
  const path = await writeConfiguration(t);
  const store = await openSqliteStore({ path: join(dirname(path), "store.db") });
  t.teardown(() => store.close());
  await store.keepClock({ actedOn: farAhead, settled: false });
  const { code, stdout, stderr } = await runHere(["clock", "reset", "--config", path]);
  t.deepEqual([code, stdout], [2, ""]);
  t.regex(stderr, /cannot be reset: a backend or another program has it open; stop it first\n$/);
  t.is((await store.readClock()).actedOn, farAhead);
});

test("clock reset says that the store was restored, since the start after it cannot notice that", async (t) => {
  const path = await writeConfiguration(t);
  const file = join(dirname(path), "store.db");
  const store = await openSqliteStore({ path: file });
  await store.keepClock({ actedOn: farAhead, settled: true });
  await store.close();
  await copyFile(file, `${file}.backup`);
  await rename(`${file}.backup`, file);
  const { code, stdout, stderr } = await runHere(["clock", "reset", "--config", path]);
  t.is(code, 0);
  t.regex(stdout, /^The store's time was 2036-12-01/);
  t.regex(stderr, /^certbound: warning: The store was restored, copied or replaced: .* revoke them again/);
  const origins: unknown[] = [];
  const again = await openSqliteStore({ path: file, report: (origin) => origins.push(origin) });
  t.teardown(() => again.close());
  t.deepEqual(origins, []);
});

test("clock reset ends tokens that were issued later only when told to", async (t) => {
  const path = await writeConfiguration(t);
  const file = join(dirname(path), "store.db");
  const store = await openSqliteStore({ path: file });
  await store.run(twoServices());
  await store.run({ ...issueTokens(), createdAt: farAhead });
  await store.close();
  const refused = await runHere(["clock", "reset", "--config", path]);
  t.deepEqual([refused.code, refused.stdout], [2, ""]);
  t.regex(refused.stderr, /: \d access and refresh tokens were issued later than .* add --end-tokens\n$/);
  const { code, stdout } = await runHere(["clock", "reset", "--config", path, "--end-tokens"]);
  t.is(code, 0);
  t.regex(stdout, /later than that: [1-9]\.\n$/);
});

test("clock reset makes no store where there is none", async (t) => {
  const path = await writeConfiguration(t);
  const { code, stderr } = await runHere(["clock", "reset", "--config", path]);
  t.is(code, 2);
  t.regex(stderr, /there is no such file\n$/);
});
