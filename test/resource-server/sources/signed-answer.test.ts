import { createHmac } from "node:crypto";
import test, { type ExecutionContext } from "ava";
import {
  IntrospectionMalformed,
  IntrospectionUnavailable,
} from "../../../src/resource-server/refusal/introspection-unavailable.ts";
import type { SignedAnswerOptions } from "../../../src/resource-server/sources/signed-answer.ts";
import { ask, createAmbient, openEndpoint, protectWith, token } from "../../support/endpoint-source.ts";
import { startFaultProxy } from "../../support/fault-proxy.ts";
import { assembleJwt, createSigningKey, issuer, signJwt } from "../../support/jwt-issuer.ts";
import { start, x5tS256 } from "../../support/scripted-backend.ts";
import { type ScriptedAnswer, startScriptedServer } from "../../support/scripted-server.ts";

const key = createSigningKey();
const mediaType = "application/token-introspection+jwt";
const now = start / 1000;
const facts = { active: true, sub: "user", scope: "read", cnf: { "x5t#S256": x5tS256 }, exp: now + 60 };
const claims = (change: Record<string, unknown> = {}) => ({
  iss: issuer,
  aud: "api",
  iat: now,
  token_introspection: facts,
  ...change,
});
const typ = "token-introspection+jwt";

const signed = (change: Record<string, unknown> = {}, header: Record<string, unknown> = {}, by = key) =>
  signJwt(by, claims(change), { typ, ...header });

/** An endpoint that answers with this text, and a source that demands signed answers of it. */
async function start9701(t: ExecutionContext, options: Partial<SignedAnswerOptions> = {}) {
  const server = await startScriptedServer();
  t.teardown(() => server.stop());
  server.routes.set("/jwks", () => ({ json: { keys: [key.jwk] } }));
  const ambient = createAmbient();
  const keys = "jwksUri" in options ? {} : { jwks: { keys: [key.jwk] } };
  const source = openEndpoint(t, { url: `${server.url}/introspect`, issuer, signed: { ...keys, ...options } }, ambient);
  const answer = (body: string, more: ScriptedAnswer = {}): void => {
    server.routes.set("/introspect", () => ({ body, headers: { "content-type": mediaType }, ...more }));
  };
  return { server, source, ambient, answer, api: protectWith(t, { source, cache: false }) };
}

async function malformed(t: ExecutionContext, asked: Promise<unknown>, reason?: RegExp): Promise<void> {
  const error = await t.throwsAsync(asked, { instanceOf: IntrospectionMalformed });
  t.is(error.status, 503);
  if (reason !== undefined) t.regex(error.reason, reason);
}

test("a signed answer is read by the rules for any answer", async (t) => {
  const { answer, api } = await start9701(t);
  answer(await signed());
  t.like(await api.authorize({ token, certificate: { x5tS256 } }), { sub: "user", issuer, x5tS256, scopes: ["read"] });
  answer(await signed({ token_introspection: { active: false } }));
  t.like(await t.throwsAsync(api.authorize({ token, certificate: { x5tS256 } })), { code: "token_unknown" });
  for (const token_introspection of [undefined, null, "active", [], { active: "true" }, { ...facts, exp: "1" }]) {
    answer(await signed({ token_introspection }));
    await malformed(t, api.authorize({ token, certificate: { x5tS256 } }));
  }
});

test("9701-4-a: exactly the signed media type is asked for, and a plain JSON reply is refused", async (t) => {
  const { server, source, answer } = await start9701(t);
  answer(await signed());
  t.true((await ask(source)).record.facts.active);
  t.is(server.requests[0]?.headers.accept, mediaType);
  for (const json of [facts, { active: false }]) {
    server.routes.set("/introspect", () => ({ json }));
    await malformed(t, ask(source), /not signed, and must be/);
  }
  for (const type of ["application/jwt", "application/json", "text/plain", "application/token-introspection"]) {
    answer(await signed(), { headers: { "content-type": type } });
    await malformed(t, ask(source), /not signed, and must be/);
  }
  answer(await signed(), { headers: { "content-type": `${mediaType}; charset=utf-8` } });
  t.true((await ask(source)).record.facts.active);
});

const defects: Record<string, [jwt: () => Promise<string> | string, reason: RegExp]> = {
  "another signature": [() => signed({}, {}, createSigningKey()), /signature/],
  "another issuer": [() => signed({ iss: "https://x.example" }), /issuer/],
  "the issuer with a slash": [() => signed({ iss: `${issuer}/` }), /issuer/],
  "no issuer": [() => signed({ iss: undefined }), /issuer/],
  "another audience": [() => signed({ aud: "other-api" }), /aud/],
  "no audience": [() => signed({ aud: undefined }), /aud/],
  "an empty audience": [() => signed({ aud: [] }), /aud/],
  "no iat": [() => signed({ iat: undefined }), /iat/],
  "iat as text": [() => signed({ iat: String(now) }), /iat/],
  "iat null": [() => signed({ iat: null }), /iat/],
  "an iat too long ago": [() => signed({ iat: now - 61 }), /too old/],
  "an iat in the future": [() => signed({ iat: now + 6 }), /future/],
  "an access token": [() => signed({}, { typ: "at+jwt" }), /typ/],
  "an ID token": [() => signed({}, { typ: "JWT" }), /typ/],
  "no typ": [() => signed({}, { typ: undefined }), /typ/],
  "critical parameters": [
    () => assembleJwt({ alg: "ES256", typ, crit: ["b64"], b64: false }, claims(), "AA"),
    /critical/,
  ],
  "an unsigned one": [() => assembleJwt({ alg: "none", typ }, claims(), ""), /compact form/],
  "alg none with a signature": [() => assembleJwt({ alg: "none", typ }, claims(), "AA"), /algorithm/],
  "an encrypted one": [() => "a.b.c.d.e", /compact form/],
  "a padded one": [async () => `${await signed()}==`, /compact form/],
  nothing: [() => "", /compact form/],
  JSON: [() => JSON.stringify(facts), /compact form/],
};
for (const [what, [jwt, reason]] of Object.entries(defects)) {
  test(`a signed answer is refused: ${what}`, async (t) => {
    const { source, answer } = await start9701(t);
    answer(await jwt());
    await malformed(t, ask(source), reason);
    answer(await signed());
    t.true((await ask(source)).record.facts.active);
  });
}

test("9701-8-a: a reply replayed from another resource server, or signed with the public key, is refused", async (t) => {
  const server = await startScriptedServer();
  const proxy = await startFaultProxy({ to: server.url });
  t.teardown(async () => {
    await proxy.close();
    await server.stop();
  });
  const forWhom = async (aud: string): Promise<ScriptedAnswer> => ({
    body: await signed({ aud }),
    headers: { "content-type": mediaType },
  });
  const answers = { "rs-a": await forWhom("rs-a"), "rs-b": await forWhom("rs-b") };
  server.routes.set("/introspect", ({ form }) => answers[form.get("client_id") as keyof typeof answers]);
  const sourceOf = (clientId: string) =>
    openEndpoint(t, {
      url: `${proxy.url}/introspect`,
      issuer,
      clientAuthentication: { method: "client_secret_post", clientId, clientSecret: "x" },
      signed: { jwks: { keys: [key.jwk] } },
    });
  const [a, b] = [sourceOf("rs-a"), sourceOf("rs-b")];
  t.true((await ask(a)).record.facts.active);
  t.true((await ask(b)).record.facts.active);

  proxy.fault = { kind: "replace", headers: { "content-type": mediaType }, body: String(answers["rs-b"].body) };
  await malformed(t, ask(a), /aud/);
  t.true((await ask(b)).record.facts.active);

  for (const secret of [key.publicKey.export({ type: "spki", format: "pem" }), JSON.stringify(key.jwk)]) {
    const head = assembleJwt({ alg: "HS256", kid: key.kid, typ }, claims({ aud: "rs-a" }), "").slice(0, -1);
    const mac = createHmac("sha256", secret).update(head).digest("base64url");
    proxy.fault = { kind: "replace", headers: { "content-type": mediaType }, body: `${head}.${mac}` };
    await malformed(t, ask(a), /algorithm/);
  }
  proxy.fault = { kind: "pass" };

  // The cache is keyed by the token alone: what was remembered from a signed answer serves the next question.
  const api = protectWith(t, { source: a });
  await api.authorize({ token, certificate: { x5tS256 } });
  const asked = server.requests.length;
  await api.authorize({ token, certificate: { x5tS256 } });
  t.is(server.requests.length, asked);
});

test("9701-8-b: yesterday's reply, replayed after the revocation, is refused", async (t) => {
  const { server, ambient } = await start9701(t);
  const proxy = await startFaultProxy({ to: server.url });
  t.teardown(() => proxy.close());
  const source = openEndpoint(
    t,
    { url: `${proxy.url}/introspect`, issuer, signed: { jwks: { keys: [key.jwk] } } },
    ambient,
  );
  const day = 86_400;
  const longLived = { ...facts, exp: now + 30 * day };
  const yesterday = await signed({ token_introspection: longLived });
  server.routes.set("/introspect", () => ({ body: yesterday, headers: { "content-type": mediaType } }));
  t.true((await ask(source)).record.facts.active);

  ambient.now += day * 1000;
  const revoked = await signed({ iat: now + day, token_introspection: { active: false } });
  server.routes.set("/introspect", () => ({ body: revoked, headers: { "content-type": mediaType } }));
  t.false((await ask(source)).record.facts.active);
  proxy.fault = { kind: "replace", headers: { "content-type": mediaType }, body: yesterday };
  await malformed(t, ask(source), /too old/);
});

test("how old an answer may be, and how far ahead the issuer's clock, is chosen", async (t) => {
  const { source, answer } = await start9701(t, { maxAge: 5, clockTolerance: 0 });
  for (const [iat, reason] of [
    [now, undefined],
    [now - 5, undefined],
    [now - 5.5, /too old/],
    [now + 0.5, /future/],
  ] as const) {
    answer(await signed({ iat }));
    if (reason === undefined) t.true((await ask(source)).record.facts.active);
    else await malformed(t, ask(source), reason);
  }
});

test("a top-level sub and exp count for nothing", async (t) => {
  const { source, answer } = await start9701(t);
  answer(await signed({ sub: "admin", exp: now - 1, scope: "admin" }));
  const { record } = await ask(source);
  t.like("accessToken" in record ? record.accessToken : {}, { sub: "user", exp: now + 60, scopes: ["read"] });
});

test("issuer and audience of the answers can be others than the endpoint's", async (t) => {
  const { source, answer } = await start9701(t, { issuer: "https://signer.example", audience: "https://api.example" });
  answer(await signed({ iss: "https://signer.example", aud: ["https://api.example"] }));
  t.true((await ask(source)).record.facts.active);
  answer(await signed());
  await malformed(t, ask(source), /issuer/);
});

test("keys are fetched, and keys that cannot be had are an outage", async (t) => {
  const keys = await startScriptedServer();
  t.teardown(() => keys.stop());
  const { source, answer } = await start9701(t, { jwksUri: `${keys.url}/jwks` });
  answer(await signed());
  await t.throwsAsync(ask(source), { instanceOf: IntrospectionUnavailable });
  keys.routes.set("/jwks", () => ({ json: { keys: [key.jwk] } }));
  t.true((await ask(source)).record.facts.active);
  t.is(keys.requests.length, 2);
});
