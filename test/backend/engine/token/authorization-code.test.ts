import test from "ava";
import { codeVerifier, redirectUri } from "../../../support/authorization.ts";
import { createSelfSigned } from "../../../support/certificates.ts";
import { errorOf, grantsClient, grantsServices, k1, k2, openGrants, startInstant } from "../../../support/grants.ts";
import { clientSettings } from "../../../support/settings.ts";

test("a code: A050001, tokens bound to the certificate of this request, and every member that applies", async (t) => {
  const { code, exchange, facts } = await openGrants(t);
  const kept = await code({ details: { acr: "urn:acr:2", authTime: 1_700_000_000 } });
  const answer = await exchange(kept.code, {}, { as: k2 });
  const { accessToken = "", refreshToken = "", responseContent = "", ...rest } = answer;
  t.regex(accessToken, /^[A-Za-z0-9_-]{43}$/);
  t.regex(refreshToken, /^[A-Za-z0-9_-]{43}$/);
  t.deepEqual(JSON.parse(responseContent), {
    access_token: accessToken,
    refresh_token: refreshToken,
    scope: "read write",
    token_type: "Bearer",
    expires_in: 3600,
  });
  t.deepEqual(rest, {
    resultCode: "A050001",
    resultMessage: "[A050001] The token request (grant_type=authorization_code) was processed successfully.",
    action: "OK",
    accessTokenExpiresAt: startInstant - 250 + 3_600_000,
    accessTokenDuration: 3600,
    refreshTokenExpiresAt: startInstant - 250 + 864_000_000,
    refreshTokenDuration: 864_000,
    refreshTokenScopes: ["read", "write"],
    grantType: "AUTHORIZATION_CODE",
    clientId: 1,
    clientIdAliasUsed: false,
    clientAuthMethod: "CLIENT_SECRET_BASIC",
    subject: "user-1",
    scopes: ["read", "write"],
  });
  t.like(await facts(accessToken), {
    active: true,
    sub: "user-1",
    scope: "read write",
    cnf: { "x5t#S256": k2.x5tS256 },
    acr: "urn:acr:2",
    auth_time: 1_700_000_000,
  });
});

const otherVerifier = "a".repeat(43);
/** Everything an exchange can be refused for by what its form says, with the code left as it was. */
const refusals = [
  ["no code", { code: undefined }, "A050301", "invalid_request"],
  ["an empty code", { code: "" }, "A050301", "invalid_request"],
  ["an unknown code", { code: "x".repeat(43) }, "A050305", "invalid_grant"],
  ["no redirect URI", { redirect_uri: undefined }, "A050308", "invalid_grant"],
  ["another redirect URI", { redirect_uri: `${redirectUri}/` }, "A050309", "invalid_grant"],
  ["no verifier", { code_verifier: undefined }, "A050312", "invalid_grant"],
  ["an empty verifier", { code_verifier: "" }, "A050312", "invalid_grant"],
  ["another verifier", { code_verifier: otherVerifier }, "A050315", "invalid_grant"],
  [
    "the challenge as verifier",
    { code_verifier: "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM" },
    "A050315",
    "invalid_grant",
  ],
  ["a malformed verifier", { code_verifier: "short" }, "A050316", "invalid_grant"],
  ["a resource that was not granted", { resource: "https://other.example.com" }, "A251309", "invalid_target"],
] as const;

for (const [what, form, resultCode, error] of refusals) {
  test(`${what}: ${resultCode}, ${error}, no token, and the code works afterwards`, async (t) => {
    const { code, exchange, isActive } = await openGrants(t);
    const kept = await code();
    const answer = await exchange(kept.code, form);
    t.is(answer.resultCode, resultCode);
    t.is(answer.action, "BAD_REQUEST");
    t.is(errorOf(answer), error);
    t.is(answer.accessToken, undefined);
    const after = await exchange(kept.code);
    t.is(after.resultCode, "A050001");
    t.true(await isActive(after.accessToken));
  });

  test(`${what}, with a code that was used: the same answer, and its tokens stay`, async (t) => {
    const { begin, exchange, isActive } = await openGrants(t);
    const begun = await begin();
    const answer = await exchange(begun.code, form);
    // Which of two reasons comes first shows in nothing but this: a replay is looked at before the resource.
    const expected = resultCode === "A251309" ? "A050305" : resultCode;
    t.is(answer.resultCode, expected);
    t.is(await isActive(begun.accessToken), resultCode !== "A251309");
  });
}

for (const [parameter, resultCode] of [
  ["code", "A050303"],
  ["redirect_uri", "A050304"],
  ["code_verifier", "A050314"],
] as const) {
  test(`${parameter} twice: ${resultCode}, and the code works afterwards`, async (t) => {
    const { ask, code, exchange } = await openGrants(t);
    const kept = await code();
    for (const value of ["other", ""]) {
      const answer = await ask(`grant_type=authorization_code&code=${kept.code}&${parameter}=${value}&${parameter}=`);
      t.is(answer.resultCode, parameter === "code" ? "A050303" : resultCode);
      t.is(errorOf(answer), "invalid_request");
    }
    t.is((await exchange(kept.code)).action, "OK");
  });
}

test("a redirect URI or a verifier that the authorization request had not: A050310, A050317", async (t) => {
  const { code, exchange } = await openGrants(t);
  const without = await code({ redirectUri: undefined, codeChallenge: undefined });
  t.like(await exchange(without.code, { code_verifier: undefined }), { resultCode: "A050310" });
  t.like(await exchange(without.code, { redirect_uri: undefined }), { resultCode: "A050317" });
  const answer = await exchange(without.code, { redirect_uri: undefined, code_verifier: undefined });
  t.is(answer.resultCode, "A050001");
});

test("another client's code: A050307, and it works for its own afterwards", async (t) => {
  const { code, exchange } = await openGrants(t);
  const kept = await code();
  for (const client of [2, 3]) {
    const answer = await exchange(kept.code, {}, { client });
    t.is(answer.resultCode, "A050307");
    t.is(errorOf(answer), "invalid_grant");
  }
  t.is((await exchange(kept.code)).action, "OK");
});

test("6749-4.1.2-a: a code works until the instant it expires at, and not from then on", async (t) => {
  const { code, exchange, setClock } = await openGrants(t);
  for (const [after, resultCode] of [
    [59_999, "A050001"],
    [60_000, "A050311"],
    [61_000, "A050311"],
  ] as const) {
    setClock(startInstant);
    const kept = await code();
    setClock(startInstant + after);
    const answer = await exchange(kept.code);
    t.is(answer.resultCode, resultCode);
    if (resultCode === "A050311") t.is(errorOf(answer), "invalid_grant");
  }
});

test("an expired code that was used: its tokens stay", async (t) => {
  const { begin, exchange, isActive, setClock } = await openGrants(t);
  const begun = await begin();
  setClock(startInstant + 60_000);
  t.is((await exchange(begun.code)).resultCode, "A050311");
  t.true(await isActive(begun.accessToken));
});

test("a replay: A050305, and the tokens of the first exchange have ended; so does each further one", async (t) => {
  const { begin, exchange, refresh, isActive } = await openGrants(t);
  const begun = await begin();
  const other = await begin();
  const refreshed = await refresh(begun.refreshToken);
  t.true(await isActive(begun.accessToken));
  for (let times = 0; times < 3; times++) {
    const answer = await exchange(begun.code);
    t.is(answer.resultCode, "A050305");
    t.is(errorOf(answer), "invalid_grant");
    t.is(answer.accessToken, undefined);
  }
  const tokens = [begun.accessToken, refreshed.accessToken, refreshed.refreshToken, begun.refreshToken];
  for (const token of tokens) t.false(await isActive(token));
  t.true(await isActive(other.accessToken));
});

test("only the API caller can tell a replay from an unknown code", async (t) => {
  const { begin, exchange } = await openGrants(t);
  const begun = await begin();
  const replayed = await exchange(begun.code);
  const unknown = await exchange("x".repeat(43));
  t.is(replayed.responseContent, unknown.responseContent);
  t.not(replayed.resultMessage, unknown.resultMessage);
});

test("a replay by another client, or one that fails to authenticate, ends nothing", async (t) => {
  const { begin, exchange, isActive } = await openGrants(t);
  const begun = await begin();
  t.is((await exchange(begun.code, {}, { client: 2 })).resultCode, "A050307");
  t.is((await exchange(begun.code, {}, { clientSecret: "wrong" })).resultCode, "A157305");
  t.true(await isActive(begun.accessToken));
});

test("no certificate or an unreadable one: A244308, A244309, no token, and the code works afterwards", async (t) => {
  const { code, exchange } = await openGrants(t);
  const kept = await code();
  const without = await exchange(kept.code, {}, { as: undefined });
  t.is(without.resultCode, "A244308");
  t.is(errorOf(without), "invalid_request");
  t.is((await exchange(kept.code, {}, { clientCertificate: "-----BEGIN" })).resultCode, "A244309");
  t.is((await exchange(kept.code)).action, "OK");
});

test("resource: part of the granted resources is the token's audience; the refresh token keeps all", async (t) => {
  const { begin, code, exchange, refresh } = await openGrants(t);
  const resources = ["https://a.example.com", "https://b.example.com"];
  const kept = await code({ resources });
  const answer = await exchange(kept.code, { resource: "https://b.example.com" });
  t.deepEqual(answer.accessTokenResources, ["https://b.example.com"]);
  t.deepEqual(answer.resources, ["https://b.example.com"]);
  t.deepEqual((await refresh(answer.refreshToken)).accessTokenResources, resources);
  const { refreshToken } = await begin({ resources });
  const narrowed = await refresh(refreshToken, { resource: "https://a.example.com" });
  t.deepEqual(narrowed.accessTokenResources, ["https://a.example.com"]);
  t.deepEqual((await refresh(narrowed.refreshToken)).accessTokenResources, resources);
});

test("a refresh token comes only when both the service and the client have the grant, whatever the scope", async (t) => {
  const codeOnly = ["AUTHORIZATION_CODE"] as const;
  const client = grantsClient({ clientId: 1, grantTypes: codeOnly });
  for (const [service, clients, given] of [
    [{}, [], true],
    [{}, [client], false],
    [{ supportedGrantTypes: codeOnly }, [], false],
  ] as const) {
    const { code, exchange } = await openGrants(t, service, clients);
    const { refreshToken, responseContent } = await exchange((await code()).code);
    t.is(refreshToken !== undefined, given);
    t.is(responseContent?.includes("refresh_token"), given);
  }
});

test("the grant must be the service's (A049305) and the client's (A047302)", async (t) => {
  const refreshOnly = ["REFRESH_TOKEN"] as const;
  const ofService = await openGrants(t, { supportedGrantTypes: refreshOnly });
  const refused = await ofService.exchange((await ofService.code()).code);
  t.is(refused.resultCode, "A049305");
  t.is(errorOf(refused), "unsupported_grant_type");
  const ofClient = await openGrants(t, {}, [grantsClient({ clientId: 1, grantTypes: refreshOnly })]);
  const kept = await ofClient.code();
  const denied = await ofClient.exchange(kept.code);
  t.is(denied.resultCode, "A047302");
  t.is(errorOf(denied), "unauthorized_client");
});

test("lifetimes: the request's, else the client's, else the service's, of both tokens", async (t) => {
  const limited = grantsClient({ clientId: 2, extension: { accessTokenDuration: 60, refreshTokenDuration: 600 } });
  const { code, exchange } = await openGrants(t, { accessTokenDuration: 300, refreshTokenDuration: 3000 }, [limited]);
  const durations = async (client: number, wished: object = {}) => {
    const kept = await code({ clientId: client });
    const answer = await exchange(kept.code, {}, { client, ...wished });
    t.is(answer.refreshTokenExpiresAt, startInstant - 250 + (answer.refreshTokenDuration ?? 0) * 1000);
    return [answer.accessTokenDuration, answer.refreshTokenDuration];
  };
  t.deepEqual(await durations(1), [300, 3000]);
  t.deepEqual(await durations(2), [60, 600]);
  t.deepEqual(await durations(2, { accessTokenDuration: 5, refreshTokenDuration: 50 }), [5, 50]);
  t.deepEqual(await durations(2, { accessTokenDuration: 0, refreshTokenDuration: null }), [60, 600]);
});

test("properties: the grant's and the request's, which wins; kept for the tokens to come", async (t) => {
  const { code, exchange, refresh, facts } = await openGrants(t);
  const property = (key: string, value: string, hidden = false) => ({ key, value, hidden });
  const kept = await code({ details: { properties: [property("a", "1"), property("b", "1")] } });
  const properties = [property("b", "2"), property("c", "2", true)];
  const first = await exchange(kept.code, {}, { properties });
  t.deepEqual(first.properties, [property("a", "1"), property("b", "2"), property("c", "2", true)]);
  t.like(JSON.parse(first.responseContent ?? ""), { a: "1", b: "2", c: undefined });
  const second = await refresh(first.refreshToken, {}, { properties: [property("a", "3")] });
  t.deepEqual(second.properties, [property("b", "2"), property("c", "2", true), property("a", "3")]);
  t.like(await facts(second.accessToken), { a: "3", b: "2" });
  const third = await refresh(second.refreshToken);
  t.deepEqual(third.properties, first.properties);
});

test("jwtAtClaims must be a JSON object without the backend's claims: A054201, and the code still works", async (t) => {
  const { code, exchange } = await openGrants(t);
  const kept = await code();
  const deep = `{"a":${"[".repeat(6000)}${"]".repeat(6000)}}`;
  const reserved = ['{"cnf":{"x5t#S256":"x"}}', '{"a":1,"exp":9999999999}', '{"active":true}', '{"amr":["pwd"]}'];
  for (const jwtAtClaims of ["x", "[]", "null", "1", '"a"', "{", deep, ...reserved]) {
    const answer = await exchange(kept.code, {}, { jwtAtClaims });
    t.is(answer.resultCode, "A054201");
    t.is(answer.action, "INTERNAL_SERVER_ERROR");
  }
  t.is((await exchange(kept.code, {}, { jwtAtClaims: '{"a":1}' })).action, "OK");
});

test("a scope that was taken from the service or the client after the code was issued is not given", async (t) => {
  const { code, exchange, configure } = await openGrants(t);
  const ofService = await code();
  await configure(grantsServices({ supportedScopes: [{ name: "read" }] }));
  const answer = await exchange(ofService.code);
  t.deepEqual([answer.scopes, answer.refreshTokenScopes], [["read"], ["read"]]);
  const ofClient = await code();
  await configure(grantsServices({}, [grantsClient({ clientId: 1, extension: { requestableScopes: ["write"] } })]));
  t.deepEqual((await exchange(ofClient.code)).scopes, ["write"]);
});

test("a code without any remaining scope: A050318, no token, and it works when they are back", async (t) => {
  const { code, exchange, configure } = await openGrants(t);
  const kept = await code();
  await configure(grantsServices({ supportedScopes: [{ name: "openid" }] }));
  const answer = await exchange(kept.code);
  t.deepEqual([answer.resultCode, errorOf(answer), answer.accessToken], ["A050318", "invalid_scope", undefined]);
  await configure(grantsServices());
  t.deepEqual((await exchange(kept.code)).scopes, ["read", "write"]);
});

test("a client locked between the code and its exchange gets nothing", async (t) => {
  const grants = await openGrants(t);
  const kept = await grants.code();
  await grants.configure(grantsServices({}, [grantsClient({ clientId: 1, locked: true })]));
  const answer = await grants.exchange(kept.code);
  t.is(answer.resultCode, "A048307");
});

test("this endpoint demands no challenge of a public client: the code says what was requested", async (t) => {
  const publicClient = clientSettings({ clientId: 3, tokenAuthMethod: "NONE", grantTypes: ["AUTHORIZATION_CODE"] });
  const { code, exchange, facts } = await openGrants(t, {}, [publicClient]);
  const kept = await code({ clientId: 3 });
  const anyone = createSelfSigned({ subject: "CN=anyone" });
  const answer = await exchange(kept.code, { code_verifier: codeVerifier }, { client: 3, as: anyone });
  t.like(await facts(answer.accessToken), { cnf: { "x5t#S256": anyone.x5tS256 } });
  t.not(anyone.x5tS256, k1.x5tS256);
});
