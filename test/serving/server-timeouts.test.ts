import { once } from "node:events";
import { readdirSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { createServer } from "node:https";
import { type AddressInfo, connect as connectPlain } from "node:net";
import { connect } from "node:tls";
import test, { type ExecutionContext } from "ava";
import { serverTimeouts } from "../../src/serving/server-timeouts.ts";
import { createSelfSigned } from "../support/certificates.ts";

const identity = createSelfSigned({ subject: "CN=localhost" });
const examples = new URL("../../examples/", import.meta.url);

/** A server with the same members and shorter times, long enough for a busy machine to send what it is to be cut off in. */
async function serve(
  t: ExecutionContext,
  moments: Partial<Record<keyof typeof serverTimeouts, number>>,
): Promise<number> {
  const server = createServer({ cert: identity.pem, key: identity.key, ...serverTimeouts, ...moments });
  server.on("request", (request, response) => {
    request.resume().once("end", () => response.writeHead(204).end());
  });
  server.on("tlsClientError", () => undefined);
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  t.teardown(() => server.close());
  return (server.address() as AddressInfo).port;
}

const moment = 500;

for (const [what, sent, received, moments] of [
  ["half a header", "GET / HTTP/1.1\r\nHost:", 408, { headersTimeout: moment }],
  [
    "half a body",
    "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nhalf",
    408,
    { headersTimeout: moment, requestTimeout: moment },
  ],
  ["an idle connection", "GET / HTTP/1.1\r\nHost: a\r\n\r\n", 204, { keepAliveTimeout: moment }],
] as const) {
  test(`a client that leaves it at ${what} gets ${received}, and its connection is closed`, async (t) => {
    const port = await serve(t, { ...moments, connectionsCheckingInterval: 50 });
    const socket = connect({ host: "127.0.0.1", port, rejectUnauthorized: false });
    let text = "";
    socket.setEncoding("utf8").on("data", (chunk: string) => (text += chunk));
    await once(socket, "secureConnect");
    socket.write(sent);
    await once(socket, "close");
    t.regex(text, new RegExp(`^HTTP/1\\.1 ${received} `));
    t.is(text.match(/HTTP\/1\.1/g)?.length, 1);
  });
}

test("half a handshake is cut off without a word", async (t) => {
  const handshake = connectPlain(await serve(t, { handshakeTimeout: moment }), "127.0.0.1");
  let octets = 0;
  handshake.on("data", (chunk) => (octets += chunk.length));
  handshake.write(Buffer.from([22, 3, 1]));
  await new Promise((resolve) => handshake.on("error", () => undefined).once("close", resolve));
  t.is(octets, 0);
});

test("no limit is longer than 75 seconds, and each is one", (t) => {
  t.true(Object.values(serverTimeouts).every((milliseconds) => milliseconds > 0 && milliseconds <= 75_000));
});

for (const name of readdirSync(examples)) {
  if (!name.endsWith(".ts")) continue;
  test(`every server of examples/${name} has the timeouts`, async (t) => {
    const text = (await readFile(new URL(name, examples), "utf8")).replaceAll(/^import .*$/gm, "");
    const servers = [...text.matchAll(/\b(?:create[A-Za-z]*Server|fastify)\((?!\{ baseUrl)([^]*?\n\S)/g)].filter(
      ([call]) => !call.startsWith("createResourceServer") && !call.startsWith("createWebSocketServer"),
    );
    for (const [call = ""] of servers) t.regex(call, /serverTimeouts|\.\.\.tls|^createServer\(\n {2}tls,/, call);
    if (text.includes("...tls")) t.regex(text, /const tls = \{[^}]*\.\.\.serverTimeouts/);
    t.pass();
  });
}
