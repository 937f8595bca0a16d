import test from "ava";
import type { TokenCreateRequest } from "../../../../src/contract/auth-token-create.ts";
import { startInstant } from "../../../support/engine.ts";
import { chosenToken, otherServiceId, startManagedTokens, thumbprint } from "./managed-tokens.ts";
import { serviceSettings, clientSettings, serviceId } from "../../../support/settings.ts";

const wanted: TokenCreateRequest = { grantType: "AUTHORIZATION_CODE", clientId: 4, subject: "user-1" };

test("a created token: A109001, OK, and introspection returns the requested facts", async (t) => {
  const { operations, facts } = await startManagedTokens(t);
  const answer = await operations().authTokenCreate({
    ...wanted,
    clientId: 1,
    scopes: ["read", "read"],
    certificateThumbprint: thumbprint,
    properties: [{ key: "tier", value: "gold" }],
    resources: ["https://api.example.com"],
    accessTokenDuration: 60,
    refreshTokenDuration: 600,
    acr: "silver",
    authTime: 1_700_000_000,
  });
  const { accessToken, refreshToken, ...rest } = answer;
  t.regex(accessToken ?? "", /^[A-Za-z0-9_-]{43}$/);
  t.regex(refreshToken ?? "", /^[A-Za-z0-9_-]{43}$/);
  const second = Math.floor(startInstant / 1000);
  t.deepEqual(rest, {
    resultCode: "A109001",
    resultMessage: "[A109001] The access token was created.",
    action: "OK",
    tokenType: "Bearer",
    expiresIn: 60,
    expiresAt: (second + 60) * 1000,
    refreshTokenExpiresAt: (second + 600) * 1000,
    refreshTokenScopes: ["read"],
    grantType: "AUTHORIZATION_CODE",
    clientId: 1,
    clientIdentifier: "1",
    subject: "user-1",
    scopes: ["read"],
    properties: [{ key: "tier", value: "gold" }],
  });
  t.like(await facts(accessToken), {
    active: true,
    scope: "read",
    sub: "user-1",
    client_id: "1",
    aud: ["https://api.example.com"],
    cnf: { "x5t#S256": thumbprint },
    exp: second + 60,
    tier: "gold",
  });
  t.true((await facts(refreshToken))["active"]);
});

test("a token of client credentials stands alone: no user, no refresh token, no grant", async (t) => {
  const { operations, commands } = await startManagedTokens(t);
  const answer = await operations().authTokenCreate({ grantType: "CLIENT_CREDENTIALS", clientId: 4 });
  t.is(answer.resultCode, "A109001");
  t.is(answer.refreshToken, undefined);
  t.is(answer.subject, undefined);
  t.is(answer.scopes, undefined);
  const [command] = commands;
  t.is(command?.name === "issue-tokens" && command.grant, undefined);
});

test("a client without the grant type REFRESH_TOKEN gets no refresh token", async (t) => {
  const { operations } = await startManagedTokens(t);
  const answer = await operations().authTokenCreate({ ...wanted, clientId: 5 });
  t.is(answer.resultCode, "A109001");
  t.is(answer.refreshToken, undefined);
});

test("a public client's refresh token is bound to the certificate, a confidential client's is not", async (t) => {
  const { operations, commands } = await startManagedTokens(t);
  for (const clientId of [1, 2]) {
    await operations().authTokenCreate({ ...wanted, clientId, certificateThumbprint: thumbprint });
  }
  t.deepEqual(
    commands.map((command) => command.name === "issue-tokens" && command.refreshToken?.x5tS256),
    [undefined, thumbprint],
  );
});

test("a client may be named by number, by its alias, or by both", async (t) => {
  const { operations, facts } = await startManagedTokens(t);
  for (const [names, clientIdentifier] of [
    [{ clientId: 4 }, "4"],
    [{ clientId: 0, clientIdentifier: "4" }, "4"],
    [{ clientId: null, clientIdentifier: "four" }, "four"],
    [{ clientId: 4, clientIdentifier: "four" }, "four"],
    [{ clientId: 4, clientIdAliasUsed: true }, "four"],
  ] as const) {
    const answer = await operations().authTokenCreate({ grantType: "CLIENT_CREDENTIALS", ...names });
    t.is(answer.clientIdentifier, clientIdentifier, answer.resultMessage);
    t.is((await facts(answer.accessToken))["client_id"], clientIdentifier);
  }
});

test("values that the caller chose are those that are issued, and no other has them again", async (t) => {
  const { operations, facts } = await startManagedTokens(t);
  const [accessToken, refreshToken] = [chosenToken(), chosenToken()];
  const answer = await operations().authTokenCreate({ ...wanted, accessToken, refreshToken });
  t.like(answer, { resultCode: "A109001", accessToken, refreshToken });
  t.like(await facts(accessToken), { active: true });
  for (const [chosen, code] of [
    [{ accessToken }, "A144201"],
    [{ accessToken: refreshToken }, "A144201"],
    [{ refreshToken }, "A144202"],
    [{ refreshToken: accessToken }, "A144202"],
  ] as const) {
    t.like(await operations().authTokenCreate({ ...wanted, ...chosen }), { resultCode: code, action: "BAD_REQUEST" });
  }
});

test("a chosen value that is another service's, or that has ended, is not to be had either", async (t) => {
  const { operations, facts } = await startManagedTokens(t);
  const accessToken = chosenToken();
  await operations(otherServiceId).authTokenCreate({ ...wanted, accessToken });
  t.is((await operations().authTokenCreate({ ...wanted, accessToken })).resultCode, "A144201");
  t.false((await facts(accessToken))["active"]);
  const refreshToken = chosenToken();
  await operations().authTokenCreate({ ...wanted, refreshToken });
  await operations().authTokenRevoke({ refreshTokenIdentifier: refreshToken });
  t.is((await operations().authTokenCreate({ ...wanted, refreshToken })).resultCode, "A144202");
});

for (const [what, request, code] of [
  ["no grant type", { ...wanted, grantType: "" }, "A104201"],
  ["the grant type null", { ...wanted, grantType: null }, "A104201"],
  ["REFRESH_TOKEN", { ...wanted, grantType: "REFRESH_TOKEN" }, "A104202"],
  ["IMPLICIT", { ...wanted, grantType: "IMPLICIT" }, "A104203"],
  ["a grant type in small letters", { ...wanted, grantType: "authorization_code" }, "A104203"],
  ["client credentials of a public client", { grantType: "CLIENT_CREDENTIALS", clientId: 2 }, "A104203"],
  ["no subject", { ...wanted, subject: null }, "A105201"],
  ["an empty subject", { ...wanted, subject: "" }, "A105201"],
  ["a subject of 101 characters", { ...wanted, subject: "u".repeat(101) }, "A105202"],
  ["a subject that is not ASCII", { ...wanted, subject: "jürgen" }, "A105203"],
  ["a subject that is a client's number", { ...wanted, subject: "1" }, "A105203"],
  ["a subject that is a client's alias", { ...wanted, subject: "four" }, "A105203"],
  ["client credentials with a subject", { ...wanted, grantType: "CLIENT_CREDENTIALS" }, "A105204"],
  ["client credentials with acr", { grantType: "CLIENT_CREDENTIALS", clientId: 4, acr: "1" }, "A105204"],
  ["client credentials with authTime", { grantType: "CLIENT_CREDENTIALS", clientId: 4, authTime: 1 }, "A105204"],
  ["a scope that the service does not have", { ...wanted, scopes: ["read", "admin"] }, "A106201"],
  ["two scopes in one text", { ...wanted, scopes: ["read write"] }, "A106201"],
  ["no client", { ...wanted, clientId: 0 }, "A107201"],
  ["an unknown client", { ...wanted, clientId: 9 }, "A107201"],
  ["an unknown identifier", { ...wanted, clientId: 0, clientIdentifier: "nine" }, "A107201"],
  ["an alias that is not enabled", { ...wanted, clientId: 0, clientIdentifier: "five" }, "A107201"],
  ["a number with a zero before it", { ...wanted, clientId: 0, clientIdentifier: "04" }, "A107201"],
  ["two clients", { ...wanted, clientId: 1, clientIdentifier: "four" }, "A107201"],
  ["an unknown number beside an alias", { ...wanted, clientId: 9, clientIdentifier: "four" }, "A107201"],
  ["a locked client", { ...wanted, clientId: 3 }, "A107203"],
  [
    "a refresh token for client credentials",
    { grantType: "CLIENT_CREDENTIALS", clientId: 4, refreshToken: "r".repeat(43) },
    "A108203",
  ],
  [
    "a refresh token for a client that cannot use it",
    { ...wanted, clientId: 5, refreshToken: "r".repeat(43) },
    "A108203",
  ],
  ["claims that are not JSON", { ...wanted, jwtAtClaims: "{" }, "A108206"],
  ["claims that are an array", { ...wanted, jwtAtClaims: "[]" }, "A108206"],
  ["claims of 6000 levels", { ...wanted, jwtAtClaims: `{"a":${"[".repeat(6000)}${"]".repeat(6000)}}` }, "A108206"],
  ["claims that are null", { ...wanted, jwtAtClaims: "null" }, "A108206"],
  [
    "claims that are nested too deep",
    { ...wanted, jwtAtClaims: `{"a":${"[".repeat(30_000)}${"]".repeat(30_000)}}` },
    "A108206",
  ],
  ["claims that are decided here", { ...wanted, jwtAtClaims: '{"cnf":{"x5t#S256":"x"}}' }, "A108206"],
  ["a thumbprint of SHA-1", { ...wanted, certificateThumbprint: "2jmj7l5rSw0yVb_vlWAYkK_YBwk" }, "A108207"],
  ["a thumbprint with a padding", { ...wanted, certificateThumbprint: `${thumbprint}=` }, "A108207"],
  ["a thumbprint with an unused bit", { ...wanted, certificateThumbprint: thumbprint.replace(/0$/, "1") }, "A108207"],
  ["a thumbprint in hexadecimal", { ...wanted, certificateThumbprint: "ab".repeat(32) }, "A108207"],
  ["no thumbprint where tokens are bound", { ...wanted, clientId: 1 }, "A108208"],
  ["an empty thumbprint where tokens are bound", { ...wanted, clientId: 1, certificateThumbprint: "" }, "A108208"],
  ["a resource with a fragment", { ...wanted, resources: ["https://api.example.com/#a"] }, "A108209"],
  ["a resource that is relative", { ...wanted, resources: ["/api"] }, "A108209"],
  ["a chosen token of 21 characters", { ...wanted, accessToken: "a".repeat(21) }, "A144203"],
  ["a chosen token of 513 characters", { ...wanted, accessToken: "a".repeat(513) }, "A144203"],
  ["a chosen token with a blank", { ...wanted, accessToken: `${"a".repeat(30)} b` }, "A144203"],
  ["a chosen token with a line feed", { ...wanted, accessToken: `${"a".repeat(30)}\n` }, "A144203"],
  ["a chosen refresh token with a quote", { ...wanted, refreshToken: `${"a".repeat(30)}"` }, "A144203"],
  ["one value for both", { ...wanted, accessToken: "a".repeat(30), refreshToken: "a".repeat(30) }, "A144203"],
] as const) {
  test(`${what}: ${code}, BAD_REQUEST, and nothing is written`, async (t) => {
    const { operations, commands } = await startManagedTokens(t);
    const answer = await operations().authTokenCreate(request as TokenCreateRequest);
    t.is(answer.resultCode, code);
    t.deepEqual(Object.keys(answer), ["resultCode", "resultMessage", "action"]);
    t.is(answer.action, "BAD_REQUEST");
    t.deepEqual(commands, []);
  });
}

test("no token is created unbound by an omission: only a client without binding has them", async (t) => {
  const { operations, configure, commands } = await startManagedTokens(t);
  t.is((await operations().authTokenCreate({ ...wanted, clientId: 1 })).resultCode, "A108208");
  t.deepEqual(commands, []);
  const unbound = serviceSettings({
    supportedGrantTypes: ["CLIENT_CREDENTIALS"],
    tlsClientCertificateBoundAccessTokens: false,
  });
  await configure([{ settings: unbound, clients: [clientSettings({ clientId: 1 })] }]);
  const answer = await operations(serviceId).authTokenCreate({ grantType: "CLIENT_CREDENTIALS", clientId: 1 });
  t.is(answer.resultCode, "A109001");
});

test("a token for openid needs no key: an ID token is not the caller's to be had here", async (t) => {
  const { operations, configure, facts } = await startManagedTokens(t);
  const settings = serviceSettings({
    supportedGrantTypes: ["AUTHORIZATION_CODE"],
    supportedScopes: [{ name: "openid" }],
  });
  await configure([
    { settings, clients: [clientSettings({ clientId: 1, tlsClientCertificateBoundAccessTokens: false })] },
  ]);
  const answer = await operations().authTokenCreate({ ...wanted, clientId: 1, scopes: ["openid"] });
  t.is(answer.resultCode, "A109001");
  t.false("idToken" in answer);
  t.is((await facts(answer.accessToken))["scope"], "openid");
});

test("an alias that is not enabled names no client", async (t) => {
  const { operations, configure } = await startManagedTokens(t);
  const client = clientSettings({ clientId: 4, clientIdAlias: "four", clientIdAliasEnabled: false });
  await configure([{ settings: serviceSettings(), clients: [client] }]);
  const answer = await operations().authTokenCreate({ grantType: "CLIENT_CREDENTIALS", clientIdentifier: "four" });
  t.is(answer.resultCode, "A107201");
});
