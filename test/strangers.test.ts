import { once } from "node:events";
import { createServer, type IncomingMessage } from "node:http";
import test, { type ExecutionContext } from "ava";
import { publicDocument } from "../src/authorization-server/discovery-endpoint.ts";
import type { Endpoint, EndpointRequest } from "../src/authorization-server/endpoint.ts";
import {
  basicResourceServers,
  introspectionEndpoint,
  nodeHandler,
  revocationEndpoint,
  tokenEndpoint,
  userInfoEndpoint,
} from "../src/authorization-server/index.ts";
import { openAuthorization } from "../src/authorization-server/authorization-endpoint.ts";
import { createReadiness } from "../src/backend/readiness.ts";
import type { Store } from "../src/backend/store/store.ts";
import type { ApiCallerCredentials } from "../src/contract/operation.ts";
import { openSealedJson, sealJson } from "../src/jose/sealed-json.ts";
import { namesAccessToken } from "../src/oauth/authorization-header.ts";
import { mostHeaderElements } from "../src/oauth/compact-jwt.ts";
import { mostJsonElements } from "../src/oauth/json-object.ts";
import { authorizeRequest } from "../src/resource-server/middleware/authorize-request.ts";
import type { FactsSource } from "../src/resource-server/sources/facts-source.ts";
import { inactiveBecause } from "../src/resource-server/sources/introspection-answer.ts";
import { jwtAccessTokens } from "../src/resource-server/sources/jwt-access-tokens.ts";
import { createSignInWorld, plainPages, ticketIsGone } from "./authorization-server/sign-in-world.ts";
import { fakeOperations, operationsForOneService, serviceId, startApp } from "./backend/http/running-app.ts";
import { protectWith } from "./support/endpoint-source.ts";
import { createEngineByHand } from "./support/engine.ts";
import { basic } from "./support/https-request.ts";
import { accessTokenClaims, assembleJwt, audience, createSigningKey, issuer } from "./support/jwt-issuer.ts";
import { x5tS256 } from "./support/scripted-backend.ts";
import { apiSecret, serviceAccessToken, serviceSettings } from "./support/settings.ts";

// What else somebody without credentials can send, entry by entry, and what it may cost: counted, not timed. Parameters of
// token, revocation and authorization requests are in backend/engine/strangers.test.ts, paths of certificates in
// backend/chain-verification/strangers.test.ts.

/** Octets, or characters, that fit the 16 KiB which Node allows all headers of a request together. */
const headerOctets = 15_000;
const form = "application/x-www-form-urlencoded";

/** A row: the entry or what is peculiar about it, what is sent, and what that costs. */
type Row<Sent> = readonly [entry: string, sent: Sent, cost: Readonly<Record<string, number>>];

// The backend's HTTP API, before its caller is authenticated.

const nothing = { authenticated: 0, operations: 0 };
const head = (line: string, ...lines: readonly string[]): string =>
  [`${line} HTTP/1.1`, "Host: localhost", "Connection: close", ...lines, "", ""].join("\r\n");
const announced = ["Content-Type: application/json", "Content-Length: 1000000"];

for (const [entry, sent, cost] of [
  ["a path of 15,000 characters", head(`GET /api/1/client/get${"/a".repeat(headerOctets / 2)}`), nothing],
  ["a path of percent-encodings", head(`GET /${"%41".repeat(headerOctets / 3)}`), nothing],
  ["a service id of 15,000 digits", head(`POST /api/${"1".repeat(headerOctets)}/auth/token`), nothing],
  ["a service id beyond what is counted", head("POST /api/9999999999999999/auth/token"), nothing],
  ["a method that the path has not", head("PATCH /api/1/auth/token", ...announced), nothing],
  ["no Authorization header", head("POST /api/1/auth/token", ...announced), nothing],
  [
    "an Authorization header of another scheme",
    head("POST /api/1/auth/token", ...announced, `Authorization: Basic ${"A".repeat(headerOctets)}`),
    nothing,
  ],
  [
    "two Authorization headers",
    head("POST /api/1/auth/token", ...announced, "Authorization: Bearer a", "Authorization: Bearer b"),
    nothing,
  ],
  [
    "a wrong token of 15,000 characters",
    head("POST /api/1/auth/token", ...announced, `Authorization: Bearer ${"a".repeat(headerOctets)}`),
    { ...nothing, authenticated: 1 },
  ],
  [
    "wrong Basic credentials of 15,000 characters",
    head("POST /api/auth/token", ...announced, `Authorization: ${basic("1", "a".repeat(11_000))}`),
    { ...nothing, authenticated: 1 },
  ],
] satisfies readonly Row<string>[]) {
  test(`the HTTP API reads nothing of a stranger's body: ${entry}`, async (t) => {
    let authenticated = 0;
    const operations = fakeOperations();
    const { raw, log } = await startApp(t, {
      operationsFor: (credentials: ApiCallerCredentials) => {
        authenticated += 1;
        return operationsForOneService(operations)(credentials);
      },
    });
    // Of the body that is announced not one octet is sent: an answer that comes did not wait for it.
    t.regex(await raw(sent), /^HTTP\/1\.1 4\d\d /);
    t.deepEqual({ authenticated, operations: operations.calls.length }, cost);
    t.true(log.join("").length < 1000);
  });
}

test("of a request id of 15,000 characters nothing is logged or sent back", async (t) => {
  const { call, log } = await startApp(t);
  const answer = await call({ path: "/nothing", headers: { "x-request-id": "a".repeat(headerOctets) } });
  t.is(answer.headers["x-request-id"], "id-1");
  t.true(log.join("").length < 1000);
});

const wrong: readonly (readonly [string, ApiCallerCredentials, number])[] = [
  ["a wrong token", { scheme: "bearer", serviceId, accessToken: "a".repeat(headerOctets) }, 1],
  ["an unknown service", { scheme: "bearer", serviceId: 1, accessToken: serviceAccessToken }, 1],
  ["a wrong secret", { scheme: "basic", apiKey: `${serviceId}`, apiSecret: "a".repeat(headerOctets) }, 1],
  ["an API key that is no number", { scheme: "basic", apiKey: "a".repeat(headerOctets), apiSecret }, 0],
];
for (const [what, credentials, reads] of wrong) {
  test(`a caller of the API with ${what} costs ${reads} reads of the store, and no write`, async (t) => {
    const called: string[] = [];
    const { engine } = await createEngineByHand(t, [{ settings: serviceSettings(), clients: [] }], {
      around: (store) => counting(store, called),
    });
    for (let round = 0; round < 3; round += 1) {
      called.length = 0;
      t.true("error" in (await engine.authenticateApiCaller(credentials)));
      t.is(called.length, reads, called.join());
    }
  });
}

/** The store, with the names of what is called of it. */
function counting(store: Store, called: string[]): Partial<Store> {
  const counted = Object.entries(store).map(([name, value]: [string, unknown]) => {
    if (typeof value !== "function") return [name, value];
    const counter = (...given: unknown[]): unknown => {
      called.push(name);
      return (value as (...given: unknown[]) => unknown)(...given);
    };
    return [name, counter];
  });
  return Object.fromEntries(counted) as Partial<Store>;
}

test("a hundred probes in a second run each check of readiness once", async (t) => {
  let runs = 0;
  const failedChecks = createReadiness({
    checks: [{ name: "store-write", check: () => void (runs += 1) }],
    monotonicClock: () => 999,
  });
  await Promise.all(Array.from({ length: 100 }, () => failedChecks()));
  t.is(runs, 1);
});

// The front end.

const posted = { method: "POST", contentType: form, body: "" };
/** A text that counts how often somebody looks through it. */
function countedText(text: string) {
  const counted = { looks: 0, text: text };
  counted.text = Object.assign(Object.create(null) as object, {
    toString: () => {
      counted.looks += 1;
      return text;
    },
  }) as unknown as string;
  return counted;
}

for (const [entry, sent, cost] of [
  ["a Content-Type of 15,000 characters", { contentType: form.padEnd(headerOctets, ";") }, { asked: 0 }],
  ["a thousand charsets", { contentType: form + ";charset=us-ascii".repeat(900) }, { asked: 0 }],
  ["an Authorization header of no credentials", { authorization: `Basic ${"!".repeat(headerOctets)}` }, { asked: 0 }],
  ["Basic without a colon", { authorization: `Basic ${"A".repeat(headerOctets)}` }, { asked: 0 }],
  ["another method", { method: "PUT" }, { asked: 0 }],
  ["wrong Basic credentials", { authorization: basic("x", "y") }, { asked: 1 }],
] satisfies readonly Row<Partial<EndpointRequest>>[]) {
  for (const [name, ask] of [
    ["token", (authToken: () => Promise<never>) => tokenEndpoint({ backend: { authToken }, realm: "r" })],
    [
      "revocation",
      (authRevocation: () => Promise<never>) => revocationEndpoint({ backend: { authRevocation }, realm: "r" }),
    ],
  ] as const) {
    test(`the ${name} endpoint asks its backend ${cost.asked} times: ${entry}`, async (t) => {
      let asked = 0;
      const endpoint = ask(() => {
        asked += 1;
        return Promise.resolve({ action: "BAD_REQUEST", resultMessage: "" } as never);
      });
      const answer = await endpoint({ ...posted, ...sent });
      t.true(answer.status >= 400 && answer.status < 500);
      t.is(asked, cost.asked);
    });
  }
}

test("however many charsets a form names, its body is looked through once", async (t) => {
  const { refuseUnlessFormBody } = await import("../src/authorization-server/endpoint.ts");
  for (const [charset, looks, refused] of [
    [";charset=us-ascii".repeat(10), 1, false],
    [";charset=utf-8".repeat(10), 0, false],
    [";charset=utf-16", 0, true],
  ] as const) {
    const body = countedText("a=".padEnd(65_536, "b"));
    const answer = refuseUnlessFormBody({ ...posted, contentType: form + charset, body: body.text });
    t.is(answer !== undefined, refused);
    t.is(body.looks, looks);
  }
});

test("a query or a body is looked through once for a second token", (t) => {
  const query = countedText("a&".repeat(headerOctets / 2));
  t.false(namesAccessToken(query.text));
  t.is(query.looks, 1);
});

for (const [entry, sent, cost] of [
  ["without a token", {}, { asked: 0 }],
  ["with another scheme", { authorization: `DPoP ${"a".repeat(headerOctets)}` }, { asked: 0 }],
  ["with a malformed token", { authorization: `Bearer ${"a".repeat(headerOctets)} ` }, { asked: 0 }],
  [
    "with a token in the header and in the form",
    { authorization: "Bearer a", contentType: form, body: `${"a&".repeat(30_000)}access%5ftoken=b` },
    { asked: 0 },
  ],
  ["with an unknown token", { authorization: `Bearer ${"a".repeat(headerOctets)}` }, { asked: 1 }],
] satisfies readonly Row<Partial<EndpointRequest>>[]) {
  test(`userinfo endpoint, ${cost.asked} questions asked, no user table: ${entry}`, async (t) => {
    let asked = 0;
    const endpoint = userInfoEndpoint({
      backend: {
        authUserinfo: () => {
          asked += 1;
          return Promise.resolve({ action: "UNAUTHORIZED", responseContent: "Bearer", resultMessage: "" } as never);
        },
        authUserinfoIssue: () => Promise.reject(new Error("nothing is issued")),
      },
      realm: "r",
      claims: () => t.fail(),
    });
    t.true((await endpoint({ method: "POST", body: "", ...sent })).status >= 400);
    t.is(asked, cost.asked);
  });
}

test("the introspection endpoint asks its backend nothing for a caller that it does not know", async (t) => {
  const endpoint = introspectionEndpoint({
    backend: { authIntrospectionStandard: () => t.fail() },
    authenticate: basicResourceServers([{ id: "api", secret: "secret" }]),
    realm: "r",
  });
  for (const authorization of [undefined, basic("api", "a".repeat(11_000)), basic("a".repeat(11_000), "secret")]) {
    const given = authorization === undefined ? {} : { authorization };
    t.is((await endpoint({ ...posted, body: "a&".repeat(32_768), ...given })).status, 401);
  }
});

test("a public document is asked for once a second, however many want it, also while it fails", async (t) => {
  let asked = 0;
  let now = 0;
  let answers: () => Promise<unknown> = () => Promise.resolve({ keys: [] });
  const endpoint = publicDocument(
    () => {
      asked += 1;
      return answers();
    },
    { onBackendFailure: undefined, monotonicClock: () => now },
  );
  const hundred = async (method: string): Promise<readonly number[]> => {
    const all = await Promise.all(Array.from({ length: 100 }, () => endpoint({ method, body: "" })));
    return [...new Set(all.map(({ status }) => status))];
  };
  t.deepEqual(await hundred("GET"), [200]);
  t.deepEqual(await hundred("HEAD"), [200]);
  t.is(asked, 1);
  t.deepEqual(await hundred("POST"), [405]);
  now = 999;
  answers = () => Promise.reject(new Error("down"));
  t.deepEqual(await hundred("GET"), [200]);
  t.is(asked, 1);
  now = 1000;
  t.deepEqual(await hundred("GET"), [503]);
  t.is(asked, 2);
  now = 2000;
  answers = () => Promise.resolve(undefined);
  t.deepEqual(await hundred("GET"), [404]);
  t.is(asked, 3);
});

const key = new Uint8Array(32).fill(7);
const cookie = (name: string, value: string): string => `__Host-certbound-${name}=${value}`;
const free = { opened: 0, asked: 0 };

for (const [entry, sent, cost] of [
  [
    "a Cookie header of 15,000 semicolons",
    { method: "GET", browser: { query: "a", cookie: ";".repeat(headerOctets) } },
    { opened: 0, asked: 1 },
  ],
  [
    "hundreds of cookies of one of our names",
    { method: "GET", browser: { query: "a", cookie: `${cookie("session", "a")};`.repeat(500) } },
    { opened: 0, asked: 1 },
  ],
  [
    "two cookies of 7000 characters",
    {
      method: "GET",
      browser: {
        query: "a",
        cookie: `${cookie("session", "a".repeat(7000))}; ${cookie("browser", "b".repeat(7000))}`,
      },
    },
    { opened: 2, asked: 1 },
  ],
  [
    "a form of another site's",
    { ...posted, body: `interaction=${"a".repeat(60_000)}`, browser: { query: "", fetchSite: "cross-site" } },
    free,
  ],
  ["a form of 30,000 fields", { ...posted, body: `interaction=a${"&a".repeat(30_000)}` }, free],
  ["a form of percent signs", { ...posted, body: `interaction=${"%".repeat(60_000)}` }, free],
  [
    "a sealed value of 60,000 characters",
    { ...posted, body: `interaction=${"a".repeat(60_000)}` },
    { opened: 1, asked: 0 },
  ],
  [
    "a sealed value and a cookie",
    { ...posted, body: "interaction=a", browser: { query: "", cookie: cookie("browser", "b") } },
    { opened: 2, asked: 0 },
  ],
  ["a request of 60,000 characters by POST", { ...posted, body: "é".repeat(30_000) }, free],
  ["a request by POST", { ...posted, body: "response_type=code" }, free],
  ["another method", { method: "PUT" }, free],
] satisfies readonly Row<Partial<EndpointRequest> & Pick<EndpointRequest, "method">>[]) {
  const { opened: opens, asked: asks } = cost;
  test(`authorization endpoint, ${opens} seals opened, ${asks} questions asked: ${entry}`, async (t) => {
    const counts = { opened: 0, asked: 0 };
    const endpoint: Endpoint = openAuthorization(
      {
        backend: {
          authAuthorization: () => {
            counts.asked += 1;
            return Promise.resolve({ action: "NO_INTERACTION", ticket: "t", resultMessage: "" } as never);
          },
          authAuthorizationFail: () =>
            Promise.resolve({ action: "LOCATION", responseContent: "https://a.example", resultMessage: "" } as never),
          authAuthorizationTicketInfo: () => Promise.resolve(ticketIsGone as never),
          authAuthorizationIssue: () => Promise.reject(new Error("nothing is issued")),
        },
        users: { authenticate: () => t.fail(), claims: () => t.fail() },
        pages: plainPages,
        cookieKey: key,
      },
      {
        clock: () => 0,
        random: (octets) => Buffer.alloc(octets),
        sealing: () => ({
          seal: () => Promise.resolve("sealed"),
          open: () => {
            counts.opened += 1;
            return Promise.resolve(undefined);
          },
        }),
      },
    );
    await endpoint({ body: "", browser: { query: "" }, ...sent });
    t.deepEqual(counts, cost);
  });
}

test.serial("a sealed value with a header that is not ours is not decrypted; one with ours is, once", async (t) => {
  const { subtle } = globalThis.crypto;
  let decrypted = 0;
  const own = subtle.decrypt.bind(subtle);
  Object.defineProperty(subtle, "decrypt", {
    configurable: true,
    value: (...given: Parameters<typeof own>) => {
      decrypted += 1;
      return own(...given);
    },
  });
  t.teardown(() => Reflect.deleteProperty(subtle, "decrypt"));
  const header = (value: object): string => Buffer.from(JSON.stringify(value)).toString("base64url");
  const rest = `..${"A".repeat(16)}.${"A".repeat(48_000)}.${"A".repeat(22)}`;
  const proper = { alg: "dir", enc: "A256GCM", typ: "p" };
  for (const [text, cost] of [
    [header({ ...proper, a: Array.from({ length: 10_000 }, () => 0) }) + rest, 0],
    [header({ ...proper, zip: "DEF" }) + rest, 0],
    [header({ ...proper, typ: "other" }) + rest, 0],
    ["a".repeat(65_536), 0],
    [header(proper) + rest, 1],
  ] as const) {
    decrypted = 0;
    t.is(await openSealedJson(text, key, "p"), undefined);
    t.is(decrypted, cost);
  }
  t.deepEqual(await openSealedJson(await sealJson({ a: 1 }, key, "p"), key, "p"), { a: 1 });
});

test.serial("a request of 60,000 characters by POST is refused before a character of it is encoded", async (t) => {
  const own = globalThis.encodeURIComponent;
  let encoded = 0;
  globalThis.encodeURIComponent = (text) => {
    encoded += 1;
    return own(text);
  };
  t.teardown(() => {
    globalThis.encodeURIComponent = own;
  });
  const { endpoint } = createSignInWorld();
  t.is((await endpoint({ ...posted, body: "é".repeat(30_000) })).status, 400);
  t.is(encoded, 0);
  t.is((await endpoint({ ...posted, body: "é".repeat(1000) })).status, 303);
  t.is(encoded, 1000);
});

test("of a body above 65,536 octets nothing is kept or asked, whatever the endpoint", async (t) => {
  let asked = 0;
  const endpoint: Endpoint = () => Promise.resolve({ status: 200, headers: {}, body: `${(asked += 1)}` });
  const server = createServer(nodeHandler({ "/token": endpoint }));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  t.teardown(() => server.close());
  const address = server.address();
  const url = `http://127.0.0.1:${typeof address === "object" ? address?.port : 0}`;
  for (const [path, octets, status] of [
    [`/token${"?".repeat(headerOctets)}`, 65_536, 200],
    ["/token", 65_537, 413],
    ["/other", 65_537, 404],
  ] as const) {
    t.is((await fetch(url + path, { method: "POST", body: "a".repeat(octets) })).status, status);
  }
  t.is(asked, 1);
});

// The library in an API.

const signingKey = createSigningKey();
const other = createSigningKey();

/** A request as an API has it; `certificate` counts how often the connection was asked. */
async function present(t: ExecutionContext, request: { lines: readonly string[]; target?: string; body?: unknown }) {
  const counts = { certificates: 0, asked: 0 };
  const source: FactsSource = {
    ask: () => {
      counts.asked += 1;
      return Promise.resolve({
        record: inactiveBecause("unknown"),
        invalidationKeys: [],
        size: 1,
        reusable: true,
      });
    },
    close: () => Promise.resolve(),
  };
  const { lines, ...rest } = request;
  const admission = await authorizeRequest(
    protectWith(t, { source }),
    { rawHeaders: lines, ...rest },
    {
      certificate: () => {
        counts.certificates += 1;
        return { x5tS256 };
      },
    },
  );
  return { counts, granted: admission.granted };
}

const unasked = { certificates: 0, asked: 0 };
for (const [entry, sent, cost] of [
  ["no Authorization header among 900", { lines: Array.from({ length: 1800 }, (_, at) => `a${at}`) }, unasked],
  ["another scheme", { lines: ["authorization", `DPoP ${"a".repeat(headerOctets)}`] }, unasked],
  ["a malformed token", { lines: ["authorization", `Bearer ${"=".repeat(headerOctets)}`] }, unasked],
  ["two headers", { lines: ["authorization", "Bearer a", "Authorization", "Bearer b"] }, unasked],
  [
    "a second token at the end of the query",
    { lines: ["authorization", "Bearer a"], target: `/?${"&".repeat(headerOctets)}%61ccess_token=b` },
    unasked,
  ],
  [
    "a second token at the end of a mebibyte",
    {
      lines: ["authorization", "Bearer a", "content-type", form],
      body: `${"a&".repeat(524_288)}access_toke%6E=b`,
    },
    unasked,
  ],
  [
    "a token of more than 16,384 characters",
    { lines: ["authorization", `Bearer ${"a".repeat(16_385)}`] },
    { certificates: 1, asked: 0 },
  ],
  [
    "an unknown token",
    { lines: ["authorization", `Bearer ${"a".repeat(headerOctets)}`] },
    { certificates: 1, asked: 1 },
  ],
] satisfies readonly Row<Parameters<typeof present>[1]>[]) {
  test(`an API, ${cost.certificates} certificates looked for, ${cost.asked} questions: ${entry}`, async (t) => {
    const { counts, granted } = await present(t, sent);
    t.false(granted);
    t.deepEqual(counts, cost);
  });
}

test("a hundred unknown tokens ask as many questions as may be asked at once; the rest waits or fails", async (t) => {
  let asked = 0;
  const source: FactsSource = {
    ask: (_, { signal }) => {
      asked += 1;
      return new Promise((_resolve, reject) => {
        signal.addEventListener("abort", () => {
          reject(signal.reason as Error);
        });
      });
    },
    close: () => Promise.resolve(),
  };
  const api = protectWith(t, { source, questions: { maxConcurrent: 2, maxQueued: 3 } });
  const ended = new AbortController();
  let refused = 0;
  const all = Array.from({ length: 100 }, (_, at) =>
    api.authorize({ token: `t${at}`, certificate: { x5tS256 }, signal: ended.signal }).catch(() => {
      if (!ended.signal.aborted) refused += 1;
    }),
  );
  await new Promise((resolve) => setImmediate(resolve));
  t.is(asked, 2);
  t.is(refused, 95);
  ended.abort();
  await Promise.all(all);
});

const members = (count: number) => Object.fromEntries(Array.from({ length: count }, (_, at) => [`m${at}`, 0]));
const named = { alg: "ES256", kid: "k1", typ: "at+jwt" };
const unnamed = { alg: "ES256", typ: "at+jwt" };
const signature = Buffer.alloc(64, 1);
const unverified = { verified: 0 };

for (const [entry, sent, cost] of [
  ["no JWT", "a".repeat(headerOctets), unverified],
  [
    "a header of more elements than are read",
    assembleJwt({ ...named, x5c: Array<string>(mostHeaderElements).fill("a") }, accessTokenClaims(), signature),
    unverified,
  ],
  [
    "claims of more elements than are read",
    assembleJwt(named, accessTokenClaims(members(mostJsonElements)), signature),
    unverified,
  ],
  [
    "nested arrays",
    `${assembleJwt(named, 0, "").split(".", 1)[0] ?? ""}.${Buffer.from(`{"a":${"[".repeat(5000)}`).toString("base64url")}.AAAA`,
    unverified,
  ],
  ["no signature", assembleJwt({ alg: "none", typ: "at+jwt" }, accessTokenClaims(), ""), unverified],
  ["a symmetric algorithm", assembleJwt({ ...named, alg: "HS256" }, accessTokenClaims(), signature), unverified],
  ["critical parameters", assembleJwt({ ...named, crit: ["exp"] }, accessTokenClaims(), signature), unverified],
  ["another issuer", assembleJwt(named, accessTokenClaims({ iss: "https://x.example" }), signature), unverified],
  ["another audience", assembleJwt(named, accessTokenClaims({ aud: "https://x.example" }), signature), unverified],
  ["an unknown key", assembleJwt({ ...named, kid: "k2" }, accessTokenClaims(), signature), unverified],
  ["keys of its own", assembleJwt({ ...named, kid: "k2", jwk: other.jwk }, accessTokenClaims(), signature), unverified],
  ["a known key and a wrong signature", assembleJwt(named, accessTokenClaims(), signature), { verified: 1 }],
  ["a signature of 10,000 octets", assembleJwt(named, accessTokenClaims(), Buffer.alloc(10_000)), { verified: 1 }],
  ["no key named, where twenty have no name", assembleJwt(unnamed, accessTokenClaims(), signature), { verified: 5 }],
] satisfies readonly Row<string>[]) {
  test.serial(`a JWT costs an API ${cost.verified} signature checks: ${entry}`, async (t) => {
    const { subtle } = globalThis.crypto;
    let verified = 0;
    const own = subtle.verify.bind(subtle);
    Object.defineProperty(subtle, "verify", {
      configurable: true,
      value: (...given: Parameters<typeof own>) => {
        verified += 1;
        return own(...given);
      },
    });
    t.teardown(() => Reflect.deleteProperty(subtle, "verify"));
    const nameless = Array.from({ length: 20 }, () => ({ ...createSigningKey().jwk, kid: undefined }));
    const keys = sent.startsWith(assembleJwt(unnamed, 0, "").split(".", 1)[0] ?? "") ? nameless : [signingKey.jwk];
    const source = jwtAccessTokens({ issuer, audience, jwks: { keys } });
    const api = protectWith(t, { source });
    for (let round = 0; round < 3; round += 1) {
      await t.throwsAsync(api.authorize({ token: sent, certificate: { x5tS256 } }), { name: "AccessTokenRefused" });
    }
    // The same token again is not looked at again.
    t.is(verified, cost.verified);
  });
}

const library = await import("../src/resource-server/index.ts");
const sourcesOf = Object.entries({
  ...{ rfc9440: library.rfc9440, nginx: library.nginx, apache: library.apache, haproxy: library.haproxy },
  ...{ haproxySha256: library.haproxySha256, envoy: library.envoy, gorouter: library.gorouter },
  ...{ traefik: library.traefik, awsAlb: library.awsAlb, awsAlbPassthrough: library.awsAlbPassthrough },
  ...{ cloudfront: library.cloudfront, cloudfrontSha256: library.cloudfrontSha256, gcp: library.gcp },
  ...{ gcpFingerprint: library.gcpFingerprint, azure: library.azure, caddy: library.caddy, kong: library.kong },
  ...{ caddyFingerprint: library.caddyFingerprint, cloudflare: library.cloudflare, wso2: library.wso2 },
  ...{ cloudflareSha256: library.cloudflareSha256, aspNet: library.aspNet },
  azureApplicationGateway: (options: Parameters<typeof library.nginx>[0]) =>
    library.azureApplicationGateway({ ...options, encoding: "flattened" }),
});

for (const [name, create] of sourcesOf) {
  test(`a certificate header of more than 131,072 characters is not decoded: ${name}`, (t) => {
    const source = create({ from: library.trustedProxies(["127.0.0.1"]), header: "x-cert" });
    const socket = { remoteAddress: "127.0.0.1" };
    const send = (value: string) => source({ socket, rawHeaders: ["X-Cert", value] } as unknown as IncomingMessage);
    t.deepEqual(send("%".repeat(131_073)), { unreadable: "too_large" });
    // A shorter one is read, and is none.
    const found = send("%".repeat(60_000));
    t.true(found !== undefined && "unreadable" in found && found.unreadable !== "too_large");
  });
}

test("a byte sequence has 256 characters of parameters at most, and nothing else is read", async (t) => {
  const { readByteSequence } = await import("../src/client-certificate/certificate-encodings.ts");
  t.is(readByteSequence(`:AQI=:${";a".repeat(127)}`)?.length, 2);
  t.is(readByteSequence(`:AQI=:${";a".repeat(128)}`), undefined);
  t.is(readByteSequence(`"${"\\\\".repeat(7000)}"`), undefined);
  t.is(readByteSequence(":AQI="), undefined);
  t.is(readByteSequence("::")?.length, 0);
});
