import test from "ava";
import { createTokenSet, type TokenSetDecision } from "../../../../src/backend/engine/token/token-set.ts";
import { createSelfSigned } from "../../../support/certificates.ts";
import { createEngineByHand, startEngine, startInstant } from "../../../support/engine.ts";
import { clientSettings, secretOf, serviceSettings } from "../../../support/settings.ts";
import { readPrepared } from "../user-tokens.ts";

const k1 = createSelfSigned({ subject: "CN=client-1" });
const unbound = (clientId: number, more: object = {}) =>
  clientSettings({ clientId, tlsClientCertificateBoundAccessTokens: false, ...more });

test("a token: A052001, 43 characters of 256 random bits, and every member that applies", async (t) => {
  const { issue } = await startEngine(t, { supportedScopes: [{ name: "read" }] }, [clientSettings({ clientId: 1 })]);
  const answer = await issue("&scope=read", { clientCertificate: k1.pem });
  const { accessToken = "", responseContent = "", ...rest } = answer;
  t.regex(accessToken, /^[A-Za-z0-9_-]{43}$/);
  t.deepEqual(JSON.parse(responseContent), {
    access_token: accessToken,
    scope: "read",
    token_type: "Bearer",
    expires_in: 3600,
  });
  t.deepEqual(rest, {
    resultCode: "A052001",
    resultMessage: "[A052001] The token request (grant_type=client_credentials) was processed successfully.",
    action: "OK",
    // To the second, as `exp` has it: 250 ms that were never going to be honoured are not promised.
    accessTokenExpiresAt: startInstant - 250 + 3_600_000,
    accessTokenDuration: 3600,
    grantType: "CLIENT_CREDENTIALS",
    clientId: 1,
    clientIdAliasUsed: false,
    clientAuthMethod: "CLIENT_SECRET_BASIC",
    scopes: ["read"],
  });
  const other = await issue("&scope=read", { clientCertificate: k1.pem });
  t.not(other.accessToken, accessToken);
});

for (const [parameters, code, action, error] of [
  [null, "A047201", "INTERNAL_SERVER_ERROR", "server_error"],
  ["", "A047301", "BAD_REQUEST", "invalid_request"],
  ["grant_type=client_credentials&scope=%zz", "A047202", "BAD_REQUEST", "invalid_request"],
  ["scope=read", "A049301", "BAD_REQUEST", "invalid_request"],
  ["grant_type=", "A049301", "BAD_REQUEST", "invalid_request"],
  ["grant_type=client_credentials&grant_type=client_credentials", "A049303", "BAD_REQUEST", "invalid_request"],
  ["grant_type=client_credentials&client_id=1&client_id=1", "A244301", "BAD_REQUEST", "invalid_request"],
  ["grant_type=client_credentials&scope=a&scope=b", "A052302", "BAD_REQUEST", "invalid_request"],
  ["grant_type=client_credentials&client_secret=a&client_secret=b", "A158301", "BAD_REQUEST", "invalid_request"],
  ["grant_type=client_credentials&anything=a&anything=b", "A047202", "BAD_REQUEST", "invalid_request"],
  ["grant_type=client_credentials&scope[]=read", "A047202", "BAD_REQUEST", "invalid_request"],
  ["constructor=1&constructor=1", "A047202", "BAD_REQUEST", "invalid_request"],
  ["__proto__=1&__proto__=1&toString=1&toString=1", "A047202", "BAD_REQUEST", "invalid_request"],
  ["grant_type=password&username=a&password=b", "A049305", "BAD_REQUEST", "unsupported_grant_type"],
  ["grant_type=authorization_code&code=x", "A049305", "BAD_REQUEST", "unsupported_grant_type"],
  ["grant_type=implicit", "A049305", "BAD_REQUEST", "unsupported_grant_type"],
  ["grant_type=client_credentials&scope=none", "A052303", "BAD_REQUEST", "invalid_scope"],
  ['grant_type=client_credentials&scope="read"', "A052303", "BAD_REQUEST", "invalid_scope"],
  ["grant_type=client_credentials&resource=relative", "A251307", "BAD_REQUEST", "invalid_target"],
  ["grant_type=client_credentials&resource=https://a.example/%23f", "A251308", "BAD_REQUEST", "invalid_target"],
  ["grant_type=client_credentials&resource=https://other.example.com", "A251306", "BAD_REQUEST", "invalid_target"],
] as const) {
  test(`a token request of ${JSON.stringify(parameters)}: ${code}, ${error}`, async (t) => {
    const { issue } = await startEngine(t, {
      supportedScopes: [{ name: "read" }],
      supportedResources: ["https://api.example.com"],
    });
    const answer = await issue("", { parameters });
    t.is(answer.resultCode, code);
    t.is(answer.action, action);
    const content = JSON.parse(answer.responseContent ?? "") as { error: string; error_description: string };
    t.is(content.error, error);
    t.true(content.error_description.startsWith(`[${code}] `));
    t.is(answer.accessToken, undefined);
  });
}

test("scopes: unknown ones are dropped, the client's own limit counts, defaults replace an empty list", async (t) => {
  const supportedScopes = [
    { name: "read", defaultEntry: true },
    { name: "write" },
    { name: "admin", defaultEntry: true },
  ];
  const limited = unbound(2, { extension: { requestableScopes: ["read", "write"] } });
  const { backend } = await startEngine(t, { supportedScopes }, [unbound(1), limited]);
  const scopesOf = async (clientId: number, scope: string) =>
    (
      await backend.authToken({
        parameters: `grant_type=client_credentials${scope}`,
        clientId: String(clientId),
        clientSecret: secretOf(clientId),
      })
    ).scopes;
  t.deepEqual(await scopesOf(1, "&scope=write+nonsense+read+write"), ["write", "read"]);
  t.deepEqual(await scopesOf(1, ""), ["read", "admin"]);
  t.deepEqual(await scopesOf(1, "&scope="), ["read", "admin"]);
  t.deepEqual(await scopesOf(2, "&scope=admin+read"), ["read"]);
  t.deepEqual(await scopesOf(2, ""), ["read"]);
});

test("resource: each requested one is in the audience once; without any, the service's defaults are", async (t) => {
  const { issue } = await startEngine(t, { defaultResources: ["https://default.example.com"] });
  const asked = await issue(
    "&resource=https://a.example.com&resource=https://b.example.com&resource=https://a.example.com",
  );
  t.deepEqual(asked.accessTokenResources, ["https://a.example.com", "https://b.example.com"]);
  t.deepEqual(asked.resources, ["https://a.example.com", "https://b.example.com", "https://a.example.com"]);
  const silent = await issue();
  t.deepEqual(silent.accessTokenResources, ["https://default.example.com"]);
  t.is(silent.resources, undefined);
});

test("lifetime: the request's, else the client's, else the service's; 0 and null count as absent", async (t) => {
  const clients = [unbound(1), unbound(2, { extension: { accessTokenDuration: 60 } })];
  const { issue } = await startEngine(t, { accessTokenDuration: 600 }, clients);
  const durationOf = async (clientId: number, accessTokenDuration?: number | null) =>
    (await issue("", { clientId: String(clientId), clientSecret: secretOf(clientId), accessTokenDuration }))
      .accessTokenDuration;
  t.is(await durationOf(1), 600);
  t.is(await durationOf(1, 5), 5);
  t.is(await durationOf(2, 0), 60);
  t.is(await durationOf(2, null), 60);
  t.is(await durationOf(2, 5), 5);
});

test("a lifetime beyond 2^31 - 1 seconds is a wrong request: no instant is computed that cannot be kept", async (t) => {
  const { issue } = await startEngine(t);
  t.is((await issue("", { accessTokenDuration: 2_147_483_647 })).action, "OK");
  for (const accessTokenDuration of [2_147_483_648, 9_007_199_254_740, -1, 1.5]) {
    await t.throwsAsync(issue("", { accessTokenDuration }), { name: "ApiError", message: /A126202/ });
  }
});

test("an assertion beside the right secret is refused: one method a request", async (t) => {
  const { issue } = await startEngine(t);
  for (const parameter of ["client_assertion=x", "client_assertion_type=urn:x"]) {
    t.like(await issue(`&${parameter}`), { action: "INVALID_CLIENT", resultCode: "A157357" });
  }
  t.is((await issue("&client_assertion=")).action, "OK");
});

test("a client named by its alias is found when the alias is enabled, and its number always works", async (t) => {
  const clients = [
    unbound(1, { clientIdAlias: "one" }),
    unbound(2, { clientIdAlias: "two", clientIdAliasEnabled: false }),
  ];
  const { issue } = await startEngine(t, {}, clients);
  const by = (clientId: string, owner: number) => issue("", { clientId, clientSecret: secretOf(owner) });
  t.like(await by("one", 1), { action: "OK", clientId: 1, clientIdAlias: "one", clientIdAliasUsed: true });
  t.like(await by("1", 1), { action: "OK", clientId: 1, clientIdAlias: "one", clientIdAliasUsed: false });
  t.like(await by("two", 2), { action: "INVALID_CLIENT", resultCode: "A244307" });
  t.like(await by("2", 2), { action: "OK", clientIdAliasUsed: false });
  t.like(await by("three", 1), { action: "INVALID_CLIENT", resultCode: "A244306" });
});

test("the client sees the same for every authentication failure, whatever the operator sees", async (t) => {
  const clients = [unbound(1), unbound(2, { tokenAuthMethod: "CLIENT_SECRET_POST" }), unbound(3, { locked: true })];
  const { issue } = await startEngine(t, {}, clients);
  const answers = [
    await issue("", { clientSecret: "wrong" }),
    await issue("", { clientSecret: undefined }),
    await issue("", { clientId: "99" }),
    await issue("", { clientId: "2", clientSecret: secretOf(2) }),
    await issue("", { clientId: "3", clientSecret: secretOf(3) }),
  ];
  t.deepEqual(
    answers.map(({ resultCode }) => resultCode),
    ["A157305", "A157304", "A244306", "A157357", "A048307"],
  );
  t.is(new Set(answers.map(({ responseContent }) => responseContent)).size, 1);
});

test("a service can leave out error descriptions, in bodies and in challenges", async (t) => {
  const { backend, issue } = await startEngine(t, { errorDescriptionOmitted: true });
  t.is((await issue("&scope=x")).responseContent, '{"error":"invalid_scope"}');
  t.is((await backend.authIntrospection({ token: "x" })).responseContent, 'Bearer error="invalid_token"');
});

for (const [member, value] of Object.entries({
  dpop: "proof",
  dpopNonceRequired: true,
  accessToken: "chosen",
  oauthClientAttestation: "jwt",
  oauthClientAttestationPop: "jwt",
})) {
  test(`an unsupported member that would change the token is rejected: ${member}`, async (t) => {
    const { issue } = await startEngine(t);
    await t.throwsAsync(issue("", { [member]: value }), { name: "ApiError", message: /A001223/ });
  });
}

test("a token of every kind of key is bound to its certificate: EC, RSA and Ed25519", async (t) => {
  const { backend, issue } = await startEngine(t, {}, [clientSettings({ clientId: 1 })]);
  for (const key of ["P-256", "RSA-2048", "Ed25519"] as const) {
    const certificate = createSelfSigned({ subject: "CN=client", key });
    const { accessToken = "" } = await issue("", { clientCertificate: certificate.pem });
    const decided = await backend.authIntrospection({ token: accessToken, clientCertificate: certificate.pem });
    t.is(decided.certificateThumbprint, certificate.x5tS256);
  }
});

const samples = 1_000_000;
const octets = 32;

test("6749-10.10: a million tokens of 256 bits are all different, and every octet is evenly distributed", async (t) => {
  const settings = serviceSettings();
  const byHand = await createEngineByHand(t, [{ settings, clients: [clientSettings({ clientId: 1 })] }]);
  const decision: TokenSetDecision = {
    ...(await readPrepared(byHand)),
    ...{ clientIdAliasUsed: false, grantType: "AUTHORIZATION_CODE", code: "A052001", subject: undefined },
    ...{ scopes: [], requestedResources: [], resources: [], x5tS256: undefined, accessTokenDuration: 3600 },
    ...{ details: {}, first: true },
    refreshToken: { scopes: [], resources: [], expiresAt: startInstant + 1000, x5tS256: undefined },
  };
  const seen = new Set<string>();
  const counts = new Uint32Array(octets * 256);
  let misshapen = 0;
  for (let drawn = 0; drawn < samples; drawn += 2) {
    const { response } = await createTokenSet(byHand.dependencies, decision);
    for (const token of [response.accessToken ?? "", response.refreshToken ?? ""]) {
      if (!/^[A-Za-z0-9_-]{43}$/.test(token)) misshapen++;
      seen.add(token);
      const value = Buffer.from(token, "base64url");
      for (let at = 0; at < octets; at++) {
        const cell = at * 256 + (value[at] ?? 0);
        counts[cell] = (counts[cell] ?? 0) + 1;
      }
    }
  }
  t.is(misshapen, 0);
  t.is(seen.size, samples);
  // 3906 of each value in each place, give or take 62: ten times that is beyond any chance.
  t.deepEqual(
    [...counts].filter((count) => Math.abs(count - samples / 256) > 620),
    [],
  );
  // By the most frequent value of each place, at least 248 bits (RFC 6749 §10.10 asks for 160).
  const places = Array.from({ length: octets }, (_, at) => Math.max(...counts.subarray(at * 256, at * 256 + 256)));
  t.true(places.reduce((bits, most) => bits - Math.log2(most / samples), 0) > 248);
});
