import { once } from "node:events";
import { readdirSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { createServer } from "node:https";
import { type AddressInfo, connect as connectPlain } from "node:net";
import { connect } from "node:tls";
import test from "ava";
import { serverTimeouts } from "../../src/serving/server-timeouts.ts";
import { createSelfSigned } from "../support/certificates.ts";

const identity = createSelfSigned({ subject: "CN=localhost" });
const examples = new URL("../../examples/", import.meta.url);

test("half a header, half a body and half a handshake are cut off, with limits of a moment", async (t) => {
  // The same members with shorter times: that Node heeds each of them is what is tested.
  const moment = Object.fromEntries(Object.keys(serverTimeouts).map((name) => [name, 50]));
  const server = createServer({ cert: identity.pem, key: identity.key, ...moment }, (request) => void request.resume());
  server.on("tlsClientError", () => undefined);
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  t.teardown(() => server.close());
  const { port } = server.address() as AddressInfo;
  for (const sent of ["GET / HTTP/1.1\r\nHost:", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nhalf"]) {
    const socket = connect({ host: "127.0.0.1", port, rejectUnauthorized: false });
    let received = "";
    socket.setEncoding("utf8").on("data", (text: string) => (received += text));
    socket.write(sent);
    socket.on("error", () => undefined);
    await new Promise((resolve) => socket.once("close", resolve));
    t.regex(received, /^(?:HTTP\/1\.1 408 |$)/);
  }
  const handshake = connectPlain(port, "127.0.0.1");
  handshake.on("error", () => undefined);
  handshake.write(Buffer.from([22, 3, 1]));
  await new Promise((resolve) => handshake.once("close", resolve));
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
