import test from "ava";
import fc from "fast-check";
import {
  createAnswerMemory,
  type MemoryLimits,
  type Rememberable,
} from "../../../src/resource-server/cache/answer-memory.ts";
import { noCoverage } from "../../../src/resource-server/cache/freshness.ts";
import { AccessTokenRefused } from "../../../src/resource-server/refusal/access-token-refused.ts";
import { createResourceServer } from "../../../src/resource-server/resource-server.ts";
import { readCertificate } from "../../../src/x509/read-certificate.ts";
import { createAuthority } from "../../support/certificates.ts";
import { startIntrospectionBackend } from "../../support/introspection-backend.ts";
import { factsBoundTo, startProtectedApi } from "../../support/protected-api.ts";
import { boundFacts, createScripted } from "../../support/scripted-backend.ts";

const limits: MemoryLimits = {
  ttl: 10_000,
  lease: 1000,
  negativeTtl: 1000,
  staleIfUnavailable: 0,
  maxEntries: 1000,
  maxNegativeEntries: 1000,
  maxBytes: 1_000_000,
};

function createMemory(change: Partial<MemoryLimits> = {}) {
  const clock = () => 0;
  const memory = createAnswerMemory<Rememberable>({ ...limits, ...change }, noCoverage, clock);
  const keep = (key: string, answer: Partial<Rememberable> = {}): void => {
    memory.keep(key, { positive: true, expiresAt: Infinity, ...answer }, 0);
  };
  return { memory, keep };
}

test("memory is bounded in octets, the latest used kept longest", (t) => {
  const { memory, keep } = createMemory();
  for (let n = 0; n < 50; n++) {
    keep(`large-${n}`, { size: 40_000 });
    memory.recall("large-0");
  }
  const kept = Array.from({ length: 50 }, (_, n) => n).filter((n) => memory.recall(`large-${n}`) !== undefined);
  t.is(kept.length, 7);
  t.true(kept.includes(0));
  t.true(kept.includes(49));
});

test("an answer larger than all the room there is is not remembered, and costs no other one its place", (t) => {
  const { memory, keep } = createMemory();
  keep("small", { invalidationKeys: ["a"] });
  keep("huge", { size: 10_000_000, invalidationKeys: ["b"] });
  t.is(memory.recall("huge"), undefined);
  t.not(memory.recall("small"), undefined);
  keep("small", { size: 10_000_000 });
  t.is(memory.recall("small"), undefined, "what was known before it is not known any more");
});

test("a response that must not be cached still replaces the earlier one", (t) => {
  const { memory, keep } = createMemory();
  keep("a");
  keep("a", { positive: false, reusable: false });
  t.is(memory.recall("a"), undefined);
});

test("nothing serves past its end while nothing newer can be had either", (t) => {
  const { memory } = createMemory({ staleIfUnavailable: 60_000 });
  for (const [key, expiresAt] of [
    ["alive", 1],
    ["over", 0],
    ["of no time at all", NaN],
  ] as const) {
    memory.keep(key, { positive: true, expiresAt }, 0);
    t.is(memory.recallStale(key) !== undefined, key === "alive", key);
  }
});

test("the negatives have a small room of their own", (t) => {
  const { memory, keep } = createMemory();
  keep("good", { size: 900_000 / 4 });
  for (let n = 0; n < 1000; n++) keep(`bad-${n}`, { positive: false, size: 1000 });
  t.not(memory.recall("good"), undefined);
  const kept = Array.from({ length: 1000 }, (_, n) => n).filter((n) => memory.recall(`bad-${n}`) !== undefined);
  t.true(kept.length > 0 && kept.length <= 20, `${kept.length}`);
});

test("an evicted, replaced or invalid response is not found by its keys any more, and a cached one is", (t) => {
  const { memory, keep } = createMemory({ maxEntries: 2 });
  keep("a", { invalidationKeys: ["token:a", "grant"] });
  keep("b", { invalidationKeys: ["token:b", "grant"] });
  keep("c", { invalidationKeys: ["token:c"] });
  keep("c", { invalidationKeys: ["token:other"] });
  memory.invalidate(["token:a", "token:c"]);
  t.not(memory.recall("c"), undefined);
  memory.invalidate(["grant"]);
  t.is(memory.recall("b"), undefined);
  memory.invalidate(["token:other"]);
  t.is(memory.recall("c"), undefined);
  keep("d", { invalidationKeys: ["token:d"] });
  memory.clearPositives();
  t.is(memory.recall("d"), undefined);
  t.notThrows(() => {
    memory.invalidate(["token:d"]);
  });
});

test("no flood of random tokens evicts a good one, whatever the bounds and the requests in between", async (t) => {
  const flood = fc.array(fc.oneof(fc.string({ minLength: 1, maxLength: 60, unit: "grapheme-ascii" }), fc.uuid()), {
    minLength: 50,
    maxLength: 300,
  });
  const bounds = fc.record({
    maxEntries: fc.integer({ min: 5, max: 20 }),
    maxNegativeEntries: fc.integer({ min: 1, max: 10 }),
  });
  await fc.assert(
    fc.asyncProperty(flood, bounds, async (tokens, cache) => {
      const { backend, authorize } = createScripted({ cache });
      const good = ["good-0", "good-1", "good-2", "good-3", "good-4"];
      for (const token of good) backend.tokens.set(token, boundFacts());
      for (const token of good) await authorize(token);
      for (const token of tokens) await authorize(token).catch(() => undefined);
      backend.asked.length = 0;
      for (const token of good) await authorize(token);
      return backend.asked.length === 0;
    }),
    { numRuns: 30 },
  );
  t.pass();
});

const authority = createAuthority({ subject: "CN=Client CA" });
const right = authority.issue({ subject: "CN=client-a" });
const wrong = authority.issue({ subject: "CN=client-b" });

/** Longer than two hundred handshakes take on a busy machine. */
const cache = { ttl: 600, negativeTtl: 600 };

/** A question is about the token in the one way of deciding, and about token and certificate in the other. */
const ways = [
  { decide: "library", questions: 1 },
  { decide: "backend", questions: 3 },
] as const;

for (const { decide, questions } of ways) {
  test(`8705-3-d: 100 at once on a cold token, half right: half served, ${questions} asked (decide: ${decide})`, async (t) => {
    let inside = 0;
    const everyone = Promise.withResolvers<undefined>();
    const api = await startProtectedApi(t, {
      library: { decide, cache },
      before: (_, next) => {
        const rest = next();
        if (++inside === 100) everyone.resolve(undefined);
        return rest;
      },
    });
    api.backend.tokens.set("token-a", factsBoundTo(right));
    const gate = api.backend.closeGate();
    const leader = api.get("token-a", wrong);
    await gate.arrived(1);
    const certificates = [
      wrong,
      ...Array.from({ length: 99 }, (_, at) => (at < 50 ? right : at < 75 ? undefined : wrong)),
    ];
    const others = certificates.slice(1).map((as) => api.get("token-a", as));
    // All hundred wait inside the library, and the backend has not answered anybody.
    await everyone.promise;
    await gate.arrived(questions);
    t.is(api.served(), 0);
    gate.open();
    const statuses = (await Promise.all([leader, ...others])).map(({ status }) => status);
    t.deepEqual(statuses, [401, ...Array<number>(50).fill(200), ...Array<number>(49).fill(401)]);
    t.is(api.backend.requests.length, questions);

    const warm = await Promise.all(certificates.map((as) => api.get("token-a", as)));
    t.deepEqual(
      warm.map(({ status }) => status),
      statuses,
    );
    t.is(api.served(), 100);
    t.is(api.backend.requests.length, questions);
  });

  test(`the same through authorize() alone (decide: ${decide})`, async (t) => {
    const backend = await startIntrospectionBackend();
    const timeout = { attempt: 60_000, total: 60_000 };
    const connection = { baseUrl: backend.baseUrl, serviceId: 4711, credentials: { apiSecret: "secret" }, timeout };
    const resourceServer = createResourceServer({ backend: connection, decide, cache });
    t.teardown(async () => {
      await resourceServer.close();
      await backend.stop();
    });
    backend.tokens.set("token-a", factsBoundTo(right));
    const [good, bad] = [readCertificate(right.pem), readCertificate(wrong.pem)];
    const gate = backend.closeGate();
    const stampede = () =>
      Array.from({ length: 100 }, (_, at) =>
        resourceServer.authorize({ token: "token-a", certificate: [bad, good, undefined, good][at % 4] }).then(
          () => "granted",
          (error: unknown) => (error instanceof AccessTokenRefused ? error.code : error),
        ),
      );
    const expected = Array.from({ length: 100 }, (_, at) => {
      if (at % 2 === 1) return "granted";
      return at % 4 === 0 ? "certificate_mismatch" : "certificate_missing";
    });
    const cold = stampede();
    await gate.arrived(questions);
    gate.open();
    t.deepEqual(await Promise.all(cold), expected);
    t.deepEqual(await Promise.all(stampede()), expected);
    t.is(backend.requests.length, questions);
  });
}
