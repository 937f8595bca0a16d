import { DatabaseSync } from "node:sqlite";
import test from "ava";
import { migrate } from "../../../../src/backend/store/sqlite/migrate.ts";
import { openRecorded, unboundedSteps, useEverything } from "./every-statement.ts";

test("no statement walks through a table or sorts, however many tokens are kept", async (t) => {
  const db = new DatabaseSync(":memory:");
  migrate(db);
  const { store, prepared } = openRecorded(db);
  await useEverything(store);
  t.true(prepared.size > 80, `${prepared.size} statements`);
  for (const sql of prepared) t.deepEqual(unboundedSteps(db, sql), [], sql);
});
