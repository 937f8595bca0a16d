import { createPublicKey, generateKeyPairSync } from "node:crypto";
import { inspect } from "node:util";
import test, { type ExecutionContext } from "ava";
import { jwtVerify } from "jose";
import { BackendUntrusted } from "../../../src/api-client/backend-unavailable.ts";
import {
  IntrospectionMalformed,
  IntrospectionUnavailable,
} from "../../../src/resource-server/refusal/introspection-unavailable.ts";
import type { ClientAuthentication } from "../../../src/resource-server/sources/client-authentication.ts";
import { introspectionEndpoint } from "../../../src/resource-server/sources/introspection-source.ts";
import { createAuthority, type TestCertificate } from "../../support/certificates.ts";
import { ask, clientSecret, openEndpoint, patient, protectWith, token } from "../../support/endpoint-source.ts";
import { start, x5tS256 } from "../../support/scripted-backend.ts";
import { type ScriptedServer, startScriptedServer } from "../../support/scripted-server.ts";

const good = { active: true, sub: "user", scope: "read", cnf: { "x5t#S256": x5tS256 }, exp: start / 1000 + 60 };
const authority = createAuthority({ subject: "CN=AS CA" });
const san = [{ ip: "127.0.0.1" }] as const;
const right = authority.issue({ subject: "CN=as", san });
const ca = authority.certificate.pem;
const ours = authority.issue({ subject: "CN=api" });

async function startEndpoint(t: ExecutionContext, tls?: TestCertificate): Promise<ScriptedServer> {
  const server = await startScriptedServer(
    tls && { cert: tls.pem, key: tls.key, requestCert: true, rejectUnauthorized: false },
  );
  server.routes.set("/introspect", () => ({ json: good }));
  t.teardown(() => server.stop());
  return server;
}

test("the question is a form with the token and nothing about the asker", async (t) => {
  const server = await startEndpoint(t);
  const source = openEndpoint(t, { url: `${server.url}/introspect` });
  const answer = await ask(source, "a+b/c=&d");
  t.like(answer.record.facts, { active: true, sub: "user", scopes: ["read"] });
  t.like(answer, { invalidationKeys: [], reusable: true, size: JSON.stringify(good).length });
  const [request] = server.requests;
  t.is(request?.method, "POST");
  t.is(request?.headers["content-type"], "application/x-www-form-urlencoded");
  t.is(request?.headers.accept, "application/json");
  t.deepEqual(
    [...(request?.form ?? [])],
    [
      ["token", "a+b/c=&d"],
      ["token_type_hint", "access_token"],
    ],
  );
});

test("client_secret_basic encodes id and secret as a form does, before Basic (RFC 6749 §2.3.1)", async (t) => {
  const server = await startEndpoint(t);
  const clientAuthentication = { method: "client_secret_basic", clientId: "a:b é", clientSecret: "p%+ :" } as const;
  await ask(openEndpoint(t, { url: `${server.url}/introspect`, clientAuthentication }));
  const [, pair = ""] = server.requests[0]?.headers.authorization?.split(" ") ?? [];
  t.is(Buffer.from(pair, "base64").toString(), "a%3Ab+%C3%A9:p%25%2B+%3A");
});

test("client_secret_post sends id and secret in the body and no header", async (t) => {
  const server = await startEndpoint(t);
  const clientAuthentication = { method: "client_secret_post", clientId: "api", clientSecret: "p&=" } as const;
  await ask(openEndpoint(t, { url: `${server.url}/introspect`, clientAuthentication }));
  t.is(server.requests[0]?.headers.authorization, undefined);
  t.is(server.requests[0]?.form.get("client_id"), "api");
  t.is(server.requests[0]?.form.get("client_secret"), "p&=");
});

test("bearer sends a token of the resource server's own", async (t) => {
  const server = await startEndpoint(t);
  await ask(
    openEndpoint(t, {
      url: `${server.url}/introspect`,
      clientAuthentication: { method: "bearer", accessToken: "abc" },
    }),
  );
  t.is(server.requests[0]?.headers.authorization, "Bearer abc");
});

const pair = generateKeyPairSync("ec", { namedCurve: "P-256" });
const privateKeys = {
  "PEM text": pair.privateKey.export({ type: "pkcs8", format: "pem" }) as string,
  "a JWK": pair.privateKey.export({ format: "jwk" }) as Record<string, unknown>,
};
for (const [form, key] of Object.entries(privateKeys)) {
  test(`private_key_jwt signs an assertion for each attempt with a jti of its own; the key as ${form}`, async (t) => {
    const server = await startEndpoint(t);
    const clientAuthentication = { method: "private_key_jwt", clientId: "api", key, alg: "ES256", kid: "k1" } as const;
    let failures = 1;
    server.routes.set("/introspect", () => (failures-- > 0 ? { status: 503 } : { json: good }));
    const url = `${server.url}/introspect`;
    await ask(openEndpoint(t, { url, issuer: "https://as.example", clientAuthentication }));
    t.is(server.requests.length, 2);
    const ids = new Set<unknown>();
    for (const { form: sent } of server.requests) {
      t.is(sent.get("client_assertion_type"), "urn:ietf:params:oauth:client-assertion-type:jwt-bearer");
      t.is(sent.get("client_id"), "api");
      t.is(sent.get("token"), token);
      const verified = await jwtVerify(sent.get("client_assertion") ?? "", pair.publicKey, {
        currentDate: new Date(start),
      });
      t.deepEqual(verified.protectedHeader, { alg: "ES256", kid: "k1" });
      const { iss, sub, aud, iat, exp, jti } = verified.payload;
      t.deepEqual([iss, sub, aud, iat], ["api", "api", "https://as.example", start / 1000]);
      t.is(exp, start / 1000 + 60);
      ids.add(jti);
    }
    t.is(ids.size, 2);
  });
}

for (const [audience, issuer, expected] of [
  ["endpoint", "https://as.example", "url"],
  [undefined, undefined, "url"],
  ["issuer", "https://as.example", "https://as.example"],
] as const) {
  test(`the assertion's aud is as chosen: ${String(audience)}, issuer ${issuer === undefined ? "un" : ""}known`, async (t) => {
    const server = await startEndpoint(t);
    const url = `${server.url}/introspect`;
    const clientAuthentication: ClientAuthentication = {
      method: "private_key_jwt",
      clientId: "api",
      key: privateKeys["PEM text"],
      alg: "ES256",
      ...(audience && { audience }),
    };
    await ask(openEndpoint(t, { url, clientAuthentication, ...(issuer && { issuer }) }));
    const assertion = server.requests[0]?.form.get("client_assertion") ?? "";
    const key = createPublicKey(pair.publicKey.export({ type: "spki", format: "pem" }));
    const { payload } = await jwtVerify(assertion, key, { currentDate: new Date(start) });
    t.is(payload.aud, expected === "url" ? url : expected);
  });
}

for (const method of ["tls_client_auth", "self_signed_tls_client_auth"] as const) {
  test(`${method} presents the certificate and names its client`, async (t) => {
    const server = await startEndpoint(t, right);
    const clientAuthentication = { method, clientId: "api", cert: ours.pem, key: ours.key };
    await ask(openEndpoint(t, { url: `${server.url}/introspect`, clientAuthentication, tls: { ca } }));
    t.deepEqual(server.requests[0]?.certificate, ours.der);
    t.is(server.requests[0]?.form.get("client_id"), "api");
    t.is(server.requests[0]?.headers.authorization, undefined);
  });
}

// Discovery.

/** An authorization server whose metadata is as given, on two ports: one that stands for the place with mutual TLS. */
async function startIssuer(
  t: ExecutionContext,
  path: string,
  metadata: (at: string, mtls: string) => object,
  at: string,
) {
  const [server, mtls] = [await startEndpoint(t, right), await startEndpoint(t, right)];
  const issuer = `${server.url}${path}`;
  server.routes.set(at, () => ({ json: { issuer, ...metadata(server.url, mtls.url) } }));
  return { server, mtls, issuer };
}
const rfc8414 = "/.well-known/oauth-authorization-server";
const tlsAuthentication = { method: "tls_client_auth", clientId: "api", cert: ours.pem, key: ours.key } as const;

for (const [path, at] of [
  ["", rfc8414],
  ["/tenant/a", `${rfc8414}/tenant/a`],
  ["/tenant/a", "/tenant/a/.well-known/openid-configuration"],
] as const) {
  test(`the endpoint is read once from the issuer's metadata at ${at}`, async (t) => {
    const { server, issuer } = await startIssuer(
      t,
      path,
      (url) => ({ introspection_endpoint: `${url}/introspect` }),
      at,
    );
    const source = openEndpoint(t, { issuer, tls: { ca } });
    t.is(source.issuer, issuer);
    await Promise.all([ask(source), ask(source)]);
    await ask(source);
    const fetched = server.requests.filter((request) => request.path === at);
    t.is(fetched.length, 1);
    t.is(fetched[0]?.headers.authorization, undefined);
    t.is(server.requests.filter((request) => request.path === "/introspect").length, 3);
  });
}

for (const [what, holds] of [
  ["with a certificate that authenticates", { clientAuthentication: tlsAuthentication, tls: { ca } }],
  ["with a certificate beside a secret", { tls: { ca, cert: ours.pem, key: ours.key } }],
] as const) {
  test(`8705-5-b: ${what} the alias is used if present, else the plain endpoint`, async (t) => {
    const plain = (url: string) => ({ introspection_endpoint: `${url}/introspect` });
    const alias = (url: string, mtls: string) => ({
      ...plain(url),
      mtls_endpoint_aliases: { introspection_endpoint: `${mtls}/introspect` },
    });
    const withAlias = await startIssuer(t, "", alias, rfc8414);
    await ask(openEndpoint(t, { issuer: withAlias.issuer, ...holds }));
    t.deepEqual(
      withAlias.server.requests.map(({ path }) => path),
      [rfc8414],
    );
    t.deepEqual(
      withAlias.mtls.requests.map(({ path }) => path),
      ["/introspect"],
    );
    t.deepEqual(withAlias.mtls.requests[0]?.certificate, ours.der);

    for (const metadata of [
      plain,
      (url: string) => ({ ...plain(url), mtls_endpoint_aliases: { token_endpoint: "x" } }),
    ]) {
      const without = await startIssuer(t, "", metadata, rfc8414);
      await ask(openEndpoint(t, { issuer: without.issuer, ...holds }));
      t.deepEqual(
        without.server.requests.map(({ path }) => path),
        [rfc8414, "/introspect"],
      );
    }

    const noCertificate = await startIssuer(t, "", alias, rfc8414);
    await ask(openEndpoint(t, { issuer: noCertificate.issuer, tls: { ca } }));
    t.deepEqual(noCertificate.mtls.requests, []);
  });
}

test("8705-5-c: an alias that is no endpoint has no effect", async (t) => {
  const { mtls, issuer } = await startIssuer(
    t,
    "",
    (url, alias) => ({
      introspection_endpoint: `${url}/introspect`,
      mtls_endpoint_aliases: {
        introspection_endpoint: `${alias}/introspect`,
        issuer: "https://elsewhere.example",
        scopes_supported: ["admin"],
        jwks_uri: "https://elsewhere.example/jwks",
      },
    }),
    rfc8414,
  );
  const source = openEndpoint(t, { issuer, clientAuthentication: tlsAuthentication, tls: { ca } });
  t.true((await ask(source)).record.facts.active);
  t.is(source.issuer, issuer);
  t.is(mtls.requests.length, 1);
});

const badMetadata: Record<string, [metadata: object, reason: RegExp]> = {
  "of another issuer": [{ issuer: "https://elsewhere.example" }, /another issuer/],
  "of the issuer with a slash more": [{ issuer: "slash" }, /another issuer/],
  "without an issuer": [{ issuer: undefined }, /another issuer/],
  "without the endpoint": [{ introspection_endpoint: undefined }, /introspection_endpoint is missing/],
  "with an endpoint that is no URL": [{ introspection_endpoint: "/introspect" }, /introspection_endpoint/],
  "with an endpoint in plain HTTP": [{ introspection_endpoint: "http://as.example/introspect" }, /must be https/],
  "with an endpoint in plain HTTP on this machine": [
    { introspection_endpoint: "http://127.0.0.1:1/introspect" },
    /introspection_endpoint must be https, as the issuer is/,
  ],
};
for (const [what, [change, reason]] of Object.entries(badMetadata)) {
  test(`metadata ${what} is malformed, nothing is sent, and the next request retries`, async (t) => {
    const { server, issuer } = await startIssuer(t, "", () => ({}), rfc8414);
    const metadata = { issuer, introspection_endpoint: `${server.url}/introspect` };
    const changed = { ...metadata, ...change };
    server.routes.set(rfc8414, () => ({
      json: { ...changed, ...(changed.issuer === "slash" && { issuer: `${issuer}/` }) },
    }));
    const source = openEndpoint(t, { issuer, tls: { ca } });
    const error = await t.throwsAsync(ask(source), { instanceOf: IntrospectionMalformed });
    t.regex(error.reason, reason);
    t.false(server.requests.some(({ path }) => path === "/introspect"));
    server.routes.set(rfc8414, () => ({ json: metadata }));
    t.true((await ask(source)).record.facts.active);
  });
}

// The answers: their headers, and whose they are.

test("Cache-Control is ignored, except no-store with honorNoStore", async (t) => {
  const server = await startEndpoint(t);
  const headers = { "cache-control": "private, No-Store, max-age=0" };
  server.routes.set("/introspect", () => ({ json: good, headers }));
  const url = `${server.url}/introspect`;
  t.true((await ask(openEndpoint(t, { url }))).reusable);
  t.false((await ask(openEndpoint(t, { url, honorNoStore: true }))).reusable);
  server.routes.set("/introspect", () => ({ json: good, headers: { "cache-control": "max-age=5" } }));
  t.true((await ask(openEndpoint(t, { url, honorNoStore: true }))).reusable);
});

test("an answer that names another issuer is malformed, one without a name is the issuer's", async (t) => {
  const server = await startEndpoint(t);
  const url = `${server.url}/introspect`;
  const source = openEndpoint(t, { url, issuer: "https://as.example" });
  server.routes.set("/introspect", () => ({ json: { ...good, iss: "https://as.example/" } }));
  await t.throwsAsync(ask(source), { instanceOf: IntrospectionMalformed, message: /another issuer/ });
  server.routes.set("/introspect", () => ({ json: { ...good, iss: "https://as.example" } }));
  t.true((await ask(source)).record.facts.active);
  server.routes.set("/introspect", () => ({ json: good }));
  const api = protectWith(t, { source });
  const accessToken = await api.authorize({ token, certificate: { x5tS256 }, requirement: {} });
  t.is(accessToken.issuer, "https://as.example");
});

for (const [status, body] of [
  [401, { error: "invalid_client" }],
  [401, undefined],
  [400, { error: "invalid_client" }],
  [403, { error: "access_denied" }],
] as const) {
  test(`our own credentials rejected (${status} ${body?.error ?? "without a body"}) is an outage that says so`, async (t) => {
    const server = await startEndpoint(t);
    server.routes.set("/introspect", () => ({ status, ...(body && { json: body }) }));
    const error = await t.throwsAsync(ask(openEndpoint(t, { url: `${server.url}/introspect` })), {
      instanceOf: IntrospectionUnavailable,
    });
    t.regex(error.reason, /own credentials/);
    if (body !== undefined) t.true(error.reason.includes(body.error));
    t.is(server.requests.length, 1);
  });
}

test("the remark that names the option reaches the operator, and not the caller", async (t) => {
  const server = await startEndpoint(t);
  server.routes.set("/introspect", () => ({ json: { ...good, cnf: { "x5t#SHA256": x5tS256 } } }));
  const api = protectWith(t, { source: openEndpoint(t, { url: `${server.url}/introspect` }) });
  const refused = await t.throwsAsync(api.authorize({ token, certificate: { x5tS256 } }));
  t.like(refused, { code: "confirmation_unsupported", status: 401 });
  t.regex((refused as { reason?: string }).reason ?? "", /dialect: "wso2"/);
  t.false(JSON.stringify((refused as { headers?: object }).headers).includes("wso2"));
  const understood = openEndpoint(t, { url: `${server.url}/introspect`, dialect: "wso2" });
  const { x5tS256: bound } = await protectWith(t, { source: understood }).authorize({
    token,
    certificate: { x5tS256 },
  });
  t.is(bound, x5tS256);
});

// TLS.

const untrusted: Record<string, [code: RegExp, certificate: TestCertificate]> = {
  "the wrong host": [
    /ALTNAME_INVALID$/,
    authority.issue({ subject: "CN=127.0.0.1", san: [{ dns: "elsewhere.example" }] }),
  ],
  "an expired certificate": [
    /^CERT_HAS_EXPIRED$/,
    authority.issue({ subject: "CN=as", san, notAfter: new Date("2021-01-01T00:00:00Z") }),
  ],
  "an unknown CA": [/UNABLE_TO|SIGNATURE/, createAuthority({ subject: "CN=AS CA" }).issue({ subject: "CN=as", san })],
};
for (const [what, [code, certificate]] of Object.entries(untrusted)) {
  test(`7662-4-d: an endpoint with ${what} is a distinct error, and nothing is sent`, async (t) => {
    const server = await startEndpoint(t, certificate);
    const byUrl = openEndpoint(t, { url: `${server.url}/introspect`, tls: { ca } });
    const byIssuer = openEndpoint(t, { issuer: server.url, clientAuthentication: tlsAuthentication, tls: { ca } });
    for (const source of [byUrl, byIssuer]) {
      const error = await t.throwsAsync(ask(source), { instanceOf: IntrospectionUnavailable });
      t.true(error.cause instanceof BackendUntrusted);
      t.regex((error.cause as BackendUntrusted).code, code);
      t.regex(error.reason, /certificate is not accepted.*nothing was sent/);
      t.false(/5eed|7f3a|BEGIN/.test(inspect(error, { depth: Infinity, showHidden: true })));
    }
    t.deepEqual(server.requests, []);
  });
}

// Options.

const clientAuthentication = { method: "client_secret_basic", clientId: "api", clientSecret } as const;
const url = "https://as.example/introspect";
const wrong: Record<string, [message: RegExp, options: object]> = {
  "neither url nor issuer": [/^url /, { clientAuthentication }],
  "an unknown option": [/^uri /, { uri: url, clientAuthentication }],
  "plain HTTP to another machine": [
    /^url must be https/,
    { url: "http://as.example/introspect", clientAuthentication },
  ],
  "a url with credentials": [/^url /, { url: "https://a:b@as.example/", clientAuthentication }],
  "a url with a fragment": [/^url /, { url: `${url}#x`, clientAuthentication }],
  "an invalid url": [/^url /, { url: "as.example", clientAuthentication }],
  "another scheme": [/^url /, { url: "ftp://as.example", clientAuthentication }],
  "an issuer to be fetched in plain HTTP": [
    /^issuer must be https/,
    { issuer: "http://as.example", clientAuthentication },
  ],
  "an issuer with a query": [/^issuer /, { issuer: "https://as.example?x", clientAuthentication }],
  "an empty issuer": [/^issuer /, { url, issuer: "", clientAuthentication }],
  "no client authentication": [/^clientAuthentication\.method /, { url }],
  "an unknown method": [/^clientAuthentication\.method /, { url, clientAuthentication: { method: "none" } }],
  "a method of every object": [/^clientAuthentication\.method /, { url, clientAuthentication: { method: "toString" } }],
  "no secret": [
    /^clientAuthentication\.clientSecret /,
    { url, clientAuthentication: { ...clientAuthentication, clientSecret: "" } },
  ],
  "no client id": [
    /^clientAuthentication\.clientId /,
    { url, clientAuthentication: { ...clientAuthentication, clientId: undefined } },
  ],
  "a member of another method": [
    /^clientAuthentication\.key /,
    { url, clientAuthentication: { ...clientAuthentication, key: "x" } },
  ],
  "a bearer token with a line break": [
    /^clientAuthentication\.accessToken /,
    { url, clientAuthentication: { method: "bearer", accessToken: "a\r\nb" } },
  ],
  "an invalid key": [
    /^clientAuthentication\.key /,
    { url, clientAuthentication: { method: "private_key_jwt", clientId: "api", key: "-----BEGIN", alg: "ES256" } },
  ],
  "an algorithm with a shared secret": [
    /^clientAuthentication\.alg /,
    { url, clientAuthentication: { method: "private_key_jwt", clientId: "api", key: "x", alg: "HS256" } },
  ],
  "the issuer as audience, unknown": [
    /^clientAuthentication\.audience /,
    {
      url,
      clientAuthentication: {
        method: "private_key_jwt",
        clientId: "api",
        key: privateKeys["PEM text"],
        alg: "ES256",
        audience: "issuer",
      },
    },
  ],
  "a certificate without its key": [/^tls /, { url, clientAuthentication, tls: { cert: ours.pem } }],
  "two certificates": [
    /^tls\.cert /,
    { url, clientAuthentication: tlsAuthentication, tls: { cert: ours.pem, key: ours.key } },
  ],
  "an unknown TLS option": [/^rejectUnauthorized /, { url, clientAuthentication, tls: { rejectUnauthorized: false } }],
  "a timeout of 0": [/^timeout\.total /, { url, clientAuthentication, timeout: { total: 0 } }],
  "an unknown timeout": [/^connect /, { url, clientAuthentication, timeout: { connect: 1 } }],
  "no sockets": [/^maxSockets /, { url, clientAuthentication, maxSockets: 0 }],
  "honorNoStore as text": [/^honorNoStore /, { url, clientAuthentication, honorNoStore: "yes" }],
  "an unknown dialect": [/^dialect /, { url, clientAuthentication, dialect: "wso" }],
  "signed without an issuer": [/^signed\.issuer /, { url, clientAuthentication, signed: { jwksUri: url } }],
  "signed with none": [
    /^signed\.algorithms /,
    { url, issuer: "x", clientAuthentication, signed: { jwksUri: url, algorithms: ["none"] } },
  ],
  "signed with a shared secret": [
    /^signed\.algorithms /,
    { url, issuer: "x", clientAuthentication, signed: { jwksUri: url, algorithms: ["ES256", "HS256"] } },
  ],
  "signed without keys": [/^jwksUri /, { url, issuer: "x", clientAuthentication, signed: {} }],
  "signed with an unknown option": [
    /^alg /,
    { url, issuer: "x", clientAuthentication, signed: { jwksUri: url, alg: "ES256" } },
  ],
  "signed with keys over plain HTTP": [
    /^jwksUri /,
    { url, issuer: "x", clientAuthentication, signed: { jwksUri: "http://as.example/" } },
  ],
  "signed with an endless maxAge": [
    /^signed\.maxAge /,
    { url, issuer: "x", clientAuthentication, signed: { jwksUri: url, maxAge: Infinity } },
  ],
  "signed for nobody": [
    /^signed\.audience /,
    { url, issuer: "x", clientAuthentication: { method: "bearer", accessToken: "x" }, signed: { jwksUri: url } },
  ],
};
for (const [what, [message, options]] of Object.entries(wrong)) {
  test(`an option is refused by its name, and never its value: ${what}`, (t) => {
    const error = t.throws(() => introspectionEndpoint(options as never), { instanceOf: TypeError, message });
    t.like(error, { code: "ERR_INVALID_OPTION" });
    t.false(/BEGIN|7f3a/.test(error.message));
  });
}

test("plain HTTP goes to this machine, and to another where it is allowed", async (t) => {
  for (const [where, allowInsecure] of [
    ["http://127.0.0.1:1/", false],
    ["http://localhost:1/", false],
    ["http://[::1]:1/", false],
    ["http://as.example/", true],
  ] as const) {
    const source = introspectionEndpoint({ url: where, clientAuthentication, allowInsecure, timeout: patient });
    await t.notThrowsAsync(source.close());
  }
  t.pass();
});
