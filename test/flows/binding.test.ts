import { createSecretKey, randomUUID, type KeyObject } from "node:crypto";
import test from "ava";
import { SignJWT } from "jose";
import type { ApiClient } from "../../src/api-client/index.ts";
import type { ServiceSettings } from "../../src/backend/engine/settings/settings.ts";
import { createAuthority, createSelfSigned } from "../support/certificates.ts";
import { accessTokenOf, startDeployment } from "../support/deployment.ts";
import { assertErrorForm } from "../support/error-form.ts";
import { basic, send } from "../support/https-request.ts";
import { codeChallenge, codeVerifier, redirectUri } from "../support/authorization.ts";
import { readService } from "./read-service.ts";
import { apiSecret, clientSettings, jwksOf, secretOf, serviceAccessToken, serviceId } from "../support/settings.ts";

const authority = createAuthority({ subject: "CN=Client CA" });
const k1 = authority.issue({ subject: "CN=client-1" });
const k2 = createSelfSigned({ subject: "CN=client-2" });

test("8705-3-a: over mutual TLS a token is bound, whatever the client's own method is", async (t) => {
  const clients = [
    clientSettings({ clientId: 1 }),
    clientSettings({ clientId: 2, tokenAuthMethod: "CLIENT_SECRET_POST" }),
    clientSettings({ clientId: 3, tokenAuthMethod: "TLS_CLIENT_AUTH", tlsClientAuthSubjectDn: "CN=client-1" }),
    clientSettings({ clientId: 4, tokenAuthMethod: "SELF_SIGNED_TLS_CLIENT_AUTH", jwks: jwksOf(k1) }),
    clientSettings({ clientId: 5, tokenAuthMethod: "PRIVATE_KEY_JWT", jwks: jwksOf(k2) }),
    clientSettings({ clientId: 6, tokenAuthMethod: "CLIENT_SECRET_JWT" }),
    clientSettings({
      clientId: 7,
      tokenAuthMethod: "NONE",
      grantTypes: ["AUTHORIZATION_CODE"],
      redirectUris: [redirectUri],
    }),
  ];
  const service: Partial<ServiceSettings> = {
    trustedRootCertificates: [authority.certificate.pem],
    supportedGrantTypes: ["CLIENT_CREDENTIALS", "AUTHORIZATION_CODE"],
  };
  const { token, introspect, api } = await startDeployment(t, { service, clients });
  const { privateKey } = k2.keyPair;
  const answers = [
    await token({}, k1, { authorization: basic(1, secretOf(1)) }),
    await token({ client_id: "2", client_secret: secretOf(2) }, k1),
    await token({ client_id: "3" }, k1),
    await token({ client_id: "4" }, k1),
    await token(await assertionOf(5, privateKey, "ES256"), k1),
    await token(await assertionOf(6, createSecretKey(secretOf(6), "utf8"), "HS256"), k1),
    await token({ grant_type: "authorization_code", client_id: "7", ...(await codeOf(api, 7)) }, k1),
  ];
  for (const answer of answers) {
    const facts = JSON.parse((await introspect(accessTokenOf(t, answer))).body) as { cnf: unknown };
    t.deepEqual(facts.cnf, { "x5t#S256": k1.x5tS256 });
  }
});

/** The client's key is not that of its certificate. */
async function assertionOf(clientId: number, key: KeyObject, alg: string): Promise<Record<string, string>> {
  const id = String(clientId);
  const assertion = new SignJWT({ iss: id, sub: id, aud: "https://as.example.com", jti: randomUUID() });
  return {
    client_assertion_type: "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
    client_assertion: await assertion.setProtectedHeader({ alg }).setExpirationTime("1m").sign(key),
  };
}

/** What a client without a secret has to show for the tokens that a user agreed to. */
async function codeOf(api: ApiClient, clientId: number): Promise<Record<string, string>> {
  const { ticket } = await api.authAuthorization({
    parameters: new URLSearchParams({
      response_type: "code",
      client_id: String(clientId),
      redirect_uri: redirectUri,
      code_challenge: codeChallenge,
      code_challenge_method: "S256",
    }).toString(),
  });
  const { responseContent = "" } = await api.authAuthorizationIssue({ ticket: ticket ?? "", subject: "user" });
  const code = new URL(responseContent).searchParams.get("code") ?? "";
  return { code, redirect_uri: redirectUri, code_verifier: codeVerifier };
}

test("introspection of a bound opaque token has a top-level cnf, equal to certificateThumbprint", async (t) => {
  const { token, introspect, api } = await startDeployment(t, { clients: [clientSettings({ clientId: 1 })] });
  const bound = accessTokenOf(t, await token({}, k2, { authorization: basic(1, secretOf(1)) }));
  const standard = JSON.parse((await introspect(bound)).body) as { cnf: Record<string, unknown> };
  t.deepEqual(standard.cnf, { "x5t#S256": k2.x5tS256 });
  const decided = await api.authIntrospection({ token: bound, clientCertificate: k2.pem });
  t.is(decided.certificateThumbprint, k2.x5tS256);
});

test("8705-3.4-a: a token is bound only when both the service and the client say so", async (t) => {
  for (const ofService of [false, true]) {
    const clients = [true, false].map((ofClient, index) =>
      clientSettings({ clientId: index + 1, tlsClientCertificateBoundAccessTokens: ofClient }),
    );
    const { token, introspect } = await startDeployment(t, {
      service: { tlsClientCertificateBoundAccessTokens: ofService },
      clients,
    });
    for (const client of clients) {
      const authorization = basic(client.clientId, secretOf(client.clientId));
      const issued = accessTokenOf(t, await token({}, k1, { authorization }));
      const facts = JSON.parse((await introspect(issued)).body) as { cnf?: unknown };
      t.is(facts.cnf !== undefined, ofService && client.tlsClientCertificateBoundAccessTokens);
    }
  }
});

test("8705-3.4-a: a switch that the file leaves out, the service's or the client's, is off", async (t) => {
  const switches = [
    [undefined, undefined, false],
    [undefined, true, false],
    [true, undefined, false],
    [true, false, false],
    [false, true, false],
    [true, true, true],
  ] as const;
  const member = (on: boolean | undefined) => (on === undefined ? {} : { tlsClientCertificateBoundAccessTokens: on });
  for (const [ofService, ofClient, bound] of switches) {
    const configuration = await readService(member(ofService), member(ofClient));
    const { token, introspect } = await startDeployment(t, { clients: [], configuration });
    const issued = accessTokenOf(t, await token({}, k1, { authorization: basic(1, secretOf(1)) }));
    const facts = JSON.parse((await introspect(issued)).body) as { cnf?: unknown };
    t.deepEqual(facts.cnf, bound ? { "x5t#S256": k1.x5tS256 } : undefined);
  }
});

test("8705-3.4-b: a bound client gets an error without a certificate, never an unbound token", async (t) => {
  const { token, api } = await startDeployment(t, { clients: [clientSettings({ clientId: 1 })] });
  const authorization = basic(1, secretOf(1));
  const answer = await token({}, undefined, { authorization });
  assertErrorForm(t, answer, "invalid_request", [400]);
  const parameters = "grant_type=client_credentials";
  const credentials = { clientId: "1", clientSecret: secretOf(1) };
  for (const clientCertificate of [undefined, null, ""]) {
    const decided = await api.authToken({ parameters, ...credentials, clientCertificate });
    t.is(decided.resultCode, "A244308");
    t.is(decided.accessToken, undefined);
  }
  for (const clientCertificate of ["(null)", "-", "-----BEGIN CERTIFICATE-----", `${k1.pem}${k2.pem}`]) {
    const decided = await api.authToken({ parameters, ...credentials, clientCertificate });
    t.is(decided.resultCode, "A244309");
    t.is(decided.accessToken, undefined);
  }
});

test("an unreadable certificate gives no token, also to a client with unbound tokens", async (t) => {
  const unbound = clientSettings({ clientId: 1, tlsClientCertificateBoundAccessTokens: false });
  const { api } = await startDeployment(t, { clients: [unbound] });
  const ask = (clientCertificate?: string) =>
    api.authToken({
      parameters: "grant_type=client_credentials",
      clientId: "1",
      clientSecret: secretOf(1),
      clientCertificate,
    });
  for (const clientCertificate of ["(null)", `${k1.pem}${k2.pem}`, k1.key, `${k1.pem}${k1.key}`]) {
    const decided = await ask(clientCertificate);
    t.is(decided.resultCode, "A244309");
    t.is(decided.action, "BAD_REQUEST");
    t.is(decided.accessToken, undefined);
    t.notRegex(JSON.stringify(decided), /access_token|PRIVATE|MI[A-Z][A-Za-z0-9+/]{20}/);
  }
  for (const clientCertificate of [undefined, "", k1.pem]) t.is((await ask(clientCertificate)).resultCode, "A052001");
});

test("8705-6.1-a: a client without a certificate completes the handshake and gets an OAuth answer", async (t) => {
  const clients = [
    clientSettings({ clientId: 1, tlsClientCertificateBoundAccessTokens: false }),
    clientSettings({ clientId: 2, tokenAuthMethod: "SELF_SIGNED_TLS_CLIENT_AUTH", jwks: jwksOf(k1) }),
  ];
  for (const version of ["TLSv1.2", "TLSv1.3"] as const) {
    const tls = { minVersion: version, maxVersion: version };
    const { token } = await startDeployment(t, { clients, tls });
    accessTokenOf(t, await token({}, undefined, { authorization: basic(1, secretOf(1)) }));
    assertErrorForm(t, await token({ client_id: "2" }), "invalid_client", [400, 401]);
  }
});

test("8705-6.1-b: a handshake with an unknown CA succeeds; the decision comes after, per client", async (t) => {
  const stranger = createAuthority({ subject: "CN=Unknown CA" }).issue({ subject: "CN=client-1" });
  const clients = [
    clientSettings({ clientId: 1, tokenAuthMethod: "TLS_CLIENT_AUTH", tlsClientAuthSubjectDn: "CN=client-1" }),
    clientSettings({ clientId: 2, tokenAuthMethod: "SELF_SIGNED_TLS_CLIENT_AUTH", jwks: jwksOf(stranger) }),
  ];
  const service = { trustedRootCertificates: [authority.certificate.pem] };
  const { token } = await startDeployment(t, { service, clients });
  assertErrorForm(t, await token({ client_id: "1" }, stranger), "invalid_client", [400, 401]);
  accessTokenOf(t, await token({ client_id: "2" }, stranger));
});

test("8705-6.1-c: the API believes a clientCertificate only from the service's authenticated front end", async (t) => {
  const client = clientSettings({ clientId: 1, tokenAuthMethod: "SELF_SIGNED_TLS_CLIENT_AUTH", jwks: jwksOf(k1) });
  const { backendUrl } = await startDeployment(t, { clients: [client] });
  const body = JSON.stringify({
    parameters: "grant_type=client_credentials&client_id=1",
    clientCertificate: k1.pem,
  });
  const call = (path: string, authorization?: string) =>
    send({
      url: `${backendUrl}${path}`,
      method: "POST",
      headers: { "content-type": "application/json", ...(authorization === undefined ? {} : { authorization }) },
      body,
    });
  const v2 = "/api/auth/token";
  const v3 = `/api/${serviceId}/auth/token`;
  const wrong = [
    await call(v2),
    await call(v3),
    await call(v2, basic(serviceId, `${apiSecret}x`)),
    await call(v2, basic(serviceId + 1, apiSecret)),
    await call(v3, `Bearer ${serviceAccessToken}x`),
    await call(`/api/${serviceId + 1}/auth/token`, `Bearer ${serviceAccessToken}`),
  ];
  for (const answer of wrong) {
    t.is(answer.status, 401, answer.body);
    t.notRegex(answer.body, /access_token|accessToken/);
  }
  for (const answer of [await call(v2, basic(serviceId, apiSecret)), await call(v3, `Bearer ${serviceAccessToken}`)]) {
    t.is((JSON.parse(answer.body) as { action: string }).action, "OK");
  }
});

test("8705-6.4: there is no way to get a token from the authorization endpoint", async (t) => {
  const redirectUri = "https://client.example.com/cb";
  const { backendUrl } = await startDeployment(t, {
    clients: [clientSettings({ clientId: 1, redirectUris: [redirectUri] })],
  });
  for (const responseType of ["token", "code token", "id_token token", "code id_token token"]) {
    const parameters = new URLSearchParams({ response_type: responseType, client_id: "1", redirect_uri: redirectUri });
    const answer = await send({
      url: `${backendUrl}/api/${serviceId}/auth/authorization`,
      method: "POST",
      headers: { "content-type": "application/json", authorization: `Bearer ${serviceAccessToken}` },
      body: JSON.stringify({ parameters: parameters.toString() }),
    });
    t.is(answer.status, 200);
    const { action, responseContent } = JSON.parse(answer.body) as { action: string; responseContent: string };
    t.is(action, "LOCATION");
    t.true(responseContent.startsWith(`${redirectUri}?error=unsupported_response_type&`), responseContent);
  }
});
