import { DatabaseSync } from "node:sqlite";
import test from "ava";
import { columnName, type Columns } from "../../../../src/backend/store/columns.ts";
import { planCommand } from "../../../../src/backend/store/sql/statements.ts";
import { compileStatement, valuesByPosition } from "../../../../src/backend/store/sql/statement.ts";
import { migrate } from "../../../../src/backend/store/sqlite/migrate.ts";
import { createPreparedStatements } from "../../../../src/backend/store/sqlite/prepared-statements.ts";
import {
  accessTokenColumns,
  clientColumns,
  codeColumns,
  grantColumns,
  listedClientColumns,
  listedServiceColumns,
  refreshTokenColumns,
  serviceColumns,
  ticketColumns,
} from "../../../../src/backend/store/tables.ts";
import {
  consumeTicket,
  digest,
  endGrant,
  exchange,
  invalidateToken,
  issueCode,
  issueForTicket,
  issueGrant,
  issueTokens,
  keepTicket,
  putConfiguration,
  refresh,
  revoke,
  revokeTokens,
  rotate,
  updateTicket,
  updateToken,
  useAssertion,
} from "../commands.ts";

const question = (position: number): string => `?${position}`;

test("a name that stands twice is one parameter, in the order of its first place", (t) => {
  const compiled = compileStatement("SELECT :b, :a, :b WHERE c = ':' || 'client:' || d", question);
  t.deepEqual(compiled, { sql: "SELECT ?1, ?2, ?1 WHERE c = ':' || 'client:' || d", names: ["b", "a"] });
});

test("values are found by name, whatever their order", (t) => {
  t.deepEqual(valuesByPosition(["b", "a"], { a: 1, b: null, unused: 3 }), [null, 1]);
});

test("a parameter without a value is refused by its name", (t) => {
  t.throws(() => valuesByPosition(["a", "b"], { a: 1 }), { instanceOf: TypeError, message: /:b has no value/ });
  using db = new DatabaseSync(":memory:");
  t.throws(() => createPreparedStatements(db)("SELECT :a").get(), {
    instanceOf: TypeError,
    message: /:a has no value/,
  });
});

function mayBeNull({ read }: Columns[string]): boolean {
  try {
    return read(null) === undefined;
  } catch {
    return false;
  }
}

const described = {
  service: { ...listedServiceColumns, ...serviceColumns },
  client: { ...listedClientColumns, ...clientColumns },
  access_token: accessTokenColumns,
  refresh_token: refreshTokenColumns,
  token_grant: grantColumns,
  ticket: ticketColumns,
  authorization_code: codeColumns,
} satisfies Record<string, Columns>;

for (const [table, columns] of Object.entries<Columns>(described)) {
  test(`the described columns of ${table} are in the schema, optional exactly where they may be NULL`, (t) => {
    using db = new DatabaseSync(":memory:");
    migrate(db);
    const schema = new Map(
      db
        .prepare(`SELECT name, "notnull" = 1 OR pk > 0 AS required FROM pragma_table_info('${table}')`)
        .all()
        .map(({ name, required }) => [name, required === 1]),
    );
    for (const [member, column] of Object.entries(columns)) {
      t.is(schema.get(columnName(member, column)), !mayBeNull(column), member);
    }
  });
}

const ticket = keepTicket();
const password = keepTicket({ kind: "password" });
const code = issueCode(ticket);
const family = issueGrant("grant");

/** A command of each form whose statements differ. */
const commands = {
  "a configuration": putConfiguration({ id: 1, clients: [{ id: 11 }] }),
  "a ticket": ticket,
  "a ticket's context": updateTicket(ticket),
  "a ticket that is consumed": consumeTicket(ticket),
  "a code": code,
  "tokens alone": issueTokens(),
  "tokens of a grant": family,
  "tokens for a code": exchange(code),
  "tokens for a ticket": issueForTicket(password),
  "tokens by rotation": rotate(family),
  "tokens for a kept refresh token": refresh(family),
  "an assertion": useAssertion(),
  "an updated token": updateToken(family, { expiresAt: 1, refreshTokenExpiresAt: 1 }),
  "a revoked client": revokeTokens({ clientId: 11 }),
  "a revoked subject": revokeTokens({ subject: "user" }),
  "a revoked token": revoke(issueTokens()),
  "a token without a row": invalidateToken(digest()),
  "an ended grant": endGrant("grant"),
};

for (const [what, command] of Object.entries(commands)) {
  test(`${what}: each value of the command is a parameter of one of its statements`, (t) => {
    const { statements, applied } = planCommand(command);
    const all = applied === undefined ? statements : [...statements, applied];
    const given = new Set(all.flatMap(({ values }) => Object.keys(values)));
    const used = new Set(all.flatMap(({ sql }) => compileStatement(sql, question).names));
    t.deepEqual([...given].filter((name) => !used.has(name)).sort(), []);
  });
}
