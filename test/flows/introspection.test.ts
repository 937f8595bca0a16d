import { createHash } from "node:crypto";
import { open } from "node:fs/promises";
import test, { type ExecutionContext } from "ava";
import { createSelfSigned } from "../support/certificates.ts";
import {
  accessTokenOf,
  namedResourceServer,
  resourceServer,
  startAuthorizationServer,
  startDeployment,
  textOf,
} from "../support/deployment.ts";
import { assertErrorForm } from "../support/error-form.ts";
import { basic, postForm, send, type HttpAnswer } from "../support/https-request.ts";
import { clientSettings, secretOf, serviceAccessToken, serviceId, serviceSettings } from "../support/settings.ts";
import { keepTokens } from "../support/keep-tokens.ts";
import { makeStoreFile, openStoreBeside, startStore, type StoreFile } from "../support/store-beside.ts";

const k1 = createSelfSigned({ subject: "CN=client-1" });
const authorization = basic(1, secretOf(1));
const asResourceServer = { authorization: basic(resourceServer.id, resourceServer.secret) };
/** Refresh tokens are introspected for whoever manages tokens only if the service says so. */
const managingTokens = { introspectionOfRefreshTokens: true };
const scopes = { supportedScopes: [{ name: "read" }, { name: "write" }] };

async function deploy(t: ExecutionContext, start = Date.parse("2026-11-21T08:00:00.500Z")) {
  let now = start;
  const deployment = await startDeployment(t, {
    service: scopes,
    clients: [clientSettings({ clientId: 1 }), clientSettings({ clientId: 2 })],
    clock: () => now,
  });
  return {
    ...deployment,
    setClock: (milliseconds: number) => {
      now = milliseconds;
    },
    start,
  };
}

test("7662-2.1-b: a token that is missing, empty, repeated or bracketed is an invalid_request", async (t) => {
  const { url } = await deploy(t);
  for (const form of [
    "token_type_hint=access_token",
    "token=",
    "token=a&token=b",
    "token=a&token=a",
    "token[]=a",
    "token[a]=b",
    "token%5B%5D=a",
  ]) {
    assertErrorForm(
      t,
      await postForm({ url: `${url}/introspect`, headers: asResourceServer }, form),
      "invalid_request",
      [400],
    );
  }
});

test("7662-2.1-c: the answer is the token's own, whatever the hint", async (t) => {
  const store = await startStore(t, [clientSettings({ clientId: 1 })], Date.now, managingTokens);
  const { accessToken, refreshToken } = await keepTokens(store, { clientId: 1, now: Date.now() });
  for (const value of [accessToken, refreshToken]) {
    const answers = new Set<string>();
    for (const hint of [
      "",
      "&token_type_hint=access_token",
      "&token_type_hint=refresh_token",
      "&token_type_hint=other",
      "&token_type_hint=",
    ]) {
      const answer = await store.backend.authIntrospectionStandard({ parameters: `token=${value}${hint}` });
      answers.add(answer.responseContent ?? "");
    }
    t.is(answers.size, 1);
    t.regex([...answers][0] ?? "", /"active":true/);
    const repeated = "&token_type_hint=access_token&token_type_hint=access_token";
    const answer = await store.backend.authIntrospectionStandard({ parameters: `token=${value}${repeated}` });
    t.is(answer.action, "BAD_REQUEST");
  }
});

test("7662-2.1-e: an unknown format is inactive, and a backend that is gone is 503, never an answer", async (t) => {
  const { introspect, token, backend } = await deploy(t);
  const issued = accessTokenOf(t, await token({}, k1, { authorization }));
  t.is((await introspect("not.a.token")).body, '{"active":false}');
  await backend.close();
  assertUndetermined(t, await introspect(issued));
});

for (const [what, breakStore] of [
  ["has lost its tokens", loseTokens],
  ["is overwritten with rubbish", overwrite],
] as const) {
  test(`7662-2.1-e: while the backend's store ${what}, no answer about any token: 503`, async (t) => {
    const file = await makeStoreFile(t);
    const { introspect, token, backendUrl } = await startDeployment(t, {
      clients: [clientSettings({ clientId: 1 })],
      configuration: file.configuration,
    });
    const issued = accessTokenOf(t, await token({}, k1, { authorization }));
    t.regex((await introspect(issued)).body, /"active":true/);
    await breakStore(file);
    for (const value of [issued, "A".repeat(43)]) {
      assertUndetermined(t, await introspect(value));
      for (const [path, body] of [
        ["introspection/standard", { parameters: `token=${value}` }],
        ["introspection", { token: value, clientCertificate: k1.pem }],
      ] as const) {
        const answer = await send({
          url: `${backendUrl}/api/${serviceId}/auth/${path}`,
          method: "POST",
          headers: { "content-type": "application/json", authorization: `Bearer ${serviceAccessToken}` },
          body: JSON.stringify(body),
        });
        assertUndetermined(t, answer);
      }
    }
  });
}

function assertUndetermined(t: ExecutionContext, { status, headers, body }: HttpAnswer): void {
  t.is(status, 503, body);
  t.truthy(headers["retry-after"]);
  t.notRegex(body, /active|usable|existent|cnf/);
}

function loseTokens({ tamper }: StoreFile): void {
  tamper("DROP TABLE access_token");
}

/** Leaves only the first page, which says that it is a database. */
async function overwrite({ path, tamper }: StoreFile): Promise<void> {
  // A write that the backend has not seen makes it read the file again; the log is taken back into the file.
  tamper("CREATE TABLE rubbish (value TEXT) STRICT; PRAGMA wal_checkpoint(TRUNCATE);");
  const file = await open(path, "r+");
  const page = 4096;
  const { size } = await file.stat();
  await file.write(Buffer.alloc(size - page, "rubbish"), 0, size - page, page);
  await file.close();
}

test("7662-2.2-a: active is a boolean, in every answer", async (t) => {
  const { introspect, token } = await deploy(t);
  const issued = accessTokenOf(t, await token({}, k1, { authorization }));
  t.is((JSON.parse((await introspect(issued)).body) as { active: unknown }).active, true);
  t.is((JSON.parse((await introspect("x")).body) as { active: unknown }).active, false);
});

test("7662-2.2-b: the optional members have the types of the RFC, and scope is left out rather than null", async (t) => {
  const { introspect, token, start } = await deploy(t);
  const resource = "https://api.example.com";
  const issued = accessTokenOf(t, await token({ scope: "write read", resource }, k1, { authorization }));
  const facts = JSON.parse((await introspect(issued)).body) as Record<string, unknown>;
  const iat = Math.floor(start / 1000);
  t.deepEqual(facts, {
    active: true,
    scope: "write read",
    iss: "https://as.example.com",
    iat,
    exp: iat + 3600,
    client_id: "1",
    aud: [resource],
    cnf: { "x5t#S256": k1.x5tS256 },
    token_type: "Bearer",
  });
  const withoutScope = accessTokenOf(t, await token({}, k1, { authorization }));
  t.false("scope" in (JSON.parse((await introspect(withoutScope)).body) as object));
});

test("7662-2.2-c, 7662-2.2-d: every inactive token gets the same answer, body and headers, and no more", async (t) => {
  const start = Date.parse("2026-11-21T08:00:00.500Z");
  let now = start;
  const file = await makeStoreFile(t);
  const other = serviceSettings({ apiKey: 42, accessTokens: ["service-access-token-of-42-0123456789abcdef"] });
  const clients = [clientSettings({ clientId: 1 })];
  const { introspect, token, revoke, api, backendUrl } = await startDeployment(t, {
    service: { ...scopes, ...managingTokens },
    clients,
    otherServices: [{ settings: other, clients }],
    configuration: file.configuration,
    clock: () => now,
  });
  const otherService = await startAuthorizationServer(t, backendUrl, other);
  const issue = async (more: Record<string, string> = {}) =>
    accessTokenOf(t, await token({ scope: "read", ...more }, k1, { authorization }));
  const revoked = await issue();
  t.is((await revoke({ token: revoked }, k1, { authorization })).status, 200);
  const ofOtherService = accessTokenOf(t, await otherService.token({}, k1, { authorization }));
  const ofOtherAudience = await issue({ resource: "https://other.example.com" });
  const { refreshToken } = await keepTokens({ store: await openStoreBeside(t, file) }, { clientId: 1, now: start });
  const { accessToken: expired = "" } = await api.authToken({
    parameters: "grant_type=client_credentials",
    clientId: "1",
    clientSecret: secretOf(1),
    clientCertificate: k1.pem,
    accessTokenDuration: 10,
  });
  now = start + 7_200_000;
  const notYetValid = await issue();
  now = start + 10_000;

  // Each of them is a token in force to somebody, or was: otherwise it would be one more that never existed.
  const isActive = (body: string) => (JSON.parse(body) as { active: boolean }).active;
  t.true(isActive((await otherService.introspect(ofOtherService)).body));
  t.true(isActive((await introspect(ofOtherAudience)).body));
  t.true(isActive((await introspect(refreshToken)).body));
  t.true(isActive((await introspect(await issue({ resource: namedResourceServer.rsUri }), namedResourceServer)).body));

  const causes: Record<string, string> = {
    revoked,
    expired,
    notYetValid,
    ofOtherService,
    ofOtherAudience,
    refreshToken,
    neverExisted: "A".repeat(43),
    garbage: "\u0000\u0001 é 😀 \r\n",
    oneByte: "x",
    sixteenKiB: "x".repeat(16_384),
  };
  const answers = new Map<string, string>();
  for (const [cause, value] of Object.entries(causes)) {
    const answer = await introspect(value, namedResourceServer);
    answers.set(cause, textOf(answer));
    t.is(answer.body, '{"active":false}', cause);
    t.is(answer.status, 200);
    // To a resource server that does not say who it is, neither audience nor kind is a cause.
    if (cause === "ofOtherAudience" || cause === "refreshToken") continue;
    answers.set(`${cause}, to the unnamed`, textOf(await introspect(value)));
  }
  const expected = answers.get("neverExisted") ?? "";
  for (const [cause, answer] of answers) t.is(answer, expected, cause);
});

test("a token with an audience is active to a resource server of that audience, and one without to any", async (t) => {
  const { token, api } = await deploy(t);
  const resource = "https://api.example.com";
  const meant = accessTokenOf(t, await token({ resource }, k1, { authorization }));
  const open = accessTokenOf(t, await token({}, k1, { authorization }));
  for (const [value, rsUri] of [
    [meant, resource],
    [open, resource],
    [meant, undefined],
    [open, undefined],
  ] as const) {
    const answer = await api.authIntrospectionStandard({ parameters: `token=${value}`, rsUri });
    t.regex(answer.responseContent ?? "", /"active":true/);
  }
});

test("an expired token is dead at the second that was announced, in both forms", async (t) => {
  const { token, api, introspect, setClock, start } = await deploy(t);
  const issued = accessTokenOf(t, await token({}, k1, { authorization }));
  const decide = async () => (await api.authIntrospection({ token: issued, clientCertificate: k1.pem })).resultCode;
  const exp = (Math.floor(start / 1000) + 3600) * 1000;
  setClock(exp - 1);
  t.is(await decide(), "A056001");
  t.regex((await introspect(issued)).body, /"active":true/);
  setClock(exp);
  t.is(await decide(), "A065303");
  t.is((await introspect(issued)).body, '{"active":false}');
});

test("a refresh token is dead at the second that was announced", async (t) => {
  const start = Date.parse("2026-11-21T08:00:00.250Z");
  let now = start;
  const store = await startStore(t, [clientSettings({ clientId: 1 })], () => now, managingTokens);
  const { refreshToken, refreshTokenExpiresAt } = await keepTokens(store, { clientId: 1, now: start });
  const ask = async () =>
    (await store.backend.authIntrospectionStandard({ parameters: `token=${refreshToken}` })).responseContent ?? "";
  const exp = Math.floor(refreshTokenExpiresAt / 1000);
  now = exp * 1000 - 1;
  t.like(JSON.parse(await ask()), { active: true, exp });
  now = exp * 1000;
  t.is(await ask(), '{"active":false}');
});

test("a row with a damaged thumbprint is rejected in both forms, and never counts as unbound", async (t) => {
  const file = await makeStoreFile(t);
  const clients = [clientSettings({ clientId: 1 })];
  const { token, introspect, api } = await startDeployment(t, { clients, configuration: file.configuration });
  const issued = accessTokenOf(t, await token({}, k1, { authorization }));
  t.is((await api.authIntrospection({ token: issued, clientCertificate: k1.pem })).resultCode, "A056001");
  for (const damaged of ["x", "", k1.x5tS256.slice(1), `${k1.x5tS256}=`]) {
    file.tamper(`UPDATE access_token SET x5t_s256 = '${damaged}'`);
    for (const clientCertificate of [undefined, k1.pem]) {
      const decided = await api.authIntrospection({ token: issued, clientCertificate });
      t.like(decided, { action: "UNAUTHORIZED", resultCode: "A065306", sufficient: false });
    }
    t.is((await introspect(issued)).body, '{"active":false}');
  }
});

test("the answer names its keys: token, client and service", async (t) => {
  const { token, api } = await deploy(t);
  const issued = accessTokenOf(t, await token({}, k1, { authorization }));
  const { invalidationKeys } = await api.authIntrospectionStandard({ parameters: `token=${issued}` });
  const digest = createHash("sha256").update(issued).digest("base64url");
  t.deepEqual(invalidationKeys, [`token:${digest}`, `client:${serviceId}:1`, `service:${serviceId}`]);
  const nothing = await api.authIntrospectionStandard({ parameters: "token=x" });
  t.false("invalidationKeys" in nothing);
});

test("the answer about a refresh or access token of a grant names grant and subject, too", async (t) => {
  const store = await startStore(t, [clientSettings({ clientId: 1 })], Date.now, managingTokens);
  const { grantId, accessToken, refreshToken } = await keepTokens(store, { clientId: 1, now: Date.now() });
  for (const token of [accessToken, refreshToken]) {
    const { invalidationKeys } = await store.backend.authIntrospectionStandard({ parameters: `token=${token}` });
    const digest = createHash("sha256").update(token).digest("base64url");
    t.deepEqual(invalidationKeys, [
      `token:${digest}`,
      `grant:${grantId}`,
      `subject:${createHash("sha256").update("user-1").digest("base64url")}`,
      `client:${serviceId}:1`,
      `service:${serviceId}`,
    ]);
  }
});

test("a token's properties are in its answers, hidden ones on request, and replace no member", async (t) => {
  const { api } = await deploy(t);
  const properties = [
    { key: "tenant", value: "acme" },
    { key: "secret", value: "hidden", hidden: true },
    { key: "active", value: "false" },
    { key: "cnf", value: "none" },
    { key: "sub", value: "someone" },
    { key: "token_type", value: "mac" },
    { key: "__proto__", value: "polluted" },
  ];
  const { responseContent, accessToken } = await api.authToken({
    parameters: "grant_type=client_credentials",
    clientId: "1",
    clientSecret: secretOf(1),
    clientCertificate: k1.pem,
    properties,
  });
  const toClient = JSON.parse(responseContent ?? "") as Record<string, unknown>;
  t.is(toClient["tenant"], "acme");
  t.is(toClient["token_type"], "Bearer");
  t.false("secret" in toClient);
  const standard = async (withHiddenProperties: boolean) => {
    const answer = await api.authIntrospectionStandard({ parameters: `token=${accessToken}`, withHiddenProperties });
    return JSON.parse(answer.responseContent ?? "") as Record<string, unknown>;
  };
  const facts = await standard(false);
  t.like(facts, { active: true, tenant: "acme", token_type: "Bearer", cnf: { "x5t#S256": k1.x5tS256 } });
  t.false("secret" in facts);
  t.false("sub" in facts);
  t.is((await standard(true))["secret"], "hidden");
  const decided = await api.authIntrospection({ token: accessToken, clientCertificate: k1.pem });
  t.deepEqual(decided.properties, properties);
});

test("the resource server must authenticate before it gets any facts", async (t) => {
  const { url, token } = await deploy(t);
  const issued = accessTokenOf(t, await token({}, k1, { authorization }));
  for (const headers of [
    {},
    { authorization: basic("api", "wrong") },
    { authorization },
    { authorization: "Bearer x" },
  ]) {
    const answer = await postForm({ url: `${url}/introspect`, headers }, { token: issued });
    assertErrorForm(t, answer, "invalid_client", [401]);
    t.notRegex(answer.body, /active/);
  }
  const get = await send({ url: `${url}/introspect?token=${issued}`, headers: asResourceServer });
  t.is(get.status, 405);
  t.is(get.headers.allow, "POST");
});
