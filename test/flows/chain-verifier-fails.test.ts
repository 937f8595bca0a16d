import { chmod, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test, { type ExecutionContext } from "ava";
import { createAuthority } from "../support/certificates.ts";
import { accessTokenOf, startDeployment } from "../support/deployment.ts";
import { assertErrorForm } from "../support/error-form.ts";
import { basic, send } from "../support/https-request.ts";
import { clientSettings, secretOf, serviceAccessToken, serviceId } from "../support/settings.ts";

const authority = createAuthority({ subject: "CN=Client CA" });
const subject = "CN=client-1";
const k1 = authority.issue({ subject });

/** A program in the place of `openssl` that says the right version, and does `verify` when asked for a verdict. */
async function makeOpenssl(t: ExecutionContext, verify: string) {
  const folder = await mkdtemp(join(tmpdir(), "certbound-"));
  t.teardown(() => rm(folder, { recursive: true }));
  const program = join(folder, "openssl");
  await writeFile(program, `#!/bin/sh\nif [ "$1" = version ]; then echo 'OpenSSL 3.0.0'; else ${verify}; fi\n`);
  await chmod(program, 0o700);
  return { path: folder, remove: () => rm(program) };
}

async function deploy(t: ExecutionContext, verify: string) {
  const openssl = await makeOpenssl(t, verify);
  const clients = [
    clientSettings({ clientId: 1, tokenAuthMethod: "TLS_CLIENT_AUTH", tlsClientAuthSubjectDn: subject }),
    clientSettings({ clientId: 2 }),
  ];
  const service = { trustedRootCertificates: [authority.certificate.pem] };
  const deployment = await startDeployment(t, { service, clients, path: openssl.path });
  const atApi = () =>
    send({
      url: `${deployment.backendUrl}/api/${serviceId}/auth/token`,
      method: "POST",
      headers: { "content-type": "application/json", authorization: `Bearer ${serviceAccessToken}` },
      body: JSON.stringify({ parameters: "grant_type=client_credentials&client_id=1", clientCertificate: k1.pem }),
    });
  return { ...deployment, atApi, openssl };
}

type Deployed = Awaited<ReturnType<typeof deploy>>;

async function assertNoVerdict(t: ExecutionContext, { atApi, token }: Deployed): Promise<void> {
  const answer = await atApi();
  t.is(answer.status, 503);
  t.truthy(answer.headers["retry-after"]);
  t.deepEqual(Object.keys(JSON.parse(answer.body) as object).sort(), ["resultCode", "resultMessage"]);
  t.notRegex(answer.body, /token|openssl|A157/i);

  const toClient = await token({ client_id: "1" }, k1);
  assertErrorForm(t, toClient, "temporarily_unavailable", [503]);
  t.truthy(toClient.headers["retry-after"]);
}

for (const [what, verify] of [
  ["ends with a code and no reason", "exit 3"],
  ["ends well and says nothing", "exit 0"],
  ["says yes and ends badly", "echo 'stdin: OK'; exit 3"],
  ["is killed", "echo 'stdin: OK'; kill -9 $$"],
] as const) {
  test(`an openssl that ${what} is no verdict: 503 with Retry-After, and no token`, async (t) => {
    await assertNoVerdict(t, await deploy(t, verify));
  });
}

test("an openssl that is gone after the start is no verdict: 503 with Retry-After, and no token", async (t) => {
  const deployment = await deploy(t, "echo 'stdin: OK'");
  await deployment.openssl.remove();
  await assertNoVerdict(t, deployment);
  // Who does not need it is served all the same.
  const authorization = basic(2, secretOf(2));
  accessTokenOf(t, await deployment.token({}, k1, { authorization }));
});

test("an openssl that reports success correctly is believed", async (t) => {
  const { token, atApi } = await deploy(t, "echo 'stdin: OK'");
  t.is((await atApi()).status, 200);
  accessTokenOf(t, await token({ client_id: "1" }, k1));
});
