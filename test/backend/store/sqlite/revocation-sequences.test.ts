import test from "ava";
import fc from "fast-check";
import type { IssueTokens } from "../../../../src/backend/store/command.ts";
import { openSqliteStore } from "../../../../src/backend/store/sqlite/open-sqlite-store.ts";
import type { AccessTokensQuery, Store } from "../../../../src/backend/store/store.ts";
import { endGrant, issueGrant, issueTokens, refresh, revoke, revokeTokens, rotate, twoServices } from "../commands.ts";

const clients = [11, 12] as const;
const subjects = [undefined, "ada", "bob"] as const;
const owners = [
  {},
  ...clients.map((clientId) => ({ clientId })),
  ...["ada", "bob"].flatMap((subject) => [{ subject }, ...clients.map((clientId) => ({ clientId, subject }))]),
];

interface Owner {
  readonly clientId?: number;
  readonly subject?: string;
}

const hex = (octets: Uint8Array): string => Buffer.from(octets).toString("hex");
const has = ({ clientId, subject }: Owner, issued: Pick<IssueTokens, "clientId" | "subject">): boolean =>
  (clientId ?? issued.clientId) === issued.clientId && (subject === undefined || subject === issued.subject);

type Family = ReturnType<typeof issueGrant>;

/** What must be in force, by the plain rule: a revocation ends what had been issued, and nothing after it. */
class Model {
  #grants = 0;
  #live: IssueTokens[] = [];
  #families: Family[] = [];

  get live(): readonly IssueTokens[] {
    return this.#live;
  }

  issue(clientId: number, subject: string | undefined, pick: number): IssueTokens {
    const changes = { clientId, subject, createdAt: 1_000 + pick, accessToken: { expiresAt: 5_000 + (pick % 4) } };
    if (subject === undefined || pick % 3 === 0) return this.#keep(issueTokens(changes));
    const family = issueGrant(`grant-${this.#grants++}`, changes);
    this.#families.push(family);
    return this.#keep(family);
  }

  /** Of a refresh token that has been used or has ended, too. */
  refresh(pick: number): { command: IssueTokens; done: boolean } | undefined {
    const family = this.#families[pick % this.#families.length];
    if (family === undefined) return undefined;
    const { clientId, subject } = family;
    const changes = { clientId, subject, createdAt: 1_000 + pick };
    const kept = pick % 2 === 0;
    const command = kept ? refresh(family, undefined, changes) : rotate(family, changes);
    if (!this.#isOpen(family)) return { command, done: false };
    this.#keep(command);
    if (!kept) this.#families[this.#families.indexOf(family)] = { ...family, ...(command as Family) };
    return { command, done: true };
  }

  /** One token by itself, or its grant. */
  end(pick: number) {
    const token = this.#live[pick % this.#live.length];
    if (token === undefined) return undefined;
    const grantId = token.grant?.grantId;
    if (grantId === undefined) {
      this.#live = this.#live.filter((other) => other !== token);
      return revoke(token);
    }
    this.#live = this.#live.filter(({ grant }) => grant?.grantId !== grantId);
    this.#ended.add(grantId);
    return endGrant(grantId);
  }

  revoke(owner: Owner) {
    for (const family of this.#families) if (has(owner, family)) this.#ended.add(family.grant.grantId);
    this.#live = this.#live.filter((issued) => !has(owner, issued));
    return revokeTokens(owner);
  }

  readonly #ended = new Set<string>();

  #isOpen({ grant }: Family): boolean {
    return !this.#ended.has(grant.grantId);
  }

  #keep<Issue extends IssueTokens>(issue: Issue): Issue {
    this.#live.push(issue);
    return issue;
  }
}

/** The whole list, page by page, with no more rows looked at than a page has. */
async function listAll(store: Store, query: Partial<AccessTokensQuery>, size: number): Promise<string[]> {
  const found: string[] = [];
  let after: AccessTokensQuery["after"];
  do {
    const page = await store.listAccessTokens(1, {
      status: "all",
      now: 5_001,
      start: 0,
      end: size,
      most: size,
      after,
      ...query,
    });
    found.push(...page.tokens.map(({ digest }) => hex(digest)));
    after = page.next;
  } while (after !== undefined);
  return found;
}

const inOrder = (issued: readonly IssueTokens[]): string[] =>
  issued
    .map((one) => ({ ...one.accessToken, createdAt: one.createdAt, hex: hex(one.accessToken.digest) }))
    .toSorted((a, b) => a.expiresAt - b.expiresAt || a.createdAt - b.createdAt || (a.hex < b.hex ? -1 : 1))
    .map((one) => one.hex);

const step = fc.record({
  kind: fc.oneof(
    { weight: 10, arbitrary: fc.constantFrom("issue" as const, "issue" as const, "refresh" as const) },
    { weight: 3, arbitrary: fc.constantFrom("end" as const, "revoke" as const) },
  ),
  pick: fc.nat(1_000),
});

const sizes = [1, 3, 50];

test("after any order of issues and revocations, lists and reads agree with the plain rule", async (t) => {
  let [revocations, listed] = [0, 0];
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 10, maxLength: 60 }), async (steps) => {
      const store = await openSqliteStore({ path: ":memory:" });
      try {
        await store.run(twoServices());
        const model = new Model();
        const all: IssueTokens[] = [];
        for (const { kind, pick } of steps) {
          const [client = 11, subject] = [clients[pick % 2], subjects[pick % 3]];
          const wanted =
            kind === "issue"
              ? { command: model.issue(client, subject, pick), done: true }
              : kind === "refresh"
                ? model.refresh(pick)
                : { command: kind === "end" ? model.end(pick) : revocationOf(model, pick), done: true };
          if (wanted?.command === undefined) continue;
          if (wanted.command.name === "issue-tokens") all.push(wanted.command);
          if (wanted.command.name === "revoke-tokens") revocations += 1;
          const outcome = await store.run(wanted.command);
          if (outcome !== (wanted.done ? "done" : "conflict")) throw new Error(`${wanted.command.name}: ${outcome}`);
          // Run again it changes nothing, whatever has come in between.
          if (wanted.done && (await store.run(wanted.command)) !== "done") throw new Error("not recognised");
        }
        const live = new Set(model.live.map(({ accessToken }) => hex(accessToken.digest)));
        for (const { accessToken } of all) {
          const isInForce = (await store.readAccessToken(1, accessToken.digest)) !== undefined;
          if (isInForce !== live.has(hex(accessToken.digest))) throw new Error("a read says otherwise");
        }
        for (const owner of owners) {
          const owned = model.live.filter((issued) => has(owner, issued));
          const expected = {
            all: owned,
            valid: owned.filter(({ accessToken }) => accessToken.expiresAt > 5_001),
            invalid: owned.filter(({ accessToken }) => accessToken.expiresAt <= 5_001),
          };
          for (const [status, tokens] of Object.entries(expected)) {
            for (const size of sizes) {
              const found = await listAll(store, { ...owner, status: status as keyof typeof expected }, size);
              if (found.join() !== inOrder(tokens).join())
                throw new Error(`${JSON.stringify(owner)} ${status} ${size}`);
              listed += found.length;
            }
          }
        }
      } finally {
        await store.close();
      }
    }),
    { numRuns: 40 },
  );
  t.true(revocations > 60 && listed > 1_000, `${revocations} revocations, ${listed} listed: the sequences try both`);
});

function revocationOf(model: Model, pick: number) {
  const { clientId, subject } = owners[1 + (pick % (owners.length - 1))] as Owner;
  return model.revoke({
    ...(clientId === undefined ? {} : { clientId }),
    ...(subject === undefined ? {} : { subject }),
  });
}
