import { Readable } from "node:stream";
import { inspect } from "node:util";
import test from "ava";
import * as undici from "undici";
import { isTokenRefusal } from "../../src/bound-client/repeating-handler.ts";
import { k1, type Recorder, startRecorder, startWorld } from "./outbound-world.ts";

const challenge = 'Bearer realm="api", error="invalid_token", error_description="expired"';

/** An API that refuses the first `times` tokens that it sees. */
function refuseFirst(api: Recorder, times: number): void {
  api.respond = (request, response) => {
    if (times-- > 0) response.writeHead(401, { "www-authenticate": challenge });
    request.resume().on("end", () => response.end("{}"));
  };
}

test("the token goes to the named origins only, however an address is written", async (t) => {
  const { client, api } = await startWorld(t);
  const [other, plain] = [await startRecorder(t), await startRecorder(t, undefined, { tls: false })];
  const bound = client();
  const dispatcher = bound.dispatcher(undici);
  for (const { url } of [other, plain]) {
    await bound.got(url);
    await undici.request(url, { dispatcher }).then(({ body }) => body.dump());
    await undici.fetch(url, { dispatcher }).then((answer) => answer.text());
  }
  t.deepEqual(
    [...other.seen, ...plain.seen].map(({ authorization }) => authorization),
    Array(6).fill(undefined),
  );
  // The certificate is presented over TLS to whoever asks for it; over plain HTTP there is none.
  t.deepEqual(
    other.seen.map(({ x5tS256 }) => x5tS256),
    Array(3).fill(k1.x5tS256),
  );
  await bound.got(`${api.url.replace("localhost", "LOCALHOST")}/hello`);
  t.regex(api.seen[0]?.authorization ?? "", /^Bearer /);
});

for (const status of [301, 302, 303, 307, 308]) {
  test(`a redirect (${status}) from the API to elsewhere does not take the token along`, async (t) => {
    const { client } = await startWorld(t);
    const [other, plain] = [await startRecorder(t), await startRecorder(t, undefined, { tls: false })];
    const api = await startRecorder(t, (request, response) => {
      const to = new URLSearchParams(request.url?.split("?")[1]).get("to") ?? "";
      response.writeHead(to === "" ? 200 : status, { location: to }).end("{}");
    });
    const bound = client({ resourceServers: [api.url] });
    const dispatcher = bound.dispatcher(undici);
    const following = dispatcher.compose(undici.interceptors.redirect({ maxRedirections: 3 }));
    for (const { url } of [other, plain]) {
      const from = `${api.url}/?to=${encodeURIComponent(`${url}/stolen`)}`;
      await bound.got(from);
      await undici.fetch(from, { dispatcher }).then((answer) => answer.text());
      await undici.request(from, { dispatcher: following }).then(({ body }) => body.dump());
    }
    const back = `${api.url}/?to=${encodeURIComponent(`${api.url}/again`)}`;
    await bound.got(back);
    await undici.fetch(back, { dispatcher }).then((answer) => answer.text());
    const elsewhere = [...other.seen, ...plain.seen];
    t.deepEqual(
      elsewhere.map(({ path, authorization }) => [path, authorization]),
      Array(6).fill(["/stolen", undefined]),
    );
    // Within the origin it goes along.
    t.deepEqual(
      api.seen.filter(({ path }) => path === "/again").map(({ authorization }) => authorization?.slice(0, 7)),
      ["Bearer ", "Bearer "],
    );
  });
}

test("a hook of the program that sends a request elsewhere does not take the token along", async (t) => {
  const { client, api } = await startWorld(t);
  const other = await startRecorder(t);
  const elsewhere = client().got.extend({
    hooks: {
      beforeRequest: [
        (options) => {
          options.url = new URL(other.url);
        },
      ],
    },
  });
  await elsewhere(api.url);
  t.is(other.seen[0]?.authorization, undefined);
});

test("after invalid_token a new token is fetched and the request made once more, with its body", async (t) => {
  const { client, authorizationServer, api } = await startWorld(t);
  const bound = client();
  const dispatcher = bound.dispatcher(undici);
  const calls = [
    () => bound.got.post(api.url, { json: { amount: 1 }, retry: { limit: 0 } }).text(),
    () => undici.request(api.url, { dispatcher, method: "POST", body: '{"amount":1}' }).then(({ body }) => body.text()),
  ];
  for (const call of [...calls, ...calls]) {
    refuseFirst(api, 1);
    const [seen, asked] = [api.seen.length, authorizationServer.seen.length];
    t.is(await call(), "{}");
    const [first, second, ...more] = api.seen.slice(seen);
    t.deepEqual([first?.body, second?.body, more], ['{"amount":1}', '{"amount":1}', []]);
    t.not(first?.authorization, second?.authorization);
    t.true(authorizationServer.seen.length <= asked + 2);
  }
  // What the first got fetched anew is what the second began with.
  t.is(authorizationServer.seen.length, 5);
});

test("a form can be sent again too", async (t) => {
  const { client, api } = await startWorld(t);
  refuseFirst(api, 1);
  await client().got.post(api.url, { form: { amount: 1 } });
  t.deepEqual(
    api.seen.map(({ body }) => body),
    ["amount=1", "amount=1"],
  );
});

test("a token that is refused again is not asked for a third time: the caller gets the API's answer", async (t) => {
  const { client, api } = await startWorld(t);
  const bound = client();
  refuseFirst(api, 4);
  await t.throwsAsync(bound.got(api.url), { message: /401/ });
  const { statusCode, headers, body } = await undici.request(api.url, { dispatcher: bound.dispatcher(undici) });
  await body.dump();
  t.deepEqual([statusCode, headers["www-authenticate"]], [401, challenge]);
  t.is(api.seen.length, 4);
});

test("the program's own hooks and retries work beside the repetition", async (t) => {
  const { client, api } = await startWorld(t);
  refuseFirst(api, 1);
  const statuses: number[] = [];
  const instance = client().got.extend({
    context: { mine: true },
    hooks: {
      afterResponse: [
        (response) => {
          statuses.push(response.statusCode);
          return response;
        },
      ],
    },
  });
  const response = await instance(api.url);
  t.is(response.statusCode, 200);
  t.deepEqual(statuses, [200]);
  t.deepEqual(response.request.options.context["mine"], true);
});

test("a body that can be sent only once is not sent twice, but the token is dropped", async (t) => {
  const { client, api, authorizationServer } = await startWorld(t);
  const bound = client();
  const dispatcher = bound.dispatcher(undici);
  refuseFirst(api, 3);
  await t.throwsAsync(bound.got.post(api.url, { body: Readable.from(["once"]) }), { message: /401/ });
  const stream = await undici.request(api.url, { dispatcher, method: "POST", body: Readable.from(["once"]) });
  t.is(stream.statusCode, 401);
  await stream.body.dump();
  const piped = await t.throwsAsync(async () => {
    for await (const _ of bound.got.stream(api.url)) t.truthy(_);
  });
  t.regex(piped.message, /401/);
  t.is(api.seen.length, 3);
  t.is(new Set(api.seen.map(({ authorization }) => authorization)).size, 3);
  t.is(authorizationServer.seen.length, 3);
});

test("another 401, and another status, are the API's answer and nothing more", async (t) => {
  const { client, api, authorizationServer } = await startWorld(t);
  const bound = client();
  for (const [status, value] of [
    [401, 'Bearer realm="x"'],
    [403, 'Bearer error="insufficient_scope"'],
    [401, 'Bearer error="invalid_tokens"'],
    [400, challenge],
  ] as const) {
    api.respond = (_, response) => response.writeHead(status, { "www-authenticate": value }).end();
    const { statusCode } = await bound.got(api.url, { throwHttpErrors: false, retry: { limit: 0 } });
    t.is(statusCode, status);
  }
  t.deepEqual([api.seen.length, authorizationServer.seen.length], [4, 1]);
});

test("a challenge is read in each of its spellings", (t) => {
  for (const refused of [
    challenge,
    "Bearer error=invalid_token",
    'bearer ERROR = "invalid_token"',
    ["Basic", challenge],
  ])
    t.true(isTokenRefusal(401, refused));
  for (const other of [
    undefined,
    "",
    "Bearer",
    'Bearer error="invalid_request"',
    'Bearer xerror="invalid_token"',
    "Bearer error=invalid_token2",
  ])
    t.false(isTokenRefusal(401, other));
});

test("forget makes the next call fetch another token, and affects only the token it was given", async (t) => {
  const { client } = await startWorld(t);
  const bound = client();
  const first = await bound.accessToken();
  bound.forget("another");
  t.is((await bound.accessToken()).accessToken, first.accessToken);
  bound.forget(first.accessToken);
  t.not((await bound.accessToken()).accessToken, first.accessToken);
});

test("no error shows a token, a secret, a key or a certificate, however it is printed", async (t) => {
  const { client, api, authorizationServer } = await startWorld(t);
  const clientSecret = "a-secret-that-nobody-sees-0123456789";
  const bound = client();
  const { accessToken } = await bound.accessToken();
  const errors: unknown[] = [];
  const caught = async (promise: Promise<unknown>) => errors.push(await t.throwsAsync(promise));
  api.respond = (_, response) => response.writeHead(500).end();
  await caught(bound.got(api.url, { retry: { limit: 0 } }));
  api.respond = (request) => request.socket.destroy();
  await caught(bound.got(api.url, { retry: { limit: 0 } }));
  await caught(undici.request(api.url, { dispatcher: bound.dispatcher(undici) }));
  authorizationServer.respond = (request) => request.socket.destroy();
  const secretive = client({ clientSecret });
  await caught(secretive.accessToken());
  await caught(secretive.got(api.url, { retry: { limit: 0 } }));
  authorizationServer.respond = (_, response) =>
    response.writeHead(200, { "content-type": "application/json" }).end(`{"access_token":"${accessToken}"}`);
  await caught(secretive.accessToken());
  const basic = Buffer.from(`4711:${clientSecret}`).toString("base64");
  const keyLine = k1.key.split("\n")[1] ?? "";
  const certificateLine = k1.pem.split("\n")[1] ?? "";
  for (const error of errors) {
    const texts = [
      inspect(error, { depth: 12 }),
      JSON.stringify(error, replaceCircles()),
      String((error as Error).stack),
    ];
    for (const secret of [accessToken, clientSecret, basic, keyLine, certificateLine]) {
      t.false(
        texts.some((text) => text.includes(secret)),
        (error as Error).message,
      );
    }
  }
  t.is(errors.length, 6);
});

function replaceCircles() {
  const met = new WeakSet<object>();
  return (_: string, value: unknown) => {
    if (typeof value !== "object" || value === null) return value;
    if (met.has(value)) return "(met)";
    met.add(value);
    return value;
  };
}
