import { DatabaseSync } from "node:sqlite";
import test from "ava";
import { factQueries } from "../../../../src/backend/store/facts.ts";
import { migrate } from "../../../../src/backend/store/sqlite/migrate.ts";
import type { Statement } from "../../../../src/backend/store/statement.ts";
import { planCommand, sweepStatements } from "../../../../src/backend/store/statements.ts";
import { endGrant, issueGrant, issueTokens, revoke } from "../commands.ts";

const db = new DatabaseSync(":memory:");
migrate(db);

function queryPlan(sql: string): string[] {
  const steps = db.prepare(`EXPLAIN QUERY PLAN ${sql.replaceAll(/\$(\d+)/g, "?$1")}`).all();
  return steps.map((step) => String(step["detail"]));
}

const plans = [issueGrant("grant"), revoke(issueTokens()), endGrant("grant")].map(planCommand);
const written = plans.flatMap(({ statements, applied }) => [...statements, ...(applied ? [applied] : [])]);
const texts = [
  ...Object.values(factQueries),
  ...[...written, ...sweepStatements(1, 1)].map(({ sql }: Statement) => sql),
];

test("no read and no command walks through a table, however many tokens are kept", (t) => {
  t.is(texts.length, 5 + 10 + 3);
  for (const sql of texts) {
    const steps = queryPlan(sql);
    t.true(
      steps.some((step) => step.startsWith("SEARCH")),
      sql,
    );
    t.deepEqual(
      steps.filter((step) => step.startsWith("SCAN") || step.includes("AUTOMATIC") || step.includes("TEMP B-TREE")),
      [],
      sql,
    );
  }
});

test("a walk through a table would be found", (t) => {
  t.true(queryPlan("SELECT 1 FROM access_token WHERE subject = $1").some((step) => step.startsWith("SCAN")));
});
