import { DatabaseSync } from "node:sqlite";
import test from "ava";
import type { Command } from "../../../../src/backend/store/command.ts";
import { createBatch } from "../../../../src/backend/store/sqlite/batch.ts";
import { migrate } from "../../../../src/backend/store/sqlite/migrate.ts";
import { createPreparedStatements } from "../../../../src/backend/store/sqlite/prepared-statements.ts";
import type { Statement } from "../../../../src/backend/store/sql/statement.ts";
import { planCommand } from "../../../../src/backend/store/sql/statements.ts";
import {
  attempt,
  consumeTicket,
  digest,
  endGrant,
  exchange,
  issueCode,
  issueForTicket,
  issueGrant,
  issueTokens,
  keepTicket,
  putConfiguration,
  refresh,
  rotate,
  twoServices,
} from "../commands.ts";

// A driver that sends all statements of a command at once cannot look at the first before it sends the others: so the
// first has to know every reason against the command, and the others have to write nothing without it.

function openWith(before: readonly Command[]): { db: DatabaseSync; change: (statement: Statement) => number } {
  const db = new DatabaseSync(":memory:");
  migrate(db);
  const outcomes = createBatch(db)(before);
  if (outcomes.some((outcome) => outcome !== "done")) throw new Error("what comes before was not done");
  const prepare = createPreparedStatements(db);
  return {
    db,
    change: ({ sql, values }) => prepare(sql).run(values),
  };
}

const [ticket, password] = [keepTicket(), keepTicket({ kind: "password" })];
const code = issueCode(ticket);
const family = issueGrant("grant", { accessToken: { jwtDigest: digest() } });
const other = issueGrant("other", { accessToken: { jwtDigest: digest() } });
const again = <C extends Command>(command: C): C => ({ ...command, attempt: attempt() });

/** Each command with a source, after what it rests on. */
const scenes: Readonly<Record<string, { before: readonly Command[]; command: Command; spoil: readonly Command[] }>> = {
  "a code": {
    before: [twoServices(), ticket, code],
    command: exchange(code),
    spoil: [exchange(code), issueGrant(code.code.grantId)],
  },
  "a ticket": {
    before: [twoServices(), password],
    command: issueForTicket(password),
    spoil: [issueForTicket(password, "another"), consumeTicket(password), issueGrant("grant")],
  },
  "a refresh token that is rotated": {
    before: [twoServices(), family],
    command: rotate(family),
    spoil: [rotate(family), endGrant("grant")],
  },
  "a refresh token that is kept": {
    before: [twoServices(), family],
    command: refresh(family),
    spoil: [rotate(family), endGrant("grant")],
  },
  "a ticket, for a code": {
    before: [twoServices(), ticket],
    command: issueCode(ticket),
    spoil: [issueCode(ticket), consumeTicket(ticket)],
  },
};

const movedOn: readonly Command[] = [
  putConfiguration({ id: 1, settings: "new", clients: [{ id: 11 }] }, { id: 2 }),
  putConfiguration({ id: 1, clients: [{ id: 11, settings: "new" }] }, { id: 2 }),
  putConfiguration({ id: 1, clients: [{ id: 12 }] }, { id: 2 }),
  putConfiguration({ id: 2 }),
];

for (const [source, { before, command, spoil }] of Object.entries(scenes)) {
  test(`tokens for ${source}: the first statement knows every reason against them`, (t) => {
    const first = (wanted: Command): Statement => planCommand(wanted).statements[0] ?? { sql: "", values: {} };
    t.is(openWith(before).change(first(command)), 1, "it would change a row");
    for (const reason of [...spoil, ...movedOn]) {
      t.is(openWith([...before, reason]).change(first(command)), 0, `after ${reason.name}`);
    }
    if (command.name !== "issue-tokens") return;
    const { accessToken, refreshToken, ...rest } = command;
    for (const taken of [
      { ...rest, refreshToken, accessToken: { ...accessToken, digest: other.accessToken.digest } },
      { ...rest, refreshToken, accessToken: { ...accessToken, jwtDigest: other.accessToken.jwtDigest } },
      ...(refreshToken === undefined ? [] : [{ ...rest, accessToken, refreshToken: other.refreshToken }]),
    ]) {
      t.is(openWith([...before, other]).change(first(again(taken as Command))), 0, "what is there already");
    }
  });

  test(`tokens for ${source}: nothing is written without the first statement`, (t) => {
    const { change } = openWith(before);
    const [, ...others] = planCommand(command).statements;
    t.true(others.length > 0);
    for (const statement of others) t.is(change(statement), 0, statement.sql);
  });
}

test("tokens for a refresh token: an ended grant gets none, also when it ended behind the first statement", (t) => {
  for (const command of [rotate(family), refresh(family)]) {
    const { db, change } = openWith([twoServices(), family]);
    const [first, second] = planCommand(command).statements;
    if (first === undefined || second === undefined) throw new Error("it has more than one statement");
    t.is(change(first), 1);
    db.exec("UPDATE token_grant SET ended_at = 1, ended_by = x'00'");
    t.is(change(second), 0);
  }
});

test("a code that was consumed is not exchanged, also where its grant is not known", (t) => {
  const { db, change } = openWith([twoServices(), ticket, code]);
  db.exec("UPDATE authorization_code SET consumed_at = 1, consumed_by = x'00'");
  const [first] = planCommand(exchange(code)).statements;
  t.is(first && change(first), 0);
});

test("tokens without a source: one statement behind the other", (t) => {
  const { change } = openWith([twoServices()]);
  const [, ...others] = planCommand(issueGrant("grant")).statements;
  for (const statement of others) t.is(change(statement), 0, statement.sql);
  t.is(planCommand(issueTokens()).statements.length, 1);
});
