import test from "ava";
import { AccessTokenRefused } from "../../../src/resource-server/refusal/access-token-refused.ts";
import { IntrospectionMalformed } from "../../../src/resource-server/refusal/introspection-unavailable.ts";
import type { Warning } from "../../../src/resource-server/environment.ts";
import { openResourceServer } from "../../../src/resource-server/resource-server.ts";
import { type DialectName, readDialect } from "../../../src/resource-server/sources/dialects.ts";
import { readIntrospection } from "../../../src/resource-server/sources/introspection-answer.ts";
import { ask, openEndpoint } from "../../support/endpoint-source.ts";
import { boundFacts, certificate, start } from "../../support/scripted-backend.ts";
import { startScriptedServer } from "../../support/scripted-server.ts";

const dialects: readonly DialectName[] = [
  ...(["rfc7662", "authlete", "hydra", "identityserver4", "keycloak"] as const),
  ...(["oidc-provider", "pingam", "spring", "wso2"] as const),
];
const full = { active: true, scope: "read", exp: 1_900_000_000, token_type: "Bearer" };
const read = (change: object, dialect: DialectName) => readIntrospection({ ...full, ...change }, readDialect(dialect));

/** What a server writes, by the server or the specification that does. */
const otherTokens: Record<string, object> = {
  "Keycloak, refresh token": { typ: "Refresh" },
  "Keycloak, offline token": { typ: "Offline" },
  "Keycloak, ID token": { typ: "ID" },
  "Keycloak, logout token": { typ: "Logout" },
  "Keycloak, initial access token of registration": { typ: "InitialAccessToken" },
  "Hydra, refresh token": { token_use: "refresh_token" },
  "Hydra before 2, refresh token": { token_type: "refresh_token" },
  "Cognito, ID token": { token_use: "id" },
  "PingAM, refresh token": { tokenName: "refresh_token" },
  "PingAM, ID token": { tokenName: "id_token" },
  "WSO2 API Manager, API key": { token_type: "apiKey" },
  "WSO2 API Manager, internal key": { token_type: "InternalKey" },
  "WSO2, refresh token": { token_type: "Refresh" },
  "RFC 8693, no access token": { token_type: "N_A" },
  "RFC 8693, refresh token": { issued_token_type: "urn:ietf:params:oauth:token-type:refresh_token" },
  "RFC 8693, ID token": { token_type: "urn:ietf:params:oauth:token-type:id_token" },
  "OpenID Connect, logout token": { typ: "logout+jwt" },
  "simplejwt, refresh token": { token_type: "refresh" },
  "flask-jwt-extended, refresh token": { type: "refresh" },
  "Curity, ID token": { purpose: "id_token" },
  "Curity, refresh token": { purpose: "refresh_token" },
  "another spelling of the name": { tokenUse: "refresh" },
  "another spelling of the name, with capital letters": { "Token-Type": "refresh_token" },
  token_kind: { token_kind: "refresh" },
  token_class: { token_class: "id" },
  "a kind that nobody knows": { token_use: "device" },
  "a type that nobody knows": { token_type: "Holder" },
  "a kind in letters that look alike": { typ: "Beаrer" },
  "an empty kind": { token_use: "" },
  "a kind that is a list": { token_use: ["access"] },
  "a kind that is an object": { typ: { access: true } },
  "a kind that is a number": { token_use: 1 },
  "a kind that is false": { token_use: false },
  "two kinds": { token_use: "access_token", typ: "Refresh" },
  "the kinds of two tokens in one": { token_use: "access_token refresh_token" },
};
for (const [what, change] of Object.entries(otherTokens)) {
  test(`a value of another kind is no access token, in every dialect: ${what}`, (t) => {
    for (const dialect of dialects) {
      const record = read(change, dialect);
      t.false(record.facts.active, dialect);
      t.regex(
        "reason" in record ? (record.reason ?? "") : "",
        /^it is not an access token: its \S+ does not name an access token/,
      );
    }
  });
}

const accessTokens: Record<string, object> = {
  "no kind at all": {},
  Keycloak: { typ: "Bearer" },
  Hydra: { token_use: "access_token" },
  "Hydra before 2, Salesforce": { token_type: "access_token" },
  Cognito: { token_use: "access" },
  PingAM: { tokenName: "access_token" },
  Apigee: { token_type: "BearerToken" },
  "RFC 6750 in small letters": { token_type: "bearer" },
  "RFC 9068's media type": { typ: "application/at+jwt" },
  "RFC 9068's media type, short": { typ: "at+jwt" },
  "RFC 8693": { issued_token_type: "urn:ietf:params:oauth:token-type:access_token" },
  Curity: { purpose: "access_token" },
  FusionAuth: { tty: "at" },
  "null instead of a kind": { token_use: null },
  "members of the same letters that are about something else": { type: "service-account", use: "sig", kind: "user" },
  "WSO2's type of user, Entra's of identity, Google's of access": {
    aut: "APPLICATION",
    idtyp: "app",
    access_type: "offline",
  },
};
for (const [what, change] of Object.entries(accessTokens)) {
  test(`a value that names an access token is one, in every dialect: ${what}`, (t) => {
    for (const dialect of dialects) t.true(read(change, dialect).facts.active, dialect);
  });
}

test("token_type JWT names a format: refused with a reason that names the option, read by wso2", (t) => {
  for (const token_type of ["JWT", "jwt", "urn:ietf:params:oauth:token-type:jwt"]) {
    for (const dialect of dialects) t.is(read({ token_type }, dialect).facts.active, dialect === "wso2", dialect);
  }
  const record = read({ token_type: "JWT" }, "rfc7662");
  t.regex("reason" in record ? (record.reason ?? "") : "", /dialect: \{ jwtAsTokenType: true \}/);
});

test("the reason has the member's name, cut, and never its value", (t) => {
  const name = `token${"_".repeat(1000)}use`;
  const record = read({ [name]: "secret-7f3a" }, "rfc7662");
  const reason = "reason" in record ? (record.reason ?? "") : "";
  t.false(record.facts.active);
  t.true(reason.length < 100);
  t.notRegex(reason, /secret/);
});

const exp = start / 1000 + 60;
const date = new Date(start).toUTCString();

for (const [what, headers, change, answeredAt] of [
  ["its Date, to the end of that second", { date }, {}, start + 999],
  ["Date and Age, where a cache has kept the answer", { date, age: "20" }, {}, start + 20_999],
  ["expires_in, where that leaves less", { date }, { expires_in: 50 }, start + 10_000],
  ["Date, where that leaves less", { date }, { expires_in: 60 }, start + 999],
  ["expires_in as text", { date }, { expires_in: "50" }, start + 10_000],
  ["Date alone, without an expiry", { date }, { exp: undefined, expires_in: 50 }, start + 999],
] as const) {
  test(`the clock of an endpoint is read from its answer: ${what}`, async (t) => {
    const server = await startScriptedServer();
    t.teardown(() => server.stop());
    server.routes.set("/introspect", () => ({ headers, json: boundFacts({ exp, ...change }) }));
    const answer = await ask(openEndpoint(t, { url: `${server.url}/introspect` }));
    t.is(answer.answeredAt, answeredAt);
  });
}

test("without a Date the issuer's time is unknown; an invalid expires_in is malformed", async (t) => {
  const server = await startScriptedServer();
  t.teardown(() => server.stop());
  let expires_in: unknown = undefined;
  server.routes.set("/introspect", (_, response) => {
    response.sendDate = false;
    return { json: boundFacts({ exp, expires_in }) };
  });
  const source = openEndpoint(t, { url: `${server.url}/introspect` });
  t.is((await ask(source)).answeredAt, undefined);
  for (expires_in of [-1, "soon", {}, true]) await t.throwsAsync(ask(source), { instanceOf: IntrospectionMalformed });
});

for (const wrong of [-3_600_000, 3_600_000]) {
  test(`over HTTP, a clock that is ${wrong / 3_600_000} h off: a token of 4 s ends in time, with one warning`, async (t) => {
    const server = await startScriptedServer();
    t.teardown(() => server.stop());
    const time = { monotonic: 0 };
    const now = () => start + time.monotonic;
    server.routes.set("/introspect", () => ({
      headers: { date: new Date(now()).toUTCString() },
      json: boundFacts({ exp: start / 1000 + 4 }),
    }));
    const warnings: Warning[] = [];
    const source = openEndpoint(t, { url: `${server.url}/introspect` });
    const api = openResourceServer(
      { source, timeout: 60_000, cache: { ttl: 600 }, onWarning: (warning) => warnings.push(warning) },
      { clock: () => now() + wrong, monotonicClock: () => time.monotonic },
    );
    t.teardown(() => api.close());
    const authorize = () => api.authorize({ token: "token", certificate });
    await t.notThrowsAsync(authorize());
    time.monotonic = 3000;
    await t.notThrowsAsync(authorize());
    time.monotonic = 4000;
    await t.throwsAsync(authorize(), { instanceOf: AccessTokenRefused });
    t.deepEqual(
      warnings.map(({ code }) => code),
      ["CERTBOUND_CLOCK_OFFSET"],
    );
  });
}
