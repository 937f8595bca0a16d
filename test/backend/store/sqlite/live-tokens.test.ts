import { DatabaseSync } from "node:sqlite";
import test, { type ExecutionContext } from "ava";
import { liveTokensQuery, mostLookedAt } from "../../../../src/backend/store/sql/live-token-facts.ts";
import type { Statement } from "../../../../src/backend/store/sql/statement.ts";
import { planCommand } from "../../../../src/backend/store/sql/statements.ts";
import { createBatch } from "../../../../src/backend/store/sqlite/batch.ts";
import { migrate } from "../../../../src/backend/store/sqlite/migrate.ts";
import { createPreparedStatements } from "../../../../src/backend/store/sqlite/prepared-statements.ts";
import { createReader } from "../../../../src/backend/store/sqlite/reader.ts";
import { issueGrant, issueTokens, putConfiguration, revokeTokens, twoServices } from "../commands.ts";
import { openRecorded, unboundedSteps, useEverything } from "./every-statement.ts";

function openDatabase(t: ExecutionContext): DatabaseSync {
  const db = new DatabaseSync(":memory:");
  t.teardown(() => {
    db.close();
  });
  migrate(db);
  t.is(createBatch(db)([twoServices()])[0], "done");
  return db;
}

/** Access tokens of client 11 that expire at 5,000, one issued an instant; those of a grant have ended with it. */
function insertTokens(db: DatabaseSync, count: number, grantId = ""): void {
  db.exec(`
    INSERT INTO access_token (digest, service_id, service_version, client_id, client_version, grant_id, grant_type, scopes,
      resources, created_at, expires_at, by_alias, attempt)
    WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ${count})
    SELECT randomblob(32), 1, 1, 11, 1, nullif('${grantId}', ''), 'CLIENT_CREDENTIALS', '', '', i, 5000, 0, x'00' FROM n`);
}

const owner = { serviceId: 1, clientId: 11 };
const remove = () => ({ ...putConfiguration({ id: 1, clients: [{ id: 12 }] }), mayRemove: [{ serviceId: 2 }] });

test("a count reads a bounded number of rows and reports that there are more", (t) => {
  const db = openDatabase(t);
  insertTokens(db, mostLookedAt + 500);
  const { readLiveTokens } = createReader(db);
  t.deepEqual(readLiveTokens(owner, 1_000), { count: mostLookedAt + 1, complete: false });
  t.deepEqual(readLiveTokens({ serviceId: 1 }, 1_000), { count: mostLookedAt + 1, complete: false });
  t.deepEqual(readLiveTokens(owner, 5_000), { count: 0, complete: true }, "what has expired is not looked at");
  const ended = openDatabase(t);
  insertTokens(ended, mostLookedAt + 500, "gone");
  t.deepEqual(createReader(ended).readLiveTokens(owner, 1_000), { count: 0, complete: false }, "others may be live");
});

test("a live token among more ended ones than are looked at still keeps its client", (t) => {
  const db = openDatabase(t);
  const run = createBatch(db);
  insertTokens(db, mostLookedAt, "gone");
  t.is(run([remove()])[0], "done", "none of the rows is live, and they are all");
  const again = openDatabase(t);
  t.is(createBatch(again)([issueTokens({ createdAt: 0 })])[0], "done");
  insertTokens(again, mostLookedAt, "gone");
  t.is(createBatch(again)([remove()])[0], "conflict", "the one that is not looked at is live");
});

test("tokens that were revoked with all of their client or subject do not keep it", (t) => {
  for (const by of [{ clientId: 11 }, { subject: "user" }, { clientId: 11, subject: "user" }]) {
    const db = openDatabase(t);
    const run = createBatch(db);
    t.is(run([issueGrant("grant")])[0], "done");
    t.is(run([remove()])[0], "conflict", "its tokens are live");
    const { readLiveTokens } = createReader(db);
    t.deepEqual(readLiveTokens(owner, 1_000), { count: 2, complete: true });
    t.is(run([revokeTokens(by)])[0], "done");
    t.deepEqual(readLiveTokens(owner, 1_000), { count: 0, complete: true });
    t.deepEqual(readLiveTokens({ serviceId: 1 }, 1_000), { count: 0, complete: true });
    t.is(run([remove()])[0], "done");
  }
});

test("counts and the guard of a removal read tokens by an index and sort nothing", (t) => {
  const db = openDatabase(t);
  const guards = planCommand(remove()).statements.filter(({ forbidden }) => forbidden === true);
  t.is(guards.length, 2);
  for (const statement of [liveTokensQuery(owner, 1), liveTokensQuery({ serviceId: 1 }, 1), ...guards]) {
    const steps = planOf(db, statement);
    t.true(
      steps.some((step) => /SEARCH t USING INDEX access_token_(client|expiry)/.test(step)),
      steps.join("\n"),
    );
    t.deepEqual(
      steps.filter((step) => /TEMP B-TREE|SCAN (t|g|r)\b/.test(step)),
      [],
    );
  }
});

function planOf(db: DatabaseSync, { sql, values }: Pick<Statement, "sql" | "values">): string[] {
  const explained = createPreparedStatements(db)(`EXPLAIN QUERY PLAN ${sql}`);
  return explained.all(values).map(({ detail }) => String(detail));
}

test("no statement walks through a table or sorts, however many tokens are kept", async (t) => {
  const db = new DatabaseSync(":memory:");
  migrate(db);
  const { store, prepared } = openRecorded(db);
  await useEverything(store);
  t.true(prepared.size > 80, `${prepared.size} statements`);
  for (const sql of prepared) t.deepEqual(unboundedSteps(db, sql), [], sql);
});
