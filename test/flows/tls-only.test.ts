import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import test, { type ExecutionContext } from "ava";
import { startServer } from "../../examples/demo/processes.ts";
import { ConfigurationError } from "../../src/backend/configuration/configuration-error.ts";
import { configurationFrom } from "../../src/backend/configuration/read-configuration.ts";
import { createAuthority, createSelfSigned, serverAuth } from "../support/certificates.ts";
import { accessTokenOf, resourceServer, startDeployment } from "../support/deployment.ts";
import { basic, postForm, send } from "../support/https-request.ts";
import { clientSettings, secretOf, serviceAccessToken, serviceId } from "../support/settings.ts";

const { pem: certificate, key } = createAuthority({ subject: "CN=Server CA" }).issue({
  subject: "CN=localhost",
  san: [{ dns: "localhost" }, { ip: "127.0.0.1" }],
  eku: [serverAuth],
});
const k1 = createSelfSigned({ subject: "CN=client-1" });
const clients = [clientSettings({ clientId: 1 })];

interface PlainRequest {
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** Everything that a server sends back to a request in plain HTTP until the connection ends, however it ends. */
function askPlainly(url: string, { path, headers, body }: PlainRequest): Promise<string> {
  const { port, host } = new URL(url);
  return new Promise((resolve) => {
    const socket = connect({ host: "127.0.0.1", port: Number(port) });
    let received = "";
    socket.setEncoding("latin1").on("data", (text: string) => {
      received += text;
    });
    socket.on("error", () => undefined);
    socket.on("close", () => {
      resolve(received);
    });
    const all = { host, connection: "close", "content-length": String(Buffer.byteLength(body)), ...headers };
    const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`);
    socket.write(`POST ${path} HTTP/1.1\r\n${lines.join("")}\r\n${body}`);
  });
}

async function assertNoAnswer(t: ExecutionContext, url: string, request: PlainRequest): Promise<void> {
  // A TLS alert may come back, or nothing: no status line, and so no redirect.
  t.notRegex(await askPlainly(url, request), /HTTP|location|active/i, request.path);
}

const form = { "content-type": "application/x-www-form-urlencoded" };

test("7662-2-a, 7009-2-b: the backend with TLS answers nothing to plain HTTP, in either shape", async (t) => {
  // Where an authorization server's own endpoints are, here the API that serves them is.
  const tls = { certificate, key, minVersion: "TLSv1.2" } as const;
  const configuration = { listen: { host: "127.0.0.1", port: 0, behindTls: false, tls } };
  const { backend, backendUrl: url } = await startDeployment(t, { clients, configuration });
  const credentials = { clientId: "1", clientSecret: secretOf(1) };
  const grant = { parameters: "grant_type=client_credentials", clientCertificate: k1.pem };
  const { accessToken: token = "" } = await backend.authToken({ ...grant, ...credentials });
  const json = { "content-type": "application/json", authorization: `Bearer ${serviceAccessToken}` };
  const parameters = `token=${token}`;
  for (const shape of ["", `/${serviceId}`]) {
    for (const [operation, body] of [
      ["introspection/standard", { parameters }],
      ["introspection", { token }],
      ["revocation", { parameters, ...credentials }],
    ] as const) {
      const path = `/api${shape}/auth/${operation}`;
      await assertNoAnswer(t, url, { path, headers: json, body: JSON.stringify(body) });
    }
  }
  // The same request over TLS is answered, and the token is as it was.
  const answer = await send({
    url: `${url}/api/${serviceId}/auth/introspection/standard`,
    method: "POST",
    headers: json,
    body: JSON.stringify({ parameters }),
  });
  t.is(answer.status, 200);
  t.regex(answer.body, /\\"active\\":true/);
});

test("7662-2-a, 7009-2-b: the example authorization server answers nothing to plain HTTP", async (t) => {
  const { backendUrl } = await startDeployment(t, { clients });
  const folder = await mkdtemp(join(tmpdir(), "certbound-"));
  t.teardown(() => rm(folder, { recursive: true }));
  const files = { TLS_CERT: join(folder, "server.pem"), TLS_KEY: join(folder, "server-key.pem") };
  await writeFile(files.TLS_CERT, certificate);
  await writeFile(files.TLS_KEY, key, { mode: 0o600 });
  const program = fileURLToPath(new URL("../../examples/authorization-server.ts", import.meta.url));
  const server = await startServer("authorization server", [program], {
    BACKEND_URL: backendUrl,
    SERVICE_ID: String(serviceId),
    SERVICE_ACCESS_TOKEN: serviceAccessToken,
    RESOURCE_SERVER_ID: resourceServer.id,
    RESOURCE_SERVER_SECRET: resourceServer.secret,
    PORT: "0",
    ...files,
  });
  t.teardown(() => server.stop());
  const asClient = { authorization: basic(1, secretOf(1)) };
  const asResourceServer = { authorization: basic(resourceServer.id, resourceServer.secret) };
  const grant = { grant_type: "client_credentials" };
  const token = accessTokenOf(t, await postForm({ url: `${server.url}/token`, as: k1, headers: asClient }, grant));
  const body = `token=${token}`;
  await assertNoAnswer(t, server.url, { path: "/introspect", headers: { ...form, ...asResourceServer }, body });
  await assertNoAnswer(t, server.url, { path: "/revoke", headers: { ...form, ...asClient }, body });
  const facts = await postForm({ url: `${server.url}/introspect`, headers: asResourceServer }, { token });
  t.is((JSON.parse(facts.body) as { active: boolean }).active, true);
});

test("7662-2-a, 7009-2-b: without TLS the backend is not configured to listen to a network", async (t) => {
  const configurationOn = (listen: object) =>
    configurationFrom({ listen, store: { sqlite: ":memory:" }, services: [] }, { path: "inline", env: {} });
  for (const host of ["0.0.0.0", "::", "192.0.2.1", "2001:db8::1", "as.example.com"]) {
    const error = await t.throwsAsync(configurationOn({ host }), { instanceOf: ConfigurationError }, host);
    t.regex(error.message, /listen\.host is not a loopback address/);
    const withTls = { certificate, key: { env: "KEY" } };
    const place = { path: "inline", env: { KEY: key } };
    const secure = { listen: { host, tls: withTls }, store: { sqlite: ":memory:" }, services: [] };
    await t.notThrowsAsync(configurationFrom(secure, place));
  }
  for (const host of ["127.0.0.1", "::1", "localhost"]) await t.notThrowsAsync(configurationOn({ host }));
});
