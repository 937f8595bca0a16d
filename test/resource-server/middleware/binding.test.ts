import test from "ava";
import { createAuthority, createLookAlike, createSelfSigned } from "../../support/certificates.ts";
import { onKoa } from "../../support/api-on-koa.ts";
import { frameworks } from "./frameworks.ts";
import { invalidToken } from "../invalid-token.ts";
import { factsBoundTo, startProtectedApi } from "../../support/protected-api.ts";

const authority = createAuthority({ subject: "CN=Client CA" });
const a = authority.issue({ subject: "CN=client-a" });
const b = authority.issue({ subject: "CN=client-b" });
const lookAlike = createLookAlike(a, "CN=Client CA");
const expired = createSelfSigned({ subject: "CN=old", notAfter: new Date("2021-01-01T00:00:00Z") });

const cells = [
  ...frameworks.map((framework) => ({ framework, decide: "library" as const })),
  { framework: onKoa, decide: "backend" as const },
];

for (const { framework, decide } of cells) {
  const where = `(${framework.name}, decide: ${decide})`;
  const library = { decide };

  test(`8705-3-d: a bound token needs its own certificate, cold and warm ${where}`, async (t) => {
    for (const warm of [false, true]) {
      const api = await startProtectedApi(t, { framework, library });
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

  test(`8705-3-d: of 100 concurrent mixed requests exactly half succeed ${where}`, async (t) => {
    const api = await startProtectedApi(t, { framework, library });
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

  test(`8705-6.2: untrusted or expired certificates match by thumbprint ${where}`, async (t) => {
    const api = await startProtectedApi(t, { framework, library });
    api.backend.tokens.set("token-old", factsBoundTo(expired));
    t.is((await api.get("token-old", expired)).status, 200);
    invalidToken(t, await api.get("token-old", a));
  });

  test(`8705-3-e: a mismatch is 401 with the challenge invalid_token ${where}`, async (t) => {
    const api = await startProtectedApi(t, { framework, library });
    api.backend.tokens.set("token-a", factsBoundTo(a));
    const answer = await api.get("token-a", b);
    invalidToken(t, answer);
    t.is(answer.headers["www-authenticate"], 'Bearer realm="accounts", error="invalid_token"');
  });

  test(`8705-3-f: a certificate is always requested; unbound tokens fail ${where}`, async (t) => {
    const api = await startProtectedApi(t, { framework, library });
    api.backend.tokens.set("unbound", factsBoundTo(undefined));
    for (const certificate of [undefined, a]) invalidToken(t, await api.get("unbound", certificate));
    t.deepEqual(new Set(api.refusals.map(({ code }) => code)), new Set(["token_unbound"]));
    // Each handshake is asked anew: a client with a certificate shows it on every new connection, and is let in by it.
    api.backend.tokens.set("token-a", factsBoundTo(a));
    for (let n = 0; n < 3; n++) t.is((await api.get("token-a", a)).status, 200);
  });

  test(`if-bound accepts an unbound token; a bound one must still match ${where}`, async (t) => {
    const api = await startProtectedApi(t, {
      framework,
      library,
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

  test(`9700-2.3-b: another API's token fails; a nameless API is warned ${where}`, async (t) => {
    const api = await startProtectedApi(t, { framework, library: { decide, resource: "https://a.example.com" } });
    api.backend.tokens.set("for-b", factsBoundTo(a, { aud: ["https://b.example.com"] }));
    api.backend.tokens.set("for-a", factsBoundTo(a, { aud: ["https://a.example.com"] }));
    for (let n = 0; n < 2; n++) {
      invalidToken(t, await api.get("for-b", a));
      t.is((await api.get("for-a", a)).status, 200);
    }
    t.deepEqual(new Set(api.refusals.map(({ code }) => code)), new Set(["audience_mismatch"]));

    const warnings: string[] = [];
    const nameless = await startProtectedApi(t, {
      framework,
      library: { decide, onWarning: ({ code }) => void warnings.push(code) },
    });
    nameless.backend.tokens.set("for-b", factsBoundTo(a, { aud: ["https://b.example.com"] }));
    t.is((await nameless.get("for-b", a)).status, 200);
    // The tests' own backend has no stream of events, and that is told, too.
    t.deepEqual(
      warnings.filter((code) => code !== "CERTBOUND_NO_PUSH"),
      ["CERTBOUND_AUDIENCE_UNCHECKED"],
    );
  });
}

for (const framework of frameworks) {
  test(`a route's subject and resources are demanded of the token (${framework.name})`, async (t) => {
    const requirement = { subject: "user", resources: ["https://a.example.com/v1"] };
    const api = await startProtectedApi(t, { framework, protection: { requirement } });
    const aud = ["https://a.example.com/v1"];
    api.backend.tokens.set("good", factsBoundTo(a, { aud }));
    api.backend.tokens.set("elsewhere", factsBoundTo(a, { aud: ["https://a.example.com/v2"] }));
    t.is((await api.get("good", a)).status, 200);
    t.is((await api.get("elsewhere", a)).status, 401);
    api.backend.tokens.set("anothers", factsBoundTo(a, { aud, sub: "other" }));
    t.is((await api.get("anothers", a)).status, 403);
  });
}

const shared = ["protect", "requireScopes", "serveMetadata"];

for (const [entry, names] of Object.entries({
  "certbound/koa": shared,
  "certbound/express": ["accessTokenOf", ...shared],
  "certbound/fastify": ["accessTokenOf", "certbound", "default", "serveMetadata"],
  "certbound/node": ["protect", "protectUpgrade", "requireScopes", "serveMetadata", "serverTimeouts"],
})) {
  test(`${entry} exports what a program of its framework needs, and no source of certificates`, async (t) => {
    t.deepEqual(Object.keys((await import(entry)) as object).sort(), names);
  });
}
