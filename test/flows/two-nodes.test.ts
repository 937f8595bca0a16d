import { execFile } from "node:child_process";
import { randomBytes } from "node:crypto";
import { chmod, mkdtemp, open, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import test, { type ExecutionContext } from "ava";
import { pino } from "pino";
import { openBackend } from "../../src/backend/backend.ts";
import type { ClientSettings, ServiceSettings } from "../../src/backend/engine/settings/settings.ts";
import { putConfiguration } from "../../src/backend/engine/settings/put-configuration.ts";
import { createSecretBox } from "../../src/backend/secret-box/aes-secret-box.ts";
import { createAuthority, createSelfSigned } from "../support/certificates.ts";
import { accessTokenOf, startDeployment } from "../support/deployment.ts";
import { assertErrorForm } from "../support/error-form.ts";
import { basic, send } from "../support/https-request.ts";
import { makeStoreFile, openStoreBeside, type StoreFile } from "../support/store-beside.ts";
import {
  clientSettings,
  configurationOf,
  jwksOf,
  secretOf,
  serviceAccessToken,
  serviceId,
  serviceSettings,
} from "../support/settings.ts";

const authority = createAuthority({ subject: "CN=Client CA" });
const newAuthority = createAuthority({ subject: "CN=Next client CA" });
const subject = "CN=client-1";
const k1 = authority.issue({ subject });
const k2 = createSelfSigned({ subject });
const withSecret = clientSettings({ clientId: 1 });
const authorization = basic(1, secretOf(1));

/** Another node that starts on the same file with these settings, and stays. */
async function openOtherNode(
  t: ExecutionContext,
  file: StoreFile,
  clients: readonly ClientSettings[],
  service: Partial<ServiceSettings> = {},
): Promise<void> {
  const backend = await openBackend({
    configuration: configurationOf([{ settings: serviceSettings(service), clients }], file.configuration),
    log: pino({ level: "silent" }),
    path: process.env["PATH"] ?? "",
  });
  t.teardown(() => backend.close());
}

test("a client locked by another node is locked here at the next request, and so are its tokens", async (t) => {
  const file = await makeStoreFile(t);
  const { token, introspect, api } = await startDeployment(t, {
    clients: [withSecret],
    configuration: file.configuration,
  });
  const issued = accessTokenOf(t, await token({}, k1, { authorization }));
  const decide = async () => (await api.authIntrospection({ token: issued, clientCertificate: k1.pem })).resultCode;
  t.is(await decide(), "A056001");
  await openOtherNode(t, file, [{ ...withSecret, locked: true }]);
  t.is(await decide(), "A097303");
  t.is((await introspect(issued)).body, '{"active":false}');
  assertErrorForm(t, await token({}, k1, { authorization }), "invalid_client", [401]);
});

test("a secret changed by another node counts here at the next request, and the old one does not", async (t) => {
  const file = await makeStoreFile(t);
  const { token, revoke } = await startDeployment(t, { clients: [withSecret], configuration: file.configuration });
  const issued = accessTokenOf(t, await token({}, k1, { authorization }));
  const clientSecret = "the-next-secret-of-client-1-0123456789abcdef";
  await openOtherNode(t, file, [{ ...withSecret, clientSecret }]);
  assertErrorForm(t, await token({}, k1, { authorization }), "invalid_client", [401]);
  assertErrorForm(t, await revoke({ token: issued }, k1, { authorization }), "invalid_client", [401]);
  accessTokenOf(t, await token({}, k1, { authorization: basic(1, clientSecret) }));
});

test("certificates registered by another node count here at the next request, and the old ones do not", async (t) => {
  const file = await makeStoreFile(t);
  const client = clientSettings({ clientId: 1, tokenAuthMethod: "SELF_SIGNED_TLS_CLIENT_AUTH", jwks: jwksOf(k2) });
  const { token } = await startDeployment(t, { clients: [client], configuration: file.configuration });
  accessTokenOf(t, await token({ client_id: "1" }, k2));
  const next = createSelfSigned({ subject });
  assertErrorForm(t, await token({ client_id: "1" }, next), "invalid_client", [400]);
  await openOtherNode(t, file, [{ ...client, jwks: jwksOf(next) }]);
  assertErrorForm(t, await token({ client_id: "1" }, k2), "invalid_client", [400]);
  accessTokenOf(t, await token({ client_id: "1" }, next));
});

for (const owner of ["service", "client"] as const) {
  test(`a trust anchor of the ${owner} changed by another node counts here at the next request`, async (t) => {
    const file = await makeStoreFile(t);
    const pki = clientSettings({ clientId: 1, tokenAuthMethod: "TLS_CLIENT_AUTH", tlsClientAuthSubjectDn: subject });
    const trusting = ({ certificate }: typeof authority) => {
      const anchors = { trustedRootCertificates: [certificate.pem] };
      return owner === "service" ? { service: anchors, client: pki } : { service: {}, client: { ...pki, ...anchors } };
    };
    const before = trusting(authority);
    const { token } = await startDeployment(t, {
      service: before.service,
      clients: [before.client],
      configuration: file.configuration,
    });
    const next = newAuthority.issue({ subject });
    accessTokenOf(t, await token({ client_id: "1" }, k1));
    assertErrorForm(t, await token({ client_id: "1" }, next), "invalid_client", [400]);
    const after = trusting(newAuthority);
    await openOtherNode(t, file, [after.client], after.service);
    assertErrorForm(t, await token({ client_id: "1" }, k1), "invalid_client", [400]);
    accessTokenOf(t, await token({ client_id: "1" }, next));
  });

  test(`binding switched on by another node for the ${owner}: the next token here is bound, or none is issued`, async (t) => {
    const file = await makeStoreFile(t);
    const off = { tlsClientCertificateBoundAccessTokens: false };
    const before = owner === "service" ? { service: off, client: withSecret } : { client: { ...withSecret, ...off } };
    const { token, introspect } = await startDeployment(t, {
      ...before,
      clients: [before.client],
      configuration: file.configuration,
    });
    const cnfOf = async (issued: string) => (JSON.parse((await introspect(issued)).body) as { cnf?: unknown }).cnf;
    t.is(await cnfOf(accessTokenOf(t, await token({}, k1, { authorization }))), undefined);
    await openOtherNode(t, file, [withSecret]);
    assertErrorForm(t, await token({}, undefined, { authorization }), "invalid_request", [400]);
    const bound = accessTokenOf(t, await token({}, k1, { authorization }));
    t.deepEqual(await cnfOf(bound), { "x5t#S256": k1.x5tS256 });
  });
}

test("a service access token withdrawn by another node is refused here at the next request", async (t) => {
  const file = await makeStoreFile(t);
  const { backendUrl, token } = await startDeployment(t, { clients: [withSecret], configuration: file.configuration });
  const ask = async (accessToken: string) => {
    const answer = await send({
      url: `${backendUrl}/api/${serviceId}/auth/introspection`,
      method: "POST",
      headers: { "content-type": "application/json", authorization: `Bearer ${accessToken}` },
      body: JSON.stringify({ token: "x" }),
    });
    return answer.status;
  };
  const next = "the-next-service-access-token-0123456789abcdef";
  t.deepEqual([await ask(serviceAccessToken), await ask(next)], [200, 401]);
  await openOtherNode(t, file, [withSecret], { accessTokens: [next] });
  t.deepEqual([await ask(serviceAccessToken), await ask(next)], [401, 200]);
  // The authorization server still has the old one: that is its own misconfiguration, and no matter of trying again.
  const answer = await token({}, k1, { authorization });
  assertErrorForm(t, answer, "server_error", [500]);
  t.is(answer.headers["retry-after"], undefined);
});

/**
 * A node that is up already. It changes the settings in one write: what is under way has `openssl`'s 5 s, and on a busy
 * machine another node may take longer than that to start.
 */
async function openReadyNode(t: ExecutionContext, file: StoreFile) {
  const store = await openStoreBeside(t, file);
  const { secretKey = new Uint8Array() } = file.configuration;
  const dependencies = {
    store,
    clock: Date.now,
    random: randomBytes,
    secretBox: createSecretBox(secretKey, randomBytes),
  };
  return (clients: readonly ClientSettings[], service: Partial<ServiceSettings>) =>
    putConfiguration(dependencies, [{ settings: serviceSettings(service), clients }]);
}

/** An `openssl` that says yes, but not before it is told to go on. */
async function makePausingOpenssl(t: ExecutionContext) {
  const folder = await mkdtemp(join(tmpdir(), "certbound-"));
  t.teardown(() => rm(folder, { recursive: true }));
  const pipe = join(folder, "pipe");
  await promisify(execFile)("mkfifo", [pipe]);
  const script = `#!/bin/sh\nif [ "$1" = version ]; then echo 'OpenSSL 3.0.0'; else read -r go <'${pipe}'; echo 'stdin: OK'; fi\n`;
  await writeFile(join(folder, "openssl"), script);
  await chmod(join(folder, "openssl"), 0o700);
  return {
    path: folder,
    /** Opening a pipe to write takes a reader: this resolves when the verification is under way. */
    async underWay() {
      const end = await open(pipe, "w");
      return async () => {
        await end.write("go\n");
        await end.close();
      };
    },
  };
}

const pki = clientSettings({
  clientId: 1,
  tokenAuthMethod: "TLS_CLIENT_AUTH",
  tlsClientAuthSubjectDn: subject,
  tlsClientCertificateBoundAccessTokens: false,
});
const trusting = {
  trustedRootCertificates: [authority.certificate.pem],
  supportedScopes: [{ name: "read", defaultEntry: true }],
};

test("a client locked while its certificate is being validated gets no token", async (t) => {
  const file = await makeStoreFile(t);
  const openssl = await makePausingOpenssl(t);
  const { token } = await startDeployment(t, {
    service: trusting,
    clients: [pki],
    path: openssl.path,
    configuration: file.configuration,
  });
  const change = await openReadyNode(t, file);
  const asked = token({ client_id: "1" }, k1);
  const goOn = await openssl.underWay();
  await change([{ ...pki, locked: true }], trusting);
  await goOn();
  assertErrorForm(t, await asked, "invalid_client", [400]);
});

test("settings changed while a certificate is being validated are those that the token gets", async (t) => {
  const file = await makeStoreFile(t);
  const openssl = await makePausingOpenssl(t);
  const { token, introspect } = await startDeployment(t, {
    service: trusting,
    clients: [pki],
    path: openssl.path,
    configuration: file.configuration,
  });
  const change = await openReadyNode(t, file);
  const asked = token({ client_id: "1" }, k1);
  const goOn = await openssl.underWay();
  await change([{ ...pki, tlsClientCertificateBoundAccessTokens: true }], {
    ...trusting,
    supportedScopes: [{ name: "write", defaultEntry: true }],
  });
  await goOn();
  const facts = JSON.parse((await introspect(accessTokenOf(t, await asked))).body) as Record<string, unknown>;
  t.like(facts, { scope: "write", cnf: { "x5t#S256": k1.x5tS256 } });
});
