import test from "ava";
import { redirectUri } from "../support/authorization.ts";
import { createAuthority, createSelfSigned } from "../support/certificates.ts";
import { accessTokenOf } from "../support/deployment.ts";
import { assertErrorForm } from "../support/error-form.ts";
import { authorization, startGrants, tokensOf } from "./grants-deployment.ts";
import { grantsClient, k1, k2 } from "../support/grants.ts";
import { basic } from "../support/https-request.ts";
import { secretOf } from "../support/settings.ts";

const parallel = 50;

test("6749-4.1.2-b: a code works once, in sequence and fifty at once; a second use revokes its tokens", async (t) => {
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

test("6749-4.1.3-a: another client or redirect_uri, or none, gives invalid_grant, and the code is kept", async (t) => {
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

test("9700-2.1.1-a: a missing or wrong verifier gives invalid_grant; at once only the right one wins", async (t) => {
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

test("a code's tokens are bound to the certificate of the exchange, whatever its client used before", async (t) => {
  const { code, exchange, facts } = await startGrants(t);
  for (const certificate of [k1, k2]) {
    const tokens = tokensOf(t, await exchange((await code()).code, {}, certificate, { authorization }));
    t.like(await facts(tokens.accessToken), { cnf: { "x5t#S256": certificate.x5tS256 } });
    const refreshToken = await facts(tokens.refreshToken);
    t.true(refreshToken["active"]);
    t.is(refreshToken["cnf"], undefined);
  }
});

test("fifty refreshes at once with one refresh token: all answers are the same, and their successor works", async (t) => {
  t.timeout(60_000);
  const { begin, refresh, isActive } = await startGrants(t);
  let { refreshToken } = await begin();
  for (let round = 0; round < 5; round++) {
    const answers = await Promise.all(Array.from({ length: 50 }, () => refresh(refreshToken)));
    t.is(new Set(answers.map(({ status, body }) => `${status} ${body}`)).size, 1);
    const tokens = tokensOf(t, answers[0] ?? (await refresh(refreshToken)));
    t.true(await isActive(tokens.accessToken));
    refreshToken = tokens.refreshToken;
  }
  tokensOf(t, await refresh(refreshToken));
});

test("8705-4-a: a public client with any self-signed certificate gets bound tokens, unauthenticated", async (t) => {
  const { code, exchange, refresh, facts } = await startGrants(t);
  for (const certificate of [
    createSelfSigned({ subject: "CN=anyone" }),
    createSelfSigned({ subject: "CN=client-1" }),
  ]) {
    const kept = await code({ clientId: 3 });
    const tokens = tokensOf(t, await exchange(kept.code, { client_id: "3" }, certificate, {}));
    t.like(await facts(tokens.accessToken), { client_id: "3", cnf: { "x5t#S256": certificate.x5tS256 } });
    tokensOf(t, await refresh(tokens.refreshToken, { client_id: "3" }, certificate, {}));
    // The same certificate says nothing of who it is that asks.
    const nobody = await exchange((await code({ clientId: 3 })).code, {}, certificate, {});
    assertErrorForm(t, nobody, "invalid_request", [400]);
    const confidential = await exchange((await code()).code, { client_id: "1" }, certificate, {});
    assertErrorForm(t, confidential, "invalid_client", [400]);
  }
});

test("a public client's refresh token over mutual TLS works only with its own certificate", async (t) => {
  const { code, exchange, token, refresh, facts } = await startGrants(t);
  const asClient = { client_id: "3" };
  let { refreshToken } = tokensOf(t, await exchange((await code({ clientId: 3 })).code, asClient, k1, {}));
  for (let times = 0; times < 3; times++) {
    assertErrorForm(t, await refresh(refreshToken, asClient, k2, {}), "invalid_grant", [400]);
    const plain = { grant_type: "refresh_token", refresh_token: refreshToken, ...asClient };
    assertErrorForm(t, await token(plain, undefined), "invalid_grant", [400]);
    const tokens = tokensOf(t, await refresh(refreshToken, asClient, k1, {}));
    t.like(await facts(tokens.accessToken), { cnf: { "x5t#S256": k1.x5tS256 } });
    refreshToken = tokens.refreshToken;
  }
});

test("8705-7.1: a confidential client's refresh token needs its authentication; a new certificate binds", async (t) => {
  const authority = createAuthority({ subject: "CN=Client CA" });
  const subject = "CN=client-1,O=Client One";
  const client = grantsClient({ clientId: 1, tokenAuthMethod: "TLS_CLIENT_AUTH", tlsClientAuthSubjectDn: subject });
  const service = { trustedRootCertificates: [authority.certificate.pem] };
  const { code, exchange, refresh, token, facts } = await startGrants(t, service, [client]);
  const [before, after] = [authority.issue({ subject }), authority.issue({ subject })];
  const asClient = { client_id: "1" };
  const begun = tokensOf(t, await exchange((await code()).code, asClient, before, {}));
  const without = { grant_type: "refresh_token", refresh_token: begun.refreshToken, ...asClient };
  assertErrorForm(t, await token(without, undefined), "invalid_client", [400, 401]);
  const stranger = authority.issue({ subject: "CN=client-2,O=Client Two" });
  assertErrorForm(t, await refresh(begun.refreshToken, asClient, stranger, {}), "invalid_client", [400, 401]);
  const renewed = tokensOf(t, await refresh(begun.refreshToken, asClient, after, {}));
  t.like(await facts(renewed.accessToken), { cnf: { "x5t#S256": after.x5tS256 } });
  t.like(await facts(begun.accessToken), { cnf: { "x5t#S256": before.x5tS256 } });
});

test("7009-2.1-d: revoking a refresh token ends its grant's access tokens; other grants stay valid", async (t) => {
  const { begin, refresh, revoke, isActive } = await startGrants(t);
  const other = await begin();
  for (const refreshed of [false, true]) {
    const begun = await begin();
    const tokens = refreshed ? tokensOf(t, await refresh(begun.refreshToken)) : begun;
    t.true(await isActive(begun.accessToken));
    t.is((await revoke({ token: begun.refreshToken }, k1, { authorization })).status, 200);
    for (const token of [begun.accessToken, tokens.accessToken, tokens.refreshToken]) t.false(await isActive(token));
    assertErrorForm(t, await refresh(tokens.refreshToken), "invalid_grant", [400]);
  }
  t.true(await isActive(other.accessToken));
  t.true(await isActive(other.refreshToken));
  tokensOf(t, await refresh(other.refreshToken));
});

test("7009-2-a (with tokens that were issued): an access token and a refresh token can be revoked", async (t) => {
  const { begin, revoke, refresh, isActive } = await startGrants(t);
  const begun = await begin();
  t.is((await revoke({ token: begun.accessToken }, k1, { authorization })).status, 200);
  t.false(await isActive(begun.accessToken));
  t.true(await isActive(begun.refreshToken));
  const next = await refresh(begun.refreshToken);
  const { refreshToken } = tokensOf(t, next);
  t.is((await revoke({ token: refreshToken }, k1, { authorization })).status, 200);
  t.false(await isActive(refreshToken));
  t.false(await isActive(accessTokenOf(t, next)));
});
