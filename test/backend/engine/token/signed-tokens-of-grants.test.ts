import test from "ava";
import { grantsClient, openGrants } from "../../../support/grants.ts";
import { createServiceKey, serviceJwks } from "../../../support/signing-keys.ts";

const service = { jwks: serviceJwks([createServiceKey("P256", "ec")]), accessTokenSignAlg: "ES256" } as const;
const scopes = ["read", "openid"];

function claimsOf(jwt: string | undefined): Record<string, unknown> {
  return JSON.parse(Buffer.from(jwt?.split(".")[1] ?? "", "base64url").toString("utf8")) as Record<string, unknown>;
}

test("with openid each answer has an ID token: the first with the nonce, a refresh without it and with the first auth_time", async (t) => {
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

test("jwtAtClaims are in the JWT form of the access token; a grant's stay with it, a refresh's are of its own answer", async (t) => {
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
