import { Agent } from "node:https";
import { bodyParser } from "@koa/bodyparser";
import test, { type ExecutionContext } from "ava";
import { createAuthority, createLookAlike, createSelfSigned } from "../support/certificates.ts";
import type { HttpAnswer } from "../support/https-request.ts";
import { protect, requireScopes } from "../../src/resource-server/middleware/koa.ts";
import { factsBoundTo, startProtectedApi } from "../support/protected-api.ts";
import { readChallenge } from "../support/read-challenge.ts";

const authority = createAuthority({ subject: "CN=Client CA" });
const a = authority.issue({ subject: "CN=client-a" });
const b = authority.issue({ subject: "CN=client-b" });
const lookAlike = createLookAlike(a, "CN=Client CA");
const expired = createSelfSigned({ subject: "CN=old", notAfter: new Date("2021-01-01T00:00:00Z") });

const ways = ["library", "backend"] as const;

/** The one answer to every token that is not good, whatever the reason. */
function invalidToken(t: ExecutionContext, { status, headers, body }: HttpAnswer): void {
  t.is(status, 401);
  const { scheme, parameters } = readChallenge(headers["www-authenticate"] ?? "");
  t.is(scheme, "bearer");
  t.deepEqual(
    [...parameters],
    [
      ["realm", "accounts"],
      ["error", "invalid_token"],
    ],
  );
  t.is(headers["cache-control"], "no-store");
  t.deepEqual(JSON.parse(body), { error: "invalid_token" });
}

for (const decide of ways) {
  const how = `(decide: ${decide})`;

  test(`8705-3-d: a bound token opens the API with its own certificate only, cold and warm ${how}`, async (t) => {
    for (const warm of [false, true]) {
      const api = await startProtectedApi(t, { library: { decide } });
      api.backend.tokens.set("token-a", factsBoundTo(a));
      if (warm) t.is((await api.get("token-a", a)).status, 200);
      for (const other of [b, undefined, lookAlike, expired]) invalidToken(t, await api.get("token-a", other));
      const good = await api.get("token-a", a);
      t.is(good.status, 200);
      t.is(good.body, "user");
      t.is(api.served(), warm ? 2 : 1);
      t.deepEqual(
        api.refusals.map(({ code }) => code),
        ["certificate_mismatch", "certificate_missing", "certificate_mismatch", "certificate_mismatch"],
      );
    }
  });

  test(`8705-3-d: 100 concurrent mixed requests, half with the right certificate: exactly half are served ${how}`, async (t) => {
    const api = await startProtectedApi(t, { library: { decide } });
    api.backend.tokens.set("token-a", factsBoundTo(a));
    for (let n = 0; n < 2; n++) {
      const answers = await Promise.all(Array.from({ length: 100 }, (_, at) => api.get("token-a", at % 2 ? a : b)));
      answers.forEach((answer, at) => {
        if (at % 2) t.is(answer.status, 200);
        else invalidToken(t, answer);
      });
      t.is(api.served(), 50 * (n + 1));
    }
  });

  test(`8705-6.2: a self-signed, expired certificate of no known CA is good when the thumbprint is ${how}`, async (t) => {
    const api = await startProtectedApi(t, { library: { decide } });
    api.backend.tokens.set("token-old", factsBoundTo(expired));
    t.is((await api.get("token-old", expired)).status, 200);
    invalidToken(t, await api.get("token-old", a));
  });

  test(`8705-3-e: a mismatch is 401 with the challenge invalid_token ${how}`, async (t) => {
    const api = await startProtectedApi(t, { library: { decide } });
    api.backend.tokens.set("token-a", factsBoundTo(a));
    const answer = await api.get("token-a", b);
    invalidToken(t, answer);
    t.is(answer.headers["www-authenticate"], 'Bearer realm="accounts", error="invalid_token"');
  });

  test(`8705-3-f: the API asks for a certificate on every handshake; where one is due an unbound token is refused ${how}`, async (t) => {
    const api = await startProtectedApi(t, { library: { decide } });
    api.backend.tokens.set("unbound", factsBoundTo(undefined));
    for (const certificate of [undefined, a]) invalidToken(t, await api.get("unbound", certificate));
    t.deepEqual(new Set(api.refusals.map(({ code }) => code)), new Set(["token_unbound"]));
    // Each handshake is asked anew: a client with a certificate shows it on every new connection, and is let in by it.
    api.backend.tokens.set("token-a", factsBoundTo(a));
    for (let n = 0; n < 3; n++) t.is((await api.get("token-a", a)).status, 200);
  });

  test(`an unbound token is let in where the route says so, a bound one must still match ${how}`, async (t) => {
    const api = await startProtectedApi(t, {
      library: { decide },
      protection: { requirement: { binding: "if-bound" } },
    });
    api.backend.tokens.set("unbound", factsBoundTo(undefined));
    api.backend.tokens.set("token-a", factsBoundTo(a));
    t.is((await api.get("unbound")).status, 200);
    t.is((await api.get("unbound", b)).status, 200);
    t.is((await api.get("token-a", a)).status, 200);
    invalidToken(t, await api.get("token-a", b));
    invalidToken(t, await api.get("token-a"));
  });

  test(`6750-3.1-a: expired, revoked, wrong certificate and wrong audience are all 401 invalid_token, and a request that is wrong 400 ${how}`, async (t) => {
    const api = await startProtectedApi(t, { library: { decide, resource: "https://api.example.com", cache: false } });
    const aud = ["https://api.example.com"];
    const { tokens } = api.backend;
    tokens.set("good", factsBoundTo(a, { aud }));
    tokens.set("expired", factsBoundTo(a, { aud, exp: Math.floor(Date.now() / 1000) - 1 }));
    tokens.set("elsewhere", factsBoundTo(a, { aud: ["https://other.example.com"] }));
    tokens.set("nowhere", factsBoundTo(a));
    t.is((await api.get("good", a)).status, 200);
    t.is((await api.get("good and more", a)).status, 400);
    for (const token of ["expired", "elsewhere", "nowhere", "never-issued"]) invalidToken(t, await api.get(token, a));
    invalidToken(t, await api.get("good", b));
    tokens.delete("good");
    invalidToken(t, await api.get("good", a));
  });

  test(`6750-3.1-a: a token that does not cover the scopes is 403 insufficient_scope with the scope ${how}`, async (t) => {
    const api = await startProtectedApi(t, {
      library: { decide },
      protection: { requirement: { scopes: ["read", "admin"] } },
    });
    api.backend.tokens.set("token-a", factsBoundTo(a));
    const { status, headers, body } = await api.get("token-a", a);
    t.is(status, 403);
    t.is(headers["www-authenticate"], 'Bearer realm="accounts", error="insufficient_scope", scope="read admin"');
    t.is(headers["cache-control"], "no-store");
    t.deepEqual(JSON.parse(body), { error: "insufficient_scope" });
  });

  test(`6750-x: a backend that cannot be asked is 503 with Retry-After and never invalid_token ${how}`, async (t) => {
    const api = await startProtectedApi(t, { library: { decide } });
    await api.backend.stop();
    const { status, headers, body } = await api.get("token-a", a);
    t.is(status, 503);
    t.regex(headers["retry-after"] ?? "", /^[1-9]\d*$/);
    t.is(headers["www-authenticate"], undefined);
    t.is(headers["cache-control"], "no-store");
    t.deepEqual(JSON.parse(body), { error: "temporarily_unavailable" });
    t.is(api.refusals[0]?.code, "introspection_unavailable");
  });

  for (const [what, status, json] of [
    ["500", 500, { resultCode: "A001101", resultMessage: "[A001101] Sorry." }],
    ["401: our own credentials are wrong", 401, { resultCode: "A003201", resultMessage: "[A003201] No." }],
    [
      "INTERNAL_SERVER_ERROR",
      200,
      { resultCode: "A145101", resultMessage: "[A145101] Sorry.", action: "INTERNAL_SERVER_ERROR" },
    ],
    ["nonsense", 200, { hello: 1 }],
  ] as const) {
    test(`6750-x: a backend that answers ${what} says nothing about the token ${how}`, async (t) => {
      const api = await startProtectedApi(t, { library: { decide } });
      api.backend.respond = () => ({ status, json });
      const answer = await api.get("token-a", a);
      t.is(answer.status, 503);
      t.truthy(answer.headers["retry-after"]);
      t.false(JSON.stringify(answer).includes("invalid_token"));
      // It is not remembered either.
      api.backend.respond = undefined;
      api.backend.tokens.set("token-a", factsBoundTo(a));
      t.is((await api.get("token-a", a)).status, 200);
    });
  }
}

/** Every source that reads a header; the other exports of the library do not. */
const headerSources = [
  "apache",
  "aspNet",
  "awsAlb",
  "awsAlbPassthrough",
  "azure",
  "azureApplicationGateway",
  "caddy",
  "caddyFingerprint",
  "cloudflare",
  "cloudflareSha256",
  "cloudfront",
  "cloudfrontSha256",
  "envoy",
  "gcp",
  "gcpFingerprint",
  "gorouter",
  "haproxy",
  "haproxySha256",
  "kong",
  "nginx",
  "rfc9440",
  "traefik",
  "wso2",
] as const;

test("8705-3-c: of what the library exports, the TLS socket is the only source of certificates without trusted proxies", async (t) => {
  const library = await import("certbound");
  const exported = [...Object.keys(library), ...Object.keys(await import("certbound/koa"))];
  t.deepEqual(exported.filter((name) => !(headerSources as readonly string[]).includes(name)).sort(), [
    "AccessTokenRefused",
    "ApiError",
    "BackendAnswerMalformed",
    "BackendUnavailable",
    "BackendUntrusted",
    "IntrospectionMalformed",
    "IntrospectionUnavailable",
    "MalformedCertificate",
    "createResourceServer",
    "introspectionEndpoint",
    "jwtAccessTokens",
    "protect",
    "readCertificate",
    "requireScopes",
    "tlsSocket",
    "trustedProxies",
  ]);
  for (const name of headerSources) {
    // With all that one could need, but for the proxies.
    const options = { header: "X-Cert", ...(name === "azureApplicationGateway" && { encoding: "flattened" }) };
    const source = library[name] as (options: object) => unknown;
    for (const from of [undefined, null, true, "*", [], ["127.0.0.1"], {}]) {
      const error = t.throws(() => source({ ...options, from }), { instanceOf: TypeError, code: "ERR_INVALID_OPTION" });
      t.regex(error.message, /^from must be trustedProxies/);
    }
    t.notThrows(() => source({ ...options, from: library.trustedProxies(["127.0.0.1"]) }));
  }
  for (const everyone of [[], ["0.0.0.0/0"], ["::/0"], ["*"]]) {
    t.throws(() => library.trustedProxies(everyone), { code: "ERR_INVALID_OPTION" });
  }
});

test("8705-3-c: a header never brings a certificate", async (t) => {
  const api = await startProtectedApi(t);
  api.backend.tokens.set("token-a", factsBoundTo(a));
  const oneLine = a.pem.replaceAll("\n", "");
  const names = [
    "client-cert",
    "x-ssl-client-cert",
    "x-forwarded-client-cert",
    "x-wso2-mtls-cert",
    "ssl-client-cert",
    "ssl_client_cert",
  ];
  for (const name of names) {
    for (const value of [
      `:${a.der.toString("base64")}:`,
      encodeURIComponent(a.pem),
      oneLine,
      a.der.toString("base64"),
    ]) {
      for (const certificate of [undefined, b]) {
        invalidToken(
          t,
          await api.get("token-a", certificate, { headers: { authorization: "Bearer token-a", [name]: value } }),
        );
      }
    }
  }
  t.is(api.served(), 0);
});

test("6750-2.1: the scheme is read in any case", async (t) => {
  const api = await startProtectedApi(t);
  api.backend.tokens.set("token-a", factsBoundTo(a));
  for (const scheme of ["Bearer", "bearer", "BEARER", "bEaReR"]) {
    t.is((await api.get("", a, { headers: { authorization: `${scheme} token-a` } })).status, 200, scheme);
  }
});

const misshapen: Record<string, string | string[]> = {
  "two headers": ["Bearer token-a", "Bearer token-a"],
  "two headers of which one is Basic": ["Basic eDp5", "Bearer token-a"],
  "two blanks": "Bearer  token-a",
  "a tab": "Bearer\ttoken-a",
  "a tab after the blank": "Bearer \ttoken-a",
  "a comma": "Bearer token-a,token-b",
  "a parameter after it": "Bearer token-a realm=x",
  "no token": "Bearer",
  "a quoted token": 'Bearer "token-a"',
};
for (const [what, authorization] of Object.entries(misshapen)) {
  test(`6750-2.1: refused with 400 invalid_request: ${what}`, async (t) => {
    const api = await startProtectedApi(t);
    api.backend.tokens.set("token-a", factsBoundTo(a));
    const { status, headers, body } = await api.get("", a, { headers: { authorization: authorization as string } });
    t.is(status, 400);
    t.is(headers["www-authenticate"], 'Bearer realm="accounts", error="invalid_request"');
    t.deepEqual(JSON.parse(body), { error: "invalid_request" });
    t.is(api.backend.requests.length, 0);
    t.is(api.refusals[0]?.code, "request_malformed");
  });
}

const form = { "content-type": "application/x-www-form-urlencoded" };
const parsed = { before: bodyParser() };

test("6750-2-a: a token in the header and one in the form body are refused with 400 invalid_request", async (t) => {
  const api = await startProtectedApi(t, parsed);
  api.backend.tokens.set("token-a", factsBoundTo(a));
  const headers = { authorization: "Bearer token-a", ...form };
  const both = await api.get("", a, { method: "POST", headers, body: "access_token=token-a" });
  t.is(both.status, 400);
  t.is(both.headers["www-authenticate"], 'Bearer realm="accounts", error="invalid_request"');
  t.is((await api.get("", a, { method: "POST", headers, body: "amount=1" })).status, 200);
});

test("6750-2.2: a token in the body alone is not looked at", async (t) => {
  const api = await startProtectedApi(t, parsed);
  api.backend.tokens.set("token-a", factsBoundTo(a));
  const answer = await api.get(undefined, a, { method: "POST", headers: form, body: "access_token=token-a" });
  t.is(answer.status, 401);
  t.is(answer.headers["www-authenticate"], 'Bearer realm="accounts"');
  t.is(api.backend.requests.length, 0);
});

test("6750-2.3: a token in the query is not looked at", async (t) => {
  const api = await startProtectedApi(t);
  api.backend.tokens.set("token-a", factsBoundTo(a));
  const url = `${api.url}/?access_token=token-a`;
  const alone = await api.get(undefined, a, { url });
  t.is(alone.status, 401);
  t.is(alone.headers["www-authenticate"], 'Bearer realm="accounts"');
  t.is(api.backend.requests.length, 0);
  t.is((await api.get("token-a", a, { url: `${api.url}/?access_token=other` })).status, 200);
});

test("6750-3-a: without credentials the challenge has a parameter and no error, and the body is empty", async (t) => {
  for (const library of [{ realm: "accounts" }, { realm: "" }]) {
    const api = await startProtectedApi(t, { library });
    for (const headers of [{}, { authorization: "Basic eDp5" }, { authorization: "Negotiate x" }]) {
      const { status, headers: answered, body } = await api.get(undefined, a, { headers });
      t.is(status, 401);
      const { scheme, parameters } = readChallenge(answered["www-authenticate"] ?? "");
      t.is(scheme, "bearer");
      t.deepEqual([...parameters.keys()], ["realm"]);
      t.is(body, "");
      t.is(answered["cache-control"], "no-store");
    }
    t.is(api.backend.requests.length, 0);
  }
});

test("6750-3-b: every challenge parses, each attribute once, whatever realm and scopes are", async (t) => {
  const odd = ['say "hi"', "back\\slash", "new\r\nline", "ünïcode ☃", "\u0000", "", " ", "a,b=c", "x".repeat(3000)];
  for (const text of odd) {
    const scopes = ["read", text, `${text}!`];
    const api = await startProtectedApi(t, { library: { realm: text }, protection: { requirement: { scopes } } });
    api.backend.tokens.set("token-a", factsBoundTo(a));
    const calls = [api.get(undefined), api.get("none", a), api.get("token-a", a), api.get(" ", a)];
    const expected = [undefined, "invalid_token", "insufficient_scope", "invalid_request"];
    for (const [at, { headers }] of (await Promise.all(calls)).entries()) {
      const { scheme, parameters } = readChallenge(headers["www-authenticate"] ?? "");
      t.is(scheme, "bearer");
      t.is(parameters.get("error"), expected[at]);
      t.regex(parameters.get("scope") ?? "", /^[\x21\x23-\x5B\x5D-\x7E ]*$/);
    }
  }
});

test("a route's own scopes are demanded besides, and refused in the same way", async (t) => {
  const api = await startProtectedApi(t);
  api.backend.tokens.set("reader", factsBoundTo(a));
  api.backend.tokens.set("payer", factsBoundTo(a, { scope: "read pay" }));
  const { status, headers, body } = await api.get("reader", a, { url: `${api.url}/pay` });
  t.is(status, 403);
  t.is(headers["www-authenticate"], 'Bearer realm="accounts", error="insufficient_scope", scope="pay"');
  t.deepEqual(JSON.parse(body), { error: "insufficient_scope" });
  t.is(api.refusals[0]?.code, "scope_insufficient");
  t.is((await api.get("payer", a, { url: `${api.url}/pay` })).status, 200);
});

test("an option of protect that is none, misspelt or misplaced is refused, not ignored", (t) => {
  const backend = { authIntrospection: never, authIntrospectionStandard: never };
  for (const options of [{ scopes: ["admin"] }, { requirements: {} }, { Requirement: {} }]) {
    t.throws(() => protect({ backend }, options as never), { instanceOf: TypeError, code: "ERR_INVALID_OPTION" });
  }
  t.throws(() => protect(undefined as never), { instanceOf: TypeError, code: "ERR_INVALID_OPTION" });
});

const never = (): Promise<never> => Promise.reject(new Error("not to be asked"));

test("requireScopes demands every one of its scopes", async (t) => {
  const api = await startProtectedApi(t, { after: requireScopes("read", "pay") });
  api.backend.tokens.set("reader", factsBoundTo(a));
  api.backend.tokens.set("payer", factsBoundTo(a, { scope: "pay" }));
  api.backend.tokens.set("both", factsBoundTo(a, { scope: "pay read" }));
  t.is((await api.get("reader", a)).status, 403);
  t.is((await api.get("payer", a)).status, 403);
  t.is((await api.get("both", a)).status, 200);
});

test("a member access_token in a JSON body is the API's own business", async (t) => {
  const api = await startProtectedApi(t, parsed);
  api.backend.tokens.set("token-a", factsBoundTo(a));
  const headers = { authorization: "Bearer token-a", "content-type": "application/json" };
  const call = { method: "POST", headers, body: JSON.stringify({ access_token: "something" }) };
  t.is((await api.get("", a, call)).status, 200);
});

test("a kept-alive connection is looked at once, and every request on it decided", async (t) => {
  const api = await startProtectedApi(t);
  api.backend.tokens.set("token-a", factsBoundTo(a));
  api.backend.tokens.set("token-b", factsBoundTo(b));
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  t.teardown(() => {
    agent.destroy();
  });
  for (const [token, status] of [
    ["token-a", 200],
    ["token-b", 401],
    ["token-a", 200],
  ] as const) {
    t.is((await api.get(token, a, { agent })).status, status);
  }
});

test("the operator is told why, the caller is not", async (t) => {
  const api = await startProtectedApi(t);
  api.backend.tokens.set("token-a", factsBoundTo(a));
  const bodies = new Set<string>();
  for (const [token, certificate] of [
    ["token-a", b],
    ["token-a", undefined],
    ["none", a],
  ] as const) {
    const { headers, body } = await api.get(token, certificate);
    bodies.add(`${headers["www-authenticate"]} ${body}`);
  }
  t.is(bodies.size, 1);
  t.deepEqual(
    api.refusals.map(({ code, reason }) => [code, reason]),
    [
      ["certificate_mismatch", "the token is bound to another certificate"],
      ["certificate_missing", "the token is certificate-bound and the connection has no certificate"],
      ["token_unknown", "the token is not in force: unknown, revoked or expired"],
    ],
  );
});
