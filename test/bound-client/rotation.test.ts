import type { IncomingMessage } from "node:http";
import { request } from "node:https";
import type { Socket } from "node:net";
import { once } from "node:events";
import test from "ava";
import * as undici from "undici";
import { send } from "../support/https-request.ts";
import { createSelfSigned } from "../support/certificates.ts";
import { k1, k2, pairOf, startRecorder, startWorld } from "./outbound-world.ts";

test("after a rotation new connections present the new certificate with a new token, through every way out", async (t) => {
  const { client, api, authorizationServer } = await startWorld(t);
  const bound = client();
  const dispatcher = bound.dispatcher(undici);
  const calls = [
    async () => (await bound.got(api.url)).statusCode,
    async () => {
      const { statusCode, body } = await undici.request(api.url, { dispatcher });
      await body.dump();
      return statusCode;
    },
    async () => {
      const { accessToken } = await bound.accessToken();
      const headers = { authorization: `Bearer ${accessToken}` };
      return (await send({ url: api.url, agent: bound.agent, headers })).status;
    },
  ];
  t.is(bound.x5tS256, k1.x5tS256);
  for (const call of calls) t.is(await call(), 200);
  bound.rotate(pairOf(k2));
  t.is(bound.x5tS256, k2.x5tS256);
  for (const call of calls) t.is(await call(), 200);
  t.deepEqual(
    api.seen.map(({ x5tS256 }) => x5tS256),
    [k1, k1, k1, k2, k2, k2].map(({ x5tS256 }) => x5tS256),
  );
  t.deepEqual(
    authorizationServer.seen.map(({ x5tS256 }) => x5tS256),
    [k1.x5tS256, k2.x5tS256],
  );
  t.not(api.seen[0]?.authorization, api.seen[3]?.authorization);
  const before = new Set(api.seen.slice(0, 3).map(({ port }) => port));
  t.false(api.seen.slice(3).some(({ port, resumed }) => before.has(port) || resumed));
});

test("requests in progress during a rotation end on their connections, which are then closed", async (t) => {
  const { client } = await startWorld(t);
  const { promise: held, resolve: open } = Promise.withResolvers<undefined>();
  const slow = await startRecorder(t, (_, response) => void held.then(() => response.end("late")));
  const bound = client({ resourceServers: [slow.url] });
  const dispatcher = bound.dispatcher(undici);
  const byAgent = request(slow.url, { agent: bound.agent }).end();
  const [socket] = (await once(byAgent, "socket")) as [Socket];
  const underWay = [
    bound.got(slow.url).text(),
    undici.request(slow.url, { dispatcher }).then(({ body }) => body.text()),
  ];
  await slow.arrived(3);
  bound.rotate(pairOf(k2));
  const meanwhile = bound.got(slow.url).text();
  await slow.arrived(4);
  const answered = once(byAgent, "response") as Promise<[IncomingMessage]>;
  open(undefined);
  t.deepEqual(await Promise.all(underWay), ["late", "late"]);
  t.is(await meanwhile, "late");
  const closed = once(socket, "close");
  (await answered)[0].resume();
  await closed;
  t.deepEqual(
    slow.seen.map(({ x5tS256 }) => x5tS256),
    [k1, k1, k1, k2].map(({ x5tS256 }) => x5tS256),
  );
});

test("idle connections are closed at the rotation", async (t) => {
  const { client, api } = await startWorld(t);
  const bound = client({ resourceServers: [] });
  const first = request(api.url, { agent: bound.agent }).end();
  const [socket] = (await once(first, "socket")) as [Socket];
  const [response] = (await once(first, "response")) as [IncomingMessage];
  const free = once(socket, "free");
  response.resume();
  await free;
  await bound.got(api.url, { throwHttpErrors: false });
  // The connection is kept and used again as long as the certificate is the same.
  t.is(api.seen[0]?.port, api.seen[1]?.port);
  const closed = once(socket, "close");
  bound.rotate(pairOf(k2));
  await closed;
  t.pass();
});

test("a caller that waits for a token during a rotation gets one bound to the new certificate", async (t) => {
  const { client, api, authorizationServer } = await startWorld(t);
  authorizationServer.respond = () => undefined;
  const bound = client();
  const waiting = [bound.accessToken(), bound.got(api.url)] as const;
  await authorizationServer.arrived(1);
  authorizationServer.respond = undefined;
  bound.rotate(pairOf(k2));
  const [{ accessToken }] = await Promise.all(waiting);
  t.is(api.seen[0]?.x5tS256, k2.x5tS256);
  t.is(api.seen[0]?.authorization, `Bearer ${accessToken}`);
});

test("whatever step a request is at when the certificate is rotated, token and connection belong together", async (t) => {
  const { client, api } = await startWorld(t);
  const bound = client();
  const dispatcher = bound.dispatcher(undici);
  const ways = [
    async () => (await bound.got(api.url, { retry: { limit: 0 } })).statusCode,
    async () => {
      const { statusCode, body } = await undici.request(api.url, { dispatcher });
      await body.dump();
      return statusCode;
    },
  ];
  let next = k2;
  for (const call of ways) {
    for (let steps = 0; steps < 12; steps++) {
      await bound.accessToken();
      const answer = call();
      for (let step = 0; step < steps; step++) await Promise.resolve();
      bound.rotate(pairOf(next));
      next = next === k1 ? k2 : k1;
      // The API asks the backend about every token: one on the other certificate's connection would be refused.
      t.is(await answer, 200, `${steps} steps`);
    }
  }
  t.is(api.seen.length, 24, "and none had to be made again");
});

test("a rotation to a key of another certificate is refused and changes nothing", async (t) => {
  const { client, api } = await startWorld(t);
  const bound = client();
  await bound.got(api.url);
  for (const wrong of [
    { ...pairOf(k2), key: k1.key },
    { certificate: "", key: k2.key },
    { ...pairOf(k2), ca: "" },
  ]) {
    t.throws(
      () => {
        bound.rotate(wrong);
      },
      { instanceOf: TypeError, code: "ERR_INVALID_OPTION" },
    );
  }
  await bound.got(api.url);
  t.is(bound.x5tS256, k1.x5tS256);
  t.is(api.seen[0]?.port, api.seen[1]?.port);
});

test("a certificate unknown to the authorization server gets no token, and the program gets the error", async (t) => {
  const { client, api } = await startWorld(t);
  const bound = client();
  await bound.got(api.url);
  bound.rotate(pairOf(createSelfSigned({ subject: "CN=stranger" })));
  await t.throwsAsync(bound.got(api.url), { name: "TokenRequestRefused", code: "invalid_client" });
  await t.throwsAsync(undici.request(api.url, { dispatcher: bound.dispatcher(undici) }), {
    name: "TokenRequestRefused",
  });
  t.is(api.seen.length, 1);
});

test("after close there are no more tokens, and calls in progress end", async (t) => {
  const { client } = await startWorld(t);
  const { promise: held, resolve: open } = Promise.withResolvers<undefined>();
  const slow = await startRecorder(t, (_, response) => void held.then(() => response.end("late")));
  const bound = client({ resourceServers: [slow.url] });
  const dispatcher = bound.dispatcher(undici);
  const underWay = [
    bound.got(slow.url).text(),
    undici.request(slow.url, { dispatcher }).then(({ body }) => body.text()),
  ];
  await slow.arrived(2);
  const closed = bound.close();
  await t.throwsAsync(bound.accessToken(), { name: "AuthorizationServerUnavailable", code: "ERR_CLOSED" });
  await t.throwsAsync(bound.got(slow.url), { code: "ERR_CLOSED" });
  open(undefined);
  t.deepEqual(await Promise.all(underWay), ["late", "late"]);
  await closed;
  await t.throwsAsync(undici.request(slow.url, { dispatcher }), { code: "ERR_CLOSED" });
});
