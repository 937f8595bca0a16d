import test, { type ExecutionContext } from "ava";
import type { ClientSettings, ServiceSettings } from "../../../../src/backend/engine/settings/settings.ts";
import type { TokenSetDecision } from "../../../../src/backend/engine/token/token-set.ts";
import { createSelfSigned } from "../../../support/certificates.ts";
import { createEngineByHand, startInstant } from "../../../support/engine.ts";
import { readChallenge } from "../../../support/read-challenge.ts";
import { clientSettings, serviceSettings } from "../../../support/settings.ts";
import { issueToUser } from "../user-tokens.ts";

const k1 = createSelfSigned({ subject: "CN=client-1" });
const k2 = createSelfSigned({ subject: "CN=client-2" });

function clients(change: Partial<ClientSettings> = {}) {
  return [
    clientSettings({
      clientId: 1,
      clientIdAlias: "client-one",
      attributes: [{ key: "tier", value: "gold" }],
      ...change,
    }),
  ];
}

/** An engine, and a bound token of a user with openid. */
async function open(
  t: ExecutionContext,
  decision: Partial<TokenSetDecision> = {},
  service: Partial<ServiceSettings> = {},
) {
  const settings = serviceSettings(service);
  const byHand = await createEngineByHand(t, [{ settings, clients: clients() }]);
  const { accessToken = "" } = await issueToUser(byHand, { x5tS256: k1.x5tS256, ...decision });
  return { ...byHand, settings, accessToken, operations: byHand.operations() };
}

test("A091001, OK, and every member that applies", async (t) => {
  const properties = [{ key: "tenant", value: "acme", hidden: true }];
  const { operations, accessToken } = await open(
    t,
    {
      scopes: ["openid", "email"],
      clientIdAliasUsed: true,
      details: {
        properties,
        userInfoClaims: '{"nickname":null}',
        claimsAtUserInfo: ["nickname", "email", "email_verified"],
        consentedClaims: ["email"],
      },
    },
    { attributes: [{ key: "region", value: "eu" }] },
  );
  t.deepEqual(await operations.authUserinfo({ token: accessToken, clientCertificate: k1.pem }), {
    resultCode: "A091001",
    resultMessage: "[A091001] The access token is accepted at the userinfo endpoint.",
    action: "OK",
    token: accessToken,
    subject: "user-1",
    scopes: ["openid", "email"],
    claims: ["email", "email_verified", "nickname"],
    userInfoClaims: '{"nickname":null}',
    consentedClaims: ["email"],
    clientId: 1,
    clientIdAlias: "client-one",
    clientIdAliasUsed: true,
    properties,
    serviceAttributes: [{ key: "region", value: "eu" }],
    clientAttributes: [{ key: "tier", value: "gold" }],
  });
});

test("the claims are those of the token's own scopes and those asked for by name", async (t) => {
  const claimsOf = async (decision: Partial<TokenSetDecision>) => {
    const { operations, accessToken } = await open(t, decision);
    return (await operations.authUserinfo({ token: accessToken, clientCertificate: k1.pem })).claims;
  };
  t.is(await claimsOf({}), undefined);
  t.deepEqual(await claimsOf({ scopes: ["openid", "phone", "address"] }), [
    "phone_number",
    "phone_number_verified",
    "address",
  ]);
  const profile = await claimsOf({ scopes: ["openid", "profile"] });
  t.is(profile?.length, 14);
  const asked = { claimsAtUserInfo: ["email", "email_verified", "name", "urn:x"], userInfoClaims: '{"name":null}' };
  // A refresh has narrowed the scopes: what only they stood for is no longer asked for.
  t.deepEqual(await claimsOf({ details: asked }), ["name", "urn:x"]);
});

const untouched = {};
const refusals = {
  "no token": [{ token: undefined }, untouched, "A088301", "BAD_REQUEST", "invalid_request"],
  "an empty token": [{ token: "" }, untouched, "A088301", "BAD_REQUEST", "invalid_request"],
  "a token that is null": [{ token: null }, untouched, "A088301", "BAD_REQUEST", "invalid_request"],
  "an unknown token": [{ token: "x" }, untouched, "A088302", "UNAUTHORIZED", "invalid_token"],
  "a token without openid": [untouched, { scopes: ["email"] }, "A089304", "FORBIDDEN", "insufficient_scope"],
  "a token without scopes": [untouched, { scopes: [] }, "A089304", "FORBIDDEN", "insufficient_scope"],
  "a token without a user": [untouched, { subject: undefined }, "A089305", "UNAUTHORIZED", "invalid_token"],
  "a token of the password grant": [untouched, { grantType: "PASSWORD" }, "A089306", "UNAUTHORIZED", "invalid_token"],
  "no certificate": [{ clientCertificate: undefined }, untouched, "A089307", "UNAUTHORIZED", "invalid_token"],
  "an empty certificate": [{ clientCertificate: "" }, untouched, "A089307", "UNAUTHORIZED", "invalid_token"],
  "an invalid certificate": [{ clientCertificate: "(null)" }, untouched, "A089308", "UNAUTHORIZED", "invalid_token"],
  "two certificates": [{ clientCertificate: k1.pem + k2.pem }, untouched, "A089308", "UNAUTHORIZED", "invalid_token"],
  "a damaged binding": [untouched, { x5tS256: "short" }, "A089309", "UNAUTHORIZED", "invalid_token"],
  "another certificate": [{ clientCertificate: k2.pem }, untouched, "A089310", "UNAUTHORIZED", "invalid_token"],
} as const;

for (const [what, [request, decision, code, action, error]] of Object.entries(refusals)) {
  test(`${what}: ${code}, ${action}, ${error}`, async (t) => {
    const { operations, accessToken } = await open(t, decision);
    const answer = await operations.authUserinfo({ token: accessToken, clientCertificate: k1.pem, ...request });
    t.is(answer.resultCode, code);
    t.is(answer.action, action);
    const { parameters } = readChallenge(answer.responseContent ?? "");
    t.is(parameters.get("error"), error);
    t.is(parameters.get("scope"), error === "insufficient_scope" ? "openid" : undefined);
    t.deepEqual(Object.keys(answer).sort(), ["action", "responseContent", "resultCode", "resultMessage"]);
  });
}

test("an expired token, and one whose client is locked or removed, at both operations", async (t) => {
  const { operations, accessToken, setClock, configure, settings } = await open(t);
  const ask = async () => {
    const { resultCode, action } = await operations.authUserinfo({ token: accessToken, clientCertificate: k1.pem });
    const issued = await operations.authUserinfoIssue({ token: accessToken });
    t.is(issued.action, action === "OK" ? "JSON" : action);
    return [resultCode, issued.resultCode];
  };
  t.deepEqual(await ask(), ["A091001", "A096001"]);
  setClock(Math.floor(startInstant / 1000 + 3600) * 1000);
  t.deepEqual(await ask(), ["A089303", "A093303"]);
  setClock(startInstant);
  await configure([{ settings, clients: clients({ locked: true }) }]);
  t.deepEqual(await ask(), ["A097303", "A097303"]);
  await configure([{ settings, clients: clients() }]);
  t.deepEqual(await ask(), ["A091001", "A096001"]);
  await configure([{ settings, clients: [] }]);
  t.deepEqual(await ask(), ["A088302", "A092302"]);
});

test("a revoked token, a refresh token and another service's token are unknown, at both operations", async (t) => {
  const { operations, accessToken, configure, settings, ...byHand } = await open(t);
  const elsewhere = { ...settings, apiKey: 42, issuer: "https://other.example.com" };
  await configure([
    { settings, clients: clients() },
    { settings: elsewhere, clients: clients() },
  ]);
  const codesOf = async (asked: typeof operations, token: string) => {
    const opened = await asked.authUserinfo({ token, clientCertificate: k1.pem });
    return [opened.resultCode, (await asked.authUserinfoIssue({ token })).resultCode];
  };
  t.deepEqual(await codesOf(operations, accessToken), ["A091001", "A096001"]);
  t.deepEqual(await codesOf(byHand.engine.operationsFor(42), accessToken), ["A088302", "A092302"]);
  const { refreshToken = "" } = await issueToUser(byHand, {
    x5tS256: k1.x5tS256,
    refreshToken: { scopes: ["openid"], resources: [], expiresAt: startInstant + 60_000, x5tS256: undefined },
  });
  t.not(refreshToken, "");
  t.deepEqual(await codesOf(operations, refreshToken), ["A088302", "A092302"]);
  await operations.authTokenRevoke({ accessTokenIdentifier: accessToken });
  t.deepEqual(await codesOf(operations, accessToken), ["A088302", "A092302"]);
});

test("an unbound token opens it without a certificate, and with any that can be read", async (t) => {
  const { operations, accessToken } = await open(t, { x5tS256: undefined });
  for (const clientCertificate of [undefined, k2.pem]) {
    t.is((await operations.authUserinfo({ token: accessToken, clientCertificate })).action, "OK");
  }
  t.is((await operations.authUserinfo({ token: accessToken, clientCertificate: "?" })).resultCode, "A089308");
});

test("issue: sub comes first, from the token, and no claim takes its place", async (t) => {
  const { operations, accessToken } = await open(t);
  const issue = async (request: { claims?: string | null; sub?: string | null }) => {
    const answer = await operations.authUserinfoIssue({ token: accessToken, ...request });
    t.is(answer.resultCode, "A096001");
    t.is(answer.action, "JSON");
    return answer.responseContent;
  };
  t.is(await issue({}), '{"sub":"user-1"}');
  t.is(await issue({ claims: "", sub: "" }), '{"sub":"user-1"}');
  t.is(await issue({ claims: null, sub: null }), '{"sub":"user-1"}');
  t.is(
    await issue({ claims: '{"email":"a@b","sub":"admin","name":null,"email_verified":false,"address":{"x":null}}' }),
    '{"sub":"user-1","email":"a@b","email_verified":false,"address":{"x":null}}',
  );
  t.is(
    await issue({ claims: '{"__proto__":{"sub":"admin"},"a":1}', sub: "pairwise" }),
    '{"sub":"pairwise","__proto__":{"sub":"admin"},"a":1}',
  );
});

test("issue: the subject that the ID token has is this one's too", async (t) => {
  const { operations, accessToken } = await open(t, { details: { idToken: { sub: "pairwise-7" } } });
  const answer = await operations.authUserinfoIssue({ token: accessToken });
  t.is(answer.responseContent, '{"sub":"pairwise-7"}');
});

const issueRefusals = {
  "no token": [{ token: "" }, untouched, "A092301", "BAD_REQUEST"],
  "an unknown token": [{ token: "x" }, untouched, "A092302", "UNAUTHORIZED"],
  "a damaged binding": [untouched, { x5tS256: "short" }, "A092302", "UNAUTHORIZED"],
  "a token without openid": [untouched, { scopes: ["email"] }, "A093304", "FORBIDDEN"],
  "a token without a user": [untouched, { subject: undefined }, "A093305", "UNAUTHORIZED"],
  "a token of the password grant": [untouched, { grantType: "PASSWORD" }, "A093306", "UNAUTHORIZED"],
  "claims that are no JSON": [{ claims: "{" }, untouched, "A094201", "INTERNAL_SERVER_ERROR"],
  "claims that are an array": [{ claims: "[]" }, untouched, "A094202", "INTERNAL_SERVER_ERROR"],
  "claims that are null": [{ claims: "null" }, untouched, "A094202", "INTERNAL_SERVER_ERROR"],
  "claims that are nested too deep": [
    { claims: `{"a":${"[".repeat(30_000)}${"]".repeat(30_000)}}` },
    untouched,
    "A094202",
    "INTERNAL_SERVER_ERROR",
  ],
  "claims that are text": [{ claims: '"sub"' }, untouched, "A094202", "INTERNAL_SERVER_ERROR"],
} as const;

for (const [what, [request, decision, code, action]] of Object.entries(issueRefusals)) {
  test(`issue: ${what}: ${code}, ${action}`, async (t) => {
    const { operations, accessToken } = await open(t, decision);
    const answer = await operations.authUserinfoIssue({ token: accessToken, claims: "{}", ...request });
    t.is(answer.resultCode, code);
    t.is(answer.action, action);
    t.true((answer.responseContent ?? "").startsWith("Bearer "));
    t.false((answer.responseContent ?? "").includes("user-1"));
  });
}

test("a service that leaves descriptions out leaves them out here", async (t) => {
  const { operations } = await open(t, {}, { errorDescriptionOmitted: true });
  t.is((await operations.authUserinfo({ token: "x" })).responseContent, 'Bearer error="invalid_token"');
});
