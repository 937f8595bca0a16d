import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import test, { type ExecutionContext } from "ava";
import type { Command } from "../../src/backend/store/command.ts";
import { openSqliteStore } from "../../src/backend/store/sqlite/open-sqlite-store.ts";
import { createPreparedStatements } from "../../src/backend/store/sqlite/prepared-statements.ts";
import { planCommand } from "../../src/backend/store/sql/statements.ts";
import type { AccessTokensQuery, Store } from "../../src/backend/store/store.ts";
import { issueGrant, issueTokens, revokeTokens } from "../backend/store/commands.ts";
import { openRecorded, unboundedSteps, useEverything } from "../backend/store/sqlite/every-statement.ts";
import { writeEarlierStore } from "./million-tokens.ts";

const [ofSubject, alone] = [200_000, 800_000];
const most = 10_000;
const now = 2_000;

const directory = await mkdtemp(join(tmpdir(), "certbound-scale-"));
test.after.always(() => rm(directory, { recursive: true }));

/** The file of a store of an earlier version with a million access tokens. */
const million = join(directory, "store.db");
test.before(() => {
  writeEarlierStore(million, { ofSubject, alone });
});

/** It is brought up to date by being opened. */
async function openMillion(t: ExecutionContext): Promise<{ store: Store; path: string }> {
  const path = million;
  const began = performance.now();
  const store = await openSqliteStore({ path, busyTimeout: 600_000 });
  t.log(`migrated a million access tokens in ${((performance.now() - began) / 1000).toFixed(1)} s`);
  t.teardown(() => store.close());
  return { store, path };
}

/** How many rows the statements of a command change, on a connection that writes nothing for good. */
function rowsChanged(db: DatabaseSync, command: Command): number {
  db.exec("BEGIN");
  const changes = planCommand(command).statements.map(({ sql, values }) =>
    createPreparedStatements(db)(sql).run(values),
  );
  db.exec("ROLLBACK");
  return changes.reduce((sum, changed) => sum + changed, 0);
}

const owners = [{ clientId: 11 }, { subject: "many" }, { clientId: 11, subject: "many" }] as const;

test.serial(
  "a million tokens: nothing walks through them, sorts them, or changes more than a row of them",
  async (t) => {
    const { store, path } = await openMillion(t);
    using db = new DatabaseSync(path, { timeout: 600_000 });

    for (const owner of owners) t.is(rowsChanged(db, revokeTokens(owner)), 3, "a number, the one row, the event");

    const list = (query: Partial<AccessTokensQuery>) =>
      store.listAccessTokens(1, { status: "all", now, start: 0, end: 5, most, ...query });
    for (const owner of [{}, ...owners]) {
      for (const status of ["all", "valid"] as const) {
        const { totalCount, moreThanCounted, tokens, next } = await list({ ...owner, status });
        t.true(moreThanCounted);
        t.is(totalCount, most);
        t.is(tokens.length, 5);
        t.truthy(next);
      }
      t.like(await list({ ...owner, status: "invalid" }), { totalCount: 0, moreThanCounted: false, next: undefined });
      // Half of them have expired, and none is walked over for the other half.
      const half = 1_000_000 + ofSubject / 2;
      for (const status of ["valid", "invalid"] as const) {
        const { tokens } = await list({ ...owner, status, now: half });
        t.is(tokens.length, 5);
        for (const { expiresAt } of tokens) t.is(expiresAt > half, status === "valid");
      }
    }

    // Pages behind each other are the whole list, each token once.
    let [seen, pages, after, last] = [0, 0, undefined as AccessTokensQuery["after"], -1];
    do {
      const page = await list({ subject: "many", after, end: most });
      for (const { expiresAt } of page.tokens) {
        t.true(expiresAt > last);
        last = expiresAt;
      }
      seen += page.tokens.length;
      pages += 1;
      after = page.next;
    } while (after !== undefined && pages < 5);
    t.deepEqual([seen, pages], [5 * most, 5]);

    t.deepEqual(await store.countTokens(1, { of: { subject: "many" }, now, most }), {
      count: 2 * most,
      moreThanCounted: true,
    });
    await revokeAll(t, store, list);
  },
);

/** Revokes them one owner after the other, and looks at what is left. */
async function revokeAll(
  t: ExecutionContext,
  store: Store,
  list: (query: Partial<AccessTokensQuery>) => ReturnType<Store["listAccessTokens"]>,
): Promise<void> {
  const empty = { totalCount: 0, moreThanCounted: false, tokens: [], next: undefined };
  const { tokens: ofMany } = await list({ subject: "many", end: 1 });
  const { tokens: ofClient } = await list({ clientId: 11, end: 5 });
  t.is(await store.run(revokeTokens({ subject: "many" })), "done");
  for (const { digest } of ofMany) t.is(await store.readAccessToken(1, digest), undefined);
  t.deepEqual(await list({ subject: "many" }), empty, "what was revoked is not walked over");
  t.deepEqual(await list({ clientId: 11, subject: "many" }), empty);
  t.deepEqual(await store.countTokens(1, { of: { subject: "many" }, now, most }), { count: 0, moreThanCounted: false });
  const later = issueGrant("later", { subject: "many", accessToken: { expiresAt: 1_000_000_000 } });
  t.is(await store.run(later), "done");
  t.like(await list({ subject: "many" }), { totalCount: 1, moreThanCounted: false });
  t.true((await list({ clientId: 11 })).moreThanCounted, "the client has others");
  t.is(await store.run(revokeTokens({ clientId: 11 })), "done");
  for (const { digest } of ofClient) t.is(await store.readAccessToken(1, digest), undefined);
  t.deepEqual(await list({ clientId: 11 }), empty);
  t.is(await store.run(issueTokens()), "done");
  t.like(await list({ clientId: 11 }), { totalCount: 1, moreThanCounted: false });
  // Without an owner there is no index that leads past them: a bounded walk, an empty slice, and where it goes on.
  const { tokens, next, moreThanCounted } = await list({});
  t.true(tokens.length <= 1 && moreThanCounted && next !== undefined);
}

// Without statistics the plans are those of an empty store, which `npm test` looks at.
test.serial("a million tokens: every statement has a bounded plan also with the statistics of ANALYZE", async (t) => {
  using db = new DatabaseSync(million, { timeout: 600_000 });
  db.exec("ANALYZE");
  const { store, prepared } = openRecorded(db);
  await useEverything(store);
  t.true(prepared.size > 80, `${prepared.size} statements`);
  for (const sql of prepared) t.deepEqual(unboundedSteps(db, sql), [], sql);
});
