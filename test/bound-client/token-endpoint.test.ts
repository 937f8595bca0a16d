import test from "ava";
import {
  AuthorizationServerMalformed,
  AuthorizationServerUnavailable,
  TokenRequestRefused,
} from "../../src/bound-client/token-errors.ts";
import { k1, startRecorder, startWorld } from "./outbound-world.ts";

const oauth = "/.well-known/oauth-authorization-server";
const openid = "/.well-known/openid-configuration";

test("the alias is used when present, else the plain endpoint", async (t) => {
  const { client, authorizationServer, documents } = await startWorld(t);
  const plainHost = await startRecorder(t);
  const issuer = authorizationServer.url;
  const alias = `${issuer}/token?by=alias`;
  const plain = `${issuer}/token?by=plain`;
  documents.set(oauth, {
    issuer,
    token_endpoint: `${plainHost.url}/token`,
    mtls_endpoint_aliases: { token_endpoint: alias },
  });
  const { accessToken } = await client({ authorizationServer: { issuer } }).accessToken();
  t.truthy(accessToken);
  t.deepEqual(
    authorizationServer.seen.map(({ path }) => path),
    [oauth, "/token?by=alias"],
  );
  t.is(authorizationServer.seen[1]?.x5tS256, k1.x5tS256);
  t.deepEqual(plainHost.seen, []);
  for (const aliases of [
    {},
    { mtls_endpoint_aliases: {} },
    { mtls_endpoint_aliases: { introspection_endpoint: `${issuer}/introspect` } },
  ]) {
    documents.set(oauth, { issuer, token_endpoint: plain, ...aliases });
    await client({ authorizationServer: { issuer } }).accessToken();
    t.is(authorizationServer.seen.at(-1)?.path, "/token?by=plain");
    await client({ authorizationServer: { metadata: { token_endpoint: plain, ...aliases } } }).accessToken();
  }
});

test("8705-5-c: members of the alias object that are no endpoints have no effect", async (t) => {
  const { client, authorizationServer, documents } = await startWorld(t);
  const issuer = authorizationServer.url;
  documents.set(oauth, {
    issuer,
    scopes_supported: ["read"],
    token_endpoint: `${issuer}/token`,
    mtls_endpoint_aliases: {
      issuer: "https://another.example",
      scopes_supported: ["write"],
      token_endpoint_auth_methods_supported: ["none"],
      token_endpoint: `${issuer}/token?by=alias`,
    },
  });
  const { scopes } = await client({ authorizationServer: { issuer }, scope: "read" }).accessToken();
  t.deepEqual(scopes, ["read"]);
  const [, asked] = authorizationServer.seen;
  t.is(asked?.path, "/token?by=alias");
  t.deepEqual([...new URLSearchParams(asked?.body).keys()], ["grant_type", "client_id", "scope"]);
});

test("metadata is looked up where RFC 8414 puts it, then where OpenID does, once", async (t) => {
  const { client, authorizationServer, documents } = await startWorld(t);
  const { url } = authorizationServer;
  for (const [issuer, path] of [
    [url, oauth],
    [`${url}/`, oauth],
    [`${url}/tenant/1`, `${oauth}/tenant/1`],
    [url, openid],
    [`${url}/tenant/1`, `/tenant/1${openid}`],
  ] as const) {
    documents.clear();
    documents.set(path, { issuer, token_endpoint: `${url}/token` });
    const bound = client({ authorizationServer: { issuer } });
    authorizationServer.seen.length = 0;
    await bound.accessToken();
    await bound.accessToken({ scope: "read" });
    const before = path.includes(openid) ? [path.endsWith(`1${openid}`) ? `${oauth}/tenant/1` : oauth] : [];
    t.deepEqual(
      authorizationServer.seen.map(({ path }) => path),
      [...before, path, "/token", "/token"],
    );
  }
});

test("the metadata is read again after a token request that failed: the endpoint may have moved", async (t) => {
  const { client, authorizationServer, documents } = await startWorld(t);
  const issuer = authorizationServer.url;
  documents.set(oauth, { issuer, token_endpoint: `${issuer}/moved` });
  const bound = client({ authorizationServer: { issuer } });
  await t.throwsAsync(bound.accessToken());
  documents.set(oauth, { issuer, token_endpoint: `${issuer}/token` });
  t.truthy((await bound.accessToken()).accessToken);
});

const right = { issuer: "", token_endpoint: "https://as.example/token" };
for (const [what, document] of Object.entries<unknown>({
  "of another issuer": { ...right, issuer: "https://another.example" },
  "of an issuer with one slash more": (issuer: string) => ({ ...right, issuer: `${issuer}/` }),
  "without an issuer": { token_endpoint: right.token_endpoint },
  "without an endpoint": (issuer: string) => ({ issuer }),
  "with an endpoint of plain HTTP": (issuer: string) => ({ issuer, token_endpoint: "http://as.example/token" }),
  "with an endpoint that has a fragment": (issuer: string) => ({
    issuer,
    token_endpoint: "https://as.example/token#a",
  }),
  "with an alias of plain HTTP": (issuer: string) => ({
    ...right,
    issuer,
    mtls_endpoint_aliases: { token_endpoint: "http://as.example/token" },
  }),
  "with an alias that is no text": (issuer: string) => ({
    ...right,
    issuer,
    mtls_endpoint_aliases: { token_endpoint: 1 },
  }),
  "with aliases that are no object": (issuer: string) => ({
    ...right,
    issuer,
    mtls_endpoint_aliases: [`${issuer}/token`],
  }),
  "that is no object": [],
})) {
  test(`metadata ${what} is refused, and no token asked for`, async (t) => {
    const { client, authorizationServer, documents } = await startWorld(t);
    const issuer = authorizationServer.url;
    documents.set(oauth, typeof document === "function" ? (document as (issuer: string) => unknown)(issuer) : document);
    const error = await t.throwsAsync(client({ authorizationServer: { issuer } }).accessToken(), {
      instanceOf: AuthorizationServerMalformed,
    });
    t.notRegex(error.message, /example|localhost/);
    t.deepEqual(
      authorizationServer.seen.map(({ path }) => path),
      [oauth],
    );
  });
}

test("metadata that is nowhere, or behind a redirect, is refused; a server that fails is unavailable", async (t) => {
  const { client, authorizationServer } = await startWorld(t);
  const bound = client({ authorizationServer: { issuer: authorizationServer.url } });
  await t.throwsAsync(bound.accessToken(), { instanceOf: AuthorizationServerMalformed, message: /well-known/ });
  authorizationServer.respond = (_, response) => response.writeHead(302, { location: "/token" }).end();
  await t.throwsAsync(bound.accessToken(), { instanceOf: AuthorizationServerMalformed, message: /302/ });
  authorizationServer.respond = (_, response) => response.writeHead(503).end();
  await t.throwsAsync(bound.accessToken(), { instanceOf: AuthorizationServerUnavailable, code: "HTTP_503" });
});

const token = { access_token: "abc-._~+/=", token_type: "Bearer", expires_in: 60 };
const json = "application/json";

for (const [what, status, type, body] of [
  ["a token", 200, json, token],
  ["the type in other letters", 200, json, { ...token, token_type: "bEARER" }],
  ["a media type with parameters", 200, "application/json; charset=utf-8", token],
  ["unknown members", 200, json, { ...token, example: { a: 1 }, refresh_token: "r" }],
] as const) {
  test(`the token endpoint answers ${what}: accepted`, async (t) => {
    const { client, authorizationServer } = await startWorld(t);
    authorizationServer.respond = (_, response) =>
      response.writeHead(status, { "content-type": type }).end(JSON.stringify(body));
    t.is((await client().accessToken()).accessToken, token.access_token);
  });
}

for (const [what, status, type, body] of [
  ["no token", 200, json, { ...token, access_token: undefined }],
  ["an empty token", 200, json, { ...token, access_token: "" }],
  ["a token that would end the header", 200, json, { ...token, access_token: "a\r\nx-evil: 1" }],
  ["a token with a blank", 200, json, { ...token, access_token: "a b" }],
  ["a token that is no text", 200, json, { ...token, access_token: 1 }],
  ["a token of 20,000 characters", 200, json, { ...token, access_token: "a".repeat(20_000) }],
  ["no type", 200, json, { ...token, token_type: undefined }],
  ["the type DPoP", 200, json, { ...token, token_type: "DPoP" }],
  ["no life", 200, json, { ...token, expires_in: undefined }],
  ["a life as text", 200, json, { ...token, expires_in: "60" }],
  ["a life of nothing", 200, json, { ...token, expires_in: 0 }],
  ["a scope that is no text", 200, json, { ...token, scope: ["read"] }],
  ["an array", 200, json, [token]],
  ["HTML", 200, "text/html", "<p>"],
  ["JSON that says it is text", 200, "text/plain", token],
  ["a redirect", 307, json, token],
  ["an error without a body", 404, json, undefined],
  ["an error that is no OAuth error", 400, json, { message: "no" }],
  ["more than a mebibyte", 200, json, { ...token, more: "x".repeat(1_100_000) }],
] as const) {
  test(`the token endpoint answers ${what}: refused as malformed`, async (t) => {
    const { client, authorizationServer } = await startWorld(t);
    authorizationServer.respond = (_, response) =>
      response.writeHead(status, { "content-type": type, location: "/token" }).end(JSON.stringify(body));
    await t.throwsAsync(client().accessToken(), { instanceOf: AuthorizationServerMalformed });
    t.is(authorizationServer.seen.length, 1);
  });
}

test("an OAuth error is reported with its code, its cleaned description and the status", async (t) => {
  const { client, authorizationServer } = await startWorld(t);
  const error = { error: "invalid_scope", error_description: 'no\r\n"scope" é\u{1F600}' };
  for (const status of [400, 401, 403]) {
    authorizationServer.respond = (_, response) =>
      response.writeHead(status, { "content-type": json }).end(JSON.stringify(error));
    const told = await t.throwsAsync(client().accessToken(), {
      instanceOf: TokenRequestRefused,
      code: "invalid_scope",
    });
    t.deepEqual([told.status, told.errorDescription], [status, "no???scope? ??"]);
    t.regex(told.message, /invalid_scope \(no\?\?\?scope\? \?\?\)/);
  }
});

test("no answer, one that comes too late, 429 and 5xx, an OAuth error with them or not, mean unavailable", async (t) => {
  const { client, authorizationServer } = await startWorld(t);
  for (const status of [429, 500, 502, 503, 504]) {
    authorizationServer.respond = (_, response) =>
      response.writeHead(status, { "content-type": json }).end('{"error":"server_error"}');
    await t.throwsAsync(client().accessToken(), { instanceOf: AuthorizationServerUnavailable, code: `HTTP_${status}` });
  }
  authorizationServer.respond = (request) => request.socket.destroy();
  await t.throwsAsync(client().accessToken(), { instanceOf: AuthorizationServerUnavailable, code: "ECONNRESET" });
  authorizationServer.respond = () => undefined;
  await t.throwsAsync(client({ timeout: 50 }).accessToken(), {
    instanceOf: AuthorizationServerUnavailable,
    code: "ETIMEDOUT",
  });
  const stranger = client({ ca: undefined as never });
  await t.throwsAsync(stranger.accessToken(), {
    instanceOf: AuthorizationServerUnavailable,
    code: "UNABLE_TO_VERIFY_LEAF_SIGNATURE",
  });
});
