import { once } from "node:events";
import { createServer, request as httpRequest, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import test, { type ExecutionContext } from "ava";
import {
  type AddressSource,
  forwardedAddress,
  nodeHandler,
  type NodeHandlerOptions,
} from "../../src/authorization-server/index.ts";
import { answer } from "../../src/authorization-server/endpoint.ts";
import { trustedProxies } from "../../src/client-certificate/trusted-proxies.ts";

/** What an endpoint is told of the address of a request with these lines of X-Forwarded-For. */
async function toldOf(
  t: ExecutionContext,
  options: NodeHandlerOptions,
  lines: readonly string[] = [],
  headers: Readonly<Record<string, string>> = {},
): Promise<string | undefined> {
  const told = Promise.withResolvers<string | undefined>();
  const server = createServer(
    nodeHandler(
      {
        "/token": ({ address }) => {
          told.resolve(address);
          return Promise.resolve(answer(200));
        },
      },
      options,
    ),
  );
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  t.teardown(() => server.close());
  const { port } = server.address() as AddressInfo;
  const request = httpRequest({ host: "127.0.0.1", port, path: "/token", method: "POST", agent: false, headers });
  if (lines.length > 0) request.setHeader("X-Forwarded-For", lines);
  request.end();
  const [response] = (await once(request, "response")) as [IncomingMessage];
  response.resume();
  return told.promise;
}

const listed = forwardedAddress({ from: trustedProxies(["127.0.0.1"]) });
const others = forwardedAddress({ from: trustedProxies(["192.0.2.200"]) });

test("without the option the address is the connection's, whatever a header says", async (t) => {
  t.is(await toldOf(t, {}, ["198.51.100.7"]), "127.0.0.1");
});

test("the address that a listed proxy has added itself reaches the endpoint", async (t) => {
  for (const [lines, told] of [
    [["198.51.100.7"], "198.51.100.7"],
    [["198.51.100.7:1234"], "198.51.100.7"],
    [["2001:db8::1"], "2001:db8::1"],
    [["[2001:db8::1]:1234"], "2001:db8::1"],
    [["::ffff:198.51.100.7"], "198.51.100.7"],
    // What stands before it is what the client says of itself.
    [["203.0.113.1, 198.51.100.7"], "198.51.100.7"],
    [["203.0.113.1", "198.51.100.7"], "198.51.100.7"],
  ] as const) {
    t.is(await toldOf(t, { address: listed }, lines), told);
  }
});

test("another header can be the proxy's", async (t) => {
  const address = forwardedAddress({ from: trustedProxies(["127.0.0.1"]), header: "X-Real-IP" });
  t.is(await toldOf(t, { address }, ["203.0.113.1"], { "x-real-ip": "198.51.100.7" }), "198.51.100.7");
});

test("where no listed proxy has named an address, it is the connection's", async (t) => {
  t.is(await toldOf(t, { address: others }, ["198.51.100.7"]), "127.0.0.1");
  for (const lines of [[], ["unknown"], ["198.51.100.7,"], ["198.51.100.7, _hidden"], ["999.0.0.1"]]) {
    t.is(await toldOf(t, { address: listed }, lines), "127.0.0.1");
  }
});

test("an address of one's own that is not known, or is no text, is none", async (t) => {
  t.is(await toldOf(t, { address: () => undefined }), undefined);
  t.is(await toldOf(t, { address: (() => Promise.reject(new Error("late"))) as unknown as AddressSource }), undefined);
});

test("forwardedAddress refuses proxies that are not listed by trustedProxies, and headers that are no list", (t) => {
  const from = trustedProxies(["127.0.0.1"]);
  for (const options of [{ from: ["127.0.0.1"] }, {}, { from, header: "Forwarded" }, { from, header: "a b" }]) {
    t.throws(() => forwardedAddress(options as never), { instanceOf: TypeError });
  }
});
