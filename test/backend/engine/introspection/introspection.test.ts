import test from "ava";
import { createSelfSigned } from "../../../support/certificates.ts";
import { startEngine, startInstant } from "../../../support/engine.ts";
import { readChallenge } from "../../../support/read-challenge.ts";
import { keepTokens } from "../../../support/keep-tokens.ts";
import { startStore } from "../../../support/store-beside.ts";
import { clientSettings, secretOf } from "../../../support/settings.ts";

const k1 = createSelfSigned({ subject: "CN=client-1" });
const k2 = createSelfSigned({ subject: "CN=client-2" });
const supportedScopes = [{ name: "read", description: "Look" }, { name: "write" }];
const bound = [
  clientSettings({ clientId: 1, clientIdAlias: "client-one", attributes: [{ key: "tier", value: "gold" }] }),
];

test("a valid token: A056001, OK, and every member that applies", async (t) => {
  const { backend, issue } = await startEngine(
    t,
    { supportedScopes, attributes: [{ key: "region", value: "eu" }] },
    bound,
  );
  const properties = [{ key: "tenant", value: "acme", hidden: true }];
  const resource = "https://api.example.com";
  const { accessToken = "" } = await issue(`&scope=read&resource=${encodeURIComponent(resource)}`, {
    clientId: "client-one",
    clientCertificate: k1.pem,
    properties,
  });
  const answer = await backend.authIntrospection({
    token: accessToken,
    clientCertificate: k1.pem,
    scopes: ["read"],
    resources: [resource],
  });
  t.deepEqual(answer, {
    resultCode: "A056001",
    resultMessage: "[A056001] The access token is valid.",
    action: "OK",
    responseContent: 'Bearer error="invalid_request"',
    existent: true,
    usable: true,
    sufficient: true,
    refreshable: false,
    clientId: 1,
    clientIdAlias: "client-one",
    clientIdAliasUsed: true,
    scopes: ["read"],
    scopeDetails: [{ name: "read", description: "Look" }],
    expiresAt: Math.floor(startInstant / 1000) * 1000 + 3_600_000,
    expiresIn: 3599.75,
    properties,
    certificateThumbprint: k1.x5tS256,
    accessTokenResources: [resource],
    serviceAttributes: [{ key: "region", value: "eu" }],
    clientAttributes: [{ key: "tier", value: "gold" }],
    grantType: "CLIENT_CREDENTIALS",
  });
  const standard = await backend.authIntrospectionStandard({ parameters: `token=${accessToken}` });
  t.is((JSON.parse(standard.responseContent ?? "") as { client_id: string }).client_id, "client-one");
  t.is(standard.expiresIn, 3599.75);
});

const refusals = {
  "an unknown token": [{ token: "A".repeat(43) }, "A057302", "UNAUTHORIZED", "invalid_token"],
  "a token of one byte": [{ token: "x" }, "A057302", "UNAUTHORIZED", "invalid_token"],
  "a token of 16 KiB": [{ token: "x".repeat(16_384) }, "A057302", "UNAUTHORIZED", "invalid_token"],
  "a token of control characters": [{ token: "\0\r\n\t\x7f" }, "A057302", "UNAUTHORIZED", "invalid_token"],
  "no token": [{ token: null }, "A057301", "BAD_REQUEST", "invalid_request"],
  "an empty token": [{ token: "" }, "A057301", "BAD_REQUEST", "invalid_request"],
  "a scope that the token lacks": [{ scopes: ["write"] }, "A064302", "FORBIDDEN", "insufficient_scope"],
  "one scope of two lacking": [{ scopes: ["read", "write"] }, "A064302", "FORBIDDEN", "insufficient_scope"],
  "a subject, and the token has none": [{ subject: "user-1" }, "A066301", "FORBIDDEN", "invalid_request"],
  "a resource that the token is not for": [
    { resources: ["https://other.example.com"] },
    "A064303",
    "UNAUTHORIZED",
    "invalid_token",
  ],
  "no certificate": [{ clientCertificate: undefined }, "A065304", "UNAUTHORIZED", "invalid_token"],
  "an empty certificate": [{ clientCertificate: "" }, "A065304", "UNAUTHORIZED", "invalid_token"],
  "another certificate": [{ clientCertificate: k2.pem }, "A065305", "UNAUTHORIZED", "invalid_token"],
  "two certificates": [{ clientCertificate: k1.pem + k2.pem }, "A065307", "UNAUTHORIZED", "invalid_token"],
  "an invalid certificate": [{ clientCertificate: "(null)" }, "A065307", "UNAUTHORIZED", "invalid_token"],
  "a private key for a certificate": [{ clientCertificate: k1.key }, "A065307", "UNAUTHORIZED", "invalid_token"],
} as const;

for (const [what, [change, code, action, error]] of Object.entries(refusals)) {
  test(`${what}: ${code}, ${action}, ${error}`, async (t) => {
    const { backend, issue } = await startEngine(t, { supportedScopes }, bound);
    const { accessToken = "" } = await issue("&scope=read", { clientCertificate: k1.pem });
    const request = { token: accessToken, clientCertificate: k1.pem, ...change };
    const answer = await backend.authIntrospection({
      ...request,
      ...("scopes" in change ? { scopes: [...change.scopes] } : {}),
      ...("resources" in change ? { resources: [...change.resources] } : {}),
    } as never);
    t.is(answer.resultCode, code);
    t.is(answer.action, action);
    t.false(answer.sufficient);
    const challenge = readChallenge(answer.responseContent ?? "");
    t.is(challenge.parameters.get("error"), error);
    if (error === "insufficient_scope") {
      t.is(challenge.parameters.get("scope"), "scopes" in change ? change.scopes.join(" ") : undefined);
    }
    const known = !("token" in change);
    t.is(answer.existent, known);
    t.notRegex(JSON.stringify(answer), /-----BEGIN|PRIVATE/);
  });
}

test("whatever refuses a token, its caller gets the same challenge", async (t) => {
  const { backend, issue, setClock } = await startEngine(t, { supportedScopes }, bound);
  const { accessToken = "" } = await issue("&scope=read", { clientCertificate: k1.pem });
  const challenges = new Set<string | undefined>();
  const ask = async (request: { token: string; clientCertificate?: string; resources?: string[] }) => {
    const answer = await backend.authIntrospection(request);
    t.is(answer.action, "UNAUTHORIZED");
    challenges.add(answer.responseContent);
  };
  await ask({ token: "unknown" });
  await ask({ token: accessToken });
  await ask({ token: accessToken, clientCertificate: k2.pem });
  await ask({ token: accessToken, clientCertificate: "?" });
  await ask({ token: accessToken, clientCertificate: k1.pem, resources: ["https://api.example.com"] });
  setClock(startInstant + 3_600_000);
  await ask({ token: accessToken, clientCertificate: k1.pem });
  t.is(challenges.size, 1);
});

test("a token without scopes has a result code of its own: A064301", async (t) => {
  const { backend, issue } = await startEngine(t, { supportedScopes });
  const { accessToken = "" } = await issue();
  const answer = await backend.authIntrospection({ token: accessToken, scopes: ["read"] });
  t.is(answer.resultCode, "A064301");
  t.is(answer.action, "FORBIDDEN");
});

test("another subject than the token's is A066302, the token's own passes", async (t) => {
  const store = await startStore(t, [clientSettings({ clientId: 1 })]);
  const { accessToken } = await keepTokens(store, { clientId: 1, now: Date.now() });
  const decide = (subject: string) => store.backend.authIntrospection({ token: accessToken, subject });
  t.is((await decide("user-1")).resultCode, "A056001");
  t.is((await decide("user-1 ")).resultCode, "A066302");
  t.is((await decide("USER-1")).resultCode, "A066302");
  t.is((await decide("")).resultCode, "A056001");
});

test("a locked client's tokens are refused with A097303, and work again when it is unlocked", async (t) => {
  const client = clientSettings({ clientId: 1, tlsClientCertificateBoundAccessTokens: false, locked: true });
  const store = await startStore(t, [client]);
  const { accessToken } = await keepTokens(store, { clientId: 1, now: Date.now() });
  const answer = await store.backend.authIntrospection({ token: accessToken });
  t.is(answer.resultCode, "A097303");
  t.is(answer.action, "UNAUTHORIZED");
  const standard = await store.backend.authIntrospectionStandard({ parameters: `token=${accessToken}` });
  t.is(standard.responseContent, '{"active":false}');
});

test("an unbound token needs no certificate and accepts any readable one", async (t) => {
  const { backend, issue } = await startEngine(t);
  const { accessToken = "" } = await issue();
  const decide = async (clientCertificate?: string) =>
    (await backend.authIntrospection({ token: accessToken, clientCertificate })).resultCode;
  t.is(await decide(), "A056001");
  t.is(await decide(k1.pem), "A056001");
  t.is(await decide("nonsense"), "A065307");
});

test("members that mean unset demand nothing: null, 0, false, empty text and empty lists", async (t) => {
  const { backend, issue } = await startEngine(t);
  const { accessToken = "" } = await issue();
  const answer = await backend.authIntrospection({
    token: accessToken,
    scopes: null,
    subject: "",
    clientCertificate: null,
    resources: [],
    dpop: "",
    dpopNonceRequired: false,
    acrValues: [],
    maxAge: 0,
    message: null,
  });
  t.is(answer.resultCode, "A056001");
});

for (const [member, value] of Object.entries({
  dpop: "proof",
  dpopNonceRequired: true,
  acrValues: ["urn:acr"],
  maxAge: 60,
  uri: "https://api.example.com/",
  targetUri: "https://api.example.com/",
  message: "body",
  headers: [{ key: "a", value: "b" }],
  requiredComponents: ["@method"],
  requestBodyContained: true,
})) {
  test(`a demand that is not checked is refused, never ignored: ${member}`, async (t) => {
    const { backend, issue } = await startEngine(t);
    const { accessToken = "" } = await issue();
    const asked = backend.authIntrospection({ token: accessToken, [member]: value });
    await t.throwsAsync(asked, { name: "ApiError", message: /A001223/ });
  });
}

test("plain JSON is returned if the caller accepts it at least as much", async (t) => {
  const { backend, issue } = await startEngine(t);
  const { accessToken = "" } = await issue();
  for (const httpAcceptHeader of ["application/token-introspection+jwt;q=0.5, application/json", "*/*", "", null]) {
    const answer = await backend.authIntrospectionStandard({ parameters: `token=${accessToken}`, httpAcceptHeader });
    t.is(answer.action, "OK");
  }
});

test("no property of a token takes a member that resource servers or clients decide by, there or not", async (t) => {
  const { backend, issue } = await startEngine(t);
  const decisive = `active scope client_id username token_type exp iat nbf sub aud iss jti cnf act may_act acr auth_time
    authorization_details token_use error error_description error_uri`.split(/\s+/);
  const ofAnswer = `access_token token_type expires_in refresh_token scope id_token error error_description error_uri
    authorization_details grant_id c_nonce c_nonce_expires_in device_secret`.split(/\s+/);
  const names = [...new Set([...decisive, ...ofAnswer])];
  const plain = await issue();
  const answer = await issue("", { properties: names.map((key) => ({ key, value: "theirs" })) });
  const read = (text = ""): Record<string, unknown> => JSON.parse(text) as Record<string, unknown>;
  const theirs = (text: string | undefined) => names.filter((name) => read(text)[name] === "theirs");
  t.deepEqual(
    theirs(answer.responseContent),
    names.filter((name) => !ofAnswer.includes(name)),
  );
  const facts = async (token: string | undefined) =>
    (await backend.authIntrospectionStandard({ parameters: `token=${token}` })).responseContent;
  const told = await facts(answer.accessToken);
  t.deepEqual(
    theirs(told),
    names.filter((name) => !decisive.includes(name)),
  );
  for (const name of decisive) t.deepEqual(read(told)[name], read(await facts(plain.accessToken))[name], name);
});

for (const member of ["introspectionEncryptionAlg", "sharedKeyForSign", "publicKeyForEncryption"]) {
  test(`standard introspection does not ignore it: ${member}`, async (t) => {
    const { backend } = await startEngine(t);
    const asked = backend.authIntrospectionStandard({ parameters: "token=x", [member]: "x" });
    await t.throwsAsync(asked, { name: "ApiError", message: /A001223/ });
  });
}

for (const introspectionSignAlg of ["none", "NONE", "HS256", "RS1", "es256", " RS256"]) {
  test(`no answer is signed by ${introspectionSignAlg}`, async (t) => {
    const { backend } = await startEngine(t);
    const asked = backend.authIntrospectionStandard({ parameters: "token=x", introspectionSignAlg } as never);
    await t.throwsAsync(asked, { name: "ApiError", message: /A126202.*introspectionSignAlg/ });
  });
}

for (const [parameters, code, action] of [
  [null, "A145201", "INTERNAL_SERVER_ERROR"],
  ["", "A145301", "BAD_REQUEST"],
  ["\n", "A145301", "BAD_REQUEST"],
  ["token_type_hint=access_token", "A145302", "BAD_REQUEST"],
  ["token=%zz", "A145202", "BAD_REQUEST"],
  ["token=a&token=b", "A145202", "BAD_REQUEST"],
] as const) {
  test(`standard introspection of ${JSON.stringify(parameters)}: ${code}, ${action}`, async (t) => {
    const { backend } = await startEngine(t);
    const answer = await backend.authIntrospectionStandard({ parameters });
    t.is(answer.resultCode, code);
    t.is(answer.action, action);
  });
}

test("a token that was issued by a clock which was wrong by hours is not yet valid after that is set right", async (t) => {
  const { backend, issue, setClock } = await startEngine(t);
  const { accessToken: before = "" } = await issue();
  setClock(startInstant + 2 * 3_600_000);
  const { accessToken: ahead = "" } = await issue();
  const decide = async (token: string) => (await backend.authIntrospection({ token })).action;
  t.deepEqual([await decide(before), await decide(ahead)], ["UNAUTHORIZED", "OK"], "the jump is followed");
  setClock(startInstant);
  t.deepEqual([await decide(before), await decide(ahead)], ["OK", "UNAUTHORIZED"]);
});

test("a clock set back two minutes ends no token; twenty seconds revive no expired one", async (t) => {
  const { backend, issue, setClock } = await startEngine(t);
  const { accessToken = "", accessTokenDuration = 0 } = await issue();
  const isActive = async () => {
    const { responseContent } = await backend.authIntrospectionStandard({ parameters: `token=${accessToken}` });
    const { active } = JSON.parse(responseContent ?? "") as { active: boolean };
    t.is((await backend.authIntrospection({ token: accessToken })).action, active ? "OK" : "UNAUTHORIZED");
    return active;
  };
  setClock(startInstant - 120_000);
  t.true(await isActive());
  const end = startInstant + accessTokenDuration * 1000;
  setClock(end);
  t.false(await isActive());
  setClock(end - 20_000);
  t.false(await isActive());
});

test("a secret that is wrong by one character is still wrong", async (t) => {
  const { issue } = await startEngine(t);
  const answer = await issue("", { clientSecret: `${secretOf(1)}x` });
  t.is(answer.resultCode, "A157305");
  t.is(answer.action, "INVALID_CLIENT");
});

test("a token for two resources is active to either of them, and to no other (rsUri)", async (t) => {
  const [first, second] = ["https://a.example.com/", "https://b.example.com/"];
  const { backend, issue } = await startEngine(t, { supportedScopes });
  const { accessToken = "" } = await issue(
    `&resource=${encodeURIComponent(first)}&resource=${encodeURIComponent(second)}`,
  );
  const isActive = async (rsUri: string) => {
    const { responseContent } = await backend.authIntrospectionStandard({ parameters: `token=${accessToken}`, rsUri });
    return (JSON.parse(responseContent ?? "") as { active: boolean }).active;
  };
  t.true(await isActive(first));
  t.true(await isActive(second));
  t.false(await isActive("https://c.example.com/"));
  t.false(await isActive("https://b.example.com"));
});
