import { once } from "node:events";
import { createServer, request as send } from "node:http";
import type { IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import test from "ava";
import {
  forwardedAddress,
  nodeHandler,
  type AddressSource,
  type EndpointRequest,
} from "../../src/authorization-server/index.ts";
import { peerAddress } from "../../src/authorization-server/client-address.ts";
import { trustedProxies } from "../../src/client-certificate/trusted-proxies.ts";

/** A request of a peer at this address, with these header lines. */
function from(remoteAddress: string | undefined, header: string, ...lines: readonly string[]): IncomingMessage {
  const headersDistinct = lines.length === 0 ? {} : { [header]: [...lines] };
  return { socket: { remoteAddress }, headersDistinct } as unknown as IncomingMessage;
}

const proxies = trustedProxies(["10.0.0.7", "2001:db8:1::/48"]);
const forwarded = forwardedAddress({ from: proxies });
const asked = (...lines: readonly string[]) => forwarded(from("10.0.0.7", "x-forwarded-for", ...lines));

for (const [what, lines, address] of [
  ["one address", ["192.0.2.1"], "192.0.2.1"],
  ["the last of several hops, which the proxy has added", ["203.0.113.9, 198.51.100.4,192.0.2.1"], "192.0.2.1"],
  ["the last of several lines", ["203.0.113.9", "198.51.100.4, 192.0.2.1"], "192.0.2.1"],
  ["an address with a port", ["192.0.2.1:50123"], "192.0.2.1"],
  ["an IPv6 address", ["2001:db8::1"], "2001:db8::1"],
  ["an IPv6 address in brackets", ["[2001:db8::1]"], "2001:db8::1"],
  ["an IPv6 address in brackets with a port", ["192.0.2.1, [2001:db8::1]:443"], "2001:db8::1"],
  ["an IPv4 address mapped into IPv6", ["::ffff:192.0.2.1"], "192.0.2.1"],
  ["blanks around it", ["  203.0.113.9 ,\t192.0.2.1  "], "192.0.2.1"],
] as const) {
  test(`a listed proxy names its peer: ${what}`, (t) => {
    t.is(asked(...lines), address);
  });
}

for (const [what, lines] of [
  ["no header", []],
  ["an empty one", [""]],
  ["a list that ends with nothing", ["192.0.2.1,"]],
  ["a name", ["192.0.2.1, unknown"]],
  ["an obfuscated one", ["_hidden"]],
  ["an invalid address", ["192.0.2.256"]],
  ["an address with leading zeros", ["192.000.002.001"]],
  ["a network", ["192.0.2.0/24"]],
  ["an IPv6 address with a port and no brackets around it", ["[2001:db8::1"]],
  ["text after the brackets", ["[2001:db8::1]x"]],
  ["a line break", ["192.0.2.1\r\nx: y"]],
  ["two addresses without a comma", ["192.0.2.1 192.0.2.2"]],
  ["a megabyte", ["9".repeat(1_000_000)]],
] as const) {
  test(`a listed proxy's own address is used with ${what}`, (t) => {
    t.is(asked(...lines), "10.0.0.7");
  });
}

for (const [peer, own] of [
  ["192.0.2.66", "192.0.2.66"],
  ["10.0.0.8", "10.0.0.8"],
  ["::ffff:10.0.0.8", "10.0.0.8"],
  ["2001:db8:2::1", "2001:db8:2::1"],
] as const) {
  test(`a header from ${peer}, which is no listed proxy, is the client's own claim`, (t) => {
    t.is(forwarded(from(peer, "x-forwarded-for", "198.51.100.4")), own);
  });
}

test("a proxy is known by its mapped address and by its network, too", (t) => {
  for (const peer of ["::ffff:10.0.0.7", "2001:db8:1::5"]) {
    t.is(forwarded(from(peer, "x-forwarded-for", "198.51.100.4")), "198.51.100.4", peer);
  }
});

test("an ended connection and an unlisted unix socket have no address", (t) => {
  t.is(forwarded(from(undefined, "x-forwarded-for", "198.51.100.4")), undefined);
  t.is(peerAddress(from(undefined, "x-forwarded-for")), undefined);
});

test("another header is read where it is named, in whatever case, and X-Forwarded-For is then not", (t) => {
  const real = forwardedAddress({ from: proxies, header: "X-Real-IP" });
  t.is(real(from("10.0.0.7", "x-real-ip", "192.0.2.1")), "192.0.2.1");
  t.is(real(from("10.0.0.7", "x-forwarded-for", "192.0.2.1")), "10.0.0.7");
});

test("wrong options are refused: a list that is not trustedProxies, a header that is no list of addresses", (t) => {
  for (const wrong of [undefined, ["10.0.0.7"], { sent: () => true }]) {
    t.throws(() => forwardedAddress({ from: wrong as never }), { instanceOf: TypeError, message: /^from / });
  }
  for (const header of ["", "Forwarded", "forwarded", "x y", "x:y", 7]) {
    const options = { from: proxies, header: header as string };
    t.throws(() => forwardedAddress(options), { instanceOf: TypeError, message: /^header / });
  }
});

/** The addresses that an endpoint is told of requests with this header, from a peer on this machine. */
async function served(address: AddressSource | undefined, header: string): Promise<EndpointRequest["address"]> {
  const addresses: EndpointRequest["address"][] = [];
  const endpoint = (request: EndpointRequest) => {
    addresses.push(request.address);
    return Promise.resolve({ status: 204, headers: {}, body: "" });
  };
  const options = { certificate: () => undefined, ...(address === undefined ? {} : { address }) };
  const server = createServer(nodeHandler({ "/token": endpoint }, options)).listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  const sent = send({ port, host: "127.0.0.1", path: "/token", agent: false, headers: { "x-forwarded-for": header } });
  const [answer] = (await once(sent.end(), "response")) as [IncomingMessage];
  answer.resume();
  server.close();
  await once(server, "close");
  return addresses[0];
}

test("an endpoint gets the address from the option, and the connection's without the option", async (t) => {
  t.is(await served(forwardedAddress({ from: trustedProxies(["127.0.0.1"]) }), "203.0.113.9, 192.0.2.1"), "192.0.2.1");
  t.is(await served(forwardedAddress({ from: trustedProxies(["10.0.0.7"]) }), "192.0.2.1"), "127.0.0.1");
  t.is(await served(undefined, "192.0.2.1"), "127.0.0.1");
  t.is(await served(() => undefined, "192.0.2.1"), undefined);
});
