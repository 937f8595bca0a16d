import test from "ava";
import fc from "fast-check";
import type { Command, IssueCode, IssueTokens, KeepTicket } from "../../../../src/backend/store/command.ts";
import { openSqliteStore } from "../../../../src/backend/store/sqlite/open-sqlite-store.ts";
import type { Store } from "../../../../src/backend/store/store.ts";
import {
  endGrant,
  exchange,
  issueCode,
  keepTicket,
  refresh,
  revoke,
  revokeTokens,
  rotate,
  twoServices,
  updateToken,
} from "../commands.ts";

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

test("whatever the order of commands: a code gives one set, a consumed refresh token has one successor, an ended grant gives nothing", async (t) => {
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
