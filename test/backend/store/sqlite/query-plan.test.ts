import { DatabaseSync } from "node:sqlite";
import test from "ava";
import { configurationQueries } from "../../../../src/backend/store/configuration-facts.ts";
import { countEndedQuery, listStatements } from "../../../../src/backend/store/listed-token-facts.ts";
import { migrate } from "../../../../src/backend/store/sqlite/migrate.ts";
import { defineFunctions } from "../../../../src/backend/store/sqlite/sql-functions.ts";
import { planCommand } from "../../../../src/backend/store/statements.ts";
import { sweepStatements } from "../../../../src/backend/store/sweep-statements.ts";
import { ticketQueries } from "../../../../src/backend/store/ticket-facts.ts";
import { tokenQueries } from "../../../../src/backend/store/token-facts.ts";
import {
  consumeTicket,
  endGrant,
  exchange,
  issueCode,
  issueForTicket,
  issueGrant,
  issueTokens,
  keepTicket,
  refresh,
  revoke,
  revokeTokens,
  rotate,
  updateTicket,
  updateToken,
  useAssertion,
} from "../commands.ts";

const db = new DatabaseSync(":memory:");
migrate(db);
defineFunctions(db);

function queryPlan(sql: string): string[] {
  const steps = db.prepare(`EXPLAIN QUERY PLAN ${sql.replaceAll(/\$(\d+)/g, "?$1")}`).all();
  return steps.map((step) => String(step["detail"]));
}

const [ticket, family, alone] = [keepTicket(), issueGrant("grant"), issueTokens()];
const commands = [
  family,
  alone,
  revoke(alone),
  endGrant("grant"),
  ticket,
  updateTicket(ticket),
  consumeTicket(ticket),
  issueCode(ticket),
  exchange(issueCode(ticket)),
  issueForTicket(ticket),
  rotate(family),
  refresh(family, 9_000),
  useAssertion(),
  updateToken(family, { expiresAt: 1, refreshTokenExpiresAt: 1 }),
  revokeTokens({ clientId: 11 }),
  revokeTokens({ subject: "user" }),
  revokeTokens({ clientId: 11, subject: "user" }),
];
const written = commands
  .map(planCommand)
  .flatMap(({ statements, applied }) => [...statements, ...(applied ? [applied] : [])]);
const list = (by: { clientId?: number; subject?: string }) =>
  Object.values(listStatements(1, { ...by, status: "valid", now: 1, start: 0, end: 10 }));
const lists = [{ clientId: 11 }, { subject: "user" }, { clientId: 11, subject: "user" }].flatMap(list);

const texts = new Set([
  ...Object.values({ ...configurationQueries, ...tokenQueries, ...ticketQueries }),
  countEndedQuery,
  ...[...written, ...sweepStatements(1, 1), ...lists].map(({ sql }) => sql),
]);

/** A new row, which walks through nothing. */
const plainInsert = (sql: string): boolean => sql.includes("VALUES");

test("no read and no command walks through a table, however many tokens are kept", (t) => {
  t.true(texts.size > 50);
  for (const sql of texts) {
    const steps = queryPlan(sql);
    t.true(plainInsert(sql) || steps.some((step) => step.startsWith("SEARCH")), sql);
    t.deepEqual(
      steps.filter(
        (step) =>
          (step.startsWith("SCAN") && step !== "SCAN CONSTANT ROW") ||
          step.includes("AUTOMATIC") ||
          step.includes("TEMP B-TREE") ||
          // All of a service is a walk, too.
          /^SEARCH (?!s |c |service |client ).*\(service_id=\?\)$/.test(step),
      ),
      [],
      sql,
    );
  }
});

test("the tokens of a subject are found by the subject, also when its client has many more", (t) => {
  for (const sql of [
    ...list({ clientId: 11, subject: "user" }),
    ...planCommand(revokeTokens({ clientId: 11, subject: "user" })).statements,
  ].map((statement) => statement.sql)) {
    const [first = ""] = queryPlan(sql).filter((step) => !step.includes(" s ") && !step.includes(" c "));
    if (sql.includes("INSERT")) continue;
    // Codes that wait are few, and found by that.
    const index = sql.includes("DELETE FROM authorization_code")
      ? /INDEX authorization_code_expiry/
      : /USING (COVERING )?INDEX (access_token|token_grant)_subject/;
    t.regex(first, index, sql);
  }
});

test("a walk through a table would be found", (t) => {
  t.true(queryPlan("SELECT 1 FROM access_token WHERE subject = $1").some((step) => step.startsWith("SCAN")));
});
