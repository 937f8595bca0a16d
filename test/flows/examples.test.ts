import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import test, { type ExecutionContext } from "ava";
import { WebSocket } from "ws";
import { createAuthority } from "../support/certificates.ts";
import { accessTokenOf, startDeployment } from "../support/deployment.ts";
import { sendHttp2 } from "../support/http2-request.ts";
import { send } from "../support/https-request.ts";
import { clientSettings, serviceAccessToken, serviceId, serviceSettings } from "../support/settings.ts";

const authority = createAuthority({ subject: "CN=Client CA" });
const a = authority.issue({ subject: "CN=client-a" });
const b = authority.issue({ subject: "CN=client-b" });
const server = createAuthority({ subject: "CN=API CA" }).issue({ subject: "CN=localhost", san: [{ ip: "127.0.0.1" }] });

const resource = "https://api.example.com";

/** A backend and an authorization server that issue client A's tokens, and an example in a process of its own. */
async function startExample(t: ExecutionContext, name: string) {
  const client = clientSettings({
    clientId: 1,
    tokenAuthMethod: "TLS_CLIENT_AUTH",
    tlsClientAuthSubjectDn: "CN=client-a",
  });
  const service = serviceSettings({
    trustedRootCertificates: [authority.certificate.pem],
    supportedScopes: [
      { name: "read", defaultEntry: false },
      { name: "pay", defaultEntry: false },
    ],
  });
  const deployment = await startDeployment(t, { service, clients: [client] });
  const folder = await mkdtemp(join(tmpdir(), "certbound-"));
  t.teardown(() => rm(folder, { recursive: true }));
  const [certificate, key] = [join(folder, "server.pem"), join(folder, "server-key.pem")];
  await Promise.all([writeFile(certificate, server.pem), writeFile(key, server.key)]);

  const program = fileURLToPath(new URL(`../../examples/${name}.ts`, import.meta.url));
  const child = spawn(process.execPath, [...process.execArgv, program], {
    env: {
      PATH: process.env["PATH"] ?? "",
      BACKEND_URL: deployment.backendUrl,
      SERVICE_ID: String(serviceId),
      SERVICE_ACCESS_TOKEN: serviceAccessToken,
      RESOURCE: resource,
      TLS_CERT: certificate,
      TLS_KEY: key,
      PORT: "0",
    },
    stdio: ["ignore", "pipe", "inherit"],
  });
  t.teardown(() => child.kill("SIGKILL"));
  const refusals: string[] = [];
  const url = await new Promise<string>((resolve, reject) => {
    child.once("exit", () => {
      reject(new Error("The example ended before it listened."));
    });
    createInterface({ input: child.stdout }).on("line", (line) => {
      const { listening, refused } = JSON.parse(line) as { listening?: string; refused?: string };
      if (listening !== undefined) resolve(listening);
      if (refused !== undefined) refusals.push(refused);
    });
  });
  return {
    url,
    refusals,
    revoke: (token: string) => deployment.revoke({ token, client_id: "1" }, a),
    issue: async (scope: string, more: object = { resource }) =>
      accessTokenOf(t, await deployment.token({ client_id: "1", scope, ...more }, a)),
    async end() {
      const exited = once(child, "exit") as Promise<[number | null]>;
      child.kill("SIGTERM");
      return (await exited)[0];
    },
  };
}

for (const { name, call, metadata } of [
  { name: "koa-api", call: send, metadata: false },
  { name: "express-api", call: send, metadata: true },
  { name: "fastify-api", call: sendHttp2, metadata: true },
  { name: "fastify-api", call: send, metadata: true },
  { name: "node-api", call: sendHttp2, metadata: true },
  { name: "node-api", call: send, metadata: true },
]) {
  const http = call === send ? "1.1" : "2";

  test(`the example ${name} opens its routes to the token's own client only (HTTP/${http})`, async (t) => {
    const api = await startExample(t, name);
    const [reader, payer] = await Promise.all([api.issue("read"), api.issue("read pay")]);
    const get = (path: string, token: string | undefined, as = a, method = "GET") =>
      call({
        url: `${api.url}${path}`,
        as,
        method,
        headers: token === undefined ? {} : { authorization: `Bearer ${token}` },
      });
    const hello = await get("/hello", reader);
    t.is(hello.status, 200);
    t.deepEqual(JSON.parse(hello.body), { hello: "1" });
    t.is((await get("/hello", reader, b)).status, 401);
    t.is((await get("/hello", undefined)).status, 401);
    t.is((await get("/hello", await api.issue("read", {}))).status, 401);
    t.is((await get("/payments", reader, a, "POST")).status, 403);
    const paid = await get("/payments", payer, a, "POST");
    t.is(paid.status, 200);
    t.deepEqual(JSON.parse(paid.body), { paid: true });
    t.deepEqual(api.refusals, [
      "certificate_mismatch",
      "credentials_missing",
      "audience_mismatch",
      "scope_insufficient",
    ]);
    if (metadata) {
      const { headers } = await get("/hello", undefined);
      const url = `${resource}/.well-known/oauth-protected-resource`;
      t.is(headers["www-authenticate"], `Bearer resource_metadata="${url}"`);
      const { body } = await get("/.well-known/oauth-protected-resource", undefined);
      t.is((JSON.parse(body) as { resource: string }).resource, resource);
    }
    t.is(await api.end(), 0);
  });
}

test("the example live-websocket ends a WebSocket when its token is revoked, and starts none without one", async (t) => {
  const api = await startExample(t, "live-websocket");
  const token = await api.issue("read");
  const open = (as = a, authorization = `Bearer ${token}`): WebSocket =>
    new WebSocket(api.url.replace("https:", "wss:"), {
      cert: as.pem,
      key: as.key,
      rejectUnauthorized: false,
      headers: { authorization },
    });
  for (const [as, authorization] of [
    [b, `Bearer ${token}`],
    [a, "Basic eDp5"],
  ] as const) {
    const refused = open(as, authorization);
    const [error] = (await once(refused, "error")) as [Error];
    t.is(error.message, "Unexpected server response: 401");
  }
  t.is((await send({ url: api.url, as: a })).status, 426);
  const webSocket = open();
  t.teardown(() => {
    webSocket.terminate();
  });
  await once(webSocket, "open");
  webSocket.send("hello");
  const [message] = (await once(webSocket, "message")) as [Buffer];
  t.is(message.toString(), "1 says: hello");
  const closed = once(webSocket, "close") as Promise<[number, Buffer]>;
  t.is((await api.revoke(token)).status, 200);
  const [code, reason] = await closed;
  t.is(code, 1008);
  t.is(reason.toString(), "The access token is no longer good.");
  t.is(await api.end(), 0);
});
