import test from "ava";
import { errorOf, grantsClient, grantsServices, k1, k2, openGrants, startInstant } from "../../../support/grants.ts";

const second = 1000;
const day = 86_400_000;

test("a refresh: A053001, another access and refresh token, bound to the certificate of this request", async (t) => {
  const { begin, refresh, facts, isActive } = await openGrants(t);
  const begun = await begin({ details: { acr: "urn:acr:2", authTime: 1_700_000_000 } });
  const {
    accessToken = "",
    refreshToken = "",
    responseContent = "",
    ...rest
  } = await refresh(begun.refreshToken, {}, { as: k2 });
  t.is(new Set([accessToken, refreshToken, begun.accessToken, begun.refreshToken]).size, 4);
  t.deepEqual(JSON.parse(responseContent), {
    access_token: accessToken,
    refresh_token: refreshToken,
    scope: "read write",
    token_type: "Bearer",
    expires_in: 3600,
  });
  t.deepEqual(rest, {
    resultCode: "A053001",
    resultMessage: "[A053001] The token request (grant_type=refresh_token) was processed successfully.",
    action: "OK",
    accessTokenExpiresAt: startInstant - 250 + 3_600_000,
    accessTokenDuration: 3600,
    refreshTokenExpiresAt: startInstant - 250 + 864_000_000,
    refreshTokenDuration: 864_000,
    refreshTokenScopes: ["read", "write"],
    grantType: "REFRESH_TOKEN",
    clientId: 1,
    clientIdAliasUsed: false,
    clientAuthMethod: "CLIENT_SECRET_BASIC",
    subject: "user-1",
    scopes: ["read", "write"],
  });
  t.like(await facts(accessToken), {
    active: true,
    sub: "user-1",
    cnf: { "x5t#S256": k2.x5tS256 },
    acr: "urn:acr:2",
    auth_time: 1_700_000_000,
  });
  t.true(await isActive(begun.accessToken), "the earlier access token lives on");
  t.true(await isActive(refreshToken));
  t.false(await isActive(begun.refreshToken), "a refresh token whose place was taken is inactive");
});

test("a scope that service or client no longer have is not refreshed, and comes back with them", async (t) => {
  const { begin, refresh, configure } = await openGrants(t);
  const { refreshToken } = await begin();
  await configure(grantsServices({ supportedScopes: [{ name: "read" }] }));
  const narrowed = await refresh(refreshToken);
  t.deepEqual(narrowed.scopes, ["read"]);
  const gone = await refresh(narrowed.refreshToken, { scope: "write" });
  t.deepEqual([gone.resultCode, errorOf(gone)], ["A053309", "invalid_scope"]);
  await configure(grantsServices({}, [grantsClient({ clientId: 1, extension: { requestableScopes: ["write"] } })]));
  const other = await refresh(narrowed.refreshToken);
  t.deepEqual(other.scopes, ["write"]);
  await configure(grantsServices());
  t.deepEqual((await refresh(other.refreshToken)).scopes, ["read", "write"]);
});

test("a refresh without any remaining scope gives no token, and works when they are back", async (t) => {
  const { begin, refresh, configure } = await openGrants(t);
  const { refreshToken } = await begin();
  await configure(grantsServices({ supportedScopes: [{ name: "openid" }] }));
  const refused = await refresh(refreshToken);
  t.deepEqual([refused.resultCode, errorOf(refused), refused.accessToken], ["A053309", "invalid_scope", undefined]);
  await configure(grantsServices());
  t.deepEqual((await refresh(refreshToken)).scopes, ["read", "write"]);
});

test("grantType: of the answer the refresh's, of the token that which its grant began with", async (t) => {
  const { begin, refresh, operations } = await openGrants(t);
  const { accessToken } = await refresh((await begin()).refreshToken);
  const answer = await operations().authIntrospection({ token: accessToken, clientCertificate: k1.pem });
  t.is(answer.grantType, "AUTHORIZATION_CODE");
});

for (const [what, form, resultCode, error] of [
  ["no refresh token", { refresh_token: undefined }, "A053301", "invalid_request"],
  ["an empty one", { refresh_token: "" }, "A053301", "invalid_request"],
  ["an unknown one", { refresh_token: "x".repeat(43) }, "A053305", "invalid_grant"],
  ["more scope", { scope: "read openid" }, "A053309", "invalid_scope"],
  ["a scope nobody knows", { scope: "read other" }, "A053309", "invalid_scope"],
  ["a malformed scope", { scope: 'read "write"' }, "A053309", "invalid_scope"],
  ["another resource", { resource: "https://b.example.com" }, "A251309", "invalid_target"],
  ["a malformed resource", { resource: "relative" }, "A251309", "invalid_target"],
] as const) {
  test(`${what}: ${resultCode}, ${error}, no token, and the refresh token works afterwards`, async (t) => {
    const { begin, refresh } = await openGrants(t);
    const { refreshToken } = await begin({ resources: ["https://a.example.com"] });
    const answer = await refresh(refreshToken, form);
    t.is(answer.resultCode, resultCode);
    t.is(answer.action, "BAD_REQUEST");
    t.is(errorOf(answer), error);
    t.is(answer.accessToken, undefined);
    t.is((await refresh(refreshToken)).resultCode, "A053001");
  });
}

test("an access token is no refresh token, nor a code; and a refresh token is neither", async (t) => {
  const { begin, refresh, exchange, operations } = await openGrants(t);
  const { accessToken, refreshToken, code } = await begin();
  t.is((await refresh(accessToken)).resultCode, "A053305");
  t.is((await refresh(code)).resultCode, "A053305");
  t.is((await exchange(refreshToken)).resultCode, "A050305");
  t.is((await exchange(accessToken)).resultCode, "A050305");
  const used = await operations().authIntrospection({ token: refreshToken, clientCertificate: k1.pem });
  t.is(used.resultCode, "A057302");
  t.is((await refresh(refreshToken)).resultCode, "A053001");
});

test("refresh_token twice: A053303, and it works afterwards", async (t) => {
  const { ask, begin, refresh } = await openGrants(t);
  const { refreshToken } = await begin();
  const answer = await ask(`grant_type=refresh_token&refresh_token=${refreshToken}&refresh_token=${refreshToken}`);
  t.is(answer.resultCode, "A053303");
  t.is((await refresh(refreshToken)).resultCode, "A053001");
});

test("6749-6-a: another client's refresh token is rejected (A053307), used or not, and survives", async (t) => {
  const { begin, refresh, isActive } = await openGrants(t);
  const { refreshToken, accessToken } = await begin();
  const byOther = async (client: number) => {
    const answer = await refresh(refreshToken, {}, { client });
    t.is(answer.resultCode, "A053307");
    t.is(errorOf(answer), "invalid_grant");
    t.is(answer.accessToken, undefined);
  };
  await byOther(2);
  await byOther(3);
  const unauthenticated = await refresh(refreshToken, {}, { clientSecret: "wrong" });
  t.is(errorOf(unauthenticated), "invalid_client");
  t.is((await refresh(refreshToken)).resultCode, "A053001");
  await byOther(2);
  t.true(await isActive(accessToken));
});

for (const refreshTokenKept of [false, true]) {
  const how = refreshTokenKept ? "kept" : "rotated";
  test(`6749-6-b: with refresh tokens ${how}, scope narrows for one answer and never widens`, async (t) => {
    const { begin, refresh, facts } = await openGrants(t, { refreshTokenKept });
    const { refreshToken } = await begin();
    const wider = await refresh(refreshToken, { scope: "read write openid" });
    t.is(errorOf(wider), "invalid_scope");
    const narrow = await refresh(refreshToken, { scope: "read" });
    t.like(await facts(narrow.accessToken), { scope: "read" });
    t.deepEqual(narrow.refreshTokenScopes, ["read", "write"]);
    t.like(await facts(narrow.refreshToken), { active: true, scope: "read write" });
    const full = await refresh(narrow.refreshToken);
    t.like(await facts(full.accessToken), { scope: "read write" });
    const named = await refresh(full.refreshToken, { scope: "write read write" });
    t.like(await facts(named.accessToken), { scope: "write read" });
    t.is(errorOf(await refresh(named.refreshToken, { scope: "read openid" })), "invalid_scope");
  });
}

test("9700-4.14-b: a refresh token stays with the scope and the resources that were agreed to", async (t) => {
  const { begin, refresh, facts } = await openGrants(t);
  const granted = ["https://a.example.com", "https://b.example.com"];
  const { refreshToken } = await begin({ resources: granted });
  const other = await refresh(refreshToken, { resource: "https://c.example.com" });
  t.is(errorOf(other), "invalid_target");
  t.is(other.resultCode, "A251309");
  t.is(errorOf(await refresh(refreshToken, { scope: "openid" })), "invalid_scope");
  const answer = await refresh(refreshToken, { resource: granted[1] });
  t.like(await facts(answer.accessToken), { aud: [granted[1]] });
  t.like(await facts(answer.refreshToken), { aud: granted });
  const none = await begin();
  t.is(errorOf(await refresh(none.refreshToken, { resource: granted[0] })), "invalid_target");
});

test("9700-4.14-c: an unused refresh token expires (A053308); each use gives its successor a whole life", async (t) => {
  const { begin, refresh, setClock, isActive } = await openGrants(t, { refreshTokenDuration: 86_400 });
  const issuedAt = startInstant - 250;
  const idle = await begin();
  const used = await begin();
  setClock(issuedAt + day - second);
  const refreshed = await refresh(used.refreshToken);
  t.is(refreshed.refreshTokenExpiresAt, issuedAt + 2 * day - second);
  setClock(issuedAt + day);
  const answer = await refresh(idle.refreshToken);
  t.is(answer.resultCode, "A053308");
  t.is(errorOf(answer), "invalid_grant");
  t.false(await isActive(idle.refreshToken));
  setClock(issuedAt + 2 * day - second - 1);
  t.is((await refresh(refreshed.refreshToken)).action, "OK");
});

test("refreshTokenDurationKept: the successor expires when the first would have", async (t) => {
  const { begin, refresh, setClock } = await openGrants(t, {
    refreshTokenDuration: 86_400,
    refreshTokenDurationKept: true,
  });
  const issuedAt = startInstant - 250;
  const { refreshToken } = await begin();
  setClock(issuedAt + day / 2);
  const answer = await refresh(refreshToken);
  t.is(answer.refreshTokenExpiresAt, issuedAt + day);
  t.is(answer.refreshTokenDuration, 43_200);
  setClock(issuedAt + day);
  t.is((await refresh(answer.refreshToken)).resultCode, "A053308");
});

test("refreshTokenKept: the same again, with its end, which moves only with refreshTokenDurationReset", async (t) => {
  const issuedAt = startInstant - 250;
  for (const refreshTokenDurationReset of [false, true]) {
    const { begin, refresh, facts, setClock } = await openGrants(t, {
      refreshTokenDuration: 86_400,
      refreshTokenKept: true,
      refreshTokenDurationReset,
    });
    const { refreshToken } = await begin();
    setClock(issuedAt + day / 2);
    const expiresAt = issuedAt + day + (refreshTokenDurationReset ? day / 2 : 0);
    for (let times = 0; times < 3; times++) {
      const answer = await refresh(refreshToken);
      t.is(answer.refreshToken, refreshToken);
      t.is(answer.refreshTokenExpiresAt, expiresAt);
      t.true(answer.responseContent?.includes(`"refresh_token":"${refreshToken}"`));
    }
    t.like(await facts(refreshToken), { active: true, exp: expiresAt / 1000 });
    setClock(expiresAt);
    t.is((await refresh(refreshToken)).resultCode, "A053308");
  }
});

test("refreshTokenDuration in the request overrides the service's setting, kept or not", async (t) => {
  for (const service of [{}, { refreshTokenDurationKept: true }, { refreshTokenKept: true }]) {
    const { begin, refresh, facts } = await openGrants(t, service);
    const answer = await refresh((await begin()).refreshToken, {}, { refreshTokenDuration: 60 });
    t.is(answer.refreshTokenDuration, 60);
    t.like(await facts(answer.refreshToken), { exp: Math.floor(startInstant / 1000) + 60 });
  }
});

test("8705-4-b: a public client's refresh token works only with its certificate, and survives other tries", async (t) => {
  for (const refreshTokenKept of [false, true]) {
    const { begin, refresh, facts, isActive } = await openGrants(t, { refreshTokenKept });
    const client = 3;
    const begun = await begin({}, { client, as: k1 });
    let { refreshToken } = begun;
    for (let times = 0; times < 2; times++) {
      const stolen = await refresh(refreshToken, {}, { client, as: k2 });
      t.is(stolen.resultCode, "A053313");
      t.is(errorOf(stolen), "invalid_grant");
      const without = await refresh(refreshToken, {}, { client, as: undefined });
      t.is(without.resultCode, "A053312");
      t.is(errorOf(without), "invalid_grant");
      t.is((await refresh(refreshToken, {}, { client, clientCertificate: "x" })).resultCode, "A053313");
      const answer = await refresh(refreshToken, {}, { client, as: k1 });
      t.like(await facts(answer.accessToken), { cnf: { "x5t#S256": k1.x5tS256 } });
      t.is(answer.refreshToken === refreshToken, refreshTokenKept);
      // With the wrong certificate a token that was used ends nothing either.
      t.is(errorOf(await refresh(refreshToken, {}, { client, as: k2 })), "invalid_grant");
      t.true(await isActive(answer.accessToken));
      refreshToken = answer.refreshToken ?? "";
    }
    t.true(await isActive(begun.accessToken));
  }
});

test("9700-2.2.2: a public client's unbound refresh token is rotated even if kept; reuse ends the family", async (t) => {
  const unbound = grantsClient({
    clientId: 3,
    tokenAuthMethod: "NONE",
    tlsClientCertificateBoundAccessTokens: false,
  });
  const { begin, refresh, isActive, setClock } = await openGrants(t, { refreshTokenKept: true }, [unbound]);
  const asking = { client: 3, as: undefined };
  const begun = await begin({}, asking);
  const rotated = await refresh(begun.refreshToken, {}, asking);
  t.is(rotated.action, "OK");
  t.not(rotated.refreshToken, begun.refreshToken);
  setClock(startInstant + 30_000);
  t.is(errorOf(await refresh(begun.refreshToken, {}, asking)), "invalid_grant");
  for (const token of [begun.accessToken, rotated.accessToken, rotated.refreshToken]) t.false(await isActive(token));
});

test("a public client's refresh token of before its tokens were bound becomes bound with the next", async (t) => {
  const unbound = { clientId: 3, tokenAuthMethod: "NONE", tlsClientCertificateBoundAccessTokens: false } as const;
  const grants = await openGrants(t, { refreshTokenKept: true }, [grantsClient(unbound)]);
  const { refreshToken } = await grants.begin({}, { client: 3, as: undefined });
  await grants.configure(grantsServices({ refreshTokenKept: true }));
  const missing = await grants.refresh(refreshToken, {}, { client: 3, as: undefined });
  t.is(missing.resultCode, "A244308");
  const bound = await grants.refresh(refreshToken, {}, { client: 3, as: k1 });
  t.not(bound.refreshToken, refreshToken);
  t.is((await grants.refresh(bound.refreshToken, {}, { client: 3, as: k2 })).resultCode, "A053313");
  // Unbound again by its settings, the refresh token still is what it was issued as, and so is the next.
  await grants.configure(grantsServices({}, [grantsClient(unbound)]));
  t.is((await grants.refresh(bound.refreshToken, {}, { client: 3, as: k2 })).resultCode, "A053313");
  const next = await grants.refresh(bound.refreshToken, {}, { client: 3, as: k1 });
  t.is((await grants.refresh(next.refreshToken, {}, { client: 3, as: undefined })).resultCode, "A053312");
  t.is((await grants.refresh(next.refreshToken, {}, { client: 3, as: k1 })).action, "OK");
});

test("no certificate or an unreadable one: A244308, A244309, and the refresh token works afterwards", async (t) => {
  const { begin, refresh } = await openGrants(t);
  const { refreshToken } = await begin();
  t.is((await refresh(refreshToken, {}, { as: undefined })).resultCode, "A244308");
  t.is((await refresh(refreshToken, {}, { clientCertificate: "x" })).resultCode, "A244309");
  t.is((await refresh(refreshToken)).action, "OK");
});

test("the grant must be the service's (A049305) and the client's (A047302)", async (t) => {
  const codeOnly = ["AUTHORIZATION_CODE"] as const;
  const grants = await openGrants(t);
  const { refreshToken } = await grants.begin();
  await grants.configure(grantsServices({ supportedGrantTypes: codeOnly }));
  t.is((await grants.refresh(refreshToken)).resultCode, "A049305");
  await grants.configure(grantsServices({}, [grantsClient({ clientId: 1, grantTypes: codeOnly })]));
  const denied = await grants.refresh(refreshToken);
  t.is(denied.resultCode, "A047302");
  t.is(errorOf(denied), "unauthorized_client");
  await grants.configure(grantsServices());
  t.is((await grants.refresh(refreshToken)).action, "OK");
});
