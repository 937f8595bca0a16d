import test from "ava";
import { redirectUri } from "../support/authorization.ts";
import { assertErrorForm } from "../support/error-form.ts";
import { authorization, startGrants, tokensOf } from "../support/grants-deployment.ts";
import { k1, k2 } from "../support/grants.ts";
import { basic } from "../support/https-request.ts";
import { secretOf } from "../support/settings.ts";

const parallel = 50;

test("6749-4.1.2-b: a code is good once, one after another and fifty at once; a second use ends the tokens of the first", async (t) => {
  t.timeout(60_000);
  const { code, exchange, isActive } = await startGrants(t);
  const kept = await code();
  const first = tokensOf(t, await exchange(kept.code));
  t.true(await isActive(first.accessToken));
  t.true(await isActive(first.refreshToken));
  assertErrorForm(t, await exchange(kept.code), "invalid_grant", [400]);
  t.false(await isActive(first.accessToken));
  t.false(await isActive(first.refreshToken));

  for (let round = 0; round < 5; round++) {
    const { code: value } = await code();
    const answers = await Promise.all(Array.from({ length: parallel }, () => exchange(value)));
    const [winner, ...more] = answers.filter(({ status }) => status === 200);
    t.is(more.length, 0);
    for (const answer of answers) if (answer !== winner) assertErrorForm(t, answer, "invalid_grant", [400]);
    if (winner === undefined) return t.fail("No answer has tokens.");
    const tokens = tokensOf(t, winner);
    t.false(await isActive(tokens.accessToken));
    t.false(await isActive(tokens.refreshToken));
  }
});

test("6749-4.1.3-a: with another client or another, a missing or an extra redirect_uri a code gives invalid_grant, and is kept", async (t) => {
  const { code, exchange, isActive } = await startGrants(t);
  const kept = await code();
  const refused = [
    await exchange(kept.code, {}, k1, { authorization: basic(2, secretOf(2)) }),
    await exchange(kept.code, { client_id: "3" }, k1, {}),
    await exchange(kept.code, { redirect_uri: `${redirectUri}?` }),
    await exchange(kept.code, { redirect_uri: redirectUri.replace("client", "CLIENT") }),
    await exchange(kept.code, { redirect_uri: undefined }),
    await exchange(kept.code, { redirect_uri: "" }),
  ];
  for (const answer of refused) assertErrorForm(t, answer, "invalid_grant", [400]);
  t.true(await isActive(tokensOf(t, await exchange(kept.code)).accessToken));
  const without = await code({ redirectUri: undefined });
  assertErrorForm(t, await exchange(without.code), "invalid_grant", [400]);
  t.true(await isActive(tokensOf(t, await exchange(without.code, { redirect_uri: undefined })).accessToken));
});

test("9700-2.1.1-a: without the verifier or with another a code gives invalid_grant; of all at once only the right one wins", async (t) => {
  const { code, exchange, isActive } = await startGrants(t);
  const kept = await code();
  for (const verifier of [undefined, "", "w".repeat(43), "short", "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"]) {
    assertErrorForm(t, await exchange(kept.code, { code_verifier: verifier }), "invalid_grant", [400]);
  }
  t.true(await isActive(tokensOf(t, await exchange(kept.code)).accessToken));

  const { code: contested } = await code();
  const answers = await Promise.all(
    Array.from({ length: parallel }, (_, index) =>
      exchange(contested, index === 20 ? {} : { code_verifier: index % 2 === 0 ? undefined : "w".repeat(43) }),
    ),
  );
  for (const [index, answer] of answers.entries()) {
    if (index !== 20) assertErrorForm(t, answer, "invalid_grant", [400]);
    else t.true(await isActive(tokensOf(t, answer).accessToken));
  }
});

test("9700-2.1.1-b: a verifier for a code that was asked for without a challenge gives invalid_grant", async (t) => {
  const { code, exchange } = await startGrants(t);
  const kept = await code({ codeChallenge: undefined });
  assertErrorForm(t, await exchange(kept.code), "invalid_grant", [400]);
  tokensOf(t, await exchange(kept.code, { code_verifier: undefined }));
});

test("the tokens of a code are bound to the certificate of the exchange, whatever its client has used before", async (t) => {
  const { code, exchange, facts } = await startGrants(t);
  for (const certificate of [k1, k2]) {
    const tokens = tokensOf(t, await exchange((await code()).code, {}, certificate, { authorization }));
    t.like(await facts(tokens.accessToken), { cnf: { "x5t#S256": certificate.x5tS256 } });
    const refreshToken = await facts(tokens.refreshToken);
    t.true(refreshToken["active"]);
    t.is(refreshToken["cnf"], undefined);
  }
});
