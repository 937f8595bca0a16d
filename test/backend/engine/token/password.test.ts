import test, { type ExecutionContext } from "ava";
import type { TokenFailReason } from "../../../../src/contract/auth-token-fail.ts";
import type { TokenIssueRequest } from "../../../../src/contract/auth-token-issue.ts";
import {
  errorOf,
  grantsClient,
  grantsServices,
  k1,
  k2,
  openGrants,
  startInstant,
  type Asking,
} from "../../../support/grants.ts";
import { keepCode, keepTicket } from "../../../support/keep-code.ts";

const grantTypes = ["PASSWORD", "REFRESH_TOKEN", "AUTHORIZATION_CODE"] as const;
const service = { supportedGrantTypes: grantTypes };
const clients = [
  grantsClient({ clientId: 1, grantTypes }),
  grantsClient({ clientId: 3, tokenAuthMethod: "NONE", grantTypes }),
];
const day = 86_400_000;

/** An engine with the grant switched on; `login` asks as the client does. */
async function openPassword(t: ExecutionContext) {
  const grants = await openGrants(t, service, clients);
  const { authTokenIssue, authTokenFail } = grants.operations();
  const login = (form: Readonly<Record<string, string | undefined>> = {}, asking?: Asking) =>
    grants.ask({ grant_type: "password", username: "john", password: "secret word", ...form }, asking);
  const issue = (ticket: string | undefined, more: Partial<TokenIssueRequest> = {}) =>
    authTokenIssue({ ticket, subject: "user-1", ...more });
  const fail = (ticket: string | undefined, reason?: TokenFailReason) => authTokenFail({ ticket, reason });
  return { ...grants, login, issue, fail };
}

test("9700-2.4: the password grant is unsupported until the service has it and the client declared it", async (t) => {
  const form = { grant_type: "password", username: "john", password: "secret word" };
  const usual = await openGrants(t, {}, [grantsClient({ clientId: 1, grantTypes })]);
  const unsupported = await usual.ask(form);
  t.is(unsupported.resultCode, "A049305");
  t.is(unsupported.action, "BAD_REQUEST");
  t.is(errorOf(unsupported), "unsupported_grant_type");
  t.is(unsupported.ticket, undefined);
  const undeclared = await openGrants(t, service);
  const denied = await undeclared.ask(form);
  t.is(denied.resultCode, "A047302");
  t.is(errorOf(denied), "unauthorized_client");
});

test("a password request: A051001, PASSWORD, with what the API caller must know and nothing for the client", async (t) => {
  const { login } = await openPassword(t);
  const { ticket = "", ...rest } = await login({ scope: "read other", resource: "https://a.example.com" });
  t.regex(ticket, /^[A-Za-z0-9_-]{43}$/);
  t.deepEqual(rest, {
    resultCode: "A051001",
    resultMessage:
      "[A051001] The token request (grant_type=password) is well-formed: the authorization server has to check the password.",
    action: "PASSWORD",
    username: "john",
    password: "secret word",
    grantType: "PASSWORD",
    clientId: 1,
    clientIdAliasUsed: false,
    clientAuthMethod: "CLIENT_SECRET_BASIC",
    scopes: ["read"],
    resources: ["https://a.example.com"],
  });
});

for (const [what, form, asking, resultCode, error] of [
  ["no user name", { username: undefined }, {}, "A051301", "invalid_request"],
  ["an empty user name", { username: "" }, {}, "A051301", "invalid_request"],
  ["no password", { password: undefined }, {}, "A051304", "invalid_request"],
  ["an empty password", { password: "" }, {}, "A051304", "invalid_request"],
  ["no scope that can be granted", { scope: "other" }, {}, "A051308", "invalid_scope"],
  ["an invalid resource", { resource: "relative" }, {}, "A251307", "invalid_target"],
  ["no certificate", {}, { as: undefined }, "A244308", "invalid_request"],
  ["a wrong client secret", {}, { clientSecret: "wrong" }, "A157305", "invalid_client"],
] as const) {
  test(`${what}: ${resultCode}, ${error}, and no ticket`, async (t) => {
    const { login } = await openPassword(t);
    const answer = await login(form, asking);
    t.is(answer.resultCode, resultCode);
    t.is(errorOf(answer), error);
    t.is(answer.ticket, undefined);
    t.is(answer.password, undefined);
  });
}

for (const [parameter, resultCode] of [
  ["username", "A051303"],
  ["password", "A051306"],
] as const) {
  test(`${parameter} twice: ${resultCode}`, async (t) => {
    const { ask } = await openPassword(t);
    const answer = await ask(`grant_type=password&username=a&password=b&${parameter}=a`);
    t.is(answer.resultCode, resultCode);
    t.is(errorOf(answer), "invalid_request");
  });
}

test("issue: A054001, tokens bound to the certificate of the client's request", async (t) => {
  const { login, issue, facts } = await openPassword(t);
  const { ticket } = await login({ scope: "read", resource: "https://a.example.com" }, { as: k2 });
  const { accessToken = "", refreshToken = "", responseContent = "", ...rest } = await issue(ticket);
  t.deepEqual(JSON.parse(responseContent), {
    access_token: accessToken,
    refresh_token: refreshToken,
    scope: "read",
    token_type: "Bearer",
    expires_in: 3600,
  });
  t.deepEqual(rest, {
    resultCode: "A054001",
    resultMessage: "[A054001] The tokens of the password grant were issued.",
    action: "OK",
    accessTokenExpiresAt: startInstant - 250 + 3_600_000,
    accessTokenDuration: 3600,
    refreshTokenExpiresAt: startInstant - 250 + 864_000_000,
    refreshTokenDuration: 864_000,
    refreshTokenScopes: ["read"],
    grantType: "PASSWORD",
    clientId: 1,
    clientIdAliasUsed: false,
    clientAuthMethod: "CLIENT_SECRET_BASIC",
    subject: "user-1",
    scopes: ["read"],
    resources: ["https://a.example.com"],
    accessTokenResources: ["https://a.example.com"],
  });
  t.like(await facts(accessToken), {
    active: true,
    sub: "user-1",
    scope: "read",
    aud: ["https://a.example.com"],
    cnf: { "x5t#S256": k2.x5tS256 },
  });
});

test("a password grant is refreshed like any other, and is one grant", async (t) => {
  const { login, issue, refresh, operations, isActive } = await openPassword(t);
  const { ticket } = await login();
  const first = await issue(ticket);
  const second = await refresh(first.refreshToken);
  t.is(second.action, "OK");
  t.is(second.subject, "user-1");
  const answer = await operations().authIntrospection({ token: second.accessToken, clientCertificate: k1.pem });
  t.is(answer.grantType, "PASSWORD");
  await refresh(second.refreshToken);
  t.is((await refresh(first.refreshToken)).resultCode, "A053305");
  t.false(await isActive(first.accessToken));
});

test("a public client's refresh token from a password is bound to its certificate", async (t) => {
  const { login, issue, refresh } = await openPassword(t);
  const { ticket } = await login({}, { client: 3, as: k1 });
  const { refreshToken } = await issue(ticket);
  t.is((await refresh(refreshToken, {}, { client: 3, as: k2 })).resultCode, "A053313");
  t.is((await refresh(refreshToken, {}, { client: 3, as: k1 })).action, "OK");
});

test("what auth/token got for the tokens applies at issue, unless issue overrides it", async (t) => {
  const { login, issue } = await openPassword(t);
  const told = {
    accessTokenDuration: 60,
    refreshTokenDuration: 600,
    properties: [
      { key: "a", value: "1" },
      { key: "b", value: "1" },
    ],
  };
  const kept = await issue((await login({}, told)).ticket);
  t.is(kept.accessTokenDuration, 60);
  t.is(kept.refreshTokenDuration, 600);
  t.deepEqual(kept.properties, told.properties);
  const overruled = await issue((await login({}, told)).ticket, {
    accessTokenDuration: 6,
    refreshTokenDuration: 66,
    properties: [{ key: "b", value: "2" }],
  });
  t.is(overruled.accessTokenDuration, 6);
  t.is(overruled.refreshTokenDuration, 66);
  t.deepEqual(overruled.properties, [
    { key: "a", value: "1" },
    { key: "b", value: "2" },
  ]);
});

test("a ticket can be used once, for issue or for fail", async (t) => {
  const { login, issue, fail } = await openPassword(t);
  for (const [first, issued] of [
    [issue, "A054001"],
    [(ticket: string | undefined) => fail(ticket, "UNKNOWN"), "A067302"],
  ] as const) {
    const { ticket } = await login();
    t.is((await first(ticket)).resultCode, issued);
    const again = await issue(ticket);
    t.is(again.resultCode, "A055202");
    t.is(again.action, "INTERNAL_SERVER_ERROR");
    t.is(errorOf(again), "server_error");
    t.is((await fail(ticket, "UNKNOWN")).resultCode, "A063202");
  }
});

test("twenty issues of one ticket at once: exactly one has tokens", async (t) => {
  const { login, issue } = await openPassword(t);
  const { ticket } = await login();
  const answers = await Promise.all(Array.from({ length: 20 }, () => issue(ticket)));
  t.is(answers.filter(({ accessToken }) => accessToken !== undefined).length, 1);
  t.is(answers.filter(({ resultCode }) => resultCode === "A055202").length, 19);
});

test("the ticket of an authorization request is no ticket here", async (t) => {
  const { issue, fail, store } = await openPassword(t);
  const { ticket } = await keepTicket(store, startInstant);
  t.is((await issue(ticket)).resultCode, "A055202");
  t.is((await fail(ticket, "UNKNOWN")).resultCode, "A063202");
});

test("a ticket of another service is unknown: A055202, A063202, and it works at its own", async (t) => {
  const grants = await openPassword(t);
  const [own] = grantsServices(service, clients);
  if (own === undefined) throw new Error("There is no service.");
  await grants.configure([own, { ...own, settings: { ...own.settings, apiKey: 42 } }]);
  const { ticket } = await grants.login();
  const elsewhere = grants.operations(42);
  t.is((await elsewhere.authTokenIssue({ ticket, subject: "user-1" })).resultCode, "A055202");
  t.is((await elsewhere.authTokenFail({ ticket, reason: "UNKNOWN" })).resultCode, "A063202");
  t.is((await grants.issue(ticket)).action, "OK");
});

test("a ticket lives for 24 hours", async (t) => {
  const { login, issue, fail, setClock } = await openPassword(t);
  const tickets = [await login(), await login(), await login()];
  setClock(startInstant + day - 1);
  t.is((await issue(tickets[0]?.ticket)).action, "OK");
  setClock(startInstant + day);
  t.is((await issue(tickets[1]?.ticket)).resultCode, "A055301");
  t.is((await fail(tickets[2]?.ticket, "UNKNOWN")).resultCode, "A063301");
});

test("no ticket, an unknown one, and a code or token in its place: A055201, A055202, A063201, A063202", async (t) => {
  const { issue, fail, login, store } = await openPassword(t);
  for (const absent of [undefined, ""]) {
    t.is((await issue(absent)).resultCode, "A055201");
    t.is((await fail(absent, "UNKNOWN")).resultCode, "A063201");
  }
  const { accessToken } = await issue((await login()).ticket);
  const { code } = await keepCode(store, startInstant);
  for (const other of ["x", code, accessToken]) {
    t.is((await issue(other)).resultCode, "A055202");
    t.is((await fail(other, "UNKNOWN")).resultCode, "A063202");
  }
});

for (const [subject, resultCode] of [
  [undefined, "A111201"],
  ["", "A111201"],
  ["a".repeat(101), "A111202"],
  ["jöhn", "A111203"],
  ["1", "A111204"],
] as const) {
  test(`a subject of ${subject?.length ?? "no"} characters, ${resultCode}: the ticket works afterwards`, async (t) => {
    const { login, issue } = await openPassword(t);
    const { ticket } = await login();
    const answer = await issue(ticket, { subject });
    t.is(answer.resultCode, resultCode);
    t.is(answer.action, "INTERNAL_SERVER_ERROR");
    t.is(answer.accessToken, undefined);
    t.is((await issue(ticket, { subject: "a".repeat(100) })).action, "OK");
  });
}

test("issue with claims that cannot be added: A054201, and the ticket works afterwards", async (t) => {
  const { login, issue } = await openPassword(t);
  const { ticket } = await login();
  for (const jwtAtClaims of ["[1]", '{"cnf":{"x5t#S256":"x"}}', '{"a":1,"sub":"user-2"}']) {
    t.is((await issue(ticket, { jwtAtClaims })).resultCode, "A054201");
  }
  t.is((await issue(ticket, { jwtAtClaims: '{"a":1}' })).action, "OK");
});

test("a client that was locked or deleted since gets no tokens, and its ticket is left alone", async (t) => {
  const grants = await openPassword(t);
  const { ticket } = await grants.login();
  const locked = clients.map((client) => ({ ...client, locked: true }));
  await grants.configure(grantsServices(service, locked));
  t.is((await grants.issue(ticket)).resultCode, "A048307");
  await grants.configure(grantsServices(service, clients));
  t.is((await grants.issue(ticket)).action, "OK");
  const { ticket: lost } = await grants.login();
  await grants.configure(grantsServices(service).map(({ settings }) => ({ settings, clients: [] })));
  t.is((await grants.issue(lost)).resultCode, "A055202");
});

const unbound = { tlsClientCertificateBoundAccessTokens: false };

test("a client that must have bound tokens since the ticket: no unbound token without a certificate", async (t) => {
  const grants = await openGrants(t, service, [grantsClient({ clientId: 1, grantTypes, ...unbound })]);
  const { authTokenIssue } = grants.operations();
  const form = { grant_type: "password", username: "john", password: "secret word" };
  const { ticket } = await grants.ask(form, { as: undefined });
  await grants.configure(grantsServices(service, clients));
  const refused = await authTokenIssue({ ticket, subject: "user-1" });
  t.is(refused.resultCode, "A055202");
  t.is(refused.accessToken, undefined);
  await grants.configure(grantsServices({ ...service, ...unbound }, clients));
  t.is((await authTokenIssue({ ticket, subject: "user-1" })).action, "OK");
});

test("a token that was to be bound when it was asked for is bound, whatever the client's settings are now", async (t) => {
  const { login, issue, configure, facts } = await openPassword(t);
  const { ticket } = await login();
  await configure(grantsServices(service, [grantsClient({ clientId: 1, grantTypes, ...unbound })]));
  t.like(await facts((await issue(ticket)).accessToken), { cnf: { "x5t#S256": k1.x5tS256 } });
});

for (const [what, changed] of [
  ["the service gave the grant up", grantsServices({ supportedGrantTypes: ["REFRESH_TOKEN"] }, clients)],
  ["the client gave the grant up", grantsServices(service, [grantsClient({ clientId: 1 })])],
  ["no scope of it is left", grantsServices({ ...service, supportedScopes: [{ name: "other" }] }, clients)],
  ["its resource is no longer supported", grantsServices({ ...service, supportedResources: [] }, clients)],
] as const) {
  test(`${what}: A055202, and the ticket is left alone`, async (t) => {
    const { login, issue, configure } = await openPassword(t);
    const { ticket } = await login({ scope: "read", resource: "https://a.example.com" });
    await configure(changed);
    const refused = await issue(ticket);
    t.is(refused.resultCode, "A055202");
    t.is(refused.action, "INTERNAL_SERVER_ERROR");
    await configure(grantsServices(service, clients));
    t.is((await issue(ticket)).action, "OK");
  });
}

test("a scope that the client may not have any more is dropped", async (t) => {
  const { login, issue, configure, facts } = await openPassword(t);
  const { ticket } = await login({ scope: "read write" });
  await configure(grantsServices({ ...service, supportedScopes: [{ name: "write" }] }, clients));
  const issued = await issue(ticket);
  t.deepEqual(issued.scopes, ["write"]);
  t.deepEqual(issued.refreshTokenScopes, ["write"]);
  t.is((await facts(issued.accessToken))["scope"], "write");
});

for (const [reason, resultCode, error, action] of [
  ["INVALID_RESOURCE_OWNER_CREDENTIALS", "A067301", "invalid_request", "BAD_REQUEST"],
  ["UNKNOWN", "A067302", "server_error", "INTERNAL_SERVER_ERROR"],
  ["INVALID_TARGET", "A067303", "invalid_target", "BAD_REQUEST"],
  ["INVALID_CLIENT", "A067304", "invalid_client", "BAD_REQUEST"],
  ["UNAUTHORIZED_CLIENT", "A067305", "unauthorized_client", "BAD_REQUEST"],
  ["INVALID_SCOPE", "A067306", "invalid_scope", "BAD_REQUEST"],
] as const) {
  test(`fail with ${reason}: ${resultCode}, ${error}`, async (t) => {
    const { login, fail, issue } = await openPassword(t);
    const { ticket } = await login();
    const answer = await fail(ticket, reason);
    t.is(answer.resultCode, resultCode);
    t.is(answer.action, action);
    t.is(errorOf(answer), error);
    t.is((await issue(ticket)).resultCode, "A055202");
  });
}

test("fail without a reason: A067201, and the ticket works afterwards", async (t) => {
  const { login, fail, issue } = await openPassword(t);
  const { ticket } = await login();
  const answer = await fail(ticket);
  t.is(answer.resultCode, "A067201");
  t.is(answer.action, "INTERNAL_SERVER_ERROR");
  t.is((await issue(ticket)).action, "OK");
});
