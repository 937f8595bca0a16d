import { DatabaseSync } from "node:sqlite";
import test from "ava";
import type { Command } from "../../../../src/backend/store/command.ts";
import { StoreFailure } from "../../../../src/backend/store/store.ts";
import { openFailingStore, type FaultKind } from "../../../support/failing-database.ts";
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
  twoServices,
  updateTicket,
  updateToken,
  useAssertion,
} from "../commands.ts";

/** A command of each kind after what it rests on; everything is drawn anew. */
const scenes: Readonly<Record<string, () => readonly [before: Command[], command: Command]>> = {
  "put-configuration": () => [[twoServices()], putConfiguration({ id: 1, settings: "new", clients: [{ id: 12 }] })],
  "keep-ticket": () => [[twoServices()], keepTicket()],
  "update-ticket": () => withTicket(updateTicket),
  "consume-ticket": () => withTicket(consumeTicket),
  "issue-code": () => withTicket(issueCode),
  "issue-tokens": () => [[twoServices()], issueTokens()],
  "issue-tokens with a grant": () => [[twoServices()], issueGrant("grant")],
  "issue-tokens for a code": () => {
    const ticket = keepTicket();
    const code = issueCode(ticket);
    return [[twoServices(), ticket, code], exchange(code)];
  },
  "issue-tokens for a ticket": () => withTicket((ticket) => issueForTicket(ticket), keepTicket({ kind: "password" })),
  "issue-tokens by rotation": () => withFamily(rotate),
  "issue-tokens for a refresh token that is kept": () => withFamily((family) => refresh(family, 20_000)),
  "use-assertion": () => [[twoServices()], useAssertion()],
  "update-token": () =>
    withFamily((family) => updateToken(family, { expiresAt: 6_000, refreshTokenExpiresAt: 20_000 })),
  "revoke-tokens": () => withFamily(() => revokeTokens({ clientId: 11 })),
  "revoke-access-token": () => withFamily(revoke),
  "end-grant": () => withFamily(() => endGrant("grant")),
  "invalidate-token": () => [[twoServices()], invalidateToken(digest())],
};

function withTicket(
  make: (ticket: ReturnType<typeof keepTicket>) => Command,
  ticket = keepTicket(),
): [Command[], Command] {
  return [[twoServices(), ticket], make(ticket)];
}

function withFamily(make: (family: ReturnType<typeof issueGrant>) => Command): [Command[], Command] {
  const family = issueGrant("grant");
  return [[twoServices(), family, issueTokens()], make(family)];
}

/** All that is kept, as text; the counter of events may pass over numbers. */
function dump(path: string): string {
  using db = new DatabaseSync(path, { readOnly: true });
  const tables = db
    .prepare("SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%' ORDER BY name")
    .all();
  return JSON.stringify(tables.map(({ name }) => [name, db.prepare(`SELECT * FROM ${String(name)}`).all()]));
}

for (const [title, scene] of Object.entries(scenes)) {
  for (const kind of ["before", "after", "rolled-back"] as const satisfies readonly FaultKind[]) {
    test(`${title}: a failure at any statement (${kind}) leaves nothing written, and it works afterwards`, async (t) => {
      let statements = Number.POSITIVE_INFINITY;
      for (let n = 1; n <= statements; n++) {
        const { store, faults, path } = await openFailingStore(t);
        const [before, command] = scene();
        for (const wanted of before) t.is(await store.run(wanted), "done");
        const start = dump(path);
        faults.failAt(n, kind);
        await t.throwsAsync(store.run(command), { instanceOf: StoreFailure }, `statement ${n}`);
        const failed = faults.executed.findIndex((statement) => statement.failed);
        t.is(failed, n - 1);
        // Only of a COMMIT whose answer is lost everything is kept, and never a part of it.
        const kept = kind === "after" && faults.executed[failed]?.sql === "COMMIT";
        t.is(dump(path) !== start, kept, `statement ${n}: ${faults.executed[failed]?.sql ?? ""}`);
        faults.heal();
        t.is(await store.run(command), "done");
        const end = dump(path);
        t.true(end !== start);
        if (!kept) statements = faults.executed.length;
        t.is(await store.run(command), "done");
        t.true(dump(path) === end, "the same attempt writes nothing twice");
        await store.close();
      }
      t.true(statements >= 5 && Number.isFinite(statements), "BEGIN, SAVEPOINT, a write or more, RELEASE, COMMIT");
    });
  }
}

test("a ROLLBACK that fails, too, keeps nothing of the command, and the store continues", async (t) => {
  const { store, faults, path } = await openFailingStore(t);
  await store.run(twoServices());
  const start = dump(path);
  faults.failAt(3, "before", 3);
  await t.throwsAsync(store.run(issueGrant("grant")), { instanceOf: StoreFailure });
  t.deepEqual(
    faults.executed.slice(2).map(({ sql, failed }) => [sql.split(" ")[0]?.trim(), failed]),
    [
      ["", true],
      ["ROLLBACK", true],
      ["ROLLBACK", true],
    ],
  );
  faults.heal();
  t.true(dump(path) === start);
  await store.run(issueTokens()).catch(() => "the transaction that was left open is cleared away");
  t.is(await store.run(issueTokens()), "done");
  t.false(dump(path).includes('"grant"'));
});
