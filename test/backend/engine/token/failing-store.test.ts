import test, { type ExecutionContext } from "ava";
import type { ServiceSettings } from "../../../../src/backend/engine/settings/settings.ts";
import { openSqliteStore } from "../../../../src/backend/store/sqlite/open-sqlite-store.ts";
import { StoreFailure } from "../../../../src/backend/store/store.ts";
import type { TokenResponse } from "../../../../src/contract/auth-token.ts";
import { openFailingStore, type StatementFaults } from "../../../support/failing-database.ts";
import { errorOf, type Grants, grantsClient, openGrants, supportedGrantTypes } from "../../../support/grants.ts";
import { serviceId } from "../../../support/settings.ts";
import { makeStoreFile } from "../../../support/store-beside.ts";

const grantTypes = [...supportedGrantTypes, "PASSWORD"] as const;

/** Something that is used once, and the request that uses it. */
interface Exchange {
  readonly service?: { readonly refreshTokenKept: boolean };
  /** Prepares one; what is answered asks for its tokens. */
  readonly prepare: (grants: Grants) => Promise<() => Promise<Pick<TokenResponse, "action" | "accessToken">>>;
}

const exchanges: Readonly<Record<string, Exchange>> = {
  "a code": {
    prepare: async ({ code, exchange }) => {
      const kept = await code();
      return () => exchange(kept.code);
    },
  },
  "a refresh token that is rotated": {
    prepare: async ({ begin, refresh }) => {
      const { refreshToken } = await begin();
      return () => refresh(refreshToken);
    },
  },
  "a refresh token that is kept": {
    service: { refreshTokenKept: true },
    prepare: async ({ begin, refresh }) => {
      const { refreshToken } = await begin();
      return () => refresh(refreshToken);
    },
  },
  "a ticket of a password request": {
    prepare: async ({ ask, operations }) => {
      const { ticket } = await ask({ grant_type: "password", username: "john", password: "secret" });
      return () => operations().authTokenIssue({ ticket, subject: "user-1" });
    },
  },
};

async function openFailing(t: ExecutionContext, service: Exchange["service"]) {
  const { store, faults } = await openFailingStore(t);
  const settings = { supportedGrantTypes: grantTypes, ...service };
  const grants = await openGrants(t, settings, [grantsClient({ clientId: 1, grantTypes })], { store });
  return { grants, faults };
}

/** How many statements an exchange takes that nothing disturbs, BEGIN and COMMIT among them. */
async function countStatements(faults: StatementFaults, ask: () => Promise<unknown>): Promise<number> {
  faults.heal();
  await ask();
  return faults.executed.length;
}

async function countTokens({ store, dependencies }: Grants): Promise<number> {
  const everything = { status: "all", now: dependencies.clock(), start: 0, end: 1, most: 1_000 } as const;
  return (await store.listAccessTokens(serviceId, everything)).totalCount;
}

const forever = 1_000_000;

for (const [what, { service, prepare }] of Object.entries(exchanges)) {
  for (const kind of ["before", "rolled-back"] as const) {
    test(`${what}: the store stops at each statement (${kind}): no token; then it works`, async (t) => {
      const { grants, faults } = await openFailing(t, service);
      const statements = await countStatements(faults, await prepare(grants));
      t.true(statements > 4, `${statements} statements`);
      for (let n = 1; n <= statements; n++) {
        faults.heal();
        const ask = await prepare(grants);
        const before = await countTokens(grants);
        faults.failAt(n, kind, forever);
        await t.throwsAsync(ask(), { instanceOf: StoreFailure });
        t.true(faults.executed.some(({ failed }) => failed));
        faults.heal();
        t.is(await countTokens(grants), before);
        const answer = await ask();
        t.is(answer.action, "OK", `statement ${n} of ${statements}`);
        t.true(await grants.isActive(answer.accessToken));
      }
    });
  }

  for (const kind of ["before", "after", "rolled-back"] as const) {
    test(`${what}: each statement fails once (${kind}): one set, from the second try`, async (t) => {
      const { grants, faults } = await openFailing(t, service);
      const statements = await countStatements(faults, await prepare(grants));
      for (let n = 1; n <= statements; n++) {
        faults.heal();
        const ask = await prepare(grants);
        const before = await countTokens(grants);
        faults.failAt(n, kind);
        const answer = await ask();
        t.is(answer.action, "OK", `statement ${n} of ${statements}`);
        t.true(faults.executed.some(({ failed }) => failed));
        faults.heal();
        t.true(await grants.isActive(answer.accessToken));
        t.is(await countTokens(grants), before + 1);
      }
    });
  }
}

test("a code whose commit succeeded but is unknown after two tries: a rejection, and the code is used", async (t) => {
  const { grants, faults } = await openFailing(t, undefined);
  const first = await grants.code();
  const statements = await countStatements(faults, () => grants.exchange(first.code));
  faults.heal();
  const { code } = await grants.code();
  faults.failAt(statements, "after", forever);
  await t.throwsAsync(grants.exchange(code), { instanceOf: StoreFailure });
  faults.heal();
  t.is(errorOf(await grants.exchange(code)), "invalid_grant");
});

test("the store fails while a replay ends a grant: a rejection, and the next replay ends it", async (t) => {
  const { grants, faults } = await openFailing(t, undefined);
  for (let n = 1; n <= 5; n++) {
    faults.heal();
    const begun = await grants.begin();
    faults.failAt(n, "before", forever);
    await t.throwsAsync(grants.exchange(begun.code), { instanceOf: StoreFailure });
    faults.heal();
    t.true(await grants.isActive(begun.accessToken));
    t.is((await grants.exchange(begun.code)).resultCode, "A050305");
    t.false(await grants.isActive(begun.accessToken));
  }
});

test("a refresh that failed and was asked again has one family: nothing of it was used twice", async (t) => {
  const { grants, faults } = await openFailing(t, undefined);
  const { refreshToken } = await grants.begin();
  faults.failAt(1, "before", forever);
  await t.throwsAsync(grants.refresh(refreshToken), { instanceOf: StoreFailure });
  faults.heal();
  const answer = await grants.refresh(refreshToken);
  t.is(answer.previousRefreshTokenUsed, undefined);
  t.is((await grants.refresh(answer.refreshToken)).action, "OK");
});

const rounds = 200;
const parallel = 50;

/** Over a file: its writer is a thread, whose replies come back in batches. */
async function openOverFile(t: ExecutionContext, service: Partial<ServiceSettings> = {}) {
  const { path } = await makeStoreFile(t);
  return openGrants(t, service, [], { store: await openSqliteStore({ path }) });
}

const together = <Answer>(ask: () => Promise<Answer>) => Promise.all(Array.from({ length: parallel }, ask));

test(`${parallel} redemptions of one code at once, ${rounds} times: one has tokens, and the replay revokes them`, async (t) => {
  t.timeout(120_000);
  const { code, exchange, isActive } = await openOverFile(t);
  for (let round = 0; round < rounds; round++) {
    const kept = await code();
    const answers = await together(() => exchange(kept.code));
    const winners = answers.filter(({ action }) => action === "OK");
    t.is(winners.length, 1);
    t.is(answers.filter((answer) => errorOf(answer) === "invalid_grant").length, parallel - 1);
    t.is(answers.filter(({ accessToken, refreshToken }) => accessToken ?? refreshToken).length, 1);
    t.false(await isActive(winners[0]?.accessToken));
    t.false(await isActive(winners[0]?.refreshToken));
  }
});

test(`${parallel} refreshes with one token at once, ${rounds} times: all get one successor, which works`, async (t) => {
  t.timeout(120_000);
  const { begin, refresh, isActive } = await openOverFile(t);
  let { refreshToken } = await begin();
  for (let round = 0; round < rounds; round++) {
    const answers = await together(() => refresh(refreshToken));
    t.is(new Set(answers.map(({ responseContent }) => responseContent)).size, 1);
    t.true(answers.every(({ action }) => action === "OK"));
    t.is(answers.filter(({ previousRefreshTokenUsed }) => previousRefreshTokenUsed === undefined).length, 1);
    t.true(await isActive(answers[0]?.accessToken));
    refreshToken = answers[0]?.refreshToken ?? "";
  }
});

test(`${parallel} refreshes at once of a refresh token that is kept: all have tokens, and it still works`, async (t) => {
  const { begin, refresh, isActive } = await openOverFile(t, { refreshTokenKept: true });
  const { refreshToken } = await begin();
  const answers = await together(() => refresh(refreshToken));
  t.is(new Set(answers.map(({ accessToken }) => accessToken)).size, parallel);
  for (const answer of answers) {
    t.is(answer.refreshToken, refreshToken);
    t.true(await isActive(answer.accessToken));
  }
  t.is((await refresh(refreshToken)).action, "OK");
});

test("of redemptions at once with the right and with wrong verifiers, the right one wins, and stands", async (t) => {
  const { code, exchange, isActive } = await openOverFile(t);
  for (let round = 0; round < 20; round++) {
    const kept = await code();
    const verifiers = Array.from({ length: parallel }, (_, index) =>
      index === round ? {} : { code_verifier: index % 2 === 0 ? undefined : "w".repeat(43) },
    );
    const answers = await Promise.all(verifiers.map((form) => exchange(kept.code, form)));
    const winners = answers.filter(({ action }) => action === "OK");
    t.is(winners.length, 1);
    t.is(winners[0], answers[round]);
    t.true(await isActive(winners[0]?.accessToken));
  }
});
