import { once } from "node:events";
import { createServer, request as httpRequest } from "node:http";
import { connect as connectHttp2 } from "node:http2";
import { connect, type AddressInfo } from "node:net";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import test, { type ExecutionContext } from "ava";
import { rfc9440, trustedProxies } from "../../src/resource-server/index.ts";
import type { TrustedProxy } from "../../src/client-certificate/trusted-proxies.ts";
import { createLookAlike, createSelfSigned } from "../support/certificates.ts";
import { listenFor, told } from "../support/header-listener.ts";
import { openTlsClient } from "./tls-client.ts";
import { openListener } from "./tls-listener.ts";
import { vector, x5tS256 } from "./certificate-vectors.ts";

const name = "Client-Cert";
const { value } = vector("rfc9440");
const notTrusted = { unreadable: "peer_not_trusted" };

function sourceFor(...list: readonly TrustedProxy[]) {
  return rfc9440({ from: trustedProxies(list) });
}

/** What the header is worth from a peer with this address. */
async function heard(t: ExecutionContext, address: string, ...list: readonly TrustedProxy[]): Promise<boolean> {
  const { ask } = await listenFor(t, sourceFor(...list), { port: 0, host: "0.0.0.0" }, address);
  const found = (await ask([name, value])) as Record<string, unknown>;
  if (found["x5tS256"] === x5tS256) return true;
  t.deepEqual(found, notTrusted);
  return false;
}

test("a proxy is trusted by its address or by its network, and no other peer is", async (t) => {
  t.true(await heard(t, "127.0.0.1", "127.0.0.1"));
  t.false(await heard(t, "127.0.0.2", "127.0.0.1"));
  t.true(await heard(t, "127.0.0.2", "127.0.0.1", "127.0.0.2"));
  t.true(await heard(t, "127.0.0.3", "127.0.0.2/31"));
  t.false(await heard(t, "127.0.0.4", "127.0.0.2/31"));
  t.true(await heard(t, "127.9.9.9", "127.0.0.0/8"));
  t.false(await heard(t, "127.0.0.1", "10.0.0.0/8", "192.168.0.0/16", "::1", "unix"));
});

test("9440-4-b: the headers of an unlisted peer are ignored", async (t) => {
  const { ask } = await listenFor(t, sourceFor("127.0.0.2", "unix"));
  for (const lines of [
    [],
    [[name, value]],
    [[name, ""]],
    [
      [name, value],
      [name, value],
    ],
    [
      [name, value],
      ["X-Forwarded-For", "127.0.0.2"],
    ],
    [
      [name, value],
      ["Forwarded", "for=127.0.0.2"],
    ],
    [
      [name, value],
      ["X-Real-IP", "127.0.0.2"],
      ["Via", "1.1 127.0.0.2"],
    ],
  ] as const) {
    t.deepEqual(await ask(...(lines as readonly (readonly [string, string])[])), notTrusted);
  }
});

test("a request's own claims about its origin do not change its proxy", async (t) => {
  const { ask } = await listenFor(t, sourceFor("127.0.0.1"));
  const found = await ask([name, value], ["X-Forwarded-For", "203.0.113.7"]);
  t.like(found, { x5tS256 });
});

test("an IPv4 proxy is known on a listener for both families, where its address is mapped into IPv6", async (t) => {
  const addresses: (string | undefined)[] = [];
  const listed = sourceFor("127.0.0.1");
  const { ask } = await listenFor(
    t,
    (request) => {
      addresses.push(request.socket.remoteAddress);
      return listed(request);
    },
    { port: 0, host: "::" },
  );
  t.like(await ask([name, value]), { x5tS256 });
  t.deepEqual(addresses, ["::ffff:127.0.0.1"]);
  const other = await listenFor(t, sourceFor("127.0.0.2", "10.0.0.0/8"), { port: 0, host: "::" });
  t.deepEqual(await other.ask([name, value]), notTrusted);
});

test("an IPv6 network contains no IPv4 proxy, however many addresses it has", async (t) => {
  for (const host of ["::", "0.0.0.0"]) {
    const { ask } = await listenFor(t, sourceFor("::/64", "::/1"), { port: 0, host });
    t.deepEqual(await ask([name, value]), notTrusted);
  }
});

test("an IPv6 proxy is listed by its address or by its network", async (t) => {
  for (const [list, wanted] of [
    [["::1"], true],
    [["0:0:0:0:0:0:0:1"], true],
    [["::/127"], true],
    [["::2"], false],
    [["2001:db8::/32"], false],
    [["127.0.0.1"], false],
  ] as const) {
    const { ask } = await listenFor(t, sourceFor(...list), { port: 0, host: "::1" }, "::1");
    const found = await ask([name, value]);
    if (wanted) t.like(found, { x5tS256 }, list.join());
    else t.deepEqual(found, notTrusted, list.join());
  }
});

async function socketPath(t: ExecutionContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "certbound-"));
  t.teardown(() => rm(folder, { recursive: true }));
  return join(folder, "api.sock");
}

test("a peer on the unix socket matches unix, and no other peer does", async (t) => {
  const open = await listenFor(t, sourceFor("unix"), { path: await socketPath(t) });
  t.like(await open.ask([name, value]), { x5tS256 });
  const closed = await listenFor(t, sourceFor("127.0.0.1", "::1"), { path: await socketPath(t) });
  t.deepEqual(await closed.ask([name, value]), notTrusted);
});

test("an abstract socket of Linux, which anybody on the machine reaches, is not listed as unix", async (t) => {
  if (process.platform !== "linux") {
    t.pass();
    return;
  }
  const { ask } = await listenFor(t, sourceFor("unix"), { path: `\0${await socketPath(t)}` });
  const found = (await ask([name, value])) as Record<string, unknown>;
  t.deepEqual(Object.keys(found), ["unreadable"]);
});

test("a TCP connection that was reset, and has no address any more, does not pass for a unix socket", async (t) => {
  for (const list of [["unix"], ["127.0.0.1"], ["unix", "127.0.0.1"]]) {
    const source = sourceFor(...list);
    const seen = Promise.withResolvers<unknown>();
    const server = createServer((request) => {
      request.socket.once("close", () => {
        t.is(request.socket.remoteAddress, undefined);
        seen.resolve(told(source(request)));
      });
    });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    const socket = connect((server.address() as AddressInfo).port, "127.0.0.1");
    socket.write(`GET / HTTP/1.1\r\nHost: a\r\n${name}: ${value}\r\n\r\n`);
    await once(server, "request");
    socket.resetAndDestroy();
    t.deepEqual(await seen.promise, { unreadable: "connection_closed" });
    server.close();
    await once(server, "close");
  }
});

test("a connection is checked once: a trusted one stays trusted after its end", async (t) => {
  const source = sourceFor("127.0.0.1");
  const seen: unknown[] = [];
  const server = createServer((request, response) => {
    seen.push(told(source(request)));
    request.socket.once("close", () => {
      seen.push(told(source(request)));
      server.emit("seen");
    });
    response.end();
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const both = once(server, "seen");
  httpRequest({
    port: (server.address() as AddressInfo).port,
    host: "127.0.0.1",
    headers: { [name]: value },
    agent: false,
  })
    .on("response", (response) => response.resume())
    .end();
  await both;
  t.like(seen[0], { x5tS256 });
  t.deepEqual(seen[1], seen[0]);
  server.close();
  await once(server, "close");
});

const proxy = createSelfSigned({ subject: "CN=proxy" });
const stranger = createSelfSigned({ subject: "CN=stranger" });

for (const protocol of ["h1", "h2"] as const) {
  test(`a proxy that has shown its own certificate is trusted by it, and no other is (${protocol})`, async (t) => {
    for (const named of [proxy.x5tS256, proxy.pem]) {
      const source = sourceFor({ certificate: named });
      const listener = await openListener({ protocol, answer: (request) => told(source(request)) });
      t.teardown(() => listener.close());
      for (const [as, wanted] of [
        [proxy, { x5tS256, octets: 993 }],
        [stranger, notTrusted],
        [createLookAlike(proxy), notTrusted],
        [undefined, notTrusted],
      ] as const) {
        t.deepEqual(await askOverTls(protocol, listener, as), wanted);
      }
    }
  });
}

async function askOverTls(
  protocol: "h1" | "h2",
  { port, url }: { readonly port: number; readonly url: string },
  as: typeof proxy | undefined,
): Promise<unknown> {
  if (protocol === "h1") {
    const client = await openTlsClient({ port, ...(as && { as }) });
    const found = await client.get({ [name]: value });
    await client.close();
    return found;
  }
  const session = connectHttp2(url, { rejectUnauthorized: false, ...(as && { cert: as.pem, key: as.key }) });
  const found = JSON.parse(await text(session.request({ ":path": "/", [name]: value }))) as unknown;
  session.close();
  await once(session, "close");
  return found;
}

test("the proxy's own certificate is never taken for its client's", async (t) => {
  const source = sourceFor({ certificate: proxy.x5tS256 });
  const listener = await openListener({ protocol: "h1", answer: (request) => told(source(request)) });
  const client = await openTlsClient({ port: listener.port, as: proxy });
  t.is(await client.get(), null);
  await client.close();
  await listener.close();
});

test("a client directly over TLS is not trusted: the socket is never asked instead of the header", async (t) => {
  const source = sourceFor("127.0.0.2");
  const listener = await openListener({ protocol: "h1", answer: (request) => told(source(request)) });
  const client = await openTlsClient({ port: listener.port, as: stranger });
  t.deepEqual(await client.get(), notTrusted);
  await client.close();
  await listener.close();
});

for (const [what, list, words] of [
  ["nothing", undefined, "trustedProxies must list at least one proxy."],
  ["a text", "127.0.0.1", "trustedProxies must list at least one proxy."],
  ["an empty list", [], "trustedProxies must list at least one proxy."],
  ["everyone", ["0.0.0.0/0"], "trustedProxies[0] means everyone."],
  ["everyone in IPv6", ["::1", "::/0"], "trustedProxies[1] means everyone."],
  ["host bits", ["10.0.0.1/8"], "trustedProxies[0] has bits set after its prefix."],
  ["one host bit", ["10.0.0.1/31"], "trustedProxies[0] has bits set after its prefix."],
  ["host bits in IPv6", ["2001:db8::1/64"], "trustedProxies[0] has bits set after its prefix."],
  ["host bits in the last group", ["2001:db8:1:2:3:4:5:6/112"], "trustedProxies[0] has bits set after its prefix."],
  ["host bits in dots", ["64:ff9b::10.0.0.1/96"], "trustedProxies[0] has bits set after its prefix."],
  ["a prefix that is too long", ["10.0.0.0/33"], "trustedProxies[0] has an impossible prefix length."],
  ["a prefix that is too long for IPv6", ["::1/129"], "trustedProxies[0] has an impossible prefix length."],
  ["a prefix with a zero before", ["10.0.0.0/08"], "trustedProxies[0] has an impossible prefix length."],
  ["an empty prefix", ["10.0.0.0/"], "trustedProxies[0] has an impossible prefix length."],
  ["a negative prefix", ["10.0.0.0/-1"], "trustedProxies[0] has an impossible prefix length."],
  ["two prefixes", ["10.0.0.0/8/8"], "trustedProxies[0] is not an IP address or network."],
  ["a netmask", ["10.0.0.0/255.0.0.0"], "trustedProxies[0] has an impossible prefix length."],
  ["a host name", ["localhost"], "trustedProxies[0] is not an IP address or network."],
  ["a short address", ["10.1"], "trustedProxies[0] is not an IP address or network."],
  ["an address with a zone", ["fe80::1%eth0"], "trustedProxies[0] is not an IP address or network."],
  ["an address with a blank", [" 127.0.0.1"], "trustedProxies[0] is not an IP address or network."],
  ["IPv4 mapped into IPv6", ["::ffff:10.0.0.1"], "trustedProxies[0] is IPv4 mapped into IPv6: write it as IPv4."],
  ["all of IPv4 mapped into IPv6", ["::ffff:0:0/96"], "trustedProxies[0] is IPv4 mapped into IPv6: write it as IPv4."],
  ["the path of a socket", ["/run/api.sock"], 'trustedProxies[0] is a path: write "unix".'],
  ["two paths of sockets", ["::1", "unix:/run/api.sock"], 'trustedProxies[1] is a path: write "unix".'],
  ["nothing in a list", [""], "trustedProxies[0] is not an IP address or network."],
  ["null", [null], 'trustedProxies[0] must be an address, a network, "unix" or { certificate }.'],
  ["a number", [1], 'trustedProxies[0] must be an address, a network, "unix" or { certificate }.'],
  [
    "another object",
    [{ address: "::1" }],
    'trustedProxies[0] must be an address, a network, "unix" or { certificate }.',
  ],
  [
    "a certificate and more",
    [{ certificate: proxy.pem, address: "::1" }],
    'trustedProxies[0] must be an address, a network, "unix" or { certificate }.',
  ],
  ["no certificate", [{ certificate: undefined }], "trustedProxies[0].certificate must be PEM text or a thumbprint."],
  [
    "a thumbprint in hexadecimal",
    [{ certificate: proxy.der.toString("hex") }],
    "trustedProxies[0].certificate must be the PEM text of one certificate, or its x5t#S256.",
  ],
  [
    "two certificates in one text",
    [{ certificate: proxy.pem + stranger.pem }],
    "trustedProxies[0].certificate must be the PEM text of one certificate, or its x5t#S256.",
  ],
] as const) {
  test(`a list with ${what} is refused`, (t) => {
    t.throws(() => trustedProxies(list as never), {
      instanceOf: TypeError,
      code: "ERR_INVALID_OPTION",
      message: words,
    });
  });
}

test("a list takes addresses and networks of both families, unix, and certificates", (t) => {
  for (const one of [
    "192.0.2.1",
    "0.0.0.0/1",
    "10.0.0.0/8",
    "10.0.0.1/32",
    "::1",
    "::/1",
    "2001:db8::/32",
    "2001:db8:1:2:3:4:5:6",
    "2001:db8:1:2:3:4:5:6/128",
    "64:ff9b::10.0.0.0/104",
    "64:ff9b::/96",
    "1::",
    "unix",
    { certificate: proxy.pem },
    { certificate: proxy.x5tS256 },
  ]) {
    t.notThrows(() => trustedProxies([one]), JSON.stringify(one));
  }
});
