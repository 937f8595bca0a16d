import { execFile } from "node:child_process";
import { X509Certificate } from "node:crypto";
import { symlink, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import { promisify } from "node:util";
import test from "ava";
import { createStandIn } from "../backend/chain-verification/stand-in-openssl.ts";
import { createAuthority, createSelfSigned } from "../support/certificates.ts";
import { accessTokenOf, startDeployment } from "../support/deployment.ts";
import { assertErrorForm } from "../support/error-form.ts";
import { clientSettings } from "../support/settings.ts";

const authority = createAuthority({ subject: "CN=Client CA" });
const subject = "CN=client-1.example.com,O=Client One,C=JP";
const trusting = { trustedRootCertificates: [authority.certificate.pem] };

test("8705-2.1-b: only the registered kind of subject is compared, whatever else the certificate matches", async (t) => {
  const certificate = authority.issue({
    subject,
    san: [
      { dns: "client-1.example.com" },
      { uri: "https://client-1.example.com/id" },
      { ip: "192.0.2.1" },
      { email: "ops@client-1.example.com" },
    ],
  });
  const registrations = [
    [{ tlsClientAuthSubjectDn: subject }, true],
    [{ tlsClientAuthSubjectDn: "CN=other" }, false],
    [{ tlsClientAuthSanDns: "client-1.example.com" }, true],
    [{ tlsClientAuthSanDns: "other.example.com" }, false],
    [{ tlsClientAuthSanUri: "https://client-1.example.com/id" }, true],
    [{ tlsClientAuthSanUri: "https://client-1.example.com/" }, false],
    [{ tlsClientAuthSanIp: "192.0.2.1" }, true],
    [{ tlsClientAuthSanIp: "192.0.2.2" }, false],
    [{ tlsClientAuthSanEmail: "ops@CLIENT-1.example.com" }, true],
    [{ tlsClientAuthSanEmail: "OPS@client-1.example.com" }, false],
  ] as const;
  const clients = registrations.map(([registered], index) =>
    clientSettings({ clientId: index + 1, tokenAuthMethod: "TLS_CLIENT_AUTH", ...registered }),
  );
  const { token } = await startDeployment(t, { service: trusting, clients });
  for (const [index, [, matches]] of registrations.entries()) {
    const answer = await token({ client_id: String(index + 1) }, certificate);
    if (matches) accessTokenOf(t, answer);
    else assertErrorForm(t, answer, "invalid_client", [400, 401]);
  }
});

test("each certificate of a file of trust anchors is an anchor, and text around them is ignored", async (t) => {
  const second = createAuthority({ subject: "CN=Second CA" });
  const file = `Bag Attributes\n    friendlyName: first\n${authority.certificate.pem}# second\n${second.certificate.pem}`;
  const client = clientSettings({ clientId: 1, tokenAuthMethod: "TLS_CLIENT_AUTH", tlsClientAuthSubjectDn: subject });
  for (const [service, own] of [
    [{ trustedRootCertificates: [file] }, {}],
    [{ trustedRootCertificates: [] }, { trustedRootCertificates: [file] }],
  ] as const) {
    const { token } = await startDeployment(t, { service, clients: [{ ...client, ...own }] });
    for (const issuer of [authority, second])
      accessTokenOf(t, await token({ client_id: "1" }, issuer.issue({ subject })));
    const stranger = createAuthority({ subject: "CN=Third CA" }).issue({ subject });
    assertErrorForm(t, await token({ client_id: "1" }, stranger), "invalid_client", [400, 401]);
  }
});

test("8705-2.1-e: a re-issued certificate authenticates at once, and old tokens stay bound to the old one", async (t) => {
  const client = clientSettings({ clientId: 1, tokenAuthMethod: "TLS_CLIENT_AUTH", tlsClientAuthSubjectDn: subject });
  const { token, api } = await startDeployment(t, { service: trusting, clients: [client] });
  const old = authority.issue({ subject });
  const renewed = authority.issue({ subject });
  const tokenOfOld = accessTokenOf(t, await token({ client_id: "1" }, old));
  const tokenOfRenewed = accessTokenOf(t, await token({ client_id: "1" }, renewed));
  const decide = async (value: string, clientCertificate: string) =>
    (await api.authIntrospection({ token: value, clientCertificate })).resultCode;
  t.is(await decide(tokenOfOld, old.pem), "A056001");
  t.is(await decide(tokenOfOld, renewed.pem), "A065305");
  t.is(await decide(tokenOfRenewed, renewed.pem), "A056001");
  t.is(await decide(tokenOfRenewed, old.pem), "A065305");
});

test("chains with one and with two intermediates are accepted, as the client sends them in the handshake", async (t) => {
  const first = createAuthority({ subject: "CN=Intermediate 1", parent: authority });
  const second = createAuthority({ subject: "CN=Intermediate 2", parent: first });
  const client = clientSettings({ clientId: 1, tokenAuthMethod: "TLS_CLIENT_AUTH", tlsClientAuthSubjectDn: subject });
  const { token } = await startDeployment(t, { service: trusting, clients: [client] });
  const chains = [
    [first.issue({ subject }), [first]],
    [second.issue({ subject }), [second, first]],
  ] as const;
  for (const [leaf, intermediates] of chains) {
    const chain = intermediates.map(({ certificate }) => certificate.pem).join("");
    accessTokenOf(t, await token({ client_id: "1" }, { ...leaf, pem: leaf.pem + chain }));
    assertErrorForm(t, await token({ client_id: "1" }, leaf), "invalid_client", [400, 401]);
  }
});

test("a path with an unreadable certificate or more than ten is rejected even if the leaf needs none", async (t) => {
  const client = clientSettings({ clientId: 1, tokenAuthMethod: "TLS_CLIENT_AUTH", tlsClientAuthSubjectDn: subject });
  const { api } = await startDeployment(t, { service: trusting, clients: [client] });
  const leaf = authority.issue({ subject });
  const unneeded = createAuthority({ subject: "CN=Unneeded", parent: authority }).certificate.pem;
  const ask = (clientCertificatePath: string[]) =>
    api.authToken({
      parameters: "grant_type=client_credentials&client_id=1",
      clientCertificate: leaf.pem,
      clientCertificatePath,
    });
  for (const path of [[], [unneeded], Array<string>(10).fill(unneeded)]) {
    t.is((await ask(path)).resultCode, "A052001", `${path.length} certificates`);
  }
  const refused = [
    ["rubbish"],
    [unneeded, ""],
    [`${unneeded}${unneeded}`],
    [leaf.key],
    Array<string>(11).fill(unneeded),
  ];
  for (const path of refused) {
    const answer = await ask(path);
    t.is(answer.resultCode, "A157339");
    t.is(answer.action, "INVALID_CLIENT");
    t.is(answer.accessToken, undefined);
  }
});

test("the right name from a CA that is not the client's anchor is rejected, even if it is the service's", async (t) => {
  const own = createAuthority({ subject: "CN=Own CA" });
  const base = clientSettings({ clientId: 1, tokenAuthMethod: "TLS_CLIENT_AUTH", tlsClientAuthSubjectDn: subject });
  const pinned = { ...base, clientId: 2, trustedRootCertificates: [own.certificate.pem] };
  const { token } = await startDeployment(t, { service: trusting, clients: [base, pinned] });
  const fromService = authority.issue({ subject });
  accessTokenOf(t, await token({ client_id: "1" }, fromService));
  assertErrorForm(t, await token({ client_id: "2" }, fromService), "invalid_client", [400, 401]);
  accessTokenOf(t, await token({ client_id: "2" }, own.issue({ subject })));
  const selfMade = createSelfSigned({ subject });
  for (const clientId of ["1", "2"]) {
    assertErrorForm(t, await token({ client_id: clientId }, selfMade), "invalid_client", [400, 401]);
  }
});

test("8705-7.4: the anchors are the client's or the service's, never the system's, for every name", async (t) => {
  const systems = createAuthority({ subject: "CN=System" });
  const owns = [1, 2].map((number) => createAuthority({ subject: `CN=CA of client ${number}` }));
  const run = promisify(execFile);
  // An openssl whose own store has that authority: left to itself, it would take it.
  const real = (await run("sh", ["-c", "command -v openssl"])).stdout.trim();
  await using standIn = await createStandIn(
    `echo >>$here/runs; SSL_CERT_FILE="$here/system.pem" SSL_CERT_DIR="$here" exec ${real} "$@"`,
  );
  await writeFile(standIn.file("system.pem"), systems.certificate.pem);
  const hash = await run(real, ["x509", "-hash", "-noout", "-in", standIn.file("system.pem")]);
  await symlink(standIn.file("system.pem"), standIn.file(`${hash.stdout.trim()}.0`));
  await writeFile(standIn.file("leaf.pem"), systems.issue({ subject }).pem);
  const left = await run(standIn.options.openssl, ["verify", standIn.file("leaf.pem")]);
  t.regex(left.stdout, /: OK\n$/);

  const base = { tokenAuthMethod: "TLS_CLIENT_AUTH", tlsClientAuthSubjectDn: subject } as const;
  const clients = [
    ...owns.map(({ certificate }, index) =>
      clientSettings({ ...base, clientId: index + 1, trustedRootCertificates: [certificate.pem] }),
    ),
    clientSettings({ ...base, clientId: 3 }),
  ];
  const path = dirname(standIn.options.openssl);
  const { token } = await startDeployment(t, { service: trusting, clients, path });
  const issuers = { "1": owns[0], "2": owns[1], "3": authority };
  for (const [clientId, own] of Object.entries(issuers)) {
    for (const issuer of [systems, ...Object.values(issuers)]) {
      const answer = await token({ client_id: clientId }, issuer?.issue({ subject }));
      if (issuer === own) accessTokenOf(t, answer);
      else assertErrorForm(t, answer, "invalid_client", [400, 401]);
    }
  }
  t.true((await standIn.runs()) > 12, "that openssl was the one that was asked");
});

test("the operator learns from the API's answer why a chain was refused, the client does not", async (t) => {
  const client = clientSettings({ clientId: 1, tokenAuthMethod: "TLS_CLIENT_AUTH", tlsClientAuthSubjectDn: subject });
  const { api } = await startDeployment(t, { service: trusting, clients: [client] });
  const expired = authority.issue({ subject, notAfter: new Date("2021-01-01T00:00:00Z") });
  t.true(new X509Certificate(expired.pem).validToDate < new Date());
  const answer = await api.authToken({
    parameters: "grant_type=client_credentials&client_id=1",
    clientCertificate: expired.pem,
  });
  t.is(answer.action, "INVALID_CLIENT");
  t.is(answer.resultCode, "A157339");
  t.regex(answer.resultMessage, /certificate has expired/);
  t.notRegex(answer.responseContent ?? "", /expired|A157/);
});

test("with a front end that validates chains itself, the subject is still compared", async (t) => {
  const client = clientSettings({ clientId: 1, tokenAuthMethod: "TLS_CLIENT_AUTH", tlsClientAuthSubjectDn: subject });
  const { token } = await startDeployment(t, { service: { mutualTlsValidatePkiCertChain: false }, clients: [client] });
  accessTokenOf(t, await token({ client_id: "1" }, createSelfSigned({ subject })));
  const stranger = createSelfSigned({ subject: "CN=stranger" });
  assertErrorForm(t, await token({ client_id: "1" }, stranger), "invalid_client", [400, 401]);
});
