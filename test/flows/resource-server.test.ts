import Koa from "koa";
import test, { type ExecutionContext } from "ava";
import { pino } from "pino";
import { openBackend } from "../../src/backend/backend.ts";
import { createResourceServer } from "../../src/resource-server/index.ts";
import { protect, type ProtectedState, type ProtectOptions } from "../../src/resource-server/middleware/koa.ts";
import type { ResourceServer } from "../../src/resource-server/resource-server.ts";
import { createAuthority, createSelfSigned } from "../support/certificates.ts";
import { accessTokenOf, startDeployment } from "../support/deployment.ts";
import { serveMutualTls } from "../support/mutual-tls.ts";
import { startGrants, tokensOf } from "./grants-deployment.ts";
import { grantsClient } from "../support/grants.ts";
import { readService } from "./read-service.ts";
import { keepTokens } from "../support/keep-tokens.ts";
import { startStore } from "../support/store-beside.ts";
import { basic, send } from "../support/https-request.ts";
import {
  clientSettings,
  configurationOf,
  secretOf,
  serviceAccessToken,
  serviceId,
  serviceSettings,
} from "../support/settings.ts";
import type { TestCertificate } from "../support/certificates.ts";

async function protectedApi(t: ExecutionContext, resourceServer: ResourceServer, options: ProtectOptions = {}) {
  t.teardown(() => resourceServer.close());
  const app = new Koa<ProtectedState>();
  app.use(protect(resourceServer, options));
  app.use((ctx) => {
    ctx.body = ctx.state.accessToken;
  });
  const handle = app.callback();
  const url = await serveMutualTls(t, (request, response) => void handle(request, response));
  return (token: string, as?: TestCertificate) => send({ url, as, headers: { authorization: `Bearer ${token}` } });
}

const backendOf = (backendUrl: string) => ({
  baseUrl: backendUrl,
  serviceId,
  credentials: { accessToken: serviceAccessToken },
  timeout: { attempt: 30_000, total: 30_000 },
});

test("8705-6.3: after a certificate change the old token fails with the new one, and a refresh replaces it", async (t) => {
  const authority = createAuthority({ subject: "CN=Client CA" });
  const subject = "CN=client-1";
  const client = grantsClient({ clientId: 1, tokenAuthMethod: "TLS_CLIENT_AUTH", tlsClientAuthSubjectDn: subject });
  const service = { trustedRootCertificates: [authority.certificate.pem] };
  const { code, exchange, refresh, token, backendUrl } = await startGrants(t, service, [client]);
  const callApi = await protectedApi(t, createResourceServer({ backend: backendOf(backendUrl) }));
  const before = authority.issue({ subject });
  const after = authority.issue({ subject });
  const begun = tokensOf(t, await exchange((await code()).code, { client_id: "1" }, before, {}));
  const old = accessTokenOf(t, await token({ client_id: "1" }, before));
  for (const stale of [begun.accessToken, old]) {
    t.is((await callApi(stale, before)).status, 200);
    t.is((await callApi(stale, after)).status, 401);
  }
  const refreshed = tokensOf(t, await refresh(begun.refreshToken, { client_id: "1" }, after, {}));
  const renewed = accessTokenOf(t, await token({ client_id: "1" }, after));
  for (const fresh of [refreshed.accessToken, renewed]) {
    t.is((await callApi(fresh, after)).status, 200);
    t.is((await callApi(fresh, before)).status, 401);
  }
});

test("6750-5.2: a token names its audience, and lives an hour unless the service sets another time", async (t) => {
  const resource = "https://api.example.com";
  const clients = [clientSettings({ clientId: 1 })];
  const { token, introspect, backendUrl } = await startDeployment(t, {
    clients,
    service: { defaultResources: [resource] },
  });
  const k1 = createSelfSigned({ subject: "CN=client-1" });
  const issued = accessTokenOf(t, await token({}, k1, { authorization: basic(1, secretOf(1)) }));
  const facts = JSON.parse((await introspect(issued)).body) as { aud: string[]; iat: number; exp: number };
  t.deepEqual(facts.aud, [resource]);
  t.true(facts.exp - facts.iat <= 3600);
  const meant = await protectedApi(t, createResourceServer({ backend: backendOf(backendUrl), resource }));
  const other = await protectedApi(
    t,
    createResourceServer({ backend: backendOf(backendUrl), resource: "https://other.example.com" }),
  );
  t.is((await meant(issued, k1)).status, 200);
  t.is((await other(issued, k1)).status, 401);
});

test("6750-5.2: a service without configured lifetimes issues tokens of an hour at most", async (t) => {
  const configuration = await readService({ defaultResources: ["https://api.example.com"] });
  const { token, introspect } = await startDeployment(t, { clients: [], configuration });
  const answer = await token({}, undefined, { authorization: basic(1, secretOf(1)) });
  const facts = JSON.parse((await introspect(accessTokenOf(t, answer))).body) as Record<string, unknown>;
  const { expires_in: announced } = JSON.parse(answer.body) as { expires_in: number };
  t.true(announced > 0 && announced <= 3600);
  t.is(Number(facts["exp"]) - Number(facts["iat"]), announced);
  t.deepEqual(facts["aud"], ["https://api.example.com"]);
});

for (const decide of ["library", "backend"] as const) {
  test(`the backend may live in the same process as the API (decide: ${decide})`, async (t) => {
    const k1 = createSelfSigned({ subject: "CN=client-1" });
    const backend = await openBackend({
      configuration: configurationOf([{ settings: serviceSettings(), clients: [clientSettings({ clientId: 1 })] }]),
      log: pino({ level: "silent" }),
    });
    t.teardown(() => backend.close());
    const { accessToken = "" } = await backend.authToken({
      parameters: "grant_type=client_credentials",
      clientId: "1",
      clientSecret: secretOf(1),
      clientCertificate: k1.pem,
    });
    const callApi = await protectedApi(t, createResourceServer({ backend, decide, cache: false }));
    const welcome = await callApi(accessToken, k1);
    t.is(welcome.status, 200, welcome.body);
    t.is((await callApi(accessToken, createSelfSigned({ subject: "CN=client-1" }))).status, 401);
    t.is((await callApi(accessToken)).status, 401);
    const revocation = { parameters: `token=${accessToken}`, clientId: "1", clientSecret: secretOf(1) };
    t.is((await backend.authRevocation(revocation)).action, "OK");
    t.is((await callApi(accessToken, k1)).status, 401);
  });
}

test("a refresh token opens no API, even one that lets unbound tokens in", async (t) => {
  const store = await startStore(t, [clientSettings({ clientId: 1 })]);
  const { accessToken, refreshToken } = await keepTokens(store, { clientId: 1, now: Date.now() });
  for (const decide of ["library", "backend"] as const) {
    const resourceServer = createResourceServer({ backend: store.backend, decide });
    const callApi = await protectedApi(t, resourceServer, { requirement: { binding: "if-bound" } });
    t.is((await callApi(accessToken)).status, 200);
    t.is((await callApi(refreshToken)).status, 401);
  }
});

test("a wrong request in the same process is the same ApiError as over HTTP", async (t) => {
  const backend = await openBackend({
    configuration: configurationOf([{ settings: serviceSettings(), clients: [] }]),
    log: pino({ level: "silent" }),
  });
  t.teardown(() => backend.close());
  await t.throwsAsync(backend.authIntrospection({ token: 1 } as never), { name: "ApiError", message: /A126202/ });
  await t.throwsAsync(backend.authToken({ parameters: "x", dpop: "proof" }), { name: "ApiError", message: /A001223/ });
  await t.throwsAsync(backend.operationsFor(1).authIntrospection({ token: "x" }), { instanceOf: TypeError });
});
