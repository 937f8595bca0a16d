import { DatabaseSync } from "node:sqlite";
import test, { type ExecutionContext } from "ava";
import { liveTokensStatement, mostLookedAt } from "../../../../src/backend/store/live-token-facts.ts";
import { createBatch } from "../../../../src/backend/store/sqlite/batch.ts";
import { migrate } from "../../../../src/backend/store/sqlite/migrate.ts";
import { createReader } from "../../../../src/backend/store/sqlite/reader.ts";
import type { Statement } from "../../../../src/backend/store/statement.ts";
import { planCommand } from "../../../../src/backend/store/statements.ts";
import { issueTokens, putConfiguration, twoServices } from "../commands.ts";

function openDatabase(t: ExecutionContext): DatabaseSync {
  const db = new DatabaseSync(":memory:");
  t.teardown(() => {
    db.close();
  });
  migrate(db);
  t.is(createBatch(db)([twoServices()])[0], "done");
  return db;
}

/** Access tokens of client 11, one an instant; all expire at `expiresAt`. */
function insertTokens(db: DatabaseSync, count: number, expiresAt: number): void {
  db.exec(`
    INSERT INTO access_token (digest, service_id, service_version, client_id, client_version, grant_type, scopes,
      resources, created_at, expires_at, client_id_alias_used, attempt)
    WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ${count})
    SELECT randomblob(32), 1, 1, 11, 1, 'CLIENT_CREDENTIALS', '', '', i, ${expiresAt}, 0, x'00' FROM n`);
}

const owner = { serviceId: 1, clientId: 11 };
const remove = () => ({ ...putConfiguration({ id: 1, clients: [{ id: 12 }] }), mayRemove: [{ serviceId: 2 }] });

test("a count looks at the newest rows only and says that there are more", (t) => {
  const db = openDatabase(t);
  insertTokens(db, mostLookedAt + 500, 5_000);
  const { readLiveTokens } = createReader(db);
  t.deepEqual(readLiveTokens(owner, 1_000), { count: mostLookedAt + 1, complete: false });
  t.deepEqual(readLiveTokens({ serviceId: 1 }, 1_000), { count: mostLookedAt + 1, complete: false });
  t.deepEqual(readLiveTokens(owner, 5_000), { count: 0, complete: false }, "the oldest may be live");
});

test("a live token among more old rows than are looked at still keeps its client", (t) => {
  const db = openDatabase(t);
  const run = createBatch(db);
  insertTokens(db, mostLookedAt, 1_200);
  t.is(run([remove()])[0], "done", "none of the rows is live, and they are all");
  const again = openDatabase(t);
  t.is(createBatch(again)([issueTokens({ createdAt: 0 })])[0], "done");
  insertTokens(again, mostLookedAt, 1_200);
  t.is(createBatch(again)([remove()])[0], "conflict", "the one that is not looked at is live");
});

test("counts and the guard of a removal read tokens by an index and sort nothing", (t) => {
  const db = openDatabase(t);
  const guards = planCommand(remove()).statements.filter(({ forbidden }) => forbidden === true);
  t.is(guards.length, 2);
  for (const statement of [liveTokensStatement(owner, 1), liveTokensStatement({ serviceId: 1 }, 1), ...guards]) {
    const steps = planOf(db, statement);
    t.true(steps.some((step) => step.includes("SEARCH t USING INDEX access_token_client")));
    t.deepEqual(
      steps.filter((step) => /TEMP B-TREE|SCAN (t|g|r)\b/.test(step)),
      [],
    );
  }
});

function planOf(db: DatabaseSync, { sql, values }: Statement): string[] {
  const explained = db.prepare(`EXPLAIN QUERY PLAN ${sql.replaceAll(/\$(\d+)/g, "?$1")}`);
  return explained.all(...values).map(({ detail }) => String(detail));
}
