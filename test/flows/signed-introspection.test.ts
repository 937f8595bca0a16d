import test, { type ExecutionContext } from "ava";
import { decodeJwt, decodeProtectedHeader } from "jose";
import {
  basicResourceServers,
  introspectionEndpoint as servedIntrospection,
  nodeHandler,
} from "../../src/authorization-server/index.ts";
import {
  IntrospectionUnavailable,
  introspectionEndpoint,
  jwtAccessTokens,
  type FactsSource,
} from "../../src/resource-server/index.ts";
import { createSelfSigned } from "../support/certificates.ts";
import {
  accessTokenOf,
  namedResourceServer,
  resourceServer,
  startAuthorizationServer,
  startDeployment,
  type DeploymentRequest,
} from "../support/deployment.ts";
import { serveMutualTls, serverCa } from "../support/mutual-tls.ts";
import { assertErrorForm } from "../support/error-form.ts";
import * as example from "./example-deployment.ts";
import { basic, postForm, send, type HttpAnswer } from "../support/https-request.ts";
import { keepTokens } from "../support/keep-tokens.ts";
import { makeStoreFile, openStoreBeside } from "../support/store-beside.ts";
import { startServedApi } from "./served-api.ts";
import { clientSettings, secretOf, serviceSettings } from "../support/settings.ts";
import { createServiceKey, serviceJwks, verifyJwt } from "../support/signing-keys.ts";

const k1 = createSelfSigned({ subject: "CN=client-1" });
const k2 = createSelfSigned({ subject: "CN=client-2" });
const key = createServiceKey("RSA", "key-1");
const issuer = "https://as.example.com";
const { rsUri } = namedResourceServer;
const signed = "application/token-introspection+jwt";
const authorization = basic(1, secretOf(1));
const service = { jwks: serviceJwks([key]), supportedScopes: [{ name: "read" }] };
const timeout = { attempt: 30_000, total: 30_000 };

async function deploy(t: ExecutionContext, more: Partial<DeploymentRequest> = {}) {
  const clients = [clientSettings({ clientId: 1 }), clientSettings({ clientId: 2 })];
  const deployment = await startDeployment(t, { service, clients, ...more });
  const issue = async (form: Record<string, string> = {}) =>
    accessTokenOf(t, await deployment.token({ scope: "read", resource: rsUri, ...form }, k1, { authorization }));
  return { ...deployment, issue, askSigned: asking(deployment.url) };
}

/** Introspects as a resource server that says who it is, with this Accept header. */
function asking(url: string) {
  return (token: string, accept: string = signed, by: { id: string; secret: string } = namedResourceServer) =>
    postForm({ url: `${url}/introspect`, headers: { authorization: basic(by.id, by.secret), accept } }, { token });
}

test("9701-5-a: a caller that asks for it gets that media type and typ, every other plain JSON", async (t) => {
  const { issue, askSigned } = await deploy(t);
  const token = await issue();
  for (const accept of [signed, `${signed}, application/json;q=0.9`, `application/json;q=0.1, ${signed}`]) {
    const answer = await askSigned(token, accept);
    t.is(answer.status, 200);
    t.is(answer.headers["content-type"], signed);
    t.is(answer.headers["cache-control"], "no-store");
    t.is((await verifyJwt(answer.body, key)).header["typ"], "token-introspection+jwt");
  }
  for (const accept of ["application/json", "*/*", "", `${signed};q=0`, `application/json, ${signed};q=0.5`]) {
    const answer = await askSigned(token, accept);
    t.is(answer.status, 200);
    t.is(answer.headers["content-type"], "application/json");
    t.is((JSON.parse(answer.body) as { active: boolean }).active, true);
  }
});

test("9701-5-c: for every inactive token the reply has active: false and is otherwise the same", async (t) => {
  const start = Date.parse("2026-11-21T08:00:00.500Z");
  let now = start;
  const file = await makeStoreFile(t);
  const other = serviceSettings({ apiKey: 42, accessTokens: ["service-access-token-of-42-0123456789abcdef"] });
  const clients = [clientSettings({ clientId: 1 })];
  const { issue, revoke, api, askSigned, introspect, backendUrl } = await deploy(t, {
    service: { ...service, introspectionOfRefreshTokens: true },
    otherServices: [{ settings: other, clients }],
    configuration: file.configuration,
    clock: () => now,
  });
  const otherService = await startAuthorizationServer(t, backendUrl, other);
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
  const inForce = await issue();
  // Each of the causes is a token to somebody: otherwise it would be one more that never existed.
  for (const token of [ofOtherAudience, refreshToken, inForce]) {
    t.regex((await introspect(token)).body, /^\{"active":true/);
  }
  const causes = {
    ...{ revoked, expired, notYetValid, ofOtherService, ofOtherAudience, refreshToken },
    ...{ neverExisted: "A".repeat(43), garbage: "\0%/&=?é", ofOneOctet: "x", of16KiB: "x".repeat(16_384) },
    spelledOtherwise: `${inForce}=`,
  };
  const iat = Math.floor(now / 1000);
  const expected = `{"iss":"${issuer}","aud":"${rsUri}","iat":${iat},"token_introspection":{"active":false}}`;
  for (const [cause, token] of Object.entries(causes)) {
    const answer = await askSigned(token);
    t.is(answer.headers["content-type"], signed, cause);
    t.is((await verifyJwt(answer.body, key)).text, expected, cause);
  }
  t.not((await verifyJwt((await askSigned(inForce)).body, key)).text, expected);
});

test("9701-5-d: a signed reply that is presented as a token opens no API: it is refused by its typ", async (t) => {
  const { issue, askSigned } = await deploy(t, { service: { ...service, accessTokenSignAlg: "RS256" } });
  const token = await issue();
  const reply = (await askSigned(token)).body;
  t.true((await verifyJwt(reply, key)).text.includes('"active":true'));
  const { call, reasons } = await startServedApi(
    t,
    jwtAccessTokens({ issuer, audience: rsUri, jwks: { keys: [key.publicJwk] } }),
  );
  t.is((await call(token, k1)).status, 200);
  const answer = await call(reply, k1);
  t.is(answer.status, 401);
  t.regex(answer.headers["www-authenticate"] ?? "", /error="invalid_token"/);
  t.is(reasons().length, 1);
  t.regex(reasons()[0] ?? "", /typ is not at\+jwt/);
});

test("9701-5-e: only an authenticated resource server gets a signed reply, only for its own tokens", async (t) => {
  const { issue, askSigned, url } = await deploy(t);
  const token = await issue();
  const bad: HttpAnswer[] = [
    await askSigned(token, signed, { id: "1", secret: secretOf(1) }),
    await askSigned(token, signed, { id: namedResourceServer.id, secret: resourceServer.secret }),
    await postForm({ url: `${url}/introspect`, headers: { accept: signed } }, { token }),
    await postForm({ url: `${url}/introspect`, headers: { accept: signed }, as: k1 }, { token, client_id: "1" }),
    await send({
      url: `${url}/introspect`,
      method: "POST",
      headers: {
        ...{ accept: signed, authorization: `Bearer ${token}` },
        "content-type": "application/x-www-form-urlencoded",
      },
      body: `token=${token}`,
    }),
  ];
  for (const answer of bad) {
    t.is(answer.status, 401);
    assertErrorForm(t, answer, "invalid_client", [401]);
    t.false(answer.body.includes("active"));
  }
  // To one that has, a token for another is like none; the other learns that it is a token.
  const forAnother = await issue({ resource: "https://other.example.com" });
  const said = async (value: string) => (await verifyJwt((await askSigned(value)).body, key)).payload;
  t.deepEqual((await said(forAnother))["token_introspection"], { active: false });
  t.like((await said(token))["token_introspection"], { active: true, aud: [rsUri] });
  // One that has no name of its own is one that no reply can be for.
  assertErrorForm(t, await askSigned(token, signed, resourceServer), "invalid_request", [400]);
});

test("9701-6: a reply is signed by RS256 or the registered algorithm; an encrypted one is not served", async (t) => {
  const ec = createServiceKey("P256", "key-2");
  const { issue, api, askSigned } = await deploy(t, { service: { ...service, jwks: serviceJwks([key, ec]) } });
  const token = await issue();
  const registered = async (introspectionSignAlg?: "RS256" | "PS256" | "ES256" | "ES384") => {
    const id = "registered";
    const secret = "secret-of-the-registered-resource-server";
    const authenticate = basicResourceServers([
      { id, secret, rsUri, ...(introspectionSignAlg === undefined ? {} : { introspectionSignAlg }) },
    ]);
    const endpoint = servedIntrospection({ backend: api, realm: "test", authenticate });
    const url = await serveMutualTls(t, nodeHandler({ "/introspect": endpoint }));
    return asking(url)(token, signed, { id, secret });
  };
  const algOf = ({ body }: HttpAnswer) => decodeProtectedHeader(body).alg;
  t.is(algOf(await askSigned(token)), "RS256");
  t.is(algOf(await registered()), "RS256");
  for (const alg of ["RS256", "PS256", "ES256"] as const) {
    const { body } = await registered(alg);
    t.is(algOf({ body } as HttpAnswer), alg);
    t.like((await verifyJwt(body, alg === "ES256" ? ec : key)).payload["token_introspection"], { active: true });
  }
  const withoutKey = await registered("ES384");
  t.is(withoutKey.status, 500);
  t.false(withoutKey.body.includes("active"));

  const parameters = `token=${token}`;
  for (const accept of [signed, "application/json"]) {
    const ask = (more: object) =>
      api.authIntrospectionStandard({ parameters, rsUri, httpAcceptHeader: accept, ...more });
    for (const introspectionSignAlg of ["none", "HS256", "HS512"]) {
      await t.throwsAsync(ask({ introspectionSignAlg }), { message: /A126202/ }, introspectionSignAlg);
    }
    const encryption = { introspectionEncryptionAlg: "RSA-OAEP-256", introspectionEncryptionEnc: "A256GCM" };
    await t.throwsAsync(ask(encryption), { message: /A001223/ }, accept);
  }
});

test("the example authorization server signs for its configured resource server", async (t) => {
  const { mutualTls } = await example.startExampleDeployment(t, { signedIntrospection: true });
  const form = { grant_type: "client_credentials", client_id: "1", scope: "read" };
  const token = accessTokenOf(t, await postForm({ url: `${mutualTls}/token`, as: example.k1 }, form));
  const { id, secret } = example.resourceServer;
  const headers = { authorization: basic(id, secret), accept: signed };
  const answer = await postForm({ url: `${mutualTls}/introspect`, headers }, { token });
  t.is(answer.headers["content-type"], signed, answer.body);
  t.is(decodeProtectedHeader(answer.body).alg, "ES256");
  const { aud, token_introspection: facts } = decodeJwt(answer.body);
  t.is(aud, example.resource);
  t.like(facts, { active: true, cnf: { "x5t#S256": example.k1.x5tS256 } });
});

/** The library's source that demands signed answers of this endpoint. */
function signedSource(url: string, audience: string = rsUri): FactsSource {
  return introspectionEndpoint({
    url,
    issuer,
    clientAuthentication: {
      method: "client_secret_basic",
      clientId: namedResourceServer.id,
      clientSecret: namedResourceServer.secret,
    },
    signed: { jwks: { keys: [key.publicJwk] }, audience },
    tls: { ca: serverCa },
    timeout,
  });
}

test("the library and the authorization server understand each other: active, inactive, and for another", async (t) => {
  const { issue, url, revoke } = await deploy(t);
  const token = await issue();
  const { call } = await startServedApi(t, signedSource(`${url}/introspect`));
  const granted = await call(token, k1);
  t.is(granted.status, 200, granted.body);
  t.like(JSON.parse(granted.body), { clientId: "1", scopes: ["read"], x5tS256: k1.x5tS256 });
  t.is((await call(token, k2)).status, 401);
  const another = await startServedApi(t, signedSource(`${url}/introspect`, "https://other.example.com"));
  t.is((await another.call(token, k1)).status, 503);
  t.regex(another.reasons()[0] ?? "", /another resource server/);
  t.is((await revoke({ token }, k1, { authorization })).status, 200);
  t.is((await call(token, k1)).status, 401);
});

test("a signed reply from before a revocation, replayed after it, is rejected once it is a minute old", async (t) => {
  let now = Date.now() - 61_000;
  const { issue, askSigned } = await deploy(t, { clock: () => now });
  const token = await issue();
  const early = (await askSigned(token)).body;
  now += 61_000;
  const fresh = (await askSigned(token)).body;
  let reply = early;
  const url = await serveMutualTls(t, (request, response) => {
    request.resume();
    response.writeHead(200, { "content-type": signed }).end(reply);
  });
  const source = signedSource(url);
  t.teardown(() => source.close());
  const ask = () => source.ask(token, { signal: AbortSignal.timeout(30_000) });
  const error = await t.throwsAsync(ask());
  t.false(error instanceof IntrospectionUnavailable);
  t.regex(String((error as { reason?: string }).reason), /too old/);
  reply = fresh;
  t.true("accessToken" in (await ask()).record);
});
