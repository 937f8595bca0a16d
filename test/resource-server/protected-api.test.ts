import { Agent } from "node:https";
import test from "ava";
import { createAuthority } from "../support/certificates.ts";
import { invalidToken } from "./invalid-token.ts";
import { protect } from "../../src/resource-server/middleware/koa.ts";
import { factsBoundTo, startProtectedApi } from "../support/protected-api.ts";

const authority = createAuthority({ subject: "CN=Client CA" });
const a = authority.issue({ subject: "CN=client-a" });
const b = authority.issue({ subject: "CN=client-b" });

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

test("8705-3-c: without trusted proxies the TLS socket is the only source of certificates", async (t) => {
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
    "SetupFailure",
    "createResourceServer",
    "introspectionEndpoint",
    "jwtAccessTokens",
    "protect",
    "protectedResourceMetadata",
    "readCertificate",
    "readTokenFacts",
    "requireScopes",
    "serveMetadata",
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

test("an unknown, misspelt or misplaced option of protect is rejected, not ignored", (t) => {
  const backend = { authIntrospection: never, authIntrospectionStandard: never };
  for (const options of [{ scopes: ["admin"] }, { requirements: {} }, { Requirement: {} }]) {
    t.throws(() => protect({ backend }, options as never), { instanceOf: TypeError, code: "ERR_INVALID_OPTION" });
  }
  t.throws(() => protect(undefined as never), { instanceOf: TypeError, code: "ERR_INVALID_OPTION" });
});

const never = (): Promise<never> => Promise.reject(new Error("not to be asked"));

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

test("the operator gets the reason, the caller does not", async (t) => {
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
      ["token_unknown", "the token is unknown, revoked or expired"],
    ],
  );
});
