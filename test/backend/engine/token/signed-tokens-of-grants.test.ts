import test from "ava";
import { grantsClient, k1, openGrants, startInstant } from "../../../support/grants.ts";
import { createServiceKey, serviceJwks } from "../../../support/signing-keys.ts";

const service = { jwks: serviceJwks([createServiceKey("P256", "ec")]), accessTokenSignAlg: "ES256" } as const;
const scopes = ["read", "openid"];

function claimsOf(jwt: string | undefined): Record<string, unknown> {
  return JSON.parse(Buffer.from(jwt?.split(".")[1] ?? "", "base64url").toString("utf8")) as Record<string, unknown>;
}

test("openid: each answer has an ID token, the first with the nonce, a refresh with the first auth_time", async (t) => {
  const ec = { clientId: 1, idTokenSignAlg: "ES256" } as const;
  const { code, exchange, refresh } = await openGrants(t, service, [grantsClient(ec)]);
  const details = { acr: "urn:acr:2", authTime: 1_700_000_000, idToken: { nonce: "n-0S6_WzA2Mj" } };
  const first = await exchange((await code({ scopes, details })).code);
  t.like(claimsOf(first.idToken), { sub: "user-1", auth_time: 1_700_000_000, nonce: "n-0S6_WzA2Mj" });
  const second = await refresh(first.refreshToken);
  t.like(claimsOf(second.idToken), { sub: "user-1", auth_time: 1_700_000_000, acr: "urn:acr:2" });
  t.false("nonce" in claimsOf(second.idToken));
  t.like(JSON.parse(second.responseContent ?? ""), { id_token: second.idToken });
  const narrow = await refresh(second.refreshToken, { scope: "read" });
  t.is(narrow.idToken, undefined);
  t.not((await refresh(narrow.refreshToken)).idToken, undefined);
});

test("jwtAtClaims are in the JWT access token; a grant's stay with it, a refresh's are for its own answer", async (t) => {
  const { code, exchange, refresh, isActive } = await openGrants(t, service);
  const first = await exchange((await code()).code, {}, { jwtAtClaims: '{"team":"a"}' });
  t.like(claimsOf(first.jwtAccessToken), { team: "a" });
  const second = await refresh(first.refreshToken, {}, { jwtAtClaims: '{"seat":1}' });
  t.like(claimsOf(second.jwtAccessToken), { team: "a", seat: 1 });
  const third = await refresh(second.refreshToken);
  t.like(claimsOf(third.jwtAccessToken), { team: "a", seat: undefined });
  for (const { jwtAccessToken, accessToken } of [first, second, third]) {
    t.true(await isActive(jwtAccessToken));
    t.true(await isActive(accessToken));
  }
});

test("a replay of the code ends the JWT forms too", async (t) => {
  const { code, exchange, isActive } = await openGrants(t, service);
  const kept = await code();
  const { jwtAccessToken } = await exchange(kept.code);
  t.true(await isActive(jwtAccessToken));
  t.is((await exchange(kept.code)).resultCode, "A050305");
  t.false(await isActive(jwtAccessToken));
});

test("the same answer again is the same JWT and the same ID token", async (t) => {
  const { code, exchange, refresh } = await openGrants(t, service);
  const { refreshToken } = await exchange((await code({ scopes })).code);
  const first = await refresh(refreshToken);
  const again = await refresh(refreshToken);
  t.is(again.jwtAccessToken, first.jwtAccessToken);
  t.is(again.responseContent, first.responseContent);
});

const issuedAt = startInstant - 250;
const hour = 3_600_000;

test("auth/introspection has the grant's acr, authTime, consentedClaims, grantType, and refreshable", async (t) => {
  const { begin, operations } = await openGrants(t);
  const details = { acr: "urn:acr:2", authTime: 1_700_000_000, consentedClaims: ["email"] };
  const { accessToken } = await begin({ details });
  const ask = (token: string) => operations().authIntrospection({ token, clientCertificate: k1.pem });
  t.like(await ask(accessToken), {
    resultCode: "A056001",
    subject: "user-1",
    grantType: "AUTHORIZATION_CODE",
    refreshable: true,
    ...details,
  });
  const plain = await ask((await begin()).accessToken);
  for (const member of ["acr", "authTime", "consentedClaims"]) t.false(Object.hasOwn(plain, member));
});

test("an access token that has expired: A065301 while its grant can be refreshed, A065302 afterwards", async (t) => {
  const { begin, operations, setClock } = await openGrants(t, { refreshTokenDuration: 7200 });
  const { accessToken } = await begin();
  const ask = () => operations().authIntrospection({ token: accessToken, clientCertificate: k1.pem });
  setClock(issuedAt + hour - 1);
  t.like(await ask(), { resultCode: "A056001", existent: true, usable: true, refreshable: true });
  setClock(issuedAt + hour);
  t.like(await ask(), { resultCode: "A065301", existent: true, usable: false, refreshable: true });
  setClock(issuedAt + 2 * hour - 1);
  t.like(await ask(), { resultCode: "A065301", refreshable: true });
  setClock(issuedAt + 2 * hour);
  t.like(await ask(), { resultCode: "A065302", existent: true, usable: false, refreshable: false });
});

test("an expired access token whose refresh token has a successor is still refreshable", async (t) => {
  const { begin, refresh, operations, setClock } = await openGrants(t, { refreshTokenDuration: 3660 });
  const { accessToken, refreshToken } = await begin();
  setClock(issuedAt + hour);
  await refresh(refreshToken);
  setClock(issuedAt + hour + 60_000);
  const answer = await operations().authIntrospection({ token: accessToken, clientCertificate: k1.pem });
  t.like(answer, { resultCode: "A065301", refreshable: true });
});

test("an expired token without a refresh token: A065303", async (t) => {
  const { ask, operations, setClock } = await openGrants(t);
  const { accessToken } = await ask({ grant_type: "client_credentials" });
  setClock(issuedAt + hour);
  const answer = await operations().authIntrospection({ token: accessToken, clientCertificate: k1.pem });
  t.like(answer, { resultCode: "A065303", refreshable: false });
});

test("a request without a token: nothing is existent, usable, sufficient or refreshable", async (t) => {
  const { operations } = await openGrants(t);
  t.like(await operations().authIntrospection({ token: "" }), {
    resultCode: "A057301",
    existent: false,
    usable: false,
    sufficient: false,
    refreshable: false,
  });
});
