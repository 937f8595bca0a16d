import { copyFile } from "node:fs/promises";
import { backup, DatabaseSync } from "node:sqlite";
import test, { type ExecutionContext } from "ava";
import fc from "fast-check";
import type { Command, IssueCode, IssueTokens, KeepTicket } from "../../../../src/backend/store/command.ts";
import { createEventReader, createEventSweep } from "../../../../src/backend/store/sqlite/event-reader.ts";
import { migrate } from "../../../../src/backend/store/sqlite/migrate.ts";
import { migrations } from "../../../../src/backend/store/sqlite/migrations.ts";
import { openSqliteStore } from "../../../../src/backend/store/sqlite/open-sqlite-store.ts";
import type { Store } from "../../../../src/backend/store/store.ts";
import {
  endGrant,
  exchange,
  issueCode,
  issueTokens,
  keepTicket,
  putConfiguration,
  refresh,
  revoke,
  revokeTokens,
  rotate,
  twoServices,
  updateToken,
} from "../commands.ts";
import { temporaryFile } from "./temporary-file.ts";

type StepKind = "keep" | "code" | "exchange" | "rotate" | "refresh" | "revoke" | "update" | "end" | "end all";
type Family = ReturnType<typeof exchange> | ReturnType<typeof rotate>;

/** What has been drawn so far; a step picks from it, whether or not it was ever kept. */
class Model {
  readonly tickets: KeepTicket[] = [];
  readonly codes: IssueCode[] = [];
  readonly families: Family[] = [];
  readonly others: IssueTokens[] = [];
  readonly ended = new Set<string>();
  readonly setsOfSource = new Map<string, number>();

  next(kind: StepKind, pick: number): Command | undefined {
    const ticket = this.tickets[pick % this.tickets.length];
    const code = this.codes[pick % this.codes.length];
    const family = this.families[pick % this.families.length];
    switch (kind) {
      case "keep":
        return remember(this.tickets, keepTicket());
      case "code":
        return ticket && remember(this.codes, issueCode(ticket));
      case "exchange":
        return code && remember(this.families, exchange(code));
      case "rotate":
        return family && remember(this.families, rotate(family));
      case "refresh":
        return family && remember(this.others, refresh(family));
      case "revoke":
        return family && revoke(family);
      case "update":
        return family && updateToken(family, { refreshTokenExpiresAt: 9_000 + pick });
      case "end":
        return family && endGrant(family.grant.grantId);
      case "end all":
        return revokeTokens({ subject: "user" });
    }
  }

  note(command: Command, outcome: string): void {
    if (outcome !== "done") return;
    if (command.name === "end-grant") this.ended.add(command.grantId);
    if (command.name === "revoke-tokens") {
      // All that were begun: whoever is begun later has a code of its own.
      for (const { grant } of this.begun) this.ended.add(grant.grantId);
    }
    if (command.name !== "issue-tokens" || command.source === undefined) return;
    if (command.source.kind === "authorization-code") this.begun.push(command as Family);
    if (command.source.kind === "kept-refresh-token") return;
    const source = Buffer.from(command.source.digest).toString("hex");
    this.setsOfSource.set(source, (this.setsOfSource.get(source) ?? 0) + 1);
  }

  readonly begun: Family[] = [];
}

function remember<Kept>(list: Kept[], made: Kept): Kept {
  list.push(made);
  return made;
}

const step = fc.record({
  kind: fc.oneof(
    { weight: 12, arbitrary: fc.constantFrom<StepKind[]>("keep", "code", "exchange", "rotate", "rotate", "exchange") },
    { weight: 3, arbitrary: fc.constantFrom<StepKind[]>("refresh", "revoke", "update") },
    { weight: 1, arbitrary: fc.constantFrom<StepKind[]>("end", "end all") },
  ),
  pick: fc.nat(1_000),
  repeated: fc.boolean(),
});

async function checkInvariants(store: Store, { ended, setsOfSource, families, others }: Model): Promise<void> {
  for (const [source, sets] of setsOfSource) if (sets > 1) throw new Error(`${source} gave ${sets} sets`);
  const open = new Map<string, number>();
  for (const { accessToken, refreshToken, grant } of families) {
    const [access, refreshed] = [
      await store.readAccessToken(1, accessToken.digest),
      await store.readRefreshToken(1, refreshToken.digest),
    ];
    if (ended.has(grant.grantId) && (access ?? refreshed) !== undefined) throw new Error("an ended grant is readable");
    if (refreshed === undefined) continue;
    const consumed = setsOfSource.has(Buffer.from(refreshToken.digest).toString("hex"));
    if (consumed !== (refreshed.consumption !== undefined)) throw new Error("consumption and successor differ");
    if (!consumed) open.set(grant.grantId, (open.get(grant.grantId) ?? 0) + 1);
  }
  for (const [grantId, tokens] of open) if (tokens !== 1) throw new Error(`${grantId} has ${tokens} refresh tokens`);
  for (const { accessToken, grant } of others) {
    const found = await store.readAccessToken(1, accessToken.digest);
    if (found !== undefined && ended.has(grant?.grantId ?? "")) throw new Error("an ended grant is readable");
  }
}

test("in any order, a code gives one set, a used refresh token one successor, an ended grant nothing", async (t) => {
  let [done, conflicts] = [0, 0];
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 20, maxLength: 80 }), async (steps) => {
      const store = await openSqliteStore({ path: ":memory:" });
      try {
        await store.run(twoServices());
        const model = new Model();
        for (const { kind, pick, repeated } of steps) {
          const command = model.next(kind, pick);
          if (command === undefined) continue;
          const outcome = await store.run(command);
          if (outcome === "done") done++;
          else conflicts++;
          model.note(command, outcome);
          if (repeated && outcome === "done" && (await store.run(command)) !== "done") {
            throw new Error("the same attempt was not recognised");
          }
        }
        await checkInvariants(store, model);
      } finally {
        await store.close();
      }
    }),
    { numRuns: 150 },
  );
  t.true(done > 1_000 && conflicts > 300, `${done} done, ${conflicts} conflicts: the sequences try both`);
});

async function revokeOne(t: ExecutionContext, store: Store): Promise<void> {
  const issued = issueTokens();
  t.is(await store.run(issued), "done");
  t.is(await store.run(revoke(issued)), "done");
}

const headOf = async (store: Store): Promise<string> => (await store.readInvalidationEvents({ limit: 1 })).cursor;
const isReset = async (store: Store, after: string): Promise<boolean> =>
  (await store.readInvalidationEvents({ after, limit: 10 })).reset;

/**
 * Opens the file that a backup was taken of when it had one event, and that then had two more. The mark beside it is put
 * back as well, in place: the one restore that the mark cannot notice, and that the chain of events must.
 */
async function startRestored(t: ExecutionContext) {
  const [path, copy] = [await temporaryFile(t), await temporaryFile(t, "copy.db")];
  const lived = await openSqliteStore({ path });
  await lived.run(twoServices());
  await revokeOne(t, lived);
  const before = await headOf(lived);
  const db = new DatabaseSync(path, { readOnly: true });
  await backup(db, copy);
  db.close();
  await copyFile(`${path}-mark`, `${copy}-mark`);
  await revokeOne(t, lived);
  const between = await headOf(lived);
  await revokeOne(t, lived);
  const end = await headOf(lived);
  await lived.close();
  await copyFile(copy, path);
  await copyFile(`${copy}-mark`, `${path}-mark`);
  const store = await openSqliteStore({ path });
  t.teardown(() => store.close());
  return { store, before, between, end };
}

test("a restored backup is noticed by every reader that had read past it", async (t) => {
  const { store, before, between, end } = await startRestored(t);
  t.is(await headOf(store), before);
  t.true(await isReset(store, between));
  t.true(await isReset(store, end));
  t.false(await isReset(store, before));
});

test("a restored backup is noticed also when other events have taken the same positions", async (t) => {
  const { store, before, between, end } = await startRestored(t);
  await revokeOne(t, store);
  await revokeOne(t, store);
  await revokeOne(t, store);
  t.true(await isReset(store, between));
  t.true(await isReset(store, end));
  const read = await store.readInvalidationEvents({ after: before, limit: 10 });
  t.is(read.reset ? undefined : read.events.length, 3);
});

test("two stores with the same history have cursors of their own", async (t) => {
  const stores = await Promise.all([":memory:", ":memory:"].map((path) => openSqliteStore({ path })));
  const [first, second] = stores;
  if (first === undefined || second === undefined) throw new Error("not opened");
  t.teardown(() => Promise.all(stores.map((store) => store.close())));
  t.true(await isReset(first, await headOf(second)));
  for (const store of stores) await store.run(twoServices());
  const issued = issueTokens();
  const revocation = revoke(issued);
  for (const store of stores) {
    await store.run(issued);
    await store.run(revocation);
  }
  t.true(await isReset(first, await headOf(second)));
  t.false(await isReset(first, await headOf(first)));
});

test("a file of the first schema gets its events, and keeps its data", async (t) => {
  const path = await temporaryFile(t);
  const token = issueTokens();
  {
    const [released = ""] = migrations;
    using db = new DatabaseSync(path);
    db.exec("PRAGMA application_id = 0x63727462; CREATE TABLE migration (number INTEGER PRIMARY KEY) STRICT");
    db.exec("INSERT INTO migration (number) VALUES (1)");
    db.exec(released);
    db.exec(`INSERT INTO service VALUES (1, 1, 1, 1, 'configuration', 'service 1', x'01', x'02');
      INSERT INTO client VALUES (1, 11, NULL, 1, 1, 1, 'configuration', 'client 11', x'01', x'02')`);
    migrate(db);
  }
  const store = await openSqliteStore({ path });
  t.teardown(() => store.close());
  t.is((await store.readClient(1, { clientId: 11 }))?.settings, "client 11");
  const start = await headOf(store);
  t.is(await store.run(token), "done");
  t.is(await store.run(revoke(token)), "done");
  t.is(await store.run(putConfiguration({ id: 1 })), "done");
  const read = await store.readInvalidationEvents({ after: start, limit: 10 });
  t.deepEqual(read.reset ? [] : read.events.flatMap(({ keys }) => keys), [
    `token:${Buffer.from(token.accessToken.digest).toString("base64url")}`,
    "service:1",
    "client:1:11",
  ]);
});

test("a sweep in the middle of a reading, by another process, takes no event out of it", async (t) => {
  const path = await temporaryFile(t);
  const store = await openSqliteStore({ path });
  t.teardown(() => store.close());
  await store.run(twoServices());
  await revokeOne(t, store);
  const after = await headOf(store);
  for (let more = 0; more < 3; more++) await revokeOne(t, store);
  const [reading, sweeping] = [new DatabaseSync(path, { readOnly: true }), new DatabaseSync(path)];
  t.teardown(() => {
    reading.close();
    sweeping.close();
  });
  const swept: number[] = [];
  const prepare = reading.prepare.bind(reading);
  // Behind the look at the reader's own row, before the rows that follow it are read.
  reading.prepare = (sql) => {
    if (sql.includes("LIMIT ?3")) swept.push(createEventSweep(sweeping)(Number.MAX_SAFE_INTEGER, 10));
    return prepare(sql);
  };
  const read = createEventReader(reading);
  const first = read({ after, limit: 10 });
  t.deepEqual(swept, [3]);
  t.is(first.reset ? undefined : first.events.length, 3);
  t.true(read({ after, limit: 10 }).reset, "the next reading sees that its row is gone");
});
