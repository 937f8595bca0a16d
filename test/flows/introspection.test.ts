import { createHash } from "node:crypto";
import test, { type ExecutionContext } from "ava";
import { createSelfSigned } from "../support/certificates.ts";
import { accessTokenOf, resourceServer, startDeployment } from "../support/deployment.ts";
import { assertErrorForm } from "../support/error-form.ts";
import { basic, postForm, send } from "../support/https-request.ts";
import { clientSettings, secretOf, serviceId } from "../support/settings.ts";
import { seedGrant, startStore } from "../support/seed-grant.ts";

const k1 = createSelfSigned({ subject: "CN=client-1" });
const authorization = basic(1, secretOf(1));
const asResourceServer = { authorization: basic(resourceServer.id, resourceServer.secret) };
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

test("7662-2-a: plain HTTP to the introspection endpoint gets no answer and no redirect", async (t) => {
  const { url, token } = await deploy(t);
  const issued = accessTokenOf(t, await token({}, k1, { authorization }));
  const plain = url.replace("https:", "http:");
  await t.throwsAsync(postForm({ url: `${plain}/introspect`, headers: asResourceServer }, { token: issued }));
});

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

test("7662-2.1-c: whatever the hint says, the answer is that of the token", async (t) => {
  const store = await startStore(t, [clientSettings({ clientId: 1 })]);
  const { accessToken, refreshToken } = await seedGrant(store, 1);
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

test("7662-2.1-e: an unknown format is inactive, and a store that cannot be asked is 503, never an answer", async (t) => {
  const { introspect, token, backend, url } = await deploy(t);
  const issued = accessTokenOf(t, await token({}, k1, { authorization }));
  t.is((await introspect("not.a.token")).body, '{"active":false}');
  await backend.close();
  const answer = await postForm({ url: `${url}/introspect`, headers: asResourceServer }, { token: issued });
  t.is(answer.status, 503);
  t.notRegex(answer.body, /active/);
});

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

test("7662-2.2-c, 7662-2.2-d: every inactive token gets the same answer, body and headers, with nothing else in it", async (t) => {
  const deployment = await deploy(t);
  const { introspect, token, revoke, api, setClock, start } = deployment;
  const issue = async (more: Record<string, string> = {}) =>
    accessTokenOf(t, await token({ scope: "read", ...more }, k1, { authorization }));
  const revoked = await issue();
  t.is((await revoke({ token: revoked }, k1, { authorization })).status, 200);
  const other = await startDeployment(t, { clients: [clientSettings({ clientId: 1 })], service: { apiKey: 42 } });
  const ofOtherService = accessTokenOf(t, await other.token({}, k1, { authorization }));
  const shortLived = JSON.parse(
    (
      await api.authToken({
        parameters: "grant_type=client_credentials",
        clientId: "1",
        clientSecret: secretOf(1),
        clientCertificate: k1.pem,
        accessTokenDuration: 10,
      })
    ).responseContent ?? "",
  ) as { access_token: string };
  setClock(start + 7_200_000);
  const notYetValid = await issue();
  setClock(start + 10_000);
  const causes: Record<string, string> = {
    revoked,
    expired: shortLived.access_token,
    notYetValid,
    ofOtherService,
    neverExisted: "A".repeat(43),
    garbage: "\u0000\u0001 é 😀 \r\n",
    oneByte: "x",
    sixteenKiB: "x".repeat(16_384),
  };
  const answers = new Map<string, string>();
  for (const [cause, value] of Object.entries(causes)) {
    const { status, headers, body } = await introspect(value);
    answers.set(cause, JSON.stringify({ status, body, headers: { ...headers, date: "" } }));
    t.is(body, '{"active":false}', cause);
    t.is(status, 200);
  }
  t.is(new Set(answers.values()).size, 1);

  // The causes that only a resource server that names itself can meet, at the API.
  const elsewhere = await issue({ resource: "https://other.example.com" });
  const rsUri = "https://api.example.com";
  const forOthers = await api.authIntrospectionStandard({ parameters: `token=${elsewhere}`, rsUri });
  const store = await startStore(t, [clientSettings({ clientId: 1 })]);
  const { refreshToken } = await seedGrant(store, 1);
  const ofRefreshToken = await store.backend.authIntrospectionStandard({ parameters: `token=${refreshToken}`, rsUri });
  const unknown = await api.authIntrospectionStandard({ parameters: "token=x", rsUri });
  t.is(unknown.responseContent, '{"active":false}');
  t.deepEqual(forOthers, unknown);
  t.deepEqual(ofRefreshToken, unknown);
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

test("the answer names what it rests on: token, client and service", async (t) => {
  const { token, api } = await deploy(t);
  const issued = accessTokenOf(t, await token({}, k1, { authorization }));
  const { invalidationKeys } = await api.authIntrospectionStandard({ parameters: `token=${issued}` });
  const digest = createHash("sha256").update(issued).digest("base64url");
  t.deepEqual(invalidationKeys, [`token:${digest}`, `client:${serviceId}:1`, `service:${serviceId}`]);
  const nothing = await api.authIntrospectionStandard({ parameters: "token=x" });
  t.false("invalidationKeys" in nothing);
});

test("properties of a token are in its answers, hidden ones only on request, and none takes a member's place", async (t) => {
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

test("the resource server must prove who it is before it learns anything", async (t) => {
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
