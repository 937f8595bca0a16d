import test, { type ExecutionContext } from "ava";
import type { ServiceSettings } from "../../../../src/backend/engine/settings/settings.ts";
import { openSqliteStore } from "../../../../src/backend/store/sqlite/open-sqlite-store.ts";
import { errorOf, openGrants } from "../../../support/grants.ts";
import { makeStoreFile } from "../../../support/store-beside.ts";

const rounds = 200;
const parallel = 50;

/** Over a file: its writer is a thread, whose replies come back in batches. */
async function openOverFile(t: ExecutionContext, service: Partial<ServiceSettings> = {}) {
  const { path } = await makeStoreFile(t);
  return openGrants(t, service, [], { store: await openSqliteStore({ path }) });
}

const together = <Answer>(ask: () => Promise<Answer>) => Promise.all(Array.from({ length: parallel }, ask));

test(`${parallel} redemptions of one code at once, ${rounds} times: one has tokens, and these are ended, having been replayed`, async (t) => {
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

test(`${parallel} refreshes with one refresh token at once, ${rounds} times: all have the same successor, which works`, async (t) => {
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
