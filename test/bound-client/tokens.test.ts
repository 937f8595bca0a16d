import test from "ava";
import * as undici from "undici";
import { TokenRequestRefused } from "../../src/bound-client/token-errors.ts";
import { clientSettings, secretOf } from "../support/settings.ts";
import { startRecorder, startWorld } from "./outbound-world.ts";

/** Clocks that stand until a test moves them. */
function standingClocks() {
  const now = { wall: Date.parse("2030-01-01T00:00:00Z"), monotonic: 1000 };
  return {
    now,
    pass(milliseconds: number) {
      now.wall += milliseconds;
      now.monotonic += milliseconds;
    },
    clock: () => now.wall,
    monotonicClock: () => now.monotonic,
  };
}

/** A token endpoint that gives out t1, t2, …, and can be held back. */
async function startIssuer(t: Parameters<typeof startRecorder>[0], expiresIn = 3600) {
  let issued = 0;
  let gate: Promise<void> | undefined;
  const recorder = await startRecorder(t, (_, response) => {
    issued += 1;
    const body = JSON.stringify({ access_token: `t${issued}`, token_type: "bearer", expires_in: expiresIn });
    void (gate ?? Promise.resolve()).then(() => response.setHeader("content-type", "application/json").end(body));
  });
  return {
    recorder,
    closeGate() {
      const { promise, resolve } = Promise.withResolvers<undefined>();
      gate = promise;
      return () => {
        gate = undefined;
        resolve(undefined);
      };
    },
    fail(status: number) {
      recorder.respond = (_, response) => response.writeHead(status).end();
    },
  };
}

test("a token is kept until it is nearly over, then renewed beside, before it expires", async (t) => {
  const { client } = await startWorld(t);
  const issuer = await startIssuer(t);
  const clocks = standingClocks();
  const { clock, monotonicClock, now } = clocks;
  const { recorder } = issuer;
  const bound = client({ authorizationServer: { tokenEndpoint: recorder.url }, clock, monotonicClock });
  t.deepEqual(await bound.accessToken(), { accessToken: "t1", expiresAt: now.wall + 3_600_000, scopes: [] });
  clocks.pass(3_539_999);
  t.is((await bound.accessToken()).accessToken, "t1");
  t.is(recorder.seen.length, 1);
  clocks.pass(1);
  const open = issuer.closeGate();
  // The answer is held back: whoever comes is served at once, and no second request goes out.
  t.is((await bound.accessToken()).accessToken, "t1");
  t.is((await bound.accessToken()).accessToken, "t1");
  await recorder.arrived(2);
  clocks.pass(60_000);
  const afterTheEnd = bound.accessToken();
  open();
  t.is((await afterTheEnd).accessToken, "t2");
  t.is(recorder.seen.length, 2);
});

test("a short life is renewed in its last tenth", async (t) => {
  const { client } = await startWorld(t);
  const issuer = await startIssuer(t, 10);
  const clocks = standingClocks();
  const bound = client({ authorizationServer: { tokenEndpoint: issuer.recorder.url }, ...clocksOf(clocks) });
  await bound.accessToken();
  clocks.pass(8_999);
  await bound.accessToken();
  t.is(issuer.recorder.seen.length, 1);
  clocks.pass(1);
  await bound.accessToken();
  await issuer.recorder.arrived(2);
  t.is(issuer.recorder.seen.length, 2);
});

test("after a failed renewal the valid token is used, with few retries; its expiry reports the failure", async (t) => {
  const { client } = await startWorld(t);
  const issuer = await startIssuer(t);
  const clocks = standingClocks();
  const bound = client({ authorizationServer: { tokenEndpoint: issuer.recorder.url }, ...clocksOf(clocks) });
  await bound.accessToken();
  clocks.pass(3_540_000);
  issuer.fail(503);
  t.is((await bound.accessToken()).accessToken, "t1");
  await issuer.recorder.arrived(2);
  // Another target is asked for to its end: the renewal that was answered before it has ended too.
  await t.throwsAsync(bound.accessToken({ scope: "read" }), { name: "AuthorizationServerUnavailable" });
  t.is(issuer.recorder.seen.length, 3);
  t.is((await bound.accessToken()).accessToken, "t1");
  await t.throwsAsync(bound.accessToken({ scope: "read" }));
  t.is(issuer.recorder.seen.length, 4, "the one for the other target, and no renewal before it");
  clocks.pass(15_000);
  t.is((await bound.accessToken()).accessToken, "t1");
  await issuer.recorder.arrived(5);
  clocks.pass(45_000);
  await t.throwsAsync(bound.accessToken(), { name: "AuthorizationServerUnavailable", code: "HTTP_503" });
  issuer.recorder.respond = undefined;
  t.is((await bound.accessToken()).accessToken, "t2");
});

test("a wall clock that is set back lengthens no life, and one that is set forward ends it", async (t) => {
  for (const step of [-86_400_000, 86_400_000]) {
    const { client } = await startWorld(t);
    const issuer = await startIssuer(t);
    const clocks = standingClocks();
    const bound = client({ authorizationServer: { tokenEndpoint: issuer.recorder.url }, ...clocksOf(clocks) });
    await bound.accessToken();
    clocks.now.wall += step;
    if (step < 0) clocks.pass(3_600_000);
    t.is((await bound.accessToken()).accessToken, "t2");
  }
});

test("a hundred concurrent callers make one token request, through every way out", async (t) => {
  const { client, api, authorizationServer } = await startWorld(t);
  const bound = client();
  const dispatcher = bound.dispatcher(undici);
  const calls = Array.from({ length: 99 }, async (_, index) => {
    if (index % 3 === 0) await bound.got(`${api.url}/hello`);
    else if (index % 3 === 1) await undici.request(api.url, { dispatcher }).then(({ body }) => body.dump());
    else await bound.accessToken();
  });
  await Promise.all(calls);
  t.is(authorizationServer.seen.length, 1);
  t.is(api.seen.length, 66);
  t.is(new Set(api.seen.map(({ authorization }) => authorization)).size, 1);
});

test("a failure reaches every waiting caller, and the next caller sends a new request", async (t) => {
  const { client } = await startWorld(t);
  const issuer = await startIssuer(t);
  const bound = client({ authorizationServer: { tokenEndpoint: issuer.recorder.url } });
  const { promise: held, resolve: open } = Promise.withResolvers<undefined>();
  issuer.recorder.respond = (_, response) => void held.then(() => response.writeHead(500).end());
  const waiting = Promise.allSettled([bound.accessToken(), bound.accessToken(), bound.accessToken()]);
  await issuer.recorder.arrived(1);
  open(undefined);
  t.deepEqual(
    (await waiting).map(({ status }) => status),
    ["rejected", "rejected", "rejected"],
  );
  t.is(issuer.recorder.seen.length, 1);
  issuer.recorder.respond = undefined;
  t.is((await bound.accessToken()).accessToken, "t1");
});

test("one caller's signal ends only that caller's wait", async (t) => {
  const { client, api } = await startWorld(t);
  const issuer = await startIssuer(t);
  const bound = client({ authorizationServer: { tokenEndpoint: issuer.recorder.url } });
  const open = issuer.closeGate();
  const leaver = new AbortController();
  const left = bound.accessToken({ signal: leaver.signal });
  const stays = bound.accessToken();
  const dispatcher = bound.dispatcher(undici);
  const byUndici = undici.request(api.url, { dispatcher, method: "POST", body: "once", signal: leaver.signal });
  await issuer.recorder.arrived(1);
  leaver.abort(new Error("enough"));
  await t.throwsAsync(left, { message: "enough" });
  await t.throwsAsync(byUndici, { message: "enough" });
  await t.throwsAsync(bound.accessToken({ signal: leaver.signal }), { message: "enough" });
  open();
  t.is((await stays).accessToken, "t1");
  t.is(issuer.recorder.seen.length, 1);
  t.deepEqual(api.seen, []);
});

test("each scope and resource has its token, in whatever order they are named", async (t) => {
  const { client, authorizationServer, deployment } = await startWorld(t);
  const bound = client();
  const read = await bound.accessToken({ scope: "read" });
  const both = await bound.accessToken({
    scope: ["write", "read"],
    resource: ["https://a.example", "https://b.example"],
  });
  t.deepEqual([read.scopes, both.scopes], [["read"], ["read", "write"]]);
  t.not(read.accessToken, both.accessToken);
  const again = await bound.accessToken({
    scope: "read  write read",
    resource: ["https://b.example", "https://a.example"],
  });
  t.deepEqual(again, both);
  t.is(authorizationServer.seen.length, 2);
  const { body } = await deployment.introspect(both.accessToken);
  t.deepEqual((JSON.parse(body) as { aud?: unknown }).aud, ["https://a.example", "https://b.example"]);
});

test("each resource server gets the token that was said for it", async (t) => {
  const { client, deployment } = await startWorld(t);
  const [first, second] = [await startRecorder(t), await startRecorder(t)];
  const bound = client({ scope: "read", resourceServers: [first.url, { origin: second.url, scope: "write" }] });
  await bound.got(first.url);
  await bound.got(second.url);
  for (const [server, scope] of [
    [first, "read"],
    [second, "write"],
  ] as const) {
    const { body } = await deployment.introspect(server.seen[0]?.authorization?.slice("Bearer ".length) ?? "");
    t.is((JSON.parse(body) as { scope?: unknown }).scope, scope);
  }
});

test("a request with mutual TLS client authentication carries client_id in its form", async (t) => {
  const { client, authorizationServer } = await startWorld(t);
  await client({ scope: "read" }).accessToken();
  const [asked] = authorizationServer.seen;
  t.deepEqual(
    [...new URLSearchParams(asked?.body)],
    [
      ["grant_type", "client_credentials"],
      ["client_id", "4711"],
      ["scope", "read"],
    ],
  );
  t.deepEqual([asked?.method, asked?.path, asked?.authorization], ["POST", "/token", undefined]);
});

for (const tokenEndpointAuthMethod of ["client_secret_basic", "client_secret_post"] as const) {
  test(`${tokenEndpointAuthMethod}: the backend accepts the secret, and a wrong one is refused`, async (t) => {
    const clientSecret = "a:secret with %, +, é & more 0123456789abcdef";
    const method = tokenEndpointAuthMethod === "client_secret_basic" ? "CLIENT_SECRET_BASIC" : "CLIENT_SECRET_POST";
    const other = clientSettings({ clientId: 9, tokenAuthMethod: method, clientSecret });
    const { client, deployment } = await startWorld(t, { clients: [other] });
    const { accessToken } = await client({ clientId: "9", clientSecret, tokenEndpointAuthMethod }).accessToken();
    t.regex((await deployment.introspect(accessToken)).body, /"x5t#S256"/);
    const wrong = client({ clientId: "9", clientSecret: secretOf(9), tokenEndpointAuthMethod }).accessToken();
    const error = await t.throwsAsync(wrong, { instanceOf: TokenRequestRefused, code: "invalid_client" });
    t.notRegex(error.message, /secret-of/);
  });
}

test("private_key_jwt: each token request has an assertion of the program's own", async (t) => {
  const { client, authorizationServer } = await startWorld(t);
  const asked: unknown[] = [];
  authorizationServer.respond = (_, response) =>
    response.writeHead(400, { "content-type": "application/json" }).end('{"error":"invalid_client"}');
  const bound = client({
    tokenEndpointAuthMethod: "private_key_jwt",
    clientAssertion(at) {
      asked.push(at);
      return Promise.resolve(`a.b.${asked.length}`);
    },
  });
  for (const expected of ["a.b.1", "a.b.2"]) {
    await t.throwsAsync(bound.accessToken(), { instanceOf: TokenRequestRefused });
    const form = new URLSearchParams(authorizationServer.seen.at(-1)?.body);
    t.is(form.get("client_assertion"), expected);
    t.is(form.get("client_assertion_type"), "urn:ietf:params:oauth:client-assertion-type:jwt-bearer");
  }
  t.deepEqual(asked[0], { tokenEndpoint: `${authorizationServer.url}/token`, clientId: "4711" });
});

function clocksOf({ clock, monotonicClock }: ReturnType<typeof standingClocks>) {
  return { clock, monotonicClock };
}
