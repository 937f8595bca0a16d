import { Agent } from "node:https";
import test from "ava";
import { createAuthority } from "../support/certificates.ts";
import { invalidToken } from "../support/invalid-token.ts";
import { protect } from "../../src/resource-server/middleware/koa.ts";
import { factsBoundTo, startProtectedApi } from "../support/protected-api.ts";

const authority = createAuthority({ subject: "CN=Client CA" });
const a = authority.issue({ subject: "CN=client-a" });
const b = authority.issue({ subject: "CN=client-b" });

test("8705-3-c: of what the library exports, only the TLS socket is a source of certificates", async (t) => {
  const exported = [...Object.keys(await import("certbound")), ...Object.keys(await import("certbound/koa"))];
  t.deepEqual(exported.sort(), [
    "AccessTokenRefused",
    "ApiError",
    "BackendAnswerMalformed",
    "BackendUnavailable",
    "BackendUntrusted",
    "IntrospectionMalformed",
    "IntrospectionUnavailable",
    "MalformedCertificate",
    "createResourceServer",
    "protect",
    "protectedResourceMetadata",
    "readCertificate",
    "requireScopes",
    "serveMetadata",
    "tlsSocket",
  ]);
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

test("an option of protect that is none, misspelt or misplaced is refused, not ignored", (t) => {
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
