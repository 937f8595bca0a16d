import { request } from "node:https";
import { once } from "node:events";
import test from "ava";
import * as undici from "undici";
import type { BoundClient } from "../../src/bound-client/bound-client.ts";
import { send } from "../support/https-request.ts";
import { clientId, k1, k2, startRecorder, startWorld } from "./outbound-world.ts";

/** The three ways out: each resolves to the status of the API's answer and its body. */
const ways: Readonly<Record<string, (client: BoundClient, url: string) => Promise<{ status: number; body: string }>>> =
  {
    async got(client, url) {
      const { statusCode: status, body } = await client.got(url, { throwHttpErrors: false });
      return { status, body };
    },
    async "undici.request"(client, url) {
      const { statusCode: status, body } = await undici.request(url, { dispatcher: client.dispatcher(undici) });
      return { status, body: await body.text() };
    },
    async "undici.fetch"(client, url) {
      const answer = await undici.fetch(url, { dispatcher: client.dispatcher(undici) });
      return { status: answer.status, body: await answer.text() };
    },
    async "https.request with the agent"(client, url) {
      const { accessToken } = await client.accessToken();
      const headers = { authorization: `Bearer ${accessToken}` };
      return send({ url, agent: client.agent, headers });
    },
  };

for (const [name, call] of Object.entries(ways)) {
  test(`8705-3-b: the client presents k1 at the API, with a token bound to k1 (${name})`, async (t) => {
    const { client, api, authorizationServer } = await startWorld(t);
    const { status, body } = await call(client(), `${api.url}/hello`);
    t.is(status, 200, body);
    t.deepEqual(JSON.parse(body), { hello: clientId });
    t.is(api.seen[0]?.x5tS256, k1.x5tS256);
    t.is(authorizationServer.seen[0]?.x5tS256, k1.x5tS256);
  });

  test(`the same token with another certificate opens nothing (${name})`, async (t) => {
    const { client, api } = await startWorld(t);
    await call(client(), `${api.url}/hello`);
    const authorization = api.seen[0]?.authorization ?? "";
    t.regex(authorization, /^Bearer ./);
    const stolen = await send({ url: `${api.url}/hello`, as: k2, headers: { authorization } });
    t.is(stolen.status, 401);
  });

  test(`a server without a path to the anchors gets neither certificate nor token (${name})`, async (t) => {
    const { api, client } = await startWorld(t);
    // No `ca`: the system's anchors, and the test's CA is none of them. The request says that it does not matter.
    const error = await t.throwsAsync(call(client({ ca: undefined as never }), `${api.url}/hello`));
    t.regex(
      JSON.stringify([
        error.message,
        (error as NodeJS.ErrnoException).code,
        (error.cause as Error | undefined)?.message,
      ]),
      /UNABLE_TO_VERIFY|unable to verify|self.signed/i,
    );
    t.deepEqual(api.seen, []);
  });
}

test("a request's own options cannot switch the verification of the server off, nor present something else", async (t) => {
  const { client, api } = await startWorld(t);
  const trusting = client({ ca: undefined as never, resourceServers: [] });
  await t.throwsAsync(trusting.got(api.url, { https: { rejectUnauthorized: false } }));
  const attempt = request(api.url, { agent: trusting.agent, rejectUnauthorized: false }).end();
  await t.throwsAsync(once(attempt, "response"));
  // Trusted, but the certificate of another name; the names are not the request's to judge.
  const elsewhere = api.url.replace("localhost", "127.0.0.1");
  const checkServerIdentity = (): undefined => undefined;
  const misnamed = { code: "ERR_TLS_CERT_ALTNAME_INVALID" };
  await t.throwsAsync(client().got(elsewhere, { https: { checkServerIdentity } }), misnamed);
  const other = request(elsewhere, { agent: client().agent, checkServerIdentity }).end();
  await t.throwsAsync(once(other, "response"), misnamed);
  t.deepEqual(api.seen, []);
  await client().got(api.url, { https: { certificate: k2.pem, key: k2.key } });
  t.is(api.seen.at(-1)?.x5tS256, k1.x5tS256);
});

test("a request that brings its own Authorization keeps it", async (t) => {
  const { client } = await startWorld(t);
  const other = await startRecorder(t);
  const bound = client({ resourceServers: [other.url] });
  const headers = { authorization: "Basic abc" };
  await bound.got(other.url, { headers });
  for (const given of [headers, ["Authorization", "Basic abc"], new Map([["Authorization", "Basic abc"]])]) {
    await undici
      .request(other.url, { dispatcher: bound.dispatcher(undici), headers: given })
      .then(({ body }) => body.dump());
  }
  t.deepEqual(
    other.seen.map(({ authorization }) => authorization),
    Array(4).fill("Basic abc"),
  );
});

test("undici's headers of every form are kept beside the token", async (t) => {
  const { client } = await startWorld(t);
  const other = await startRecorder(t, (incoming, response) => response.end(incoming.headers["x-a"]));
  const dispatcher = client({ resourceServers: [other.url] }).dispatcher(undici);
  for (const headers of [
    { "x-a": "1", authorization: undefined },
    ["x-a", "1"],
    new Map([["x-a", "1"]]),
    new Headers({ "x-a": "1" }),
    // What iterates once only.
    new Map([["x-a", "1"]]).entries(),
  ]) {
    const { body } = await undici.request(other.url, { dispatcher, headers });
    t.is(await body.text(), "1");
  }
  t.true(other.seen.every(({ authorization }) => authorization?.startsWith("Bearer ")));
});

test("a stream of got's presents the certificate and the token too", async (t) => {
  const { client, api } = await startWorld(t);
  let text = "";
  for await (const chunk of client().got.stream(`${api.url}/hello`)) text += String(chunk);
  t.deepEqual(JSON.parse(text), { hello: clientId });
});
