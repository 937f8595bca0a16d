import test from "ava";
import { createAuthority } from "../../support/certificates.ts";
import { onKoa } from "../../support/api-on-koa.ts";
import { frameworks } from "./frameworks.ts";
import { canRepeatFields } from "../../support/http2-request.ts";
import { invalidToken } from "../invalid-token.ts";
import { factsBoundTo, startProtectedApi } from "../../support/protected-api.ts";
import { readChallenge } from "../../support/read-challenge.ts";

const authority = createAuthority({ subject: "CN=Client CA" });
const a = authority.issue({ subject: "CN=client-a" });
const b = authority.issue({ subject: "CN=client-b" });

const form = { "content-type": "application/x-www-form-urlencoded" };

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

const cells = [
  ...frameworks.map((framework) => ({ framework, decide: "library" as const })),
  { framework: onKoa, decide: "backend" as const },
];

for (const framework of frameworks) {
  const where = `(${framework.name})`;

  test(`6750-2.1: the scheme is read in any case; a header of another shape is 400 ${where}`, async (t) => {
    const api = await startProtectedApi(t, { framework });
    api.backend.tokens.set("token-a", factsBoundTo(a));
    const unsendable = framework.name.includes("HTTP/2") && !canRepeatFields;
    for (const [what, authorization] of Object.entries(misshapen)) {
      if (unsendable && Array.isArray(authorization)) continue;
      const { status, headers, body } = await api.get("", a, { headers: { authorization: authorization as string } });
      t.is(status, 400, what);
      t.is(headers["www-authenticate"], 'Bearer realm="accounts", error="invalid_request"');
      t.deepEqual(JSON.parse(body), { error: "invalid_request" });
    }
    t.is(api.backend.requests.length, 0);
    t.deepEqual(new Set(api.refusals.map(({ code }) => code)), new Set(["request_malformed"]));
    for (const scheme of ["Bearer", "bearer", "BEARER", "bEaReR"]) {
      t.is((await api.get("", a, { headers: { authorization: `${scheme} token-a` } })).status, 200, scheme);
    }
  });

  test(`6750-2-a: a token in both the header and the form body is 400 invalid_request ${where}`, async (t) => {
    const api = await startProtectedApi(t, { framework, parseBodies: true });
    api.backend.tokens.set("token-a", factsBoundTo(a));
    const headers = { authorization: "Bearer token-a", ...form };
    const both = await api.get("", a, { method: "POST", headers, body: "access_token=token-a" });
    t.is(both.status, 400);
    t.is(both.headers["www-authenticate"], 'Bearer realm="accounts", error="invalid_request"');
    t.is(api.refusals[0]?.code, "request_malformed");
    t.is(api.served(), 0);
    t.is((await api.get("", a, { method: "POST", headers, body: "amount=1" })).status, 200);
  });

  test(`6750-2.2: a token in the body alone is not looked at ${where}`, async (t) => {
    const api = await startProtectedApi(t, { framework, parseBodies: true });
    api.backend.tokens.set("token-a", factsBoundTo(a));
    const answer = await api.get(undefined, a, { method: "POST", headers: form, body: "access_token=token-a" });
    t.is(answer.status, 401);
    t.is(answer.headers["www-authenticate"], 'Bearer realm="accounts"');
    t.is(api.backend.requests.length, 0);
  });

  test(`a member access_token in a JSON body is the API's own business ${where}`, async (t) => {
    const api = await startProtectedApi(t, { framework, parseBodies: true });
    api.backend.tokens.set("token-a", factsBoundTo(a));
    const headers = { authorization: "Bearer token-a", "content-type": "application/json" };
    const call = { method: "POST", headers, body: JSON.stringify({ access_token: "something" }) };
    t.is((await api.get("", a, call)).status, 200);
  });

  test(`6750-2.3: a token in the query is ignored; beside a header token it is 400 ${where}`, async (t) => {
    const api = await startProtectedApi(t, { framework });
    api.backend.tokens.set("token-a", factsBoundTo(a));
    const url = `${api.url}/?access_token=token-a`;
    const alone = await api.get(undefined, a, { url });
    t.is(alone.status, 401);
    t.is(alone.headers["www-authenticate"], 'Bearer realm="accounts"');
    for (const query of [
      "access_token=other",
      "access_token=token-a",
      "access_token",
      "a=1&access%5Ftoken=other",
      "access_token[]=other",
    ]) {
      const answer = await api.get("token-a", a, { url: `${api.url}/?${query}` });
      t.is(answer.status, 400, query);
      t.is(answer.headers["www-authenticate"], 'Bearer realm="accounts", error="invalid_request"');
    }
    t.is(api.served(), 0);
    t.is(api.backend.requests.length, 0);
    for (const query of ["access_tokens=a", "a=access_token", "Access_Token=a", "a%=access", ""]) {
      t.is((await api.get("token-a", a, { url: `${api.url}/?${query}` })).status, 200, query);
    }
  });

  test(`6750-3-a: without credentials the challenge has no error, and the body is empty ${where}`, async (t) => {
    for (const library of [{ realm: "accounts" }, { realm: "" }]) {
      const api = await startProtectedApi(t, { framework, library });
      for (const headers of [{}, { authorization: "Basic eDp5" }, { authorization: "Negotiate x" }]) {
        const { status, headers: answered, body } = await api.get(undefined, a, { headers });
        t.is(status, 401);
        const { scheme, parameters } = readChallenge(answered["www-authenticate"] ?? "");
        t.is(scheme, "bearer");
        t.deepEqual([...parameters.keys()], ["realm"]);
        t.is(body, "");
        t.is(answered["content-type"], undefined);
        t.is(answered["cache-control"], "no-store");
      }
      t.is(api.backend.requests.length, 0);
    }
  });

  test(`6750-3-b: every challenge parses, each attribute once, for any realm and scopes ${where}`, async (t) => {
    const odd = ['say "hi"', "back\\slash", "new\r\nline", "ünïcode ☃", "\u0000", "", " ", "a,b=c", "x".repeat(3000)];
    for (const text of odd) {
      const scopes = ["read", text, `${text}!`];
      const protection = { requirement: { scopes } };
      const api = await startProtectedApi(t, { framework, library: { realm: text }, protection });
      api.backend.tokens.set("token-a", factsBoundTo(a));
      const calls = [api.get(undefined), api.get("none", a), api.get("token-a", a), api.get("a b", a)];
      const expected = [undefined, "invalid_token", "insufficient_scope", "invalid_request"];
      for (const [at, { headers }] of (await Promise.all(calls)).entries()) {
        const { scheme, parameters } = readChallenge(headers["www-authenticate"] ?? "");
        t.is(scheme, "bearer");
        t.is(parameters.get("error"), expected[at]);
        t.regex(parameters.get("scope") ?? "", /^[\x21\x23-\x5B\x5D-\x7E ]*$/);
      }
    }
  });
}

for (const { framework, decide } of cells) {
  const where = `(${framework.name}, decide: ${decide})`;

  test(`6750-3.1-a: malformed request 400, bad token 401, missing scope 403 ${where}`, async (t) => {
    const api = await startProtectedApi(t, {
      framework,
      library: { decide, resource: "https://api.example.com", cache: false },
      protection: { requirement: { scopes: ["read", "admin"] } },
    });
    const facts = { aud: ["https://api.example.com"], scope: "read admin" };
    const { tokens } = api.backend;
    tokens.set("good", factsBoundTo(a, facts));
    tokens.set("expired", factsBoundTo(a, { ...facts, exp: Math.floor(Date.now() / 1000) - 1 }));
    tokens.set("elsewhere", factsBoundTo(a, { ...facts, aud: ["https://other.example.com"] }));
    tokens.set("nowhere", factsBoundTo(a, { scope: facts.scope }));
    tokens.set("reader", factsBoundTo(a, { ...facts, scope: "read" }));
    t.is((await api.get("good", a)).status, 200);
    t.is((await api.get("good and more", a)).status, 400);
    for (const token of ["expired", "elsewhere", "nowhere", "never-issued"]) invalidToken(t, await api.get(token, a));
    invalidToken(t, await api.get("good", b));
    tokens.delete("good");
    invalidToken(t, await api.get("good", a));
    const { status, headers, body } = await api.get("reader", a);
    t.is(status, 403);
    t.is(headers["www-authenticate"], 'Bearer realm="accounts", error="insufficient_scope", scope="read admin"');
    t.is(headers["cache-control"], "no-store");
    t.deepEqual(JSON.parse(body), { error: "insufficient_scope" });
  });

  test(`6750-x: an outage is 503 with Retry-After, never invalid_token ${where}`, async (t) => {
    const api = await startProtectedApi(t, { framework, library: { decide } });
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
    if (framework !== onKoa) continue;
    test(`6750-x: a backend's ${what} is not about the token ${where}`, async (t) => {
      const api = await startProtectedApi(t, { framework, library: { decide } });
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
