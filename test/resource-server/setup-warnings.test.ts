import { once } from "node:events";
import { createServer as createHttpServer, type IncomingMessage, type RequestListener, type Server } from "node:http";
import { createServer as createHttpsServer, request as httpsRequest, type ServerOptions } from "node:https";
import { createServer as createTcpServer, type AddressInfo } from "node:net";
import type { ExecutionContext } from "ava";
import test from "ava";
import {
  createResourceServer,
  type FactsSource,
  introspectionEndpoint,
  nginx,
  SetupFailure,
  trustedProxies,
  type ResourceServer,
  type ResourceServerOptions,
  type Warning,
} from "../../src/resource-server/index.ts";
import { protect } from "../../src/resource-server/middleware/node.ts";
import { createAuthority, createSelfSigned, serverAuth } from "../support/certificates.ts";
import { accessTokenOf, startDeployment, type Deployment } from "../support/deployment.ts";
import { basic } from "../support/https-request.ts";
import { clientSettings, secretOf, serviceAccessToken, serviceId } from "../support/settings.ts";

const authority = createAuthority({ subject: "CN=Test server CA" });
const identity = authority.issue({ subject: "CN=localhost", san: [{ dns: "localhost" }], eku: [serverAuth] });
const certificate = createSelfSigned({ subject: "CN=client" });
const client = clientSettings({ clientId: 1 });

/** Listens on a free port until the test ends. */
async function listen(t: ExecutionContext, server: Server | ReturnType<typeof createTcpServer>): Promise<number> {
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  t.teardown(() => server.close());
  return (server.address() as AddressInfo).port;
}

type Backend = Extract<ResourceServerOptions["backend"], { readonly baseUrl: string }>;

/** A resource server of this backend, and what its operator was warned of. */
function open(t: ExecutionContext, backend: Partial<Backend> & Pick<Backend, "baseUrl">, more: object = {}) {
  const warnings: Warning[] = [];
  const resourceServer = createResourceServer({
    backend: {
      serviceId,
      credentials: { accessToken: serviceAccessToken },
      // A machine that runs several test files at once may be slow; only one test here is about time.
      timeout: { attempt: 30_000, total: 30_000 },
      ...backend,
    },
    cache: { push: false },
    onWarning: (warning) => warnings.push(warning),
    ...more,
  });
  t.teardown(() => resourceServer.close());
  return { resourceServer, warnings };
}

/** The same for another source. */
function openSource(t: ExecutionContext, source: FactsSource, more: object = {}) {
  const warnings: Warning[] = [];
  const onWarning = (warning: Warning) => warnings.push(warning);
  const resourceServer = createResourceServer({ source, onWarning, timeout: 30_000, ...more });
  t.teardown(() => resourceServer.close());
  return { resourceServer, warnings };
}

const endpointAt = (url: string): FactsSource =>
  introspectionEndpoint({
    url,
    clientAuthentication: { method: "client_secret_basic", clientId: "api", clientSecret: "wrong" },
    timeout: { attempt: 30_000, total: 30_000 },
  });

const ask = (resourceServer: ResourceServer, token = "some-token") =>
  resourceServer.authorize({ token, certificate: undefined });

/** Asks twice and warms up: the cause is warned of once, and the first check fails with the same words. */
async function assertCause(
  t: ExecutionContext,
  { resourceServer, warnings }: ReturnType<typeof open>,
  code: string,
  option: RegExp,
): Promise<void> {
  for (const token of ["one", "two"]) {
    await t.throwsAsync(ask(resourceServer, token), { name: "IntrospectionUnavailable" });
  }
  t.deepEqual(
    warnings.map((warning) => warning.code),
    [code],
  );
  t.regex(warnings[0]?.message ?? "", option);
  const failure = await t.throwsAsync(resourceServer.warmUp(), { instanceOf: SetupFailure });
  t.is(failure.code, code);
  t.is(failure.message, warnings[0]?.message ?? "");
  t.false(failure.message.includes(serviceAccessToken));
}

const answerNothing: RequestListener = (_request, response) => response.end("{}");

test("a backend that is down causes one warning with its address, and warmUp rejects with it", async (t) => {
  const server = createTcpServer();
  const port = await listen(t, server);
  server.close();
  await once(server, "close");
  const opened = open(t, { baseUrl: `http://127.0.0.1:${port}` });
  await assertCause(t, opened, "CERTBOUND_BACKEND_UNREACHABLE", new RegExp(`ECONNREFUSED 127.0.0.1:${port}.*baseUrl`));
});

test("https to a server of plain HTTP is one warning that names the option", async (t) => {
  const port = await listen(t, createHttpServer(answerNothing));
  await assertCause(
    t,
    open(t, { baseUrl: `https://127.0.0.1:${port}` }),
    "CERTBOUND_BACKEND_WITHOUT_TLS",
    /http: in backend\.baseUrl/,
  );
});

test("plain HTTP to a server of TLS is one warning that names the option", async (t) => {
  const port = await listen(t, createHttpsServer({ cert: identity.pem, key: identity.key }, answerNothing));
  await assertCause(
    t,
    open(t, { baseUrl: `http://127.0.0.1:${port}` }),
    "CERTBOUND_BACKEND_HANGS_UP",
    /https: in backend\.baseUrl/,
  );
});

test("a backend whose certificate is not accepted is one warning that names tls.ca", async (t) => {
  const port = await listen(t, createHttpsServer({ cert: identity.pem, key: identity.key }, answerNothing));
  await assertCause(
    t,
    open(t, { baseUrl: `https://localhost:${port}` }),
    "CERTBOUND_BACKEND_UNTRUSTED",
    /UNABLE_TO_VERIFY_LEAF_SIGNATURE.*tls\.ca/,
  );
});

test("a silent backend causes one warning that names the timeout", async (t) => {
  const port = await listen(
    t,
    createTcpServer((socket) => void socket.on("error", () => undefined)),
  );
  const timeout = { attempt: 50, total: 100 };
  const opened = open(t, { baseUrl: `http://127.0.0.1:${port}`, timeout }, { timeout: 5000 });
  await assertCause(t, opened, "CERTBOUND_BACKEND_SILENT", /backend\.timeout/);
});

for (const [what, wrong, code, option] of [
  ["service id", { serviceId: 4711 }, "CERTBOUND_BACKEND_REFUSES", /serviceId/],
  ["service access token", { credentials: { accessToken: "wrong" } }, "CERTBOUND_BACKEND_REFUSES", /credentials/],
  ["service secret", { credentials: { apiSecret: "wrong" } }, "CERTBOUND_BACKEND_REFUSES", /credentials/],
  ["path", "/elsewhere", "CERTBOUND_BACKEND_NOT_THERE", /before \/api/],
] as const) {
  test(`a wrong ${what} causes one warning, a right one no warning`, async (t) => {
    const { backendUrl: baseUrl } = await startDeployment(t, { clients: [client] });
    const wrongly = typeof wrong === "string" ? { baseUrl: `${baseUrl}${wrong}` } : { baseUrl, ...wrong };
    await assertCause(t, open(t, wrongly), code, option);
    const { resourceServer, warnings } = open(t, { baseUrl });
    await resourceServer.warmUp();
    await t.throwsAsync(ask(resourceServer), { name: "AccessTokenRefused" });
    t.deepEqual(warnings, []);
  });
}

for (const [what, status, body, code, option] of [
  ["credentials (401)", 401, { error: "invalid_client" }, "CERTBOUND_BACKEND_REFUSES", /the source's clientAuth/],
  ["credentials (400)", 400, { error: "invalid_client" }, "CERTBOUND_BACKEND_REFUSES", /the source's clientAuth/],
  ["url", 404, { error: "not found" }, "CERTBOUND_BACKEND_NOT_THERE", /the source's url/],
  ["method's url", 405, undefined, "CERTBOUND_BACKEND_NOT_THERE", /the source's url/],
] as const) {
  test(`an introspection endpoint with wrong ${what} is one warning that names the source's option`, async (t) => {
    const port = await listen(
      t,
      createHttpServer((_request, response) => {
        response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
      }),
    );
    await assertCause(t, openSource(t, endpointAt(`http://127.0.0.1:${port}/introspect`)), code, option);
  });
}

test("an introspection endpoint that is down is one warning that names the source's option, no backend's", async (t) => {
  const server = createTcpServer();
  const port = await listen(t, server);
  server.close();
  await once(server, "close");
  const opened = openSource(t, endpointAt(`http://127.0.0.1:${port}/introspect`));
  await assertCause(t, opened, "CERTBOUND_BACKEND_UNREACHABLE", /the source's url, issuer or jwksUri/);
  t.notRegex(opened.warnings[0]?.message ?? "", /backend\./);
});

test("a server that is no backend and echoes the request gets none of it into a warning", async (t) => {
  const server = createHttpServer((request, response) => {
    let asked = "";
    request.setEncoding("utf8").on("data", (chunk: string) => (asked += chunk));
    request.on("end", () => {
      const answer = { resultCode: "A001202", resultMessage: `[A001202] What is ${asked}?` };
      response.writeHead(404, { "content-type": "application/json" }).end(JSON.stringify(answer));
    });
  });
  const { resourceServer, warnings } = open(t, { baseUrl: `http://127.0.0.1:${await listen(t, server)}` });
  await t.throwsAsync(ask(resourceServer, "a-secret-token"));
  t.deepEqual(
    warnings.map(({ code }) => code),
    ["CERTBOUND_BACKEND_NOT_THERE"],
  );
  t.false(JSON.stringify(warnings).includes("a-secret-token"));
});

test("the first check ends in time, with the same cause as a request, when a source never answers", async (t) => {
  let aborted = false;
  const source: FactsSource = {
    ask: (_token, { signal }) => {
      signal.addEventListener("abort", () => {
        aborted = true;
      });
      return new Promise(() => undefined);
    },
    close: () => Promise.resolve(),
  };
  const { resourceServer } = openSource(t, source, { timeout: 50 });
  const failure = await t.throwsAsync(resourceServer.warmUp(), { instanceOf: SetupFailure });
  t.is(failure.code, "CERTBOUND_BACKEND_SILENT");
  t.true(aborted);
});

test("the first check of a silent backend has the same cause where both waits are equally long", async (t) => {
  const port = await listen(
    t,
    createTcpServer((socket) => void socket.on("error", () => undefined)),
  );
  const { resourceServer } = open(t, { baseUrl: `http://127.0.0.1:${port}`, timeout: { attempt: 100, total: 100 } });
  const failure = await t.throwsAsync(resourceServer.warmUp(), { instanceOf: SetupFailure });
  t.is(failure.code, "CERTBOUND_BACKEND_SILENT");
});

test("after the backend has answered again a new outage is a new warning, once a minute at most", async (t) => {
  let now = 0;
  let down = true;
  const server = createHttpServer((_request, response) => {
    if (down) response.destroy();
    else {
      const answer = {
        action: "OK",
        resultCode: "A145001",
        resultMessage: "[A145001] .",
        responseContent: '{"active":false}',
      };
      response.setHeader("content-type", "application/json").end(JSON.stringify(answer));
    }
  });
  const port = await listen(t, server);
  const more = { cache: false, monotonicClock: () => now };
  const { resourceServer, warnings } = open(t, { baseUrl: `http://127.0.0.1:${port}` }, more);
  const askAt = async (instant: number, isDown: boolean): Promise<number> => {
    now = instant;
    down = isDown;
    await t.throwsAsync(ask(resourceServer));
    return warnings.length;
  };
  t.is(await askAt(0, true), 1);
  t.is(await askAt(70_000, true), 1);
  t.is(await askAt(71_000, false), 1);
  t.is(await askAt(72_000, true), 2);
  t.is(await askAt(73_000, false), 2);
  t.is(await askAt(74_000, true), 2);
  t.is(await askAt(140_000, true), 3);
});

/** A token that is bound to the certificate. */
async function boundToken(t: ExecutionContext, { token }: Deployment): Promise<string> {
  return accessTokenOf(t, await token({}, certificate, { authorization: basic(1, secretOf(1)) }));
}

/** An API over the backend, on plain HTTP or on TLS with these options; answers the status of one request. */
async function serveApi(
  t: ExecutionContext,
  deployment: Deployment,
  {
    tls,
    source,
    ...more
  }: {
    readonly tls?: ServerOptions;
    readonly source?: ReturnType<typeof nginx>;
    readonly decide?: "backend";
  },
) {
  const { resourceServer, warnings } = open(t, { baseUrl: deployment.backendUrl }, more);
  const listener: RequestListener = protect(
    resourceServer,
    source === undefined ? {} : { certificate: source },
  )((_request, response) => response.end("in"));
  const server =
    tls === undefined
      ? createHttpServer(listener)
      : createHttpsServer({ cert: identity.pem, key: identity.key, ...tls }, listener);
  const port = await listen(t, server);
  const get = async (token: string, headers: Record<string, string> = {}, as = true): Promise<number> => {
    const authorization = `Bearer ${token}`;
    if (tls === undefined) {
      return (await fetch(`http://127.0.0.1:${port}/`, { headers: { authorization, ...headers } })).status;
    }
    const to = { host: "127.0.0.1", port, servername: "localhost", ca: authority.certificate.pem, agent: false };
    const request = httpsRequest({
      ...to,
      ...(as && { cert: certificate.pem, key: certificate.key }),
      headers: { authorization, ...headers },
    });
    request.end();
    const [response] = (await once(request, "response")) as [IncomingMessage];
    response.resume();
    return response.statusCode ?? 0;
  };
  return { get, codes: () => warnings.map(({ code }) => code), warnings };
}

const from = trustedProxies(["192.0.2.1"]);

for (const [what, how, code, option] of [
  ["a server that forgot requestCert", { tls: {} }, "CERTBOUND_CERTIFICATE_NOT_REQUESTED", /requestCert: true/],
  ["a server of plain HTTP without a certificate source", {}, "CERTBOUND_PLAIN_HTTP", /option `certificate`/],
  [
    "a proxy that hands nothing on",
    { source: nginx({ from: trustedProxies(["127.0.0.1"]), header: "X-SSL-Cert" }) },
    "CERTBOUND_PROXY_SENDS_NO_CERTIFICATE",
    /proxy/,
  ],
] as const) {
  test(`${what} is one warning, which no made-up token sounds`, async (t) => {
    const deployment = await startDeployment(t, { clients: [client] });
    const { get, codes, warnings } = await serveApi(t, deployment, how);
    t.is(await get("made-up"), 401);
    t.deepEqual(codes(), []);
    const token = await boundToken(t, deployment);
    t.is(await get(token), 401);
    t.is(await get(token), 401);
    t.deepEqual(codes(), [code]);
    t.regex(warnings[0]?.message ?? "", option);
    t.false(JSON.stringify(warnings).includes(token));
  });
}

test("a proxy that is not listed: one warning that names trustedProxies", async (t) => {
  const deployment = await startDeployment(t, { clients: [client] });
  const { get, codes } = await serveApi(t, deployment, { source: nginx({ from, header: "X-SSL-Cert" }) });
  const header = { "X-SSL-Cert": encodeURIComponent(certificate.pem) };
  t.is(await get("made-up", header), 401);
  t.deepEqual(codes(), []);
  const token = await boundToken(t, deployment);
  t.is(await get(token, header), 401);
  t.is(await get(token, header), 401);
  t.deepEqual(codes(), ["CERTBOUND_PROXY_NOT_LISTED"]);
});

test("if the backend decides, a made-up token from an unlisted peer causes no warning", async (t) => {
  const deployment = await startDeployment(t, { clients: [client] });
  const how = { source: nginx({ from, header: "X-SSL-Cert" }), decide: "backend" } as const;
  const { get, codes } = await serveApi(t, deployment, how);
  t.is(await get("made-up", { "X-SSL-Cert": encodeURIComponent(certificate.pem) }), 401);
  t.is(await get("made-up"), 401);
  t.deepEqual(codes(), []);
});

test("a server that is set up rightly warns of nothing, also when a thief comes without a certificate", async (t) => {
  const deployment = await startDeployment(t, { clients: [client] });
  const { get, codes } = await serveApi(t, deployment, { tls: { requestCert: true, rejectUnauthorized: false } });
  const token = await boundToken(t, deployment);
  t.is(await get(token), 200);
  t.is(await get(token, {}, false), 401);
  t.deepEqual(codes(), []);
});

for (const [option, backend] of [
  ["credentials.accessToken", { credentials: { accessToken: "" } }],
  ["credentials.apiSecret", { credentials: { apiSecret: "" } }],
  ["baseUrl", { baseUrl: "" }],
] as const) {
  test(`an empty ${option} is called empty, and the environment is named`, (t) => {
    t.throws(() => open(t, { baseUrl: "http://127.0.0.1:1", ...backend }), {
      instanceOf: TypeError,
      message: /is empty: is the environment variable that it comes from not set\?/,
    });
  });
}
