import test from "ava";
import { createAuthority, createSelfSigned } from "../support/certificates.ts";
import { accessTokenOf } from "../support/deployment.ts";
import { assertErrorForm } from "../support/error-form.ts";
import { authorization, startGrants, tokensOf } from "../support/grants-deployment.ts";
import { grantsClient, k1, k2 } from "../support/grants.ts";

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

test("8705-4-a: a public client with any self-signed certificate gets bound tokens, and is not authenticated by it", async (t) => {
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

test("a public client's refresh token over mutual TLS: refused with another certificate and with none, good with its own", async (t) => {
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

test("8705-7.1: a confidential client's refresh token goes with its authentication: no certificate, no token; another of its subject, bound to that", async (t) => {
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

test("7009-2.1-d: revoking a refresh token ends the access tokens of its grant; other grants of the user are untouched", async (t) => {
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
