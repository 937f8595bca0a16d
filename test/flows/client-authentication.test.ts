import test from "ava";
import { createAuthority, createLookAlike, createSelfSigned } from "../support/certificates.ts";
import { accessTokenOf, startDeployment, textOf } from "../support/deployment.ts";
import { assertErrorForm } from "../support/error-form.ts";
import { basic, postForm } from "../support/https-request.ts";
import { clientSettings, jwksOf, secretOf } from "../support/settings.ts";

const authority = createAuthority({ subject: "CN=Client CA,O=certbound tests" });
const k1Subject = "CN=client-1.example.com,O=Client One,C=JP";
const k1 = authority.issue({ subject: k1Subject });
const k1Expired = authority.issue({ subject: k1Subject, notAfter: new Date("2021-01-01T00:00:00Z") });
const k1Fake = createLookAlike(k1, authority.certificate.subject);
const k2 = createSelfSigned({ subject: "CN=client-2.example.net" });

const c1 = clientSettings({
  clientId: 1001,
  tokenAuthMethod: "TLS_CLIENT_AUTH",
  tlsClientAuthSubjectDn: k1Subject,
});
const c2 = clientSettings({ clientId: 1002, tokenAuthMethod: "SELF_SIGNED_TLS_CLIENT_AUTH", jwks: jwksOf(k2) });
const trusting = { trustedRootCertificates: [authority.certificate.pem] };

test("8705-2-a: a certificate from outside the handshake authenticates nobody, wherever it is", async (t) => {
  const { token } = await startDeployment(t, { service: trusting, clients: [c1, c2] });
  const certificates = { "1001": k1, "1002": k2 };
  for (const [clientId, certificate] of Object.entries(certificates)) {
    const oneLine = certificate.pem.replaceAll("\n", "");
    const base64 = certificate.der.toString("base64");
    for (const member of ["clientCertificate", "client_certificate", "client_cert", "x5c", "certificate"]) {
      const answer = await token({ client_id: clientId, [member]: certificate.pem });
      assertErrorForm(t, answer, "invalid_client", [400, 401]);
    }
    const headers: Record<string, string> = {
      "Client-Cert": `:${base64}:`,
      "X-SSL-Client-Cert": encodeURIComponent(certificate.pem),
      "X-SSL-Cert": oneLine,
      "X-Forwarded-Client-Cert": `Hash=${certificate.der.toString("hex").slice(0, 64)};Cert="${encodeURIComponent(certificate.pem)}"`,
      "X-WSO2-MTLS-Cert": oneLine,
      SSL_CLIENT_CERT: oneLine,
      "X-ARR-ClientCert": base64,
      "X-Client-Cert": base64,
      "X-Amzn-Mtls-Clientcert-Leaf": encodeURIComponent(certificate.pem),
      "X-Forwarded-Tls-Client-Cert": base64,
    };
    for (const [name, value] of Object.entries(headers)) {
      const answer = await token({ client_id: clientId }, undefined, { [name]: value });
      assertErrorForm(t, answer, "invalid_client", [400, 401]);
    }
  }
});

test("8705-2-b: a matching certificate without client_id, or with one in the query only, gives no token", async (t) => {
  const { token, url } = await startDeployment(t, { service: trusting, clients: [c1] });
  assertErrorForm(t, await token({}, k1), "invalid_request", [400, 401]);
  const inQuery = await postForm({ url: `${url}/token?client_id=1001`, as: k1 }, { grant_type: "client_credentials" });
  assertErrorForm(t, inQuery, "invalid_request", [400, 401]);
  accessTokenOf(t, await token({ client_id: "1001" }, k1));
});

test("8705-2-c: of all clients and certificates only each client with its own gets a token", async (t) => {
  const { token } = await startDeployment(t, { service: trusting, clients: [c1, c2] });
  const certificates = { k1, k2, none: undefined, k1Expired, k1Fake };
  const right = new Set(["1001 k1", "1002 k2"]);
  for (const clientId of ["1001", "1002"]) {
    for (const [name, certificate] of Object.entries(certificates)) {
      const answer = await token({ client_id: clientId }, certificate);
      if (right.has(`${clientId} ${name}`)) accessTokenOf(t, answer);
      else assertErrorForm(t, answer, "invalid_client", [400, 401]);
    }
  }
});

test("8705-2-d: a missing and a wrong certificate get the same OAuth error, status, headers and body", async (t) => {
  const { token } = await startDeployment(t, { service: trusting, clients: [c1, c2] });
  for (const clientId of ["1001", "1002"]) {
    const answers = new Set<string>();
    for (const certificate of [undefined, k1Fake, k1Expired, clientId === "1001" ? k2 : k1]) {
      const answer = await token({ client_id: clientId }, certificate);
      assertErrorForm(t, answer, "invalid_client", [400, 401]);
      answers.add(textOf(answer));
    }
    t.is(answers.size, 1);
  }
});

test("8705-2-e: the client is the one that client_id names, not the one that the certificate could mean", async (t) => {
  const other = createAuthority({ subject: "CN=Other CA" });
  const sameName = other.issue({ subject: k1Subject });
  const client = (clientId: number, ca: typeof authority) =>
    clientSettings({
      clientId,
      tokenAuthMethod: "TLS_CLIENT_AUTH",
      tlsClientAuthSubjectDn: k1Subject,
      trustedRootCertificates: [ca.certificate.pem],
    });
  const { token, introspect } = await startDeployment(t, { clients: [client(1, authority), client(2, other)] });
  for (const [clientId, right, wrong] of [
    ["1", k1, sameName],
    ["2", sameName, k1],
  ] as const) {
    const issued = accessTokenOf(t, await token({ client_id: clientId }, right));
    const facts = JSON.parse((await introspect(issued)).body) as { client_id: string };
    t.is(facts.client_id, clientId);
    assertErrorForm(t, await token({ client_id: clientId }, wrong), "invalid_client", [400, 401]);
  }
  for (const unknown of ["3", "01", "1 ", "１", k1Subject, "9007199254740993"]) {
    assertErrorForm(t, await token({ client_id: unknown }, k1), "invalid_client", [400, 401]);
  }
});

test("client_secret_basic: id and secret are form-decoded, and only the right secret authenticates", async (t) => {
  const odd = "p:a%s+s é/=&";
  const client = clientSettings({
    clientId: 1003,
    clientSecret: odd,
    tlsClientCertificateBoundAccessTokens: false,
  });
  const { token } = await startDeployment(t, { clients: [client] });
  accessTokenOf(t, await token({}, undefined, { authorization: basic(1003, odd) }));
  for (const authorization of [
    basic(1003, `${odd}x`),
    basic(1003, ""),
    basic("", odd),
    basic(1004, odd),
    "Basic",
    "Basic ====",
    `Basic ${Buffer.from("1003:%zz").toString("base64")}`,
    `Basic ${Buffer.from("1003").toString("base64")}`,
  ]) {
    const answer = await token({}, undefined, { authorization });
    assertErrorForm(t, answer, "invalid_client", [401]);
    t.regex(answer.headers["www-authenticate"] ?? "", /^Basic realm="test"/);
  }
});

test("Basic credentials of one client and another's client_id are invalid_request, with either secret", async (t) => {
  const clients = [1, 2].map((clientId) => clientSettings({ clientId, tlsClientCertificateBoundAccessTokens: false }));
  const { token } = await startDeployment(t, { clients });
  for (const [named, other] of [
    [1, 2],
    [2, 1],
  ] as const) {
    for (const secret of [secretOf(named), secretOf(other)]) {
      const answer = await token({ client_id: String(other) }, undefined, { authorization: basic(named, secret) });
      assertErrorForm(t, answer, "invalid_request", [400]);
    }
    accessTokenOf(
      t,
      await token({ client_id: String(named) }, undefined, { authorization: basic(named, secretOf(named)) }),
    );
  }
});

test("client_secret_post: the secret in the body authenticates, a wrong or a missing one does not", async (t) => {
  const client = clientSettings({
    clientId: 1003,
    tokenAuthMethod: "CLIENT_SECRET_POST",
    tlsClientCertificateBoundAccessTokens: false,
  });
  const { token } = await startDeployment(t, { clients: [client] });
  accessTokenOf(t, await token({ client_id: "1003", client_secret: secretOf(1003) }));
  for (const secret of [undefined, "", "wrong", `${secretOf(1003)} `]) {
    assertErrorForm(t, await token({ client_id: "1003", client_secret: secret }), "invalid_client", [400]);
  }
});

test("a client authenticates by its own method alone: a secret instead of it, or beside it, is rejected", async (t) => {
  const inHeader = clientSettings({ clientId: 1, tlsClientCertificateBoundAccessTokens: false });
  const inBody = clientSettings({
    clientId: 2,
    tokenAuthMethod: "CLIENT_SECRET_POST",
    tlsClientCertificateBoundAccessTokens: false,
  });
  const { token } = await startDeployment(t, { service: trusting, clients: [inHeader, inBody, c1, c2] });
  const header = (clientId: number) => ({ authorization: basic(clientId, secretOf(clientId)) });
  const attempts = [
    await token({ client_id: "1", client_secret: secretOf(1) }),
    await token({ client_secret: secretOf(1) }, undefined, header(1)),
    await token({}, undefined, header(2)),
    await token({ client_id: "2", client_secret: secretOf(2) }, undefined, header(2)),
    await token({ client_id: "1001", client_secret: "guess" }, k1),
    await token({}, k1, { authorization: basic(1001, "guess") }),
    await token({ client_id: "1002", client_secret: "guess" }, k2),
  ];
  for (const answer of attempts) assertErrorForm(t, answer, "invalid_client", [400, 401]);
});

test("a public client gets no token by client credentials, with or without a certificate", async (t) => {
  const client = clientSettings({ clientId: 7, tokenAuthMethod: "NONE" });
  const { token } = await startDeployment(t, { clients: [client] });
  assertErrorForm(t, await token({ client_id: "7" }), "unauthorized_client", [400]);
  assertErrorForm(t, await token({ client_id: "7" }, k1), "unauthorized_client", [400]);
  assertErrorForm(t, await token({ client_id: "7", client_secret: "x" }, k1), "invalid_client", [400]);
});

test("a locked client is refused like one that cannot prove itself", async (t) => {
  const { token } = await startDeployment(t, { service: trusting, clients: [{ ...c1, locked: true }] });
  assertErrorForm(t, await token({ client_id: "1001" }, k1), "invalid_client", [400]);
});
