import type { IncomingMessage, RequestListener } from "node:http";
import { gzipSync } from "node:zlib";
import test, { type ExecutionContext } from "ava";
import type { KeySet } from "../../../src/backend/engine/dependencies.ts";
import { createRemoteJwks, type RemoteJwksOptions } from "../../../src/backend/remote-jwks/create-remote-jwks.ts";
import { RemoteJwksFailure } from "../../../src/backend/remote-jwks/fetch-key-set.ts";
import { jwksServerCa, startJwksServer } from "../../support/jwks-server.ts";

const second = 1000;
const a = { keys: [{ kty: "OKP", kid: "a" }] };
const b = { keys: [{ kty: "OKP", kid: "b" }] };

function open(t: ExecutionContext, options: Partial<RemoteJwksOptions> = {}) {
  let now = 5_000_000;
  const remoteJwks = createRemoteJwks({ monotonicClock: () => now, timeout: 30 * second, ...options });
  t.teardown(() => {
    remoteJwks.close();
  });
  return {
    latest: (uri: string) => remoteJwks.latest(uri),
    renewed: (uri: string, known: KeySet) => remoteJwks.renewed(uri, known),
    close: () => {
      remoteJwks.close();
    },
    pass: (milliseconds: number) => {
      now += milliseconds;
    },
  };
}

test("a set is fetched when it is first needed, and is the same until it is a minute old", async (t) => {
  const server = await startJwksServer(t, a);
  const { latest, pass } = open(t);
  t.is(server.asked(), 0);
  const first = await latest(server.url);
  t.deepEqual(first, a);
  server.serve(b);
  pass(60 * second - 1);
  t.is(await latest(server.url), first);
  t.is(server.asked(), 1);
  pass(1);
  t.deepEqual(await latest(server.url), b);
  t.is(server.asked(), 2);
});

test("a set is as old as the question for it, however long the answer took", async (t) => {
  let pass: (milliseconds: number) => void = () => undefined;
  const server = await startJwksServer(t, ((_request, response) => {
    pass(20 * second);
    response.end(JSON.stringify(a));
  }) satisfies RequestListener);
  const world = open(t);
  ({ pass } = world);
  await world.latest(server.url);
  pass(40 * second - 1);
  await world.latest(server.url);
  t.is(server.asked(), 1);
  pass(1);
  await world.latest(server.url);
  t.is(server.asked(), 2);
});

test("questions that come while a set is fetched wait for that one", async (t) => {
  const server = await startJwksServer(t, a);
  const { latest, renewed, pass } = open(t);
  const sets = await Promise.all(Array.from({ length: 20 }, () => latest(server.url)));
  t.is(new Set(sets).size, 1);
  t.is(server.asked(), 1);
  pass(10 * second);
  const again = await Promise.all(sets.map((known) => renewed(server.url, known)));
  t.is(new Set(again).size, 1);
  t.is(server.asked(), 2);
});

test("an unknown key has a set fetched anew once in ten seconds, whatever is asked in between", async (t) => {
  const server = await startJwksServer(t, a);
  const { latest, renewed, pass } = open(t);
  const first = await latest(server.url);
  server.serve(b);
  pass(10 * second - 1);
  for (let round = 0; round < 20; round++) t.is(await renewed(server.url, first), first);
  t.is(server.asked(), 1);
  pass(1);
  const second_ = await renewed(server.url, first);
  t.deepEqual(second_, b);
  t.is(await renewed(server.url, first), second_, "had meanwhile");
  t.is(await latest(server.url), second_);
  t.is(server.asked(), 2);
});

test("each URL has its own set and its own limits", async (t) => {
  const [one, two] = [await startJwksServer(t, a), await startJwksServer(t, b)];
  const { latest } = open(t);
  t.deepEqual(await latest(one.url), a);
  t.deepEqual(await latest(two.url), b);
});

test("while a set cannot be fetched, the former one is used for ten minutes, with a try every ten seconds", async (t) => {
  const server = await startJwksServer(t, a);
  const { latest, renewed, pass } = open(t);
  const first = await latest(server.url);
  server.serve(((_request, response) => response.writeHead(503).end()) satisfies RequestListener);
  pass(60 * second);
  t.is(await latest(server.url), first);
  t.is(await latest(server.url), first);
  t.is(await renewed(server.url, first), first);
  t.is(server.asked(), 2);
  pass(10 * second);
  t.is(await renewed(server.url, first), first);
  t.is(server.asked(), 3);
  pass(600 * second - 70 * second - 1);
  t.is(await latest(server.url), first);
  pass(1);
  await t.throwsAsync(latest(server.url), { instanceOf: RemoteJwksFailure });
  server.serve(b);
  await t.throwsAsync(latest(server.url), { instanceOf: RemoteJwksFailure }, "it was asked a moment ago");
  pass(10 * second);
  t.deepEqual(await latest(server.url), b);
});

test("a set that was never had is a failure, and asked for every ten seconds", async (t) => {
  const server = await startJwksServer(t, "no set");
  const { latest, pass } = open(t);
  for (let round = 0; round < 3; round++) await t.throwsAsync(latest(server.url), { instanceOf: RemoteJwksFailure });
  t.is(server.asked(), 1);
  server.serve(a);
  pass(10 * second);
  t.deepEqual(await latest(server.url), a);
});

test("one GET without credentials is sent, and over TLS only to a server with a valid certificate", async (t) => {
  const requests: IncomingMessage[] = [];
  const listener: RequestListener = (request, response) => {
    requests.push(request);
    response.end(JSON.stringify(a));
  };
  const server = await startJwksServer(t, listener, { tls: true });
  t.deepEqual(await open(t, { ca: [jwksServerCa] }).latest(server.url), a);
  const [request] = requests;
  t.is(request?.method, "GET");
  t.deepEqual([request?.headers.authorization, request?.headers.cookie], [undefined, undefined]);
  t.is(request?.headers["accept-encoding"], "identity");
  await t.throwsAsync(open(t).latest(server.url), { instanceOf: RemoteJwksFailure });
  const otherName = server.url.replace("localhost", "127.0.0.1");
  await t.throwsAsync(open(t, { ca: [jwksServerCa] }).latest(otherName), { instanceOf: RemoteJwksFailure });
  t.is(requests.length, 1);
});

const padded = (octets: number) => {
  const text = JSON.stringify({ ...a, padding: "" });
  return text.replace('""', `"${"x".repeat(octets - text.length)}"`);
};
const body = (text: string | Buffer, status = 200): RequestListener => {
  return (_request, response) => response.writeHead(status).end(text);
};
const chunked = (text: string): RequestListener => {
  return (_request, response) => {
    response.write(text.slice(0, 10));
    response.end(text.slice(10));
  };
};

test("64 KiB are read, with an announced length or without", async (t) => {
  for (const listener of [body(padded(65_536)), chunked(padded(65_536))]) {
    const server = await startJwksServer(t, listener);
    t.deepEqual((await open(t).latest(server.url)).keys, a.keys);
  }
});

const refused: Readonly<Record<string, readonly [RequestListener, why: RegExp]>> = {
  "an octet more than 64 KiB": [body(padded(65_537)), /too large/],
  "an octet more than 64 KiB without an announced length": [chunked(padded(65_537)), /too large/],
  "a redirect": [(_request, response) => response.writeHead(302, { Location: "/other" }).end(), /answered 302/],
  "an error with a set in it": [body(JSON.stringify(a), 500), /answered 500/],
  "no content": [body("", 204), /answered 204/],
  "a set that is compressed, which nobody asked for": [
    (_request, response) => response.writeHead(200, { "Content-Encoding": "gzip" }).end(gzipSync(JSON.stringify(a))),
    /not JSON/,
  ],
  "304 to an unconditional request": [body("", 304), /answered 304/],
  "an empty body": [body(""), /not JSON/],
  text: [body("<html>"), /not JSON/],
  "what is not UTF-8": [body(Buffer.from('{"keys":[{"kid":"\xff"}]}', "latin1")), /not JSON/],
  "a list": [body("[]"), /not a JWK Set/],
  null: [body("null"), /not a JWK Set/],
  "keys that are no list": [body('{"keys":{}}'), /not a JWK Set/],
  "a key that is no object": [body('{"keys":[1]}'), /not a JWK Set/],
  "a connection that ends": [(request) => request.socket.destroy(), /cannot be reached/],
  "a body that ends too early": [
    (request, response) => {
      response.writeHead(200, { "Content-Length": 100 }).write("{");
      setImmediate(() => request.socket.destroy());
    },
    /cannot be reached/,
  ],
};

for (const [what, [listener, why]] of Object.entries(refused)) {
  test(`${what} is no key set, and the failure quotes nothing`, async (t) => {
    const server = await startJwksServer(t, listener);
    const error = await t.throwsAsync(open(t).latest(server.url), { instanceOf: RemoteJwksFailure });
    t.regex(error.message, why);
    t.notRegex(error.message, /127\.0\.0\.1|html|kid/);
    t.is(server.asked(), 1);
  });
}

test("a server that does not answer, or never ends its answer, is given up on", async (t) => {
  const silent: RequestListener = () => undefined;
  const endless: RequestListener = (_request, response) => {
    response.write("{");
  };
  for (const listener of [silent, endless]) {
    const server = await startJwksServer(t, listener);
    const error = await t.throwsAsync(open(t, { timeout: 50 }).latest(server.url), { instanceOf: RemoteJwksFailure });
    t.regex(error.message, /too long/);
  }
});

test("closing ends running fetches, and nothing is fetched after it", async (t) => {
  const server = await startJwksServer(t, (() => undefined) satisfies RequestListener);
  const { latest, close, pass } = open(t);
  const asked = t.throwsAsync(latest(server.url), { instanceOf: RemoteJwksFailure });
  close();
  await asked;
  pass(10 * second);
  await t.throwsAsync(latest(server.url), { instanceOf: RemoteJwksFailure });
});

test("a set of a hundred keys is accepted, a longer one is not", async (t) => {
  const keys = (count: number) => ({ keys: Array.from({ length: count }, () => ({ kty: "OKP" })) });
  const server = await startJwksServer(t, keys(100));
  t.is((await open(t).latest(server.url)).keys.length, 100);
  server.serve(keys(101));
  await t.throwsAsync(open(t).latest(server.url), { instanceOf: RemoteJwksFailure, message: /more than 100 keys/ });
});
