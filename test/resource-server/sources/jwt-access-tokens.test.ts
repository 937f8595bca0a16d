import { createHmac, sign } from "node:crypto";
import test, { type ExecutionContext } from "ava";
import { AccessTokenRefused } from "../../../src/resource-server/refusal/access-token-refused.ts";
import {
  IntrospectionMalformed,
  IntrospectionUnavailable,
} from "../../../src/resource-server/refusal/introspection-unavailable.ts";
import type { FactsSource } from "../../../src/resource-server/sources/facts-source.ts";
import { readIntrospection } from "../../../src/resource-server/sources/introspection-answer.ts";
import {
  jwtAccessTokens,
  type JwtAccessTokensOptions,
} from "../../../src/resource-server/sources/jwt-access-tokens.ts";
import { createAuthority } from "../../support/certificates.ts";
import { patient, protectWith } from "../../support/endpoint-source.ts";
import { startFaultProxy } from "../../support/fault-proxy.ts";
import {
  accessTokenClaims,
  assembleJwt,
  audience,
  createSigningKey,
  issuer,
  type SigningKey,
  signJwt,
} from "../../support/jwt-issuer.ts";
import { readChallenge } from "../../support/read-challenge.ts";
import { otherX5tS256, start, x5tS256 } from "../../support/scripted-backend.ts";
import { startScriptedServer } from "../../support/scripted-server.ts";

const key = createSigningKey();
const stranger = createSigningKey();
const now = start / 1000;

function open(t: ExecutionContext, options: Partial<JwtAccessTokensOptions> = {}) {
  const keys = "jwksUri" in options || "jwks" in options ? {} : { jwks: { keys: [key.jwk] } };
  const source = jwtAccessTokens({ issuer, audience, timeout: patient, ...keys, ...options });
  const api = protectWith(t, { source });
  return {
    source,
    authorize: (token: string, thumbprint = x5tS256) =>
      api.authorize({ token, certificate: { x5tS256: thumbprint }, requirement: { scopes: ["read"] } }),
  };
}

const jwt = (change: Record<string, unknown> = {}, header: Record<string, unknown> = {}, by: SigningKey = key) =>
  signJwt(by, accessTokenClaims(change), header);

/** 401 and invalid_token, the operator told why, and the token in nothing. */
async function refused(t: ExecutionContext, authorize: Promise<unknown>, reason?: RegExp): Promise<void> {
  const error = await t.throwsAsync(authorize, { instanceOf: AccessTokenRefused });
  t.is(error.status, 401);
  t.is(readChallenge(error.challenge).parameters.get("error"), "invalid_token");
  if (reason !== undefined) t.regex(error.reason, reason);
  t.false(JSON.stringify(error.headers).includes("typ"));
}

test("a token is read from its own claims, the binding among them", async (t) => {
  const { authorize } = open(t);
  const claims = accessTokenClaims();
  const token = await signJwt(key, claims);
  const accessToken = await authorize(token);
  t.like(accessToken, { issuer, sub: "user", clientId: "4711", scopes: ["read"], audience: [audience], x5tS256 });
  t.deepEqual(accessToken.claims, claims);
  t.true(Object.isFrozen(accessToken.claims));
  await refused(t, authorize(token, otherX5tS256), /another certificate/);
  await t.throwsAsync(authorize(await jwt({ scope: undefined })), { message: /scopes/ });
  await t.throwsAsync(authorize(await jwt({ cnf: { jkt: x5tS256 } })), { message: /not checked here/ });
  await t.throwsAsync(authorize(await jwt({ cnf: undefined })), { message: /not certificate-bound/ });
});

for (const alg of ["RS256", "PS256", "ES256", "EdDSA"] as const) {
  test(`${alg} is accepted without any option, and not when another is wanted`, async (t) => {
    const own = createSigningKey(alg);
    const token = await jwt({}, {}, own);
    await t.notThrowsAsync(open(t, { jwks: { keys: [own.jwk] } }).authorize(token));
    const algorithms = [alg === "ES256" ? "RS256" : "ES256"];
    await refused(t, open(t, { jwks: { keys: [own.jwk] }, algorithms }).authorize(token), /algorithm/);
  });
}

for (const typ of ["at+jwt", "application/at+jwt", "AT+JWT", "Application/At+Jwt"]) {
  test(`typ ${typ} is an access token's`, async (t) => {
    await t.notThrowsAsync(open(t).authorize(await jwt({}, { typ })));
  });
}

const otherTypes: Record<string, [typ: unknown, change?: Record<string, unknown>]> = {
  "an ID token": ["JWT", { nonce: "n", at_hash: "h" }],
  "an ID token without typ": [undefined, { nonce: "n" }],
  "a DPoP proof": ["dpop+jwt", { htm: "GET", htu: audience, ath: "h" }],
  "a logout token": ["logout+jwt", { events: { "http://schemas.openid.net/event/backchannel-logout": {} } }],
  "an introspection answer": ["token-introspection+jwt", { token_introspection: { active: true } }],
  "a request object": ["oauth-authz-req+jwt"],
  "a client assertion": ["client-authentication+jwt"],
  "another prefix": ["text/at+jwt"],
  "a number": [1],
  "an array": [["at+jwt"]],
  "an empty typ": [""],
};
for (const [what, [typ, change]] of Object.entries(otherTypes)) {
  test(`refused by its typ: ${what}`, async (t) => {
    await refused(t, open(t).authorize(await jwt(change, { typ })), /typ/);
  });
}

test("a JWT whose payload names another kind of token is rejected, at+jwt or not", async (t) => {
  const { authorize } = open(t);
  for (const change of [{ typ: "Refresh" }, { typ: "ID" }, { token_use: "id" }, { token_type: "refresh_token" }]) {
    await refused(t, authorize(await jwt(change)), /it is not an access token/);
  }
  for (const change of [{ typ: "Bearer" }, { typ: "at+jwt" }, { token_use: "access" }]) {
    await t.notThrowsAsync(authorize(await jwt(change)));
  }
});

test("a thumbprint beside cnf binds a JWT, and must agree with cnf", async (t) => {
  const api = protectWith(t, { source: open(t).source });
  const opens = async (change: Record<string, unknown>) => {
    const token = await jwt({ cnf: undefined, ...change });
    const holds = (certificate: { x5tS256: string } | undefined) =>
      api.authorize({ token, certificate, requirement: { binding: "if-bound" } }).then(
        () => true,
        () => false,
      );
    return Promise.all([holds({ x5tS256 }), holds({ x5tS256: otherX5tS256 }), holds(undefined)]);
  };
  t.deepEqual(await opens({}), [true, true, true], "unbound");
  t.deepEqual(await opens({ "x5t#S256": x5tS256 }), [true, false, false]);
  t.deepEqual(await opens({ "x5t#S256": x5tS256, cnf: { "x5t#S256": x5tS256 } }), [true, false, false]);
  for (const change of [
    { "x5t#S256": x5tS256, cnf: { "x5t#S256": otherX5tS256 } },
    { "x5t#s256": x5tS256 },
    { certificate_thumbprint: x5tS256 },
  ]) {
    t.deepEqual(await opens(change), [false, false, false], JSON.stringify(change));
  }
});

test("9068-4-a: an ID token, a DPoP proof and a logout token are refused by their typ", async (t) => {
  const { authorize } = open(t);
  for (const what of ["an ID token", "a DPoP proof", "a logout token"]) {
    const [typ, change] = otherTypes[what] ?? [];
    await refused(t, authorize(await jwt(change, { typ })), /typ/);
  }
});

test("9701-5-d: a signed introspection answer that is presented as a Bearer token is refused by its typ", async (t) => {
  const answer = { iss: issuer, aud: audience, iat: now, token_introspection: accessTokenClaims({ active: true }) };
  const { authorize } = open(t);
  for (const typ of ["token-introspection+jwt", "application/token-introspection+jwt"]) {
    await refused(t, authorize(await signJwt(key, answer, { typ })), /typ/);
    await refused(t, authorize(await signJwt(key, { ...accessTokenClaims(), ...answer }, { typ })), /typ/);
  }
});

test("9068-4-b: iss must be the issuer exactly: no slash, case or part of it", async (t) => {
  const { authorize } = open(t);
  await t.notThrowsAsync(authorize(await jwt()));
  for (const iss of [
    `${issuer}/`,
    issuer.toUpperCase(),
    issuer.slice(0, -1),
    `${issuer}.evil`,
    "",
    [issuer],
    null,
    undefined,
  ]) {
    await refused(t, authorize(await jwt({ iss })), /issuer/);
  }
});

test("9068-4-c: aud must have a name of this API: as text or in an array, not missing, empty or an object", async (t) => {
  const { authorize } = open(t, { audience: [audience, "urn:api"] });
  for (const aud of [audience, "urn:api", [audience], ["https://x.example", "urn:api"]]) {
    await t.notThrowsAsync(authorize(await jwt({ aud })));
  }
  for (const aud of [
    "https://x.example",
    `${audience}/`,
    ["https://x.example"],
    undefined,
    "",
    [],
    {},
    null,
    [[audience]],
    { 0: audience },
  ]) {
    await refused(t, authorize(await jwt({ aud })), /aud/);
  }
});

const unsigned = ["none", "None", "NONE", "nOnE", "none ", "", "null"];
test("9068-4-d (the confusion set): unsigned, signed with a public key as secret or with an own key: refused", async (t) => {
  const { authorize } = open(t);
  const good = await jwt();
  const [, , signature = ""] = good.split(".");
  for (const alg of [...unsigned, null, undefined, 0]) {
    for (const given of ["", signature]) {
      await refused(t, authorize(assembleJwt({ alg, kid: key.kid, typ: "at+jwt" }, accessTokenClaims(), given)));
    }
  }

  const pem = key.publicKey.export({ type: "spki", format: "pem" });
  const secrets = [
    pem,
    String(pem).trim(),
    key.publicKey.export({ type: "spki", format: "der" }),
    JSON.stringify(key.jwk),
  ];
  for (const secret of secrets) {
    const head = assembleJwt({ alg: "HS256", kid: key.kid, typ: "at+jwt" }, accessTokenClaims(), "").slice(0, -1);
    const mac = createHmac("sha256", secret).update(head).digest("base64url");
    await refused(t, authorize(`${head}.${mac}`), /algorithm/);
  }

  const { jwk } = stranger;
  for (const header of [
    { jwk, kid: undefined },
    { jwk, kid: key.kid },
    { jku: "https://evil.example/jwks", kid: "k1" },
    { x5u: "https://evil.example/cert" },
    { x5c: [createAuthority({ subject: "CN=evil" }).certificate.der.toString("base64")] },
    { kid: "../../../dev/null" },
    { kid: "' OR 1=1" },
    { kid: "unknown" },
    { kid: undefined },
    { kid: 1 },
  ]) {
    await refused(t, authorize(await jwt({}, header, stranger)));
  }
  await refused(t, authorize(await jwt({}, { kid: "unknown" })), /no key/);

  const [head, body] = good.split(".");
  await refused(t, authorize(`${head}.${body}.${Buffer.alloc(64).toString("base64url")}`), /signature/);
  const der = sign("sha256", Buffer.from(`${head}.${body}`), key.privateKey);
  await refused(t, authorize(`${head}.${body}.${der.toString("base64url")}`), /signature/);
  const changed = assembleJwt({}, accessTokenClaims({ sub: "admin" }), "").split(".")[1];
  await refused(t, authorize(`${head}.${changed}.${signature}`), /signature/);
  await t.notThrowsAsync(authorize(good));
});

test("a token that was signed with an algorithm that its key is not for is refused", async (t) => {
  const rsa = createSigningKey("RS256");
  const token = await jwt({}, { alg: "PS256" }, rsa);
  await refused(t, open(t, { jwks: { keys: [{ ...rsa.jwk, alg: "RS256" }] } }).authorize(token), /no key/);
});

test("unknown critical header parameters are rejected, and b64 with them", async (t) => {
  const { authorize } = open(t);
  const head = { alg: "ES256", kid: key.kid, typ: "at+jwt" };
  for (const extra of [{ crit: ["exp"], exp: 1 }, { crit: ["b64"], b64: false }, { crit: [] }, { crit: null }]) {
    const unsignedText = assembleJwt({ ...head, ...extra }, accessTokenClaims(), "").slice(0, -1);
    const signature = sign("sha256", Buffer.from(unsignedText), { key: key.privateKey, dsaEncoding: "ieee-p1363" });
    await refused(t, authorize(`${unsignedText}.${signature.toString("base64url")}`), /critical/);
  }
});

test("a payload that is said to be unencoded is refused, though nothing calls that critical", async (t) => {
  const { authorize } = open(t);
  for (const b64 of [false, "false", 0, null]) await refused(t, authorize(await jwt({}, { b64 })), /b64/);
  await t.notThrowsAsync(authorize(await jwt()));
});

const instants: Record<string, [exp: unknown, accepted: boolean]> = {
  missing: [undefined, false],
  null: [null, false],
  text: [String(now + 60), false],
  "a fraction, later": [now + 60.5, true],
  "a fraction of this second": [now + 0.5, false],
  negative: [-1, false],
  "2^53 + 1": [2 ** 53 + 1, false],
  "1e400": [Number.MAX_VALUE, false],
  milliseconds: [start + 60_000, false],
  past: [now - 1, false],
  "exactly now": [now, false],
  "a second from now": [now + 1, true],
};
test("9068-4-e: only a token whose exp is a number and later than now is accepted", async (t) => {
  const { authorize } = open(t);
  for (const [what, [exp, accepted]] of Object.entries(instants)) {
    const token = await jwt({ exp });
    if (accepted) await t.notThrowsAsync(authorize(token), what);
    else await refused(t, authorize(token));
  }
});

test("9068-4-f: every defect is 401 with error=invalid_token, with the reason for the operator alone", async (t) => {
  const { authorize } = open(t);
  const good = await jwt();
  const defects = [
    await jwt({}, { typ: "JWT" }),
    await jwt({ iss: "https://other.example" }),
    await jwt({ aud: "https://other.example" }),
    await jwt({}, {}, stranger),
    assembleJwt({ alg: "none", typ: "at+jwt" }, accessTokenClaims(), ""),
    ...(await Promise.all(
      Object.values(instants)
        .filter(([, accepted]) => !accepted)
        .map(([exp]) => jwt({ exp })),
    )),
  ];
  const bodies = new Set<string>();
  for (const token of defects) {
    const error = await t.throwsAsync(authorize(token), { instanceOf: AccessTokenRefused });
    t.is(error.status, 401);
    bodies.add(error.challenge);
  }
  t.deepEqual([...bodies], ['Bearer error="invalid_token"']);
  await t.notThrowsAsync(authorize(good));
});

test("9068-x: only a JWT's canonical string is a token, and a revoked one stays rejected in each variant", async (t) => {
  const revoked = new Set<string>();
  const introspection: FactsSource = {
    ask: (token) =>
      Promise.resolve({
        record: readIntrospection(revoked.has(token) ? { active: false } : { ...accessTokenClaims(), active: true }),
        invalidationKeys: [],
        size: 1,
        reusable: false,
      }),
    close: () => Promise.resolve(),
  };
  const alone = open(t);
  const backed = jwtAccessTokens({ issuer, audience, jwks: { keys: [key.jwk] }, introspection });
  const api = protectWith(t, { source: backed, cache: false });
  const token = await jwt();
  const [head = "", body = "", signature = ""] = token.split(".");
  const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
  const tail = alphabet[alphabet.indexOf(signature.at(-1) ?? "") + 1] ?? "";
  const otherBits = `${head}.${body}.${signature.slice(0, -1)}${tail}`;
  t.true(Buffer.from(signature.slice(0, -1) + tail, "base64url").equals(Buffer.from(signature, "base64url")));
  const variants = [
    `${token}==`,
    `${token}=`,
    otherBits,
    `${token} `,
    `${token}\n`,
    `${token}\r\n`,
    ` ${token}`,
    `${head}=.${body}.${signature}`,
  ];
  const ask = (text: string) => api.authorize({ token: text, certificate: { x5tS256 } });
  await t.notThrowsAsync(alone.authorize(token));
  await t.notThrowsAsync(ask(token));
  for (const variant of variants) {
    await refused(t, alone.authorize(variant));
    await refused(t, ask(variant));
  }
  revoked.add(token);
  for (const variant of [token, ...variants]) await refused(t, ask(variant));
});

test("nbf is checked, and a tolerance moves both ends; the token's own values stay unchanged", async (t) => {
  const strict = open(t);
  await refused(t, strict.authorize(await jwt({ nbf: now + 5 })), /not valid yet/);
  await t.notThrowsAsync(strict.authorize(await jwt({ nbf: now })));
  const tolerant = open(t, { clockTolerance: 10 });
  t.is((await tolerant.authorize(await jwt({ exp: now - 9 }))).exp, now - 9);
  t.is((await tolerant.authorize(await jwt({ nbf: now + 10 }))).nbf, now + 10);
  await refused(t, tolerant.authorize(await jwt({ exp: now - 10 })), /expired/);
  await refused(t, tolerant.authorize(await jwt({ nbf: now + 11 })), /not valid yet/);
});

for (const [what, change] of Object.entries({
  "scope as an array": { scope: ["read"] },
  "sub as a number": { sub: 1 },
  "nbf as text": { nbf: String(now) },
  "client_id as an object": { client_id: {} },
})) {
  test(`claims of a wrong shape are refused, not repaired: ${what}`, async (t) => {
    await refused(t, open(t).authorize(await jwt(change)), /wrong type/);
  });
}

test("a token that has the binding among its scopes does not count as unbound", async (t) => {
  const { authorize } = open(t);
  await refused(t, authorize(await jwt({ cnf: undefined, scope: `read x5t#SHA256:${x5tS256}` })));
});

// Keys.

async function startKeys(t: ExecutionContext) {
  const authority = createAuthority({ subject: "CN=AS CA" });
  const certificate = authority.issue({ subject: "CN=as", san: [{ ip: "127.0.0.1" }] });
  const server = await startScriptedServer({ cert: certificate.pem, key: certificate.key });
  const keys: Record<string, unknown>[] = [key.jwk];
  server.routes.set("/jwks", () => ({ json: { keys } }));
  t.teardown(() => server.stop());
  return { server, keys, tls: { ca: authority.certificate.pem }, jwksUri: `${server.url}/jwks` };
}

test("keys are fetched when first needed, over verified TLS, once for many", async (t) => {
  const { server, tls, jwksUri } = await startKeys(t);
  const { authorize } = open(t, { jwksUri, tls });
  t.is(server.requests.length, 0);
  const tokens = await Promise.all(Array.from({ length: 20 }, (_, n) => jwt({ jti: String(n) })));
  await Promise.all(tokens.map((token) => authorize(token)));
  t.is(server.requests.length, 1);
  t.is(server.requests[0]?.headers.authorization, undefined);
  const untrusting = open(t, { jwksUri });
  const error = await t.throwsAsync(untrusting.authorize(await jwt()), { instanceOf: IntrospectionUnavailable });
  t.regex(error.reason, /certificate is not accepted/);
});

test("keys are found by the issuer's metadata, and the metadata must be that issuer's", async (t) => {
  const { server, tls, jwksUri } = await startKeys(t);
  const found = server.url;
  server.routes.set("/.well-known/oauth-authorization-server", () => ({ json: { issuer: found, jwks_uri: jwksUri } }));
  const source = jwtAccessTokens({ issuer: found, audience, tls, timeout: patient });
  const api = protectWith(t, { source });
  const token = await jwt({ iss: found });
  t.is((await api.authorize({ token, certificate: { x5tS256 } })).issuer, found);
  server.routes.set("/.well-known/oauth-authorization-server", () => ({ json: { issuer, jwks_uri: jwksUri } }));
  const misled = protectWith(t, { source: jwtAccessTokens({ issuer: found, audience, tls, timeout: patient }) });
  await t.throwsAsync(misled.authorize({ token, certificate: { x5tS256 } }), { instanceOf: IntrospectionMalformed });
});

test("a flood of tokens with unknown keys fetches the key set no more", async (t) => {
  const { server, tls, jwksUri } = await startKeys(t);
  const { authorize } = open(t, { jwksUri, tls });
  await authorize(await jwt());
  for (let n = 0; n < 20; n++) await refused(t, authorize(await jwt({ jti: n }, { kid: `x${n}` }, stranger)), /no key/);
  t.is(server.requests.length, 1);
});

test("a token that names another issuer or is no access token causes no fetch", async (t) => {
  const { server, tls, jwksUri } = await startKeys(t);
  const { authorize } = open(t, { jwksUri, tls });
  for (const token of ["opaque", await jwt({ iss: "https://x.example" }), await jwt({}, { typ: "JWT" })]) {
    await refused(t, authorize(token));
  }
  t.is(server.requests.length, 0);
});

test("metadata that could not be had for the keys are fetched anew for the next token", async (t) => {
  const { server, tls, jwksUri } = await startKeys(t);
  const { authorize } = open(t, { issuer: server.url, jwks: undefined as never, tls });
  const token = await jwt({ iss: server.url });
  await t.throwsAsync(authorize(token), { instanceOf: IntrospectionUnavailable });
  const metadata = { issuer: server.url, jwks_uri: jwksUri };
  server.routes.set("/.well-known/oauth-authorization-server", () => ({ json: metadata }));
  t.is((await authorize(token)).sub, "user");
});

test("keys with which anybody could sign are not used, though the issuer publishes them", async (t) => {
  const { server, tls, jwksUri } = await startKeys(t);
  const rsa = createSigningKey("RS256");
  for (const keys of [
    [{ ...rsa.jwk, e: "AQ" }],
    [{ ...rsa.jwk, e: "AAAB" }],
    [{ kty: "oct", kid: rsa.kid, k: "AAAA" }],
  ]) {
    server.routes.set("/jwks", () => ({ json: { keys } }));
    await refused(t, open(t, { jwksUri, tls }).authorize(await jwt({}, {}, rsa)), /no key for it/);
  }
});

test("of keys without names only five are tried, so that the cost of a token is bounded", async (t) => {
  const unnamed = (one: SigningKey) => ({ ...one.jwk, kid: undefined });
  const others = Array.from({ length: 5 }, () => unnamed(createSigningKey()));
  const nameless = await jwt({}, { kid: undefined });
  await t.notThrowsAsync(open(t, { jwks: { keys: [...others.slice(1), unnamed(key)] } }).authorize(nameless));
  await refused(t, open(t, { jwks: { keys: [...others, unnamed(key)] } }).authorize(nameless), /too many keys/);
});

test("two keys without names are both tried", async (t) => {
  const unnamed = (one: SigningKey) => ({ ...one.jwk, kid: undefined });
  const { authorize } = open(t, { jwks: { keys: [unnamed(stranger), unnamed(key)] } });
  await t.notThrowsAsync(authorize(await jwt({}, { kid: undefined })));
  await refused(t, authorize(await jwt({}, { kid: undefined }, createSigningKey())), /signature/);
});

for (const [what, answer] of Object.entries({
  "500": { status: 500 },
  "404": { status: 404 },
  "a redirect": { status: 302, headers: { location: "/elsewhere" } },
  "a page": { headers: { "content-type": "text/html" }, body: "<html>" },
  "no JSON": { headers: { "content-type": "application/json" }, body: "{" },
  "no key set": { json: { keys: "none" } },
  null: { json: null },
  "10 MiB": { headers: { "content-type": "application/json" }, body: `{"keys":[],"x":"${"x".repeat(10_485_760)}"}` },
})) {
  test(`a key set that cannot be had is an outage, and no word about the token: ${what}`, async (t) => {
    const { server, tls, jwksUri } = await startKeys(t);
    const { authorize } = open(t, { jwksUri, tls });
    const token = await jwt();
    server.routes.set("/jwks", () => answer);
    const error = await t.throwsAsync(authorize(token));
    t.true(error instanceof IntrospectionUnavailable || error instanceof IntrospectionMalformed);
    server.routes.set("/jwks", () => ({ json: { keys: [key.jwk] } }));
    t.is((await authorize(token)).sub, "user");
  });
}

test("a key set that never comes is an outage", async (t) => {
  const { server, tls } = await startKeys(t);
  const proxy = await startFaultProxy({ to: server.url });
  t.teardown(() => proxy.close());
  proxy.fault = { kind: "swallow" };
  const timeout = { attempt: 1000, total: 1000 };
  const { authorize } = open(t, { jwksUri: `${proxy.url}/jwks`, tls, timeout });
  await t.throwsAsync(authorize(await jwt()), { instanceOf: IntrospectionUnavailable });
});

// Backed by introspection.

function backedBy(t: ExecutionContext, answer: Record<string, unknown>) {
  const asked: string[] = [];
  let closed = false;
  const introspection: FactsSource = {
    ask(token) {
      asked.push(token);
      return Promise.resolve({
        record: readIntrospection(answer),
        invalidationKeys: ["token:1"],
        size: 9,
        reusable: false,
      });
    },
    close() {
      closed = true;
      return Promise.resolve();
    },
  };
  return { ...open(t, { introspection }), asked, isClosed: () => closed };
}
const answered = (change: Record<string, unknown> = {}) => ({ ...accessTokenClaims(change), active: true });

test("with introspection, a token rejected here is never sent; one accepted here must be active there", async (t) => {
  const { authorize, asked } = backedBy(t, { active: false });
  await refused(t, authorize(await jwt({}, {}, stranger)), /signature/);
  t.deepEqual(asked, []);
  const token = await jwt();
  await refused(t, authorize(token));
  t.deepEqual(asked, [token]);
});

test("with introspection, the facts and their keys are the answer's, and the source closes both", async (t) => {
  const { source, isClosed } = backedBy(t, answered({ scope: "write" }));
  const answer = await source.ask(await jwt(), { signal: new AbortController().signal });
  t.like(answer, { invalidationKeys: ["token:1"], reusable: false, size: 9 });
  t.deepEqual(answer.record.facts.active && answer.record.facts.scopes, ["write"]);
  await source.close();
  t.true(isClosed());
});

for (const change of [{ sub: "admin" }, { client_id: "1" }, { iss: "https://x.example" }]) {
  test(`an answer that contradicts the token is malformed: ${JSON.stringify(change)}`, async (t) => {
    const { authorize } = backedBy(t, answered(change));
    await t.throwsAsync(authorize(await jwt()), { instanceOf: IntrospectionMalformed, message: /contradicts/ });
  });
}

for (const [what, local, remote, opens] of [
  ["both bound alike", { "x5t#S256": x5tS256 }, { "x5t#S256": x5tS256 }, true],
  ["only the token bound", { "x5t#S256": x5tS256 }, undefined, true],
  ["only the answer bound", undefined, { "x5t#S256": x5tS256 }, true],
  ["bound to different certificates", { "x5t#S256": otherX5tS256 }, { "x5t#S256": x5tS256 }, false],
  ["the other way round", { "x5t#S256": x5tS256 }, { "x5t#S256": otherX5tS256 }, false],
  ["a binding in the token that is not checked", { jkt: "x" }, { "x5t#S256": x5tS256 }, false],
  ["a binding in the answer that is not checked", { "x5t#S256": x5tS256 }, { jkt: "x" }, false],
  ["a broken cnf in the answer", { "x5t#S256": x5tS256 }, null, false],
] as const) {
  test(`the stricter binding wins: ${what}`, async (t) => {
    const { source } = backedBy(t, answered({ cnf: remote }));
    const api = protectWith(t, { source });
    const token = await jwt({ cnf: local });
    const authorize = (certificate: { x5tS256: string } | undefined) =>
      api.authorize({ token, certificate, requirement: { binding: "if-bound" } });
    if (opens) t.is((await authorize({ x5tS256 })).x5tS256, x5tS256);
    else await refused(t, authorize({ x5tS256 }));
    await refused(t, authorize({ x5tS256: otherX5tS256 }));
    await refused(t, authorize(undefined));
  });
}

test("an answer that is meant for others narrows the token", async (t) => {
  const { authorize } = backedBy(t, answered({ aud: "https://x.example" }));
  await refused(t, authorize(await jwt()), /aud/);
});

test("an audience that the source checks causes no warning", async (t) => {
  const source = jwtAccessTokens({ issuer, audience, jwks });
  const api = protectWith(t, {
    source,
    onWarning: () => {
      t.fail();
    },
  });
  t.deepEqual((await api.authorize({ token: await jwt(), certificate: { x5tS256 } })).audience, [audience]);
});

test("the earlier expiry counts, and an answer without aud leaves the token's own", async (t) => {
  const { authorize } = backedBy(t, answered({ exp: now - 1, aud: undefined }));
  await refused(t, authorize(await jwt()), /expired/);
  const later = backedBy(t, answered({ exp: now + 3600, aud: undefined }));
  t.like(await later.authorize(await jwt()), { exp: now + 60, audience: [audience] });
});

test("with introspection, an expired or not yet valid token stays so, whatever the answer", async (t) => {
  const longLived = backedBy(t, answered({ exp: now + 3600, nbf: now - 3600 }));
  await refused(t, longLived.authorize(await jwt({ exp: now - 1 })), /expired/);
  await refused(t, longLived.authorize(await jwt({ nbf: now + 5 })), /not valid yet/);
  const later = backedBy(t, answered({ nbf: now + 5 }));
  await refused(t, later.authorize(await jwt({ nbf: now })), /not valid yet/);
});

// The hint, and the options.

test("claims is by the unverified iss, and by nothing else", async (t) => {
  const { source } = open(t);
  t.true(source.claims?.(await jwt()));
  t.true(source.claims?.(await jwt({}, {}, stranger)));
  t.false(source.claims?.(await jwt({ iss: `${issuer}/` })));
  t.false(source.claims?.("opaque"));
  t.false(source.claims?.(`${await jwt()}==`));
});

const jwks = { keys: [key.jwk] };
const wrong: Record<string, [message: RegExp, options: object]> = {
  "no issuer": [/^issuer /, { audience, jwks }],
  "no audience": [/^audience /, { issuer, jwks }],
  "an empty audience": [/^audience /, { issuer, jwks, audience: [] }],
  "an audience with an empty name": [/^audience /, { issuer, jwks, audience: [""] }],
  "the algorithm none": [/^algorithms /, { issuer, audience, jwks, algorithms: ["none"] }],
  "a shared secret's algorithm": [/^algorithms /, { issuer, audience, jwks, algorithms: ["ES256", "HS256"] }],
  "no algorithm": [/^algorithms /, { issuer, audience, jwks, algorithms: [] }],
  "algorithms as text": [/^algorithms /, { issuer, audience, jwks, algorithms: "ES256" }],
  "two places of keys": [/^jwks /, { issuer, audience, jwks, jwksUri: "https://as.example/jwks" }],
  "keys over plain HTTP": [/^jwksUri /, { issuer, audience, jwksUri: "http://as.example/jwks" }],
  "no keys in the set": [/^jwks /, { issuer, audience, jwks: { keys: [] } }],
  "a private key in the set": [
    /^jwks must have public keys/,
    { issuer, audience, jwks: { keys: [key.privateKey.export({ format: "jwk" })] } },
  ],
  "a secret in the set": [
    /^jwks must have public keys/,
    { issuer, audience, jwks: { keys: [{ kty: "oct", k: "AAAA" }] } },
  ],
  "an issuer to be discovered that is no URL": [/^issuer /, { issuer: "as", audience }],
  "a tolerance of an hour": [/^clockTolerance /, { issuer, audience, jwks, clockTolerance: 3600 }],
  "a negative tolerance": [/^clockTolerance /, { issuer, audience, jwks, clockTolerance: -1 }],
  "an unknown option": [/^aud /, { issuer, audience, jwks, aud: "x" }],
  "an invalid introspection": [/^introspection /, { issuer, audience, jwks, introspection: {} }],
  "another issuer's introspection": [
    /^introspection must be the same issuer's/,
    { issuer, audience, jwks, introspection: { issuer: "https://x.example", ask: () => undefined } },
  ],
};
for (const [what, [message, options]] of Object.entries(wrong)) {
  test(`an option is refused by its name: ${what}`, (t) => {
    const error = t.throws(() => jwtAccessTokens(options as never), { instanceOf: TypeError, message });
    t.like(error, { code: "ERR_INVALID_OPTION" });
  });
}
