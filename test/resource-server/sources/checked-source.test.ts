import test, { type ExecutionContext } from "ava";
import { AccessTokenRefused } from "../../../src/resource-server/refusal/access-token-refused.ts";
import { readTokenFacts } from "../../../src/resource-server/index.ts";
import {
  IntrospectionMalformed,
  IntrospectionUnavailable,
} from "../../../src/resource-server/refusal/introspection-unavailable.ts";
import type { FactsSource } from "../../../src/resource-server/sources/facts-source.ts";
import { protectWith } from "../../support/endpoint-source.ts";
import { otherX5tS256, start, x5tS256 } from "../../support/scripted-backend.ts";

const exp = start / 1000 + 60;
const audience = ["https://api.example.com/"];
const confirmation = { kind: "certificate", x5tS256 };
const members = { active: true, exp, nbf: undefined, sub: "user", scopes: ["read"], audience };
const facts = { ...members, confirmation };
const accessToken = {
  ...members,
  ...{ issuer: undefined, clientId: "4711", iat: undefined, tokenType: undefined, x5tS256, claims: {} },
};
const answer = { record: { facts, accessToken }, invalidationKeys: [], size: 100, reusable: true };
const requirement = { scopes: ["read"], resources: audience };

/** A resource server over a source that answers this, whatever it is asked. */
function over(t: ExecutionContext, given: unknown, more: object = {}) {
  const source = { ask: () => Promise.resolve(given), close: () => Promise.resolve(), ...more } as FactsSource;
  const api = protectWith(t, { source });
  return (certificate: { x5tS256: string } | "none" = { x5tS256 }, demand: object = requirement) =>
    api.authorize({
      token: "token",
      certificate: certificate === "none" ? undefined : certificate,
      requirement: demand,
    });
}
/** The answer with these members in both places, as a source has it that makes the mistake throughout. */
const both = (change: object) => ({
  ...answer,
  record: { facts: { ...facts, ...change }, accessToken: { ...accessToken, ...change } },
});
const inFacts = (change: object) => ({ ...answer, record: { facts: { ...facts, ...change }, accessToken } });
const inToken = (change: object) => ({ ...answer, record: { facts, accessToken: { ...accessToken, ...change } } });

test("a correct answer of a source of one's own is accepted, with its own facts", async (t) => {
  const token = await over(t, answer)();
  t.like(token, { sub: "user", clientId: "4711", scopes: ["read"], audience, exp, x5tS256 });
  await t.throwsAsync(over(t, answer)({ x5tS256: otherX5tS256 }), { instanceOf: AccessTokenRefused });
  const fractional = both({ exp: exp + 0.5, nbf: 0 });
  await t.notThrowsAsync(over(t, fractional)());
  const inactive = { ...answer, record: { facts: { active: false, cause: "unknown" } } };
  t.like(await t.throwsAsync(over(t, inactive)(), { instanceOf: AccessTokenRefused }), { code: "token_unknown" });
});

class Facts {
  readonly active = true;
}
const malformed: Record<string, [given: unknown, member: RegExp]> = {
  "no answer": [undefined, /the source's answer is missing/],
  null: [null, /the source's answer is not an object/],
  "a list": [[answer], /the source's answer is not an object/],
  "a text": ["active", /the source's answer is not an object/],
  "no record": [{ ...answer, record: undefined }, /record is missing/],
  "no facts": [{ ...answer, record: { accessToken } }, /facts is missing/],
  "no accessToken": [{ ...answer, record: { facts } }, /accessToken is missing/],
  "facts that are neither active nor not": [inFacts({ active: "true" }), /facts\.active/],
  "facts that are not active beside an accessToken": [
    inFacts({ active: false, cause: "unknown" }),
    /accessToken is present/,
  ],
  "no active, an unknown cause": [{ ...answer, record: { facts: { active: false } } }, /facts\.cause/],
  "scopes as a text": [both({ scopes: "readonly" }), /facts\.scopes is not a list of scope tokens/],
  "scopes as one text": [both({ scopes: ["read write"] }), /facts\.scopes/],
  "scopes with a number": [both({ scopes: ["read", 1] }), /facts\.scopes/],
  "an empty scope": [both({ scopes: [""] }), /facts\.scopes/],
  "scopes as a set": [both({ scopes: new Set(["read"]) }), /scopes is not a plain object/],
  "no scopes": [both({ scopes: undefined }), /facts\.scopes/],
  "scopes as an object with includes": [both({ scopes: { includes: () => true } }), /includes is not a plain/],
  "audience as a text": [both({ audience: "https://api.example.com/evil" }), /facts\.audience is not a list/],
  "no audience": [both({ audience: undefined }), /facts\.audience/],
  "audience with null": [both({ audience: [null] }), /facts\.audience/],
  "exp in milliseconds": [both({ exp: exp * 1000 }), /facts\.exp looks like milliseconds/],
  "exp as a text": [both({ exp: String(exp) }), /facts\.exp/],
  "exp as a date": [both({ exp: new Date() }), /exp is not a plain/],
  "exp NaN": [both({ exp: Number.NaN }), /facts\.exp/],
  "exp null": [both({ exp: null }), /facts\.exp/],
  "exp infinite": [both({ exp: Number.POSITIVE_INFINITY }), /facts\.exp looks like milliseconds/],
  "nbf in milliseconds": [both({ nbf: start }), /facts\.nbf looks like milliseconds/],
  "expiresAt for exp": [inFacts({ exp: undefined, expiresAt: start }), /facts\.expiresAt is not a fact/],
  "cnf for confirmation": [inFacts({ confirmation: undefined, cnf: {} }), /facts\.cnf is not a fact/],
  "a sub that is a number": [both({ sub: 1 }), /facts\.sub/],
  "no confirmation": [inFacts({ confirmation: undefined }), /facts\.confirmation is missing/],
  "a confirmation that is a thumbprint": [inFacts({ confirmation: x5tS256 }), /facts\.confirmation is not an object/],
  "a confirmation null": [inFacts({ confirmation: null }), /facts\.confirmation is not an object/],
  "a confirmation of an unknown kind": [inFacts({ confirmation: { kind: "None" } }), /confirmation\.kind/],
  "a confirmation without a kind": [inFacts({ confirmation: { x5tS256 } }), /confirmation\.kind/],
  "a thumbprint in hexadecimal": [
    inFacts({ confirmation: { kind: "certificate", x5tS256: "ab".repeat(32) } }),
    /x5tS256/,
  ],
  "an empty thumbprint": [inFacts({ confirmation: { kind: "certificate", x5tS256: "" } }), /x5tS256/],
  "another thumbprint for the API": [inToken({ x5tS256: otherX5tS256 }), /accessToken\.x5tS256/],
  "more scopes for the API": [inToken({ scopes: ["read", "admin"] }), /accessToken\.scopes differs from the facts/],
  "another audience for the API": [inToken({ audience: [] }), /accessToken\.audience/],
  "another subject for the API": [inToken({ sub: "admin" }), /accessToken\.sub/],
  "no claims": [inToken({ claims: undefined }), /accessToken\.claims is missing/],
  "claims that can be changed": [inToken({ claims: { roles: new Map() } }), /claims\.roles is not a plain/],
  "claims with a function": [inToken({ claims: { has: () => true } }), /claims\.has is not a plain/],
  "an instance of a class": [{ ...answer, record: { facts: new Facts(), accessToken } }, /facts is not a plain/],
  "an accessToken that is not active": [inToken({ active: false }), /accessToken\.active/],
  "an issuer that is a number": [inToken({ issuer: 1 }), /accessToken\.issuer/],
  "invalidation keys as a text": [{ ...answer, invalidationKeys: "token:1" }, /invalidationKeys/],
  "no invalidation keys": [{ ...answer, invalidationKeys: undefined }, /invalidationKeys/],
  "a size that is a text": [{ ...answer, size: "100" }, /size/],
  "no size": [{ ...answer, size: undefined }, /size/],
  "a reusable that is a text": [{ ...answer, reusable: "false" }, /reusable/],
  "answeredAt in seconds": [{ ...answer, answeredAt: start / 1000 }, /answeredAt is not a number of milliseconds/],
  "answeredAt in microseconds": [{ ...answer, answeredAt: start * 1000 }, /answeredAt/],
  "answeredAt as a date": [{ ...answer, answeredAt: new Date(start) }, /answeredAt/],
};
for (const [what, [given, member]] of Object.entries(malformed)) {
  test(`a source's wrong answer opens nothing and is named: ${what}`, async (t) => {
    const error = await t.throwsAsync(over(t, given)(), { instanceOf: IntrospectionMalformed, message: member });
    t.is(error.status, 503);
    t.false(error.message.includes(x5tS256));
  });
}

test("claims bind, or name another kind of token, as in an introspection answer", async (t) => {
  const unbound = (claims: object) => ({
    ...answer,
    record: {
      facts: { ...facts, confirmation: { kind: "none" } },
      accessToken: { ...accessToken, x5tS256: undefined, claims },
    },
  });
  const loose = { ...requirement, binding: "if-bound" };
  await t.notThrowsAsync(over(t, unbound({}))("none", loose));
  for (const claims of [{ cnf: { "x5t#S256": x5tS256 } }, { "x5t#S256": x5tS256 }]) {
    t.is((await over(t, unbound(claims))({ x5tS256 }, loose)).x5tS256, x5tS256);
    for (const certificate of ["none", { x5tS256: otherX5tS256 }] as const) {
      await t.throwsAsync(over(t, unbound(claims))(certificate, loose), { instanceOf: AccessTokenRefused });
    }
  }
  for (const claims of [{ cnf: {} }, { "x5t#s256": x5tS256 }, { jkt: x5tS256 }]) {
    await t.throwsAsync(over(t, unbound(claims))({ x5tS256 }, loose), { instanceOf: AccessTokenRefused });
  }
  const differing = inToken({ claims: { cnf: { "x5t#S256": otherX5tS256 } } });
  for (const certificate of [{ x5tS256 }, { x5tS256: otherX5tS256 }]) {
    await t.throwsAsync(over(t, differing)(certificate), { instanceOf: AccessTokenRefused });
  }
  for (const change of [{ claims: { typ: "Refresh" } }, { claims: { token_use: "id" } }, { tokenType: "N_A" }]) {
    t.like(await t.throwsAsync(over(t, inToken(change))(), { instanceOf: AccessTokenRefused }), {
      code: "token_unknown",
    });
  }
});

test("a checked answer is a copy: neither the source nor a getter can change it afterwards", async (t) => {
  const scopes = ["read"];
  let read = 0;
  const sly = Object.defineProperty({ ...facts, scopes }, "audience", {
    get: () => (read++ === 0 ? audience : ["https://elsewhere.example.com/"]),
    enumerable: true,
  });
  const given = { ...answer, record: { facts: sly, accessToken: { ...accessToken, scopes } } };
  const authorize = over(t, given);
  const first = await authorize();
  scopes.push("admin");
  const again = await authorize();
  t.deepEqual([first.scopes, again.scopes, again.audience], [["read"], ["read"], audience]);
  t.true([again, again.scopes, again.audience, again.claims].every((one) => Object.isFrozen(one)));
  t.false(Object.isFrozen(scopes), "the source's own stay its own");
});

test("a source that throws, or cannot tell whose a token is, counts as an outage", async (t) => {
  const throwing = () => {
    throw new Error("secret-7f3a");
  };
  for (const ask of [throwing, () => Promise.reject(new Error("secret-7f3a"))]) {
    const error = await t.throwsAsync(over(t, answer, { ask })(), { instanceOf: IntrospectionUnavailable });
    t.false(error.message.includes("secret"));
  }
  const ask = () => Promise.resolve(answer);
  const close = () => Promise.resolve();
  const api = protectWith(t, {
    issuers: [
      { issuer: "https://a.example", source: { ask, close, claims: throwing } as unknown as FactsSource },
      { issuer: "https://b.example", source: { ask, close } as unknown as FactsSource },
    ],
  });
  const error = await t.throwsAsync(api.authorize({ token: "token", certificate: { x5tS256 } }), {
    instanceOf: IntrospectionUnavailable,
  });
  t.false(error.message.includes("secret"));
});

test("a source without close, or whose issuer is no text, is a wrong option", (t) => {
  const ask = () => Promise.resolve(answer);
  for (const [source, message] of [
    [{ ask }, /^source must have a function close/],
    [{ ask, close: () => Promise.resolve(), issuer: 1 }, /^source must have a string as its issuer/],
  ] as const) {
    t.throws(() => protectWith(t, { source: source as unknown as FactsSource }), { instanceOf: TypeError, message });
  }
});

test("readTokenFacts reads RFC 7662's names as an answer is read, and does not change its argument", async (t) => {
  const said = { active: true, sub: "user", scope: "read", exp, aud: audience, cnf: { "x5t#S256": x5tS256 } };
  const record = readTokenFacts(said);
  t.false(Object.isFrozen(said.cnf));
  await t.notThrowsAsync(over(t, { ...answer, record })());
  await t.throwsAsync(over(t, { ...answer, record })({ x5tS256: otherX5tS256 }), { instanceOf: AccessTokenRefused });
  t.false(readTokenFacts({ active: false }).facts.active);
  t.false(readTokenFacts({ ...said, typ: "ID" }).facts.active);
  t.throws(() => readTokenFacts({ ...said, exp: exp * 1000 }), { instanceOf: IntrospectionMalformed, message: /exp/ });
  t.throws(() => readTokenFacts({ ...said, roles: new Set() }), {
    instanceOf: IntrospectionMalformed,
    message: /roles/,
  });
  t.throws(() => readTokenFacts(undefined), { instanceOf: IntrospectionMalformed });
  t.throws(() => readTokenFacts(said, "unknown" as never), { instanceOf: TypeError });
  // A dialect's reading is not judged once more by another one.
  const wso2 = readTokenFacts({ ...said, cnf: undefined, "x5t#SHA256": x5tS256, token_type: "JWT" }, "wso2");
  await t.notThrowsAsync(over(t, { ...answer, record: wso2 })());
});
