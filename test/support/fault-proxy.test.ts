import { once } from "node:events";
import { get, type IncomingMessage } from "node:http";
import test, { type ExecutionContext } from "ava";
import { startFaultProxy } from "./fault-proxy.ts";
import { startScriptedServer } from "./scripted-server.ts";

async function start(t: ExecutionContext) {
  const server = await startScriptedServer();
  const proxy = await startFaultProxy({ to: server.url });
  t.teardown(async () => {
    await proxy.close();
    await server.stop();
  });
  server.routes.set("/", () => ({ body: "0123456789", headers: { "content-type": "text/plain" } }));
  return { server, proxy };
}

async function open(url: string): Promise<IncomingMessage> {
  const request = get(url, { agent: false });
  const [response] = (await once(request, "response")) as [IncomingMessage];
  return response.setEncoding("utf8");
}

/** The body as far as it came, and whether it came to its end. */
function read(url: string): Promise<{ body: string; whole: boolean }> {
  return new Promise((resolve, reject) => {
    const request = get(url, { agent: false }, (response) => {
      let body = "";
      response.setEncoding("utf8").on("data", (text: string) => {
        body += text;
      });
      response.on("error", () => undefined);
      response.on("close", () => {
        resolve({ body, whole: response.complete });
      });
    });
    request.on("error", reject);
  });
}

test("it passes things on, and counts them", async (t) => {
  const { server, proxy } = await start(t);
  const arrival = proxy.arrival(1);
  t.deepEqual(await read(proxy.url), { body: "0123456789", whole: true });
  await arrival;
  t.is(proxy.arrived(), 1);
  t.is(server.requests.length, 1);
});

test("cut: so many octets, and the connection ends", async (t) => {
  const { proxy } = await start(t);
  proxy.fault = { kind: "cut", after: 4 };
  t.deepEqual(await read(proxy.url), { body: "0123", whole: false });
});

test("refuse: the connection ends before a byte of an answer", async (t) => {
  const { proxy, server } = await start(t);
  proxy.fault = { kind: "refuse" };
  await t.throwsAsync(read(proxy.url), { code: "ECONNRESET" });
  t.is(server.requests.length, 0);
});

test("swallow: open, and nothing comes, until the proxy cuts it", async (t) => {
  const { proxy, server } = await start(t);
  proxy.fault = { kind: "swallow" };
  const swallowed = read(proxy.url);
  await proxy.arrival(1);
  proxy.cutAll();
  await t.throwsAsync(swallowed, { code: "ECONNRESET" });
  t.is(server.requests.length, 0);
});

test("stall: so many octets, and then nothing, until the proxy cuts it", async (t) => {
  const { proxy } = await start(t);
  proxy.fault = { kind: "stall", after: 4 };
  const response = await open(proxy.url);
  const [text] = (await once(response, "data")) as [string];
  t.is(text, "0123");
  const ended = once(response, "error").catch((error: unknown) => [error]);
  proxy.cutAll();
  await ended;
  t.false(response.complete);
});

test("hold: nothing comes before it is let go", async (t) => {
  const { proxy, server } = await start(t);
  let letGo = (): void => undefined;
  const until = new Promise<void>((resolve) => {
    letGo = resolve;
  });
  proxy.fault = { kind: "hold", until };
  let came = false;
  const reading = read(proxy.url).then((answer) => {
    came = true;
    return answer;
  });
  await proxy.arrival(1);
  while (server.requests.length === 0) await new Promise(setImmediate);
  t.false(came);
  letGo();
  t.is((await reading).body, "0123456789");
});

test("replace and rewrite: other octets", async (t) => {
  const { proxy } = await start(t);
  proxy.fault = { kind: "replace", status: 200, body: "other" };
  t.is((await read(proxy.url)).body, "other");
  proxy.fault = { kind: "rewrite", piece: (octets) => Buffer.from(octets.toString().replace("5", "five")) };
  t.deepEqual(await read(proxy.url), { body: "01234five6789", whole: true });
});

test("blocks: a stream's events are dropped, doubled and put into another order", async (t) => {
  const { proxy, server } = await start(t);
  server.routes.set("/", (_, response) => {
    response.writeHead(200, { "content-type": "text/event-stream" });
    // In pieces that end anywhere.
    for (const piece of ["id: 1\nda", "ta: a\n\nid: 2\ndata: b\n\n", "id: 3\ndata: c\n", "\nid: 4\ndata: d\n\n"]) {
      response.write(piece);
    }
    response.end();
    return undefined;
  });
  let kept = "";
  proxy.fault = {
    kind: "blocks",
    each(block) {
      if (block.startsWith("id: 1")) return [block, block];
      if (block.startsWith("id: 2")) {
        kept = block;
        return [];
      }
      return block.startsWith("id: 3") ? [block, kept] : [];
    },
  };
  t.is((await read(proxy.url)).body, "id: 1\ndata: a\n\nid: 1\ndata: a\n\nid: 3\ndata: c\n\nid: 2\ndata: b\n\n");
});
