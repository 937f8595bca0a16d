import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer, type RequestListener } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import Koa from "koa";
import test, { type ExecutionContext } from "ava";
import { nodeHandler, revocationEndpoint, tokenEndpoint } from "../../src/authorization-server/index.ts";
import {
  apache,
  type CertificateSource,
  createResourceServer,
  envoy,
  haproxy,
  haproxySha256,
  nginx,
  rfc9440,
  type TrustedProxies,
  trustedProxies,
} from "../../src/resource-server/index.ts";
import { protect } from "../../src/resource-server/middleware/koa.ts";
import { createAuthority, createSelfSigned, type TestCertificate } from "../support/certificates.ts";
import { accessTokenOf, type Deployment, startDeployment } from "../support/deployment.ts";
import { assertErrorForm } from "../support/error-form.ts";
import { loopback } from "../support/header-listener.ts";
import { basic, type HttpAnswer, postForm, send } from "../support/https-request.ts";
import { clientSettings, jwksOf, secretOf, serviceAccessToken, serviceId } from "../support/settings.ts";
import { startTlsProxy } from "./tls-proxy.ts";

const authority = createAuthority({ subject: "CN=Client CA" });
const k1 = authority.issue({ subject: "CN=client-1" });
const k2 = createSelfSigned({ subject: "CN=client-2" });
const clients = [
  clientSettings({ clientId: 1, tokenAuthMethod: "TLS_CLIENT_AUTH", tlsClientAuthSubjectDn: "CN=client-1" }),
  clientSettings({ clientId: 2, tokenAuthMethod: "SELF_SIGNED_TLS_CLIENT_AUTH", jwks: jwksOf(k2) }),
  clientSettings({ clientId: 3 }),
  clientSettings({ clientId: 4, tlsClientCertificateBoundAccessTokens: false }),
];
const service = { trustedRootCertificates: [authority.certificate.pem] };
const item = (der: Uint8Array): string => `:${Buffer.from(der).toString("base64")}:`;

type Values = Readonly<Record<string, string | readonly string[]>>;

interface Server {
  readonly port: number;
  readonly path: string | undefined;
}

async function serve(t: ExecutionContext, listener: RequestListener, where: "loopback" | "unix"): Promise<Server> {
  const server = createServer(listener);
  const folder = where === "unix" ? await mkdtemp(join(tmpdir(), "certbound-")) : undefined;
  const path = folder && join(folder, "http.sock");
  server.listen(path === undefined ? { port: 0, host: "127.0.0.1" } : { path });
  await once(server, "listening");
  t.teardown(async () => {
    server.closeAllConnections();
    server.close();
    if (folder !== undefined) await rm(folder, { recursive: true, force: true });
  });
  return { path, port: path === undefined ? (server.address() as AddressInfo).port : 0 };
}

/** A backend, and an authorization server and an API in plain HTTP that take certificates from this source. */
async function deploy(
  t: ExecutionContext,
  certificate?: CertificateSource,
  { where = "loopback", deployment }: { where?: "loopback" | "unix"; deployment?: Deployment } = {},
) {
  const { api: backend, backendUrl } = deployment ?? (await startDeployment(t, { service, clients }));
  const unreadable: string[] = [];
  const refusals: string[] = [];
  const options = { backend, realm: "test" };
  const source = certificate && { certificate };
  const authorizationServer = await serve(
    t,
    nodeHandler(
      { "/token": tokenEndpoint(options), "/revoke": revocationEndpoint(options) },
      { ...source, ...(source && { onUnreadableCertificate: (reason) => unreadable.push(reason) }) },
    ),
    where,
  );
  const resourceServer = createResourceServer({
    backend: {
      baseUrl: backendUrl,
      serviceId,
      credentials: { accessToken: serviceAccessToken },
      timeout: { attempt: 30_000, total: 30_000 },
    },
  });
  t.teardown(() => resourceServer.close());
  const app = new Koa();
  app.use(protect(resourceServer, { ...source, onRefusal: ({ reason }) => refusals.push(reason) }));
  app.use((ctx) => {
    ctx.body = "served";
  });
  const handle = app.callback();
  const api = await serve(t, (request, response) => void handle(request, response), where);
  return { authorizationServer, api, unreadable, refusals };
}

function askToken(url: string, client: number, as?: TestCertificate, headers: Values = {}): Promise<HttpAnswer> {
  const secret = client > 2 ? { authorization: basic(client, secretOf(client)) } : {};
  const form = { grant_type: "client_credentials", client_id: String(client) };
  return postForm({ url: `${url}/token`, as, headers: { ...secret, ...headers } }, form);
}

function callApi(url: string, token: string, as?: TestCertificate, headers: Values = {}): Promise<HttpAnswer> {
  return send({ url, as, headers: { authorization: `Bearer ${token}`, ...headers } });
}

const proxied = (from: TrustedProxies) =>
  ({
    rfc9440: [rfc9440({ from }), "Client-Cert", (der) => item(der)],
    nginx: [
      nginx({ from, header: "X-SSL-Cert" }),
      "X-SSL-Cert",
      (_, pem) => encodeURIComponent(pem).replaceAll("%2D", "-"),
    ],
    apache: [apache({ from, header: "X-SSL-Cert" }), "X-SSL-Cert", (_, pem) => pem.replaceAll("\n", " ")],
    haproxy: [haproxy({ from, header: "X-SSL-Client-Cert" }), "X-SSL-Client-Cert", (der) => der.toString("base64")],
    envoy: [
      envoy({ from, element: "only" }),
      "X-Forwarded-Client-Cert",
      (_, pem) => `By=spiffe://a;Cert="${encodeURIComponent(pem)}";Subject="CN=a,O=b";URI=spiffe://c`,
    ],
  }) satisfies Record<string, readonly [CertificateSource, string, (der: Buffer, pem: string) => string]>;

const pemOf = (der: Buffer): string =>
  [k1, k2, ...strangers].find((one) => one.der.equals(der))?.pem ?? "unknown to this test";
const strangers = [authority.issue({ subject: "CN=stranger" }), createSelfSigned({ subject: "CN=client-1" })];

for (const where of ["loopback", "unix"] as const) {
  for (const [dialect, [certificate, header, write]] of Object.entries(
    proxied(trustedProxies([where === "unix" ? "unix" : "127.0.0.1"])),
  )) {
    test(`8705-6.5: behind a TLS proxy, tokens belong to the handshake's certificate alone (${dialect}, ${where})`, async (t) => {
      const { authorizationServer, api, unreadable } = await deploy(t, certificate, { where });
      const options = {
        removes: [header.toLowerCase()],
        headers: (der: Buffer | undefined): Record<string, string> =>
          der === undefined ? {} : { [header]: write(der, pemOf(der)) },
      };
      const as = await startTlsProxy(t, { to: authorizationServer.path ?? authorizationServer.port, ...options });
      const front = await startTlsProxy(t, { to: api.path ?? api.port, ...options });

      const token1 = accessTokenOf(t, await askToken(as, 1, k1));
      const token2 = accessTokenOf(t, await askToken(as, 2, k2));
      for (const [client, wrong] of [
        [1, k2],
        [1, strangers[1]],
        [1, undefined],
        [2, k1],
        [2, undefined],
      ] as const) {
        assertErrorForm(t, await askToken(as, client, wrong), "invalid_client", [400, 401]);
      }
      t.is((await callApi(front, token1, k1)).status, 200);
      t.is((await callApi(front, token2, k2)).status, 200);
      for (const [token, wrong] of [
        [token1, k2],
        [token2, k1],
        [token1, strangers[0]],
        [token1, undefined],
      ] as const) {
        t.is((await callApi(front, token, wrong)).status, 401);
      }
      // What a client writes itself never arrives, however it is spelt, with a certificate of its own or without.
      const forged = write(k1.der, k1.pem);
      for (const name of [header, header.toLowerCase(), header.toUpperCase(), header.replaceAll("-", "_")]) {
        for (const own of [undefined, k2]) {
          for (const value of [forged, [forged, forged]]) {
            t.is((await callApi(front, token1, own, { [name]: value })).status, 401);
            assertErrorForm(t, await askToken(as, 1, own, { [name]: value }), "invalid_client", [400, 401]);
          }
        }
      }
      t.deepEqual(unreadable, []);
    });
  }
}

test("8705-2-a: behind header sources, a certificate from an unlisted peer authenticates nobody", async (t) => {
  const sources = proxied(trustedProxies(["127.0.0.2", "unix"]));
  for (const [dialect, [certificate]] of Object.entries(sources)) {
    const { authorizationServer, unreadable } = await deploy(t, certificate);
    const url = `http://127.0.0.1:${authorizationServer.port}`;
    const oneLine = k1.pem.replaceAll("\n", "");
    for (const [name, value] of Object.entries({
      "Client-Cert": item(k1.der),
      "X-SSL-Client-Cert": k1.der.toString("base64"),
      "X-SSL-Cert": encodeURIComponent(k1.pem),
      "X-Forwarded-Client-Cert": `Cert="${encodeURIComponent(k1.pem)}"`,
      "X-WSO2-MTLS-Cert": oneLine,
      SSL_CLIENT_CERT: oneLine,
    })) {
      assertErrorForm(t, await askToken(url, 1, undefined, { [name]: value }), "invalid_client", [400, 401]);
    }
    const inBody = { grant_type: "client_credentials", client_id: "1", client_certificate: k1.pem };
    assertErrorForm(t, await postForm({ url: `${url}/token` }, inBody), "invalid_client", [400, 401]);
    t.deepEqual(unreadable, Array(7).fill("peer_not_trusted"), dialect);
  }
});

test("9440-2.2-a: two Client-Cert lines, or a list in one, are 400 at both servers", async (t) => {
  const { authorizationServer, api, unreadable } = await deploy(t, rfc9440({ from: loopback }));
  const as = `http://127.0.0.1:${authorizationServer.port}`;
  const front = `http://127.0.0.1:${api.port}`;
  const one = { "client-cert": item(k1.der) };
  const token = accessTokenOf(t, await askToken(as, 1, undefined, one));
  t.is((await callApi(front, token, undefined, one)).status, 200);
  const twice = [
    [item(k1.der), item(k1.der)],
    [item(k2.der), item(k1.der)],
    [item(k1.der), ""],
    `${item(k1.der)}, ${item(k1.der)}`,
    `${item(k1.der)},${item(k2.der)}`,
  ];
  for (const value of twice) {
    const headers = { "client-cert": value };
    for (const client of [1, 3, 4]) {
      assertErrorForm(t, await askToken(as, client, undefined, headers), "invalid_request", [400]);
    }
    const refused = await callApi(front, token, undefined, headers);
    t.is(refused.status, 400);
    t.deepEqual(JSON.parse(refused.body), { error: "invalid_request" });
  }
  t.deepEqual(unreadable, Array(15).fill("header_repeated"));
});

test("9440-4-b: both servers ignore the header of an unlisted peer, and both operators learn it", async (t) => {
  const deployment = await startDeployment(t, { service, clients });
  const from = trustedProxies(["127.0.0.2", { certificate: k1.x5tS256 }]);
  const { authorizationServer, api, unreadable, refusals } = await deploy(t, rfc9440({ from }), { deployment });
  const as = `http://127.0.0.1:${authorizationServer.port}`;
  const headers = { "client-cert": item(k1.der) };
  assertErrorForm(t, await askToken(as, 1, undefined, headers), "invalid_client", [400, 401]);
  // No token at all, bound or not: it is not known that there is no certificate.
  for (const client of [3, 4]) {
    assertErrorForm(t, await askToken(as, client, undefined, headers), "invalid_request", [400]);
  }
  t.deepEqual(unreadable, Array(3).fill("peer_not_trusted"));
  const direct = await deploy(t, rfc9440({ from: loopback }), { deployment });
  const token = accessTokenOf(
    t,
    await askToken(`http://127.0.0.1:${direct.authorizationServer.port}`, 1, undefined, headers),
  );
  t.is((await callApi(`http://127.0.0.1:${direct.api.port}`, token, undefined, headers)).status, 200);
  t.is((await callApi(`http://127.0.0.1:${api.port}`, token, undefined, headers)).status, 401);
  t.deepEqual(refusals, ["the certificate of the connection cannot be read: peer not trusted"]);
});

test("an unreadable certificate gets no token for any client; an absent one counts as 'no certificate'", async (t) => {
  const { authorizationServer, unreadable } = await deploy(t, rfc9440({ from: loopback }));
  const as = `http://127.0.0.1:${authorizationServer.port}`;
  for (const client of [1, 2, 3, 4]) {
    const answer = await askToken(as, client, undefined, { "client-cert": ":AAAA:" });
    assertErrorForm(t, answer, client < 3 ? "invalid_client" : "invalid_request", [400]);
  }
  t.deepEqual(unreadable, Array(4).fill("not_der"));
  accessTokenOf(t, await askToken(as, 4));
  accessTokenOf(t, await askToken(as, 3, undefined, { "client-cert": item(k2.der) }));
  assertErrorForm(t, await askToken(as, 3), "invalid_request", [400]);
});

test("9440-4-a: by default authorization server and API ignore every header of every proxy", async (t) => {
  const deployment = await startDeployment(t, { service, clients });
  const { authorizationServer, api, refusals } = await deploy(t, undefined, { deployment });
  const as = `http://127.0.0.1:${authorizationServer.port}`;
  const trusting = await deploy(t, rfc9440({ from: loopback }), { deployment });
  const token = accessTokenOf(
    t,
    await askToken(`http://127.0.0.1:${trusting.authorizationServer.port}`, 1, undefined, {
      "client-cert": item(k1.der),
    }),
  );
  const base64 = k1.der.toString("base64");
  const escaped = encodeURIComponent(k1.pem);
  const oneLine = k1.pem.replaceAll("\n", "");
  const hex = Buffer.from(k1.x5tS256, "base64url").toString("hex");
  for (const [name, value] of Object.entries({
    "Client-Cert": item(k1.der),
    "X-SSL-Cert": escaped,
    "ssl-client-cert": escaped,
    "X-SSL-Client-Cert": base64,
    "X-Forwarded-Client-Cert": `Hash=${hex};Cert="${escaped}"`,
    "X-Forwarded-Tls-Client-Cert": base64,
    "X-Amzn-Mtls-Clientcert-Leaf": escaped,
    "X-Amzn-Mtls-Clientcert": escaped,
    "CloudFront-Viewer-Cert-Pem": escaped,
    "CloudFront-Viewer-Cert-Sha256": hex,
    "X-ARR-ClientCert": base64,
    "X-Client-Cert": base64,
    "Cf-Client-Cert-Der-Base64": base64,
    "Cf-Client-Cert-Sha256": hex,
    "x-wso2-mtls-cert": oneLine,
  })) {
    assertErrorForm(t, await askToken(as, 1, undefined, { [name]: value }), "invalid_client", [400, 401]);
    const none = await callApi(`http://127.0.0.1:${api.port}`, token, undefined, { [name]: value });
    t.is(none.status, 401, name);
  }
  t.deepEqual(new Set(refusals), new Set(["the token is certificate-bound and the connection has no certificate"]));
});

test("9440-2.2-b: neither authorization server nor API answers with a Client-Cert header", async (t) => {
  for (const answer of await answers(t))
    t.deepEqual(
      Object.keys(answer.headers).filter((name) => name.includes("cert")),
      [],
    );
});

test("9440-2.4-b: whatever hangs on a certificate is no-store, granted or refused", async (t) => {
  for (const answer of await answers(t)) t.is(answer.headers["cache-control"], "no-store");
});

/** An answer of each kind: granted, refused for the certificate, for a repeated header, for none. */
async function answers(t: ExecutionContext): Promise<readonly HttpAnswer[]> {
  const { authorizationServer, api } = await deploy(t, rfc9440({ from: loopback }));
  const as = `http://127.0.0.1:${authorizationServer.port}`;
  const kinds = [item(k1.der), item(k2.der), [item(k1.der), item(k1.der)], ":AAAA:", ""];
  const fromAs = await Promise.all(kinds.map((value) => askToken(as, 1, undefined, { "client-cert": value })));
  const [granted] = fromAs;
  const token = granted === undefined ? "" : accessTokenOf(t, granted);
  const front = `http://127.0.0.1:${api.port}`;
  const fromApi = await Promise.all(kinds.map((value) => callApi(front, token, undefined, { "client-cert": value })));
  t.deepEqual(
    fromApi.map(({ status }) => status),
    [200, 401, 400, 401, 401],
  );
  return [...fromAs, ...fromApi];
}

test("a source that has thumbprints only is refused where a backend needs the certificate itself", async (t) => {
  const endpoints = {};
  const thumbprints = haproxySha256({ from: loopback, header: "X-SHA256" });
  for (const [options, named] of [
    [{ certificate: thumbprints }, "certificate"],
    [{ certificate: "X-SSL-Cert" }, "certificate"],
    [{ trustProxy: true }, "trustProxy"],
  ] as const) {
    const error = t.throws(() => nodeHandler(endpoints, options as never), { code: "ERR_INVALID_OPTION" });
    t.true(error.message.startsWith(`${named} `));
  }
  // Envoy has it or has it not, and says so with each request.
  const { authorizationServer, unreadable } = await deploy(t, envoy({ from: loopback }));
  const hex = Buffer.from(k1.x5tS256, "base64url").toString("hex");
  const as = `http://127.0.0.1:${authorizationServer.port}`;
  const answer = await askToken(as, 1, undefined, { "x-forwarded-client-cert": `Hash=${hex}` });
  assertErrorForm(t, answer, "server_error", [500]);
  t.deepEqual(unreadable, ["thumbprint_only"]);
});
