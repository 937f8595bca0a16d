import test from "ava";
import fc from "fast-check";
import {
  createAnswerMemory,
  type MemoryLimits,
  type Rememberable,
} from "../../../src/resource-server/cache/answer-memory.ts";
import { noCoverage } from "../../../src/resource-server/cache/freshness.ts";
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
    memory.keep(key, { positive: true, diesAt: Infinity, ...answer }, 0);
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

test("an answer that is not to be remembered takes the place of what was known before it all the same", (t) => {
  const { memory, keep } = createMemory();
  keep("a");
  keep("a", { positive: false, reusable: false });
  t.is(memory.recall("a"), undefined);
});

test("nothing serves past its end while nothing newer can be had either", (t) => {
  const { memory } = createMemory({ staleIfUnavailable: 60_000 });
  for (const [key, diesAt] of [
    ["alive", 1],
    ["over", 0],
    ["of no time at all", NaN],
  ] as const) {
    memory.keep(key, { positive: true, diesAt }, 0);
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

test("what is pushed out, replaced or void is not found by its keys any more, and what is kept is", (t) => {
  const { memory, keep } = createMemory({ maxEntries: 2 });
  keep("a", { invalidationKeys: ["token:a", "grant"] });
  keep("b", { invalidationKeys: ["token:b", "grant"] });
  keep("c", { invalidationKeys: ["token:c"] });
  keep("c", { invalidationKeys: ["token:other"] });
  memory.void(["token:a", "token:c"]);
  t.not(memory.recall("c"), undefined);
  memory.void(["grant"]);
  t.is(memory.recall("b"), undefined);
  memory.void(["token:other"]);
  t.is(memory.recall("c"), undefined);
  keep("d", { invalidationKeys: ["token:d"] });
  memory.clearPositives();
  t.is(memory.recall("d"), undefined);
  t.notThrows(() => {
    memory.void(["token:d"]);
  });
});

test("no flood of random tokens pushes a good one out, whatever the bounds and whoever asks in between", async (t) => {
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
