import type { ExecutionContext } from "ava";
import test from "ava";
import type { ClientRefusal } from "../../src/authorization-server/index.ts";
import { createLog } from "../../src/backend/http/create-log.ts";
import { openBackend, serveBackend, type CallRecord, type ObservedCall, type OnCall } from "../../src/backend/index.ts";
import { createAuthority, createSelfSigned } from "../support/certificates.ts";
import { accessTokenOf, startDeployment } from "../support/deployment.ts";
import { failures } from "../support/failing-hooks.ts";
import { basic } from "../support/https-request.ts";
import {
  clientSettings,
  configurationOf,
  secretOf,
  serviceAccessToken,
  serviceId,
  serviceSettings,
} from "../support/settings.ts";

const authority = createAuthority({ subject: "CN=Client CA,O=certbound tests" });
const subject = "CN=client-1.example.com,O=Client One,C=JP";
const own = authority.issue({ subject });
const expired = authority.issue({ subject, notAfter: new Date("2021-01-01T00:00:00Z") });
const others = createSelfSigned({ subject: "CN=somebody else" });

const byCertificate = clientSettings({
  clientId: 1001,
  clientIdAlias: "shop",
  tokenAuthMethod: "TLS_CLIENT_AUTH",
  tlsClientAuthSubjectDn: subject,
});
const bySecret = clientSettings({ clientId: 1002, tlsClientCertificateBoundAccessTokens: false });

/** A deployment, the lines of its backend's log for token endpoint and introspection, and what the front end was told. */
async function start(t: ExecutionContext) {
  const lines: string[] = [];
  const refusals: ClientRefusal[] = [];
  const deployment = await startDeployment(t, {
    service: { trustedRootCertificates: [authority.certificate.pem] },
    clients: [byCertificate, bySecret],
    log: createLog({ level: "info", stream: { write: (line) => void lines.push(line) } }),
    onRefusal: (refusal) => refusals.push(refusal),
  });
  return {
    ...deployment,
    lines,
    refusals,
    last: () => JSON.parse(lines.at(-1) ?? "{}") as CallRecord & Record<string, unknown>,
  };
}

test("a refused chain is one warning: OpenSSL's reason, client, grant, thumbprint and address", async (t) => {
  const { token, last, refusals } = await start(t);
  const answer = await token({ client_id: "shop" }, expired);
  t.is(answer.status, 400);
  const line = last();
  t.like(line, {
    level: "warn",
    service: serviceId,
    clientId: "1001",
    clientIdAlias: "shop",
    grantType: "CLIENT_CREDENTIALS",
    resultCode: "A157339",
    action: "INVALID_CLIENT",
    thumbprint: expired.x5tS256,
    clientAddress: "127.0.0.1",
    route: "/api/{serviceId}/auth/token",
  });
  t.regex(String(line.sentence), /^The certificate path is not valid \(error 10 at 0 depth lookup: .*expired/);
  t.deepEqual(refusals, [
    {
      endpoint: "token",
      action: "INVALID_CLIENT",
      resultCode: "A157339",
      resultMessage: `[A157339] ${String(line.sentence)}`,
      clientId: "shop",
      thumbprint: expired.x5tS256,
      address: "127.0.0.1",
    },
  ]);
  // The client is told none of it.
  t.false(answer.body.includes("A157339"));
  t.false(answer.body.includes("depth lookup"));
});

test("a token in a thief's hands is a warning with both thumbprints and the token's client", async (t) => {
  const { token, api, last } = await start(t);
  const accessToken = accessTokenOf(t, await token({ client_id: "1001" }, own));
  t.like(last(), { level: "info", clientId: "1001", resultCode: "A052001", thumbprint: own.x5tS256 });
  const stolen = { token: accessToken, clientCertificate: others.pem };
  await api.authIntrospection(stolen, { clientAddress: "2001:db8::7" });
  t.like(last(), {
    level: "warn",
    clientId: "1001",
    resultCode: "A065305",
    action: "UNAUTHORIZED",
    boundTo: own.x5tS256,
    thumbprint: others.x5tS256,
    clientAddress: "2001:db8::7",
  });
  await api.authIntrospection({ token: accessToken, clientCertificate: own.pem });
  t.like(last(), { level: "info", resultCode: "A056001" });
  t.is(last().clientAddress, undefined);
});

test("a wrong secret is a warning, and nothing that opens anything is in the log", async (t) => {
  const { token, lines, last, refusals } = await start(t);
  const secret = "wrong-secret-MARKER-4711";
  await token({}, others, { authorization: basic(1002, secret) });
  t.like(last(), { level: "warn", clientId: "1002", resultCode: "A157305", thumbprint: others.x5tS256 });
  const right = await token({ scope: "" }, own, { authorization: basic(1002, secretOf(1002)) });
  const accessToken = accessTokenOf(t, right);
  const said = [...lines, JSON.stringify(refusals)].join("");
  for (const hidden of [secret, "MARKER-4711", secretOf(1002), accessToken, "BEGIN CERTIFICATE", "somebody else"]) {
    t.false(said.includes(hidden), hidden);
  }
});

for (const [what, clientId, shown] of [
  ["a forged line", 'x"\n{"level":"info","msg":"forged"}', 'x"?{"level":"info","msg":"forged"}'],
  ["escape sequences", "a\u001b[2J\u009b31mb", "a?[2J?31mb"],
  ["text that runs from right to left", "a\u202eb", "a?b"],
  ["a thousand characters", "x".repeat(1000), `${"x".repeat(64)}...`],
] as const) {
  test(`a client_id with ${what} stays one bounded line of plain characters`, async (t) => {
    const { token, lines, last, refusals } = await start(t);
    const before = lines.length;
    await token({ client_id: clientId });
    t.is(lines.length, before + 1);
    t.true(/^[\x20-\x7e]+\n$/.test(lines.at(-1) ?? ""));
    t.like(last(), { level: "warn", clientId: shown, resultCode: "A244306" });
    t.is(refusals[0]?.clientId, shown);
  });
}

for (const [what, named, shown] of [
  ["an IPv4 address", "203.0.113.7", "203.0.113.7"],
  ["the first of several", "2001:db8::1, 10.0.0.1", "2001:db8::1"],
  ["a line of its own", "203.0.113.7 forged", undefined],
  ["a name", "client.example.com", undefined],
  ["nothing", "", undefined],
] as const) {
  test(`the address that an API caller names is ${what}: ${String(shown)} in the log`, async (t) => {
    const { backendUrl, last } = await start(t);
    await fetch(`${backendUrl}/api/info`, { headers: { "x-forwarded-for": named } });
    t.is(last().clientAddress, shown);
  });
}

test("wrong credentials at the API are a warning that names the requested service", async (t) => {
  const { backendUrl, last } = await start(t);
  const url = `${backendUrl}/api/4711/auth/introspection`;
  await fetch(url, { method: "POST", headers: { authorization: "Bearer wrong-token-MARKER" } });
  t.like(last(), { level: "warn", service: 4711, resultCode: "A458101", status: 401 });
});

test("a header without credentials is reported to the front end's operator, without a backend request", async (t) => {
  const { token, refusals, lines } = await start(t);
  const before = lines.length;
  t.is((await token({ client_id: "1002" }, own, { authorization: "Basic ???" })).status, 401);
  t.is(lines.length, before);
  t.like(refusals[0], {
    endpoint: "token",
    action: "INVALID_CLIENT",
    resultCode: undefined,
    thumbprint: own.x5tS256,
  });
});

for (const [how, onRefusal] of [
  [
    "throws",
    () => {
      throw new Error("the hook");
    },
  ],
  ["rejects", () => Promise.reject(new Error("the hook"))],
] as const) {
  test(`an onRefusal that ${how} changes no answer`, async (t) => {
    const { token } = await startDeployment(t, { clients: [bySecret], onRefusal });
    const answer = await token({}, undefined, { authorization: basic(1002, "wrong") });
    t.is(answer.status, 401);
    t.regex(answer.body, /invalid_client/);
  });
}

test("a backend in the same process reports of each call what the log would have", async (t) => {
  const calls: ObservedCall[] = [];
  const clock = [0, 3.14159, 10, 10, 20, 21, 30, 31];
  const backend = await openBackend({
    configuration: configurationOf([{ settings: serviceSettings(), clients: [bySecret] }]),
    log: createLog({ level: "silent", stream: { write: () => undefined } }),
    monotonicClock: () => clock.shift() ?? 0,
    onCall: (call) => {
      calls.push(call);
      throw new Error("the hook");
    },
  });
  t.teardown(() => backend.close());
  const form = { parameters: "grant_type=client_credentials", clientId: "1002" };
  await backend.authToken({ ...form, clientSecret: "wrong" }, { clientAddress: "203.0.113.7" });
  await backend.authToken({ ...form, clientSecret: secretOf(1002) });
  await t.throwsAsync(backend.authToken({ parameters: 1 } as never));
  await backend.serviceConfiguration({});
  t.like(calls[0], {
    operation: "authToken",
    level: "warn",
    service: serviceId,
    clientId: "1002",
    grantType: "CLIENT_CREDENTIALS",
    resultCode: "A157305",
    action: "INVALID_CLIENT",
    sentence: "The client secret is wrong.",
    clientAddress: "203.0.113.7",
  });
  t.deepEqual(
    calls.map(({ operation, level, resultCode }) => [operation, level, resultCode]),
    [
      ["authToken", "warn", "A157305"],
      ["authToken", "info", "A052001"],
      ["authToken", "warn", "A126202"],
      ["serviceConfiguration", "info", undefined],
    ],
  );
  t.true(calls.every(({ ms }) => Math.round(ms * 10) / 10 === ms));
});

/** A backend that is served and called in its own process, too. */
async function served(t: ExecutionContext, onCall: OnCall) {
  const lines: string[] = [];
  const backend = await serveBackend({
    configuration: configurationOf([{ settings: serviceSettings(), clients: [bySecret] }]),
    log: createLog({ level: "info", stream: { write: (line) => void lines.push(line) } }),
    onCall,
  });
  t.teardown(() => backend.close());
  const secret = { parameters: "grant_type=client_credentials", clientId: "1002" };
  const overHttp = async (clientSecret: string) => {
    const answer = await fetch(`${backend.address.url}/api/${serviceId}/auth/token`, {
      method: "POST",
      headers: { authorization: `Bearer ${serviceAccessToken}`, "content-type": "application/json" },
      body: JSON.stringify({ ...secret, clientSecret }),
    });
    return ((await answer.json()) as { action?: string }).action;
  };
  const here = async (clientSecret: string) => (await backend.authToken({ ...secret, clientSecret })).action;
  return { here, overHttp, requests: () => lines.filter((line) => line.includes('"msg":"request"')) };
}

test("a call over HTTP is only logged, and one in the process only reported to onCall", async (t) => {
  const calls: ObservedCall[] = [];
  const { here, overHttp, requests } = await served(t, (call) => calls.push(call));
  t.is(await overHttp("wrong"), "INVALID_CLIENT");
  t.deepEqual([calls.length, requests().length], [0, 1]);
  t.is(await here("wrong"), "INVALID_CLIENT");
  t.deepEqual([calls.length, requests().length], [1, 1]);
  const line = JSON.parse(requests()[0] ?? "") as CallRecord;
  const [call] = calls;
  for (const name of ["level", "service", "clientId", "grantType", "resultCode", "action", "sentence"] as const) {
    t.not(call?.[name], undefined, name);
    t.is(call?.[name], line[name], name);
  }
});

for (const [how, fail] of Object.entries(failures)) {
  test(`an onCall that ${how} changes no answer and no line`, async (t) => {
    const { here, overHttp, requests } = await served(t, fail);
    t.is(await here("wrong"), "INVALID_CLIENT");
    t.is(await here(secretOf(1002)), "OK");
    t.is(await overHttp(secretOf(1002)), "OK");
    t.is(requests().length, 1);
  });
}
