import { once } from "node:events";
import { createServer } from "node:http";
import test from "ava";
import { type Endpoint, forwardedAddress, nodeHandler } from "../../src/authorization-server/index.ts";
import { loopback as from } from "../support/header-listener.ts";

for (const [what, options, header, address] of [
  ["the connection's own without an option", {}, "203.0.113.7", "127.0.0.1"],
  ["the one that the option says", { address: () => "192.0.2.1" }, "203.0.113.7", "192.0.2.1"],
  ["none where the option knows none", { address: () => undefined }, "203.0.113.7", undefined],
  [
    "the last one of the proxy's header",
    { address: forwardedAddress({ from }) },
    "6.6.6.6, 203.0.113.7",
    "203.0.113.7",
  ],
  ["the proxy's own without its header", { address: forwardedAddress({ from }) }, "", "127.0.0.1"],
] as const) {
  test(`an endpoint is told an address: ${what}`, async (t) => {
    const addresses: (string | undefined)[] = [];
    const endpoint: Endpoint = (request) => {
      addresses.push(request.address);
      return Promise.resolve({ status: 200, headers: {}, body: "" });
    };
    const server = createServer(nodeHandler({ "/": endpoint }, options));
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    t.teardown(() => server.close());
    const bound = server.address();
    const url = `http://127.0.0.1:${typeof bound === "object" ? bound?.port : 0}/`;
    await fetch(url, { headers: { "x-forwarded-for": header } });
    t.deepEqual(addresses, [address]);
  });
}
