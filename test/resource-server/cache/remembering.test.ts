import test, { type ExecutionContext } from "ava";
import {
  AccessTokenRefused,
  type AccessTokenRefusalCode,
} from "../../../src/resource-server/refusal/access-token-refused.ts";
import { IntrospectionUnavailable } from "../../../src/resource-server/refusal/introspection-unavailable.ts";
import { boundFacts, createScripted, otherX5tS256, start } from "../../support/scripted-backend.ts";

async function refused(t: ExecutionContext, call: Promise<unknown>, code: AccessTokenRefusalCode): Promise<void> {
  const error = await t.throwsAsync(call, { instanceOf: AccessTokenRefused });
  t.is(error.code, code);
}

test("a token is asked for once and decided over on every request", async (t) => {
  const { backend, authorize } = createScripted();
  backend.tokens.set("good", boundFacts());
  const first = await authorize("good");
  t.is(await authorize("good"), first);
  await refused(t, authorize("good", { certificate: { x5tS256: otherX5tS256 } }), "certificate_mismatch");
  await refused(t, authorize("good", { certificate: undefined }), "certificate_missing");
  await refused(t, authorize("good", { certificate: { unreadable: "not_der" } }), "certificate_unreadable");
  await refused(t, authorize("good", { requirement: { scopes: ["admin"] } }), "scope_insufficient");
  await refused(t, authorize("good", { requirement: { subject: "other" } }), "subject_mismatch");
  await refused(t, authorize("good", { requirement: { resources: ["x"] } }), "audience_mismatch");
  t.is(await authorize("good", { requirement: { scopes: ["write"], subject: "user" } }), first);
  t.deepEqual(backend.asked, ["good"]);
});

test("nothing but the token is sent", async (t) => {
  const { backend, authorize } = createScripted({ resource: "https://api.example.com" });
  const seen: unknown[] = [];
  backend.authIntrospectionStandard = (request) => {
    seen.push(request);
    return Promise.resolve({ action: "OK", responseContent: '{"active":false}' });
  };
  await refused(t, authorize("a b&c=d+~%", { requirement: { scopes: ["read"], subject: "u" } }), "token_unknown");
  t.deepEqual(seen, [{ parameters: "token=a%20b%26c%3Dd%2B~%25&token_type_hint=access_token" }]);
});

test("an answer is used for the ttl and not a millisecond longer, however often it is used", async (t) => {
  const { backend, authorize, pass } = createScripted({ cache: { ttl: 10 } });
  backend.tokens.set("good", boundFacts());
  for (let second = 0; second <= 10; second++) {
    await authorize("good");
    if (second < 10) pass(1000);
  }
  t.is(backend.asked.length, 1);
  pass(1);
  await authorize("good");
  t.is(backend.asked.length, 2);
});

test("an answer's age counts from when it was asked for", async (t) => {
  const { backend, authorize, pass } = createScripted({ cache: { ttl: 10 } });
  backend.tokens.set("good", boundFacts());
  backend.before = () => {
    pass(9000);
  };
  await authorize("good");
  pass(1000);
  await authorize("good");
  t.is(backend.asked.length, 1);
  pass(1);
  await authorize("good");
  t.is(backend.asked.length, 2);
});

test("7662-4-f: a cached token expires at exactly exp, though its ttl is longer", async (t) => {
  const { backend, authorize, pass } = createScripted({ cache: { ttl: 600 } });
  const exp = start / 1000 + 60;
  backend.tokens.set("good", boundFacts({ exp }));
  await authorize("good");
  pass(59_999);
  await authorize("good");
  t.is(backend.asked.length, 1);
  pass(1);
  await refused(t, authorize("good"), "token_expired");
  t.is(backend.asked.length, 2);
});

test("a wall clock that is set back does not lengthen a life", async (t) => {
  const { backend, authorize, time } = createScripted({ cache: { ttl: 10 } });
  backend.tokens.set("good", boundFacts());
  await authorize("good");
  time.wall -= 3_600_000;
  time.monotonic += 10_001;
  await authorize("good");
  t.is(backend.asked.length, 2);
});

for (const cache of [{ ttl: 0 }, false] as const) {
  test(`with cache ${JSON.stringify(cache)} every request reaches the backend, concurrent ones too`, async (t) => {
    const { backend, authorize } = createScripted({ cache });
    backend.tokens.set("good", boundFacts());
    await authorize("good");
    await authorize("good");
    await Promise.all([authorize("good"), authorize("good"), authorize("good")]);
    t.is(backend.asked.length, 5);
    backend.tokens.delete("good");
    await refused(t, authorize("good"), "token_unknown");
  });
}

for (const ttl of [0, 1, 10]) {
  test(`7662-4-g: a revocation is noticed within ttl and pending time: ${ttl} s${ttl === 0 ? ", with which every request asks" : ""}`, async (t) => {
    const inFlight = 700;
    const { backend, authorize, pass, time } = createScripted({ cache: { ttl } });
    backend.tokens.set("good", boundFacts());
    // The worst case: revoked right after the backend looked, while its answer is on the way.
    let revokedAt = Number.NaN;
    backend.before = () => {
      if (!backend.tokens.delete("good")) return;
      revokedAt = time.wall;
      pass(inFlight);
    };
    let last = Number.NaN;
    let requests = 0;
    for (let accepted = true; accepted; requests++) {
      accepted = await authorize("good").then(
        () => true,
        () => false,
      );
      if (accepted) last = time.wall;
      pass(50);
    }
    if (ttl === 0) t.is(backend.asked.length, requests);
    const delay = last - revokedAt;
    t.true(delay <= Math.max(ttl * 1000, inFlight), `${delay} ms`);
    t.true(delay >= Math.max(ttl * 1000, inFlight) - 50, `${delay} ms: the cache did not work`);
  });
}

test("a token that is not active is remembered for a second, apart", async (t) => {
  const { backend, authorize, pass } = createScripted();
  await refused(t, authorize("soon"), "token_unknown");
  backend.tokens.set("soon", boundFacts());
  pass(1000);
  await refused(t, authorize("soon"), "token_unknown");
  t.is(backend.asked.length, 1);
  pass(1);
  await authorize("soon");
  t.is(backend.asked.length, 2);
});

test("with a negativeTtl of 0 inactive tokens are not cached, and active ones are", async (t) => {
  const { backend, authorize } = createScripted({ cache: { negativeTtl: 0 } });
  backend.tokens.set("good", boundFacts());
  for (let n = 0; n < 3; n++) {
    await refused(t, authorize("none"), "token_unknown");
    await authorize("good");
  }
  t.deepEqual(backend.asked, ["none", "good", "none", "none"]);
});

test("a flood of random tokens evicts no good one", async (t) => {
  const { backend, authorize } = createScripted({ cache: { maxEntries: 10, maxNegativeEntries: 10 } });
  const good = Array.from({ length: 10 }, (_, n) => `good-${n}`);
  for (const token of good) backend.tokens.set(token, boundFacts());
  for (const token of good) await authorize(token);
  for (let n = 0; n < 1000; n++) await authorize(`random-${n}`).catch(() => undefined);
  t.is(backend.asked.length, 1010);
  for (const token of good) await authorize(token);
  t.is(backend.asked.length, 1010);
});

test("no more tokens are remembered than allowed, the latest used longest", async (t) => {
  const { backend, authorize } = createScripted({ cache: { maxEntries: 2 } });
  for (const token of ["a", "b", "c"]) backend.tokens.set(token, boundFacts());
  for (const token of ["a", "b", "a", "c", "a", "b"]) await authorize(token);
  t.deepEqual(backend.asked, ["a", "b", "c", "b"]);
});

test("no more tokens that are not active are remembered than allowed, whatever the others may", async (t) => {
  const { backend, authorize } = createScripted({ cache: { maxEntries: 100, maxNegativeEntries: 2 } });
  for (const token of ["a", "b", "c", "b", "a"]) await authorize(token).catch(() => undefined);
  t.deepEqual(backend.asked, ["a", "b", "c", "a"]);
});

test("an answer never replaces one that was asked for later", async (t) => {
  const { backend, authorize, pass } = createScripted();
  backend.tokens.set("good", boundFacts());
  const held = Promise.withResolvers<undefined>();
  backend.before = (_, question) => (question === 1 ? held.promise.then(() => undefined) : undefined);
  const controller = new AbortController();
  const slow = authorize("good", { signal: controller.signal });
  controller.abort();
  await t.throwsAsync(slow, { name: "AbortError" });
  // Revoked, and asked again while the old answer is still on its way.
  backend.tokens.delete("good");
  pass(1);
  await refused(t, authorize("good"), "token_unknown");
  held.resolve(undefined);
  await new Promise(setImmediate);
  await refused(t, authorize("good"), "token_unknown");
  t.is(backend.asked.length, 2);
});

test("an answer that was asked for later replaces one that comes before it", async (t) => {
  const { backend, authorize, pass } = createScripted();
  backend.tokens.set("good", boundFacts());
  const held = [Promise.withResolvers<undefined>(), Promise.withResolvers<undefined>()];
  backend.before = async (_, question) => {
    await held[question - 1]?.promise;
  };
  const controller = new AbortController();
  const first = authorize("good", { signal: controller.signal });
  controller.abort();
  await t.throwsAsync(first, { name: "AbortError" });
  backend.tokens.delete("good");
  pass(1);
  const second = authorize("good");
  held[0]?.resolve(undefined);
  await new Promise(setImmediate);
  held[1]?.resolve(undefined);
  await refused(t, second, "token_unknown");
  await refused(t, authorize("good"), "token_unknown");
  t.is(backend.asked.length, 2);
});

test("an outage is not cached, and is no statement about the token", async (t) => {
  const { backend, authorize, pass } = createScripted({ cache: { ttl: 10 } });
  backend.tokens.set("good", boundFacts());
  backend.before = (_, question) => {
    if (question !== 2) throw new Error("down");
  };
  await t.throwsAsync(authorize("good"), { instanceOf: IntrospectionUnavailable });
  await authorize("good");
  await authorize("good");
  t.is(backend.asked.length, 2);
  // An old answer does not stand in for one that cannot be had.
  pass(10_001);
  await t.throwsAsync(authorize("good"), { instanceOf: IntrospectionUnavailable });
});

test("two tokens that differ in one character are two tokens", async (t) => {
  const { backend, authorize } = createScripted();
  backend.tokens.set("tokenA", boundFacts());
  await authorize("tokenA");
  await refused(t, authorize("tokena"), "token_unknown");
  await refused(t, authorize("tokenA "), "token_unknown");
  t.deepEqual(backend.asked, ["tokenA", "tokena", "tokenA "]);
});

for (const [what, token] of Object.entries({
  "the empty text": "",
  "a line break": "good\n",
  "a NUL": "good\0",
  "a DEL": "good\u007f",
  "a letter beyond ASCII": "göod",
  "half a surrogate pair": "good\ud800",
  "more than 16 KiB": "x".repeat(16_385),
})) {
  test(`no token, and not asked for: ${what}`, async (t) => {
    const { backend, authorize } = createScripted();
    await refused(t, authorize(token), "token_unknown");
    t.is(backend.asked.length, 0);
  });
}

test("a token of 1 byte and one of 16 KiB are asked for", async (t) => {
  const { backend, authorize } = createScripted();
  await refused(t, authorize("x"), "token_unknown");
  await refused(t, authorize("x".repeat(16_384)), "token_unknown");
  t.is(backend.asked.length, 2);
});

test("after close nothing is cached, requested or accepted, and waiting callers get the error", async (t) => {
  const { backend, authorize, resourceServer } = createScripted();
  backend.tokens.set("good", boundFacts());
  await authorize("good");
  backend.before = () => new Promise(() => undefined);
  const waiting = authorize("other");
  await resourceServer.close();
  await t.throwsAsync(waiting, { instanceOf: IntrospectionUnavailable, message: /closed/ });
  await t.throwsAsync(authorize("good"), { instanceOf: IntrospectionUnavailable, message: /closed/ });
  t.is(backend.asked.length, 2);
});
