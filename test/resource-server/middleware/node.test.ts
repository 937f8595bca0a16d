import { once } from "node:events";
import type { IncomingMessage, ServerResponse } from "node:http";
import { createServer } from "node:https";
import { type AddressInfo, connect as connectPlain, type Socket } from "node:net";
import { connect, type TLSSocket } from "node:tls";
import test, { type ExecutionContext } from "ava";
import {
  protect,
  type ProtectedListener,
  type ProtectOptions,
  protectUpgrade,
} from "../../../src/resource-server/middleware/node.ts";
import { createResourceServer } from "../../../src/resource-server/resource-server.ts";
import { createAuthority, type TestCertificate } from "../../support/certificates.ts";
import { serveMutualTls } from "../../support/mutual-tls.ts";
import { send } from "../../support/https-request.ts";
import { factsBoundTo } from "../../support/protected-api.ts";
import { createScriptedBackend } from "../../support/scripted-backend.ts";

const authority = createAuthority({ subject: "CN=Client CA" });
const a = authority.issue({ subject: "CN=client-a" });
const b = authority.issue({ subject: "CN=client-b" });
const tls = authority.issue({ subject: "CN=localhost", san: [{ dns: "localhost" }] });

/** A server whose upgrades are protected; those that are let in are told the token's subject. */
async function startUpgrades(t: ExecutionContext, options: ProtectOptions = {}, fails = false) {
  const backend = createScriptedBackend();
  backend.tokens.set("token-a", factsBoundTo(a));
  const resourceServer = createResourceServer({ backend, timeout: 60_000 });
  const server = createServer({ cert: tls.pem, key: tls.key, requestCert: true, rejectUnauthorized: false });
  const sockets: Socket[] = [];
  server.on("secureConnection", (socket: Socket) => sockets.push(socket));
  const greet = protectUpgrade(resourceServer, options);
  server.on(
    "upgrade",
    greet((_request, socket, _head, accessToken) => {
      if (fails) throw new Error("The API's own fault.");
      socket.end(
        `HTTP/1.1 101 Switching Protocols\r\nUpgrade: greeting\r\nConnection: Upgrade\r\n\r\n${accessToken.sub}`,
      );
    }),
  );
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  t.teardown(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  return { backend, sockets, port };
}

async function startUpgrading(port: number, as: TestCertificate, token: string | undefined): Promise<TLSSocket> {
  const socket = connect({ port, host: "127.0.0.1", rejectUnauthorized: false, cert: as.pem, key: as.key });
  await once(socket, "secureConnect");
  const authorization = token === undefined ? "" : `Authorization: Bearer ${token}\r\n`;
  socket.write(`GET / HTTP/1.1\r\nHost: localhost\r\nUpgrade: greeting\r\nConnection: Upgrade\r\n${authorization}\r\n`);
  return socket;
}

async function upgrade(...how: Parameters<typeof startUpgrading>): Promise<string> {
  const socket = await startUpgrading(...how);
  let received = "";
  socket.setEncoding("utf8").on("data", (text: string) => (received += text));
  await once(socket, "end");
  socket.destroy();
  return received;
}

test("an upgrade is accepted with the right certificate, and gets its token", async (t) => {
  const { port } = await startUpgrades(t);
  t.regex(await upgrade(port, a, "token-a"), /^HTTP\/1\.1 101 .*\r\n\r\nuser$/s);
});

test("an upgrade that is refused reads why, and its connection is ended", async (t) => {
  const codes: string[] = [];
  const { port } = await startUpgrades(t, { realm: "chat", onRefusal: ({ code }) => void codes.push(code) });
  const answer = await upgrade(port, b, "token-a");
  const [head = "", body] = answer.split("\r\n\r\n");
  t.deepEqual(head.split("\r\n"), [
    "HTTP/1.1 401 Unauthorized",
    'WWW-Authenticate: Bearer realm="chat", error="invalid_token"',
    "Cache-Control: no-store",
    "Content-Type: application/json",
    "Content-Length: 25",
    "Connection: close",
  ]);
  t.is(body, '{"error":"invalid_token"}');
  t.regex(
    await upgrade(port, a, undefined),
    /^HTTP\/1\.1 401 Unauthorized\r\nWWW-Authenticate: Bearer realm="chat"\r\n/,
  );
  t.deepEqual(codes, ["certificate_mismatch", "credentials_missing"]);
});

test("an upgrade stops waiting when its client leaves, and a broken connection ends nothing else", async (t) => {
  const { backend, port, sockets } = await startUpgrades(t);
  const asked = Promise.withResolvers<undefined>();
  backend.before = (_token, question) => {
    if (question > 1) return undefined;
    asked.resolve(undefined);
    return new Promise(() => undefined);
  };
  await startUpgrading(port, a, "token-a");
  await asked.promise;
  const [signal] = backend.signals;
  const aborted = signal && once(signal, "abort");
  sockets[0]?.destroy(new Error("ECONNRESET"));
  t.truthy(await aborted);
  t.regex(await upgrade(port, a, "token-a"), /^HTTP\/1\.1 101 /);
});

test("without TLS, too, a connection that breaks while its upgrade is decided ends nothing else", async (t) => {
  const { createServer: createPlain } = await import("node:http");
  const backend = createScriptedBackend();
  const asked = Promise.withResolvers<undefined>();
  backend.before = () => {
    asked.resolve(undefined);
    return new Promise(() => undefined);
  };
  const server = createPlain();
  const upgrading = once(server, "upgrade") as Promise<[IncomingMessage, Socket]>;
  const never = (): void => {
    t.fail();
  };
  server.on("upgrade", protectUpgrade(createResourceServer({ backend, timeout: 60_000 }))(never));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  t.teardown(() => server.close());
  const client = connectPlain((server.address() as AddressInfo).port, "127.0.0.1");
  client.on("error", () => undefined);
  client.write(
    "GET / HTTP/1.1\r\nHost: localhost\r\nUpgrade: x\r\nConnection: Upgrade\r\nAuthorization: Bearer token-a\r\n\r\n",
  );
  const [, socket] = await upgrading;
  await asked.promise;
  const [signal] = backend.signals;
  const aborted = signal && once(signal, "abort");
  socket.destroy(new Error("ECONNRESET"));
  t.truthy(await aborted);
});

test("a fault in the handler of an upgrade is reported, and answered with 500", async (t) => {
  const faults: Error[] = [];
  const { port } = await startUpgrades(t, { onError: (error) => void faults.push(error) }, true);
  t.regex(await upgrade(port, a, "token-a"), /^HTTP\/1\.1 500 Internal Server Error\r\n/);
  t.deepEqual(
    faults.map(({ message }) => message),
    ["The API's own fault."],
  );
});

async function api(
  t: ExecutionContext,
  listener: ProtectedListener<IncomingMessage, ServerResponse>,
  options?: ProtectOptions,
) {
  const backend = createScriptedBackend();
  backend.tokens.set("token-a", factsBoundTo(a));
  const url = await serveMutualTls(t, protect({ backend }, options)(listener));
  return () => send({ url, as: a, headers: { authorization: "Bearer token-a" } });
}

test("a fault after the answer has begun cuts the answer short", async (t) => {
  const faults: Error[] = [];
  const get = await api(
    t,
    (_request, response) => {
      response.writeHead(200, { "content-length": 100 });
      response.write("begun");
      throw new Error("The API's own fault.");
    },
    { onError: (error) => void faults.push(error) },
  );
  await t.throwsAsync(get());
  t.is(faults.length, 1);
});

test.serial("a fault without onError is a process warning", async (t) => {
  const warned = once(process, "warning") as Promise<[Error]>;
  const get = await api(t, () => Promise.reject(new Error("The API's own fault.")));
  t.is((await get()).status, 500);
  const [warning] = await warned;
  t.is(warning.message, "The API's own fault.");
});

test("a thrown value that is no error is reported as one", async (t) => {
  const faults: Error[] = [];
  const get = await api(
    t,
    () => {
      // eslint-disable-next-line @typescript-eslint/only-throw-error
      throw "text";
    },
    { onError: (error) => void faults.push(error) },
  );
  t.is((await get()).status, 500);
  t.is(faults[0]?.cause, "text");
});

test("without TLS there is no certificate, and a bound token is refused", async (t) => {
  const codes: string[] = [];
  const { createServer: createPlain } = await import("node:http");
  const backend = createScriptedBackend();
  backend.tokens.set("token-a", factsBoundTo(a));
  const server = createPlain(
    protect({ backend }, { onRefusal: ({ code }) => void codes.push(code) })((_request, response) => response.end()),
  );
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  t.teardown(() => server.close());
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  t.is((await send({ url, headers: { authorization: "Bearer token-a" } })).status, 401);
  t.deepEqual(codes, ["certificate_missing"]);
});
