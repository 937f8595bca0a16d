import test, { type ExecutionContext } from "ava";
import { IntrospectionMalformed } from "../../src/resource-server/refusal/introspection-unavailable.ts";
import type { IssuerOptions } from "../../src/resource-server/issuer-options.ts";
import { createResourceServer } from "../../src/resource-server/resource-server.ts";
import type { FactsSource } from "../../src/resource-server/sources/facts-source.ts";
import { readIntrospection } from "../../src/resource-server/sources/introspection-answer.ts";
import { jwtAccessTokens } from "../../src/resource-server/sources/jwt-access-tokens.ts";
import { protectWith } from "../support/endpoint-source.ts";
import { accessTokenClaims, audience, createSigningKey, signJwt } from "../support/jwt-issuer.ts";
import { boundFacts, certificate, createScriptedBackend, x5tS256 } from "../support/scripted-backend.ts";

const a = "https://a.example";
const b = "https://b.example";
const c = "https://c.example";

/** A source that answers for every token it is shown, and keeps what it was shown. */
function createSource(answer: Record<string, unknown> = {}, more: Partial<FactsSource> = {}) {
  const asked: string[] = [];
  const source: FactsSource = {
    ask(token) {
      asked.push(token);
      return Promise.resolve({
        record: readIntrospection(boundFacts(answer)),
        invalidationKeys: [],
        size: 1,
        reusable: true,
      });
    },
    close: () => Promise.resolve(),
    ...more,
  };
  return { source, asked };
}

function open(t: ExecutionContext, issuers: IssuerOptions[]) {
  const api = protectWith(t, { issuers });
  return (token: string, issuer?: string) => api.authorize({ token, certificate, ...(issuer && { issuer }) });
}

test("the issuer that the route names is asked, and no other", async (t) => {
  const [one, other] = [createSource({ sub: "of a" }), createSource({ sub: "of b" })];
  const authorize = open(t, [
    { issuer: a, source: one.source },
    { issuer: b, source: other.source },
  ]);
  t.like(await authorize("opaque", a), { sub: "of a", issuer: a });
  t.like(await authorize("opaque", b), { sub: "of b", issuer: b });
  t.deepEqual([one.asked, other.asked], [["opaque"], ["opaque"]]);
});

test("an unknown issuer name is an error of the program, with one issuer too", async (t) => {
  const { source, asked } = createSource();
  for (const issuers of [
    [{ issuer: a, source }],
    [
      { issuer: a, source },
      { issuer: b, source },
    ],
  ]) {
    const error = await t.throwsAsync(open(t, issuers)("opaque", c), { instanceOf: TypeError });
    t.like(error, { code: "ERR_INVALID_OPTION" });
  }
  t.deepEqual(asked, []);
});

test("with two issuers of opaque tokens the route has to name one; otherwise nobody is asked", async (t) => {
  const [one, other] = [createSource(), createSource()];
  const authorize = open(t, [
    { issuer: a, source: one.source },
    { issuer: b, source: other.source },
  ]);
  const error = await t.throwsAsync(authorize("opaque"), { instanceOf: TypeError, message: /^issuer must be named/ });
  t.like(error, { code: "ERR_INVALID_OPTION" });
  t.deepEqual([one.asked, other.asked], [[], []]);
});

const keyOfA = createSigningKey("ES256", "a");
const keyOfB = createSigningKey("ES256", "b");
const jwtsOf = (issuer: string, key: typeof keyOfA) => jwtAccessTokens({ issuer, audience, jwks: { keys: [key.jwk] } });
const jwt = (iss: string, key: typeof keyOfA, change = {}) => signJwt(key, accessTokenClaims({ iss, ...change }));

test("two issuers of JWTs and one of opaque tokens each get their own tokens, and have to prove them", async (t) => {
  const opaque = createSource({ sub: "of c" });
  const authorize = open(t, [
    { source: jwtsOf(a, keyOfA) },
    { source: jwtsOf(b, keyOfB) },
    { issuer: c, source: opaque.source },
  ]);
  t.is((await authorize(await jwt(a, keyOfA))).issuer, a);
  t.is((await authorize(await jwt(b, keyOfB))).issuer, b);
  t.is((await authorize("opaque")).issuer, c);
  t.deepEqual(opaque.asked, ["opaque"]);
});

test("a token of issuer A that claims to be B's is never trusted as B's, whatever the route names", async (t) => {
  const opaque = createSource();
  const authorize = open(t, [
    { source: jwtsOf(a, keyOfA) },
    { source: jwtsOf(b, keyOfB) },
    { issuer: c, source: opaque.source },
  ]);
  const forged = await jwt(b, keyOfA);
  for (const named of [undefined, a, b, c]) {
    t.like(await t.throwsAsync(authorize(forged, named)), { code: "token_unknown", status: 401 }, named);
  }
  t.deepEqual(opaque.asked, []);
});

test("a JWT that names its issuer is shown to no other one that could use it", async (t) => {
  const opaque = createSource();
  const authorize = open(t, [{ source: jwtsOf(a, keyOfA) }, { issuer: c, source: opaque.source }]);
  const ofNobody = await jwt("https://nobody.example", keyOfB);
  t.like(await t.throwsAsync(authorize(ofNobody)), { code: "token_unknown" });
  t.like(await t.throwsAsync(authorize(ofNobody, c)), { code: "token_unknown" });
  t.like(await t.throwsAsync(authorize(await jwt(a, keyOfA), c)), { code: "token_unknown" });
  t.deepEqual(opaque.asked, []);
  const itsOwn = await jwt(c, keyOfB);
  await authorize(itsOwn);
  await authorize(await signJwt(keyOfB, accessTokenClaims({ iss: undefined })));
  t.is(opaque.asked.length, 2);
});

test("with JWT issuers only, an opaque token belongs to no issuer", async (t) => {
  const authorize = open(t, [{ source: jwtsOf(a, keyOfA) }, { source: jwtsOf(b, keyOfB) }]);
  t.like(await t.throwsAsync(authorize("opaque")), { code: "token_unknown", status: 401 });
});

test("a claim alone proves nothing: a source that claims everything still has to answer", async (t) => {
  const greedy = createSource({ active: false }, { claims: () => true });
  const authorize = open(t, [
    { issuer: a, source: greedy.source },
    { issuer: b, source: createSource().source },
  ]);
  t.like(await t.throwsAsync(authorize("opaque")), { code: "token_unknown" });
  t.deepEqual(greedy.asked, ["opaque"]);
});

test("an answer whose iss is another issuer's is malformed, one without iss is the configured issuer's", async (t) => {
  for (const [iss, expected] of [
    [a, a],
    [undefined, a],
    [b, undefined],
    [`${a}/`, undefined],
  ] as const) {
    const { source } = createSource({ iss });
    for (const configured of [{ issuer: a, source }, { source: { ...source, issuer: a } }]) {
      const api = protectWith(t, configured);
      const authorized = api.authorize({ token: "opaque", certificate });
      if (expected !== undefined) t.is((await authorized).issuer, expected);
      else await t.throwsAsync(authorized, { instanceOf: IntrospectionMalformed, message: /another issuer/ });
    }
  }
});

test("a backend's answers are held against the configured issuer too", async (t) => {
  const backend = createScriptedBackend();
  backend.tokens.set("token", boundFacts({ iss: b }));
  const api = protectWith(t, { backend, issuer: a });
  await t.throwsAsync(api.authorize({ token: "token", certificate }), { instanceOf: IntrospectionMalformed });
});

test("where the backend decides, the token is the configured issuer's", async (t) => {
  const backend = {
    ...createScriptedBackend(),
    authIntrospection: () =>
      Promise.resolve({
        resultCode: "A056001",
        resultMessage: "[A056001] Valid.",
        action: "OK" as const,
        certificateThumbprint: x5tS256,
      }),
  };
  const api = protectWith(t, { backend, issuer: a, decide: "backend" });
  t.is((await api.authorize({ token: "token", certificate: { x5tS256, raw: Buffer.of(1) } })).issuer, a);
});

test("each issuer remembers for itself: the same text at two issuers is two tokens", async (t) => {
  const [one, other] = [createSource({ sub: "of a" }), createSource({ active: false })];
  const authorize = open(t, [
    { issuer: a, source: one.source },
    { issuer: b, source: other.source },
  ]);
  for (let n = 0; n < 2; n++) {
    t.is((await authorize("opaque", a)).sub, "of a");
    await t.throwsAsync(authorize("opaque", b));
  }
  t.deepEqual([one.asked.length, other.asked.length], [1, 1]);
});

test("inherited members of a source's class are used", async (t) => {
  class Source implements FactsSource {
    readonly closed: string[] = [];
    ask() {
      return Promise.resolve({
        record: readIntrospection(boundFacts({ sub: this.owner() })),
        invalidationKeys: [],
        size: 1,
        reusable: true,
      });
    }
    claims(token: string) {
      return token.startsWith(this.owner());
    }
    owner() {
      return "class";
    }
    close() {
      this.closed.push(this.owner());
      return Promise.resolve();
    }
  }
  const own = new Source();
  const api = createResourceServer({
    issuers: [
      { issuer: a, source: own },
      { issuer: b, source: createSource().source },
    ],
    clock: () => 1_800_000_000_000,
  });
  t.is((await api.authorize({ token: "class-token", certificate })).sub, "class");
  await api.close();
  t.deepEqual(own.closed, ["class"]);
});

const { source } = createSource();
for (const [what, message, options] of [
  ["issuers without a name", /^issuers must each have a name/, { issuers: [{ source }, { issuer: a, source }] }],
  [
    "two of the same name",
    /^issuers must have different names/,
    {
      issuers: [
        { issuer: a, source },
        { issuer: a, source },
      ],
    },
  ],
  ["no issuer", /^issuers must not be empty/, { issuers: [] }],
  ["an issuer beside issuers", /^source belongs in/, { source, issuers: [{ issuer: a, source }] }],
  [
    "another name than the source's own",
    /^issuer must be the source's own/,
    { issuer: a, source: { ...source, issuer: b } },
  ],
  ["a backend beside a source", /^source cannot be combined/, { source, backend: {} }],
  ["a source that decides at the backend", /^decide /, { source, decide: "backend" }],
] as const) {
  test(`an option is refused by its name: ${what}`, (t) => {
    const error = t.throws(() => createResourceServer(options as never), { instanceOf: TypeError, message });
    t.like(error, { code: "ERR_INVALID_OPTION" });
  });
}

for (const issuer of [undefined, a]) {
  test(`other code cannot change the answers of a source of one's own (${issuer ?? "no name"})`, async (t) => {
    const ask = (): ReturnType<FactsSource["ask"]> =>
      Promise.resolve({
        record: structuredClone(readIntrospection(boundFacts({ aud: [audience], deep: { list: [1] } }))),
        invalidationKeys: [],
        size: 1,
        reusable: true,
      });
    const { source } = createSource({}, { ask });
    const api = protectWith(t, { source, resource: audience, ...(issuer && { issuer }) });
    const { scopes, audience: names, claims } = await api.authorize({ token: "opaque", certificate });
    const { deep } = claims as { deep: { list: number[] } };
    for (const list of [scopes, names, deep.list])
      t.throws(() => (list as unknown[]).push("admin"), { instanceOf: TypeError });
    t.throws(() => Object.assign(deep, { more: 1 }), { instanceOf: TypeError });
  });
}
