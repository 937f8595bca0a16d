import test from "ava";
import { AccessTokenRefused } from "../../../src/resource-server/refusal/access-token-refused.ts";
import {
  IntrospectionMalformed,
  IntrospectionUnavailable,
} from "../../../src/resource-server/refusal/introspection-unavailable.ts";
import { boundFacts, createScripted, otherX5tS256 } from "../../support/scripted-backend.ts";
import { createStreamed } from "./streamed.ts";

const outcomeOf = (call: Promise<unknown>): Promise<string> =>
  call.then(
    () => "granted",
    (error: unknown) =>
      error instanceof AccessTokenRefused || error instanceof IntrospectionUnavailable ? error.code : String(error),
  );

function down(): never {
  throw new Error("down");
}

test("ten thousand requests at once, half with the wrong certificate: one question, exact halves", async (t) => {
  const { backend, authorize } = createScripted();
  backend.tokens.set("good", boundFacts());
  const gate = Promise.withResolvers<undefined>();
  backend.before = () => gate.promise;
  const wrong = { certificate: { x5tS256: otherX5tS256 } };
  const calls = Array.from({ length: 10_000 }, (_, n) => outcomeOf(authorize("good", n % 2 === 0 ? wrong : {})));
  t.is(backend.asked.length, 1);
  gate.resolve(undefined);
  const outcomes = await Promise.all(calls);
  t.deepEqual(
    outcomes,
    Array.from({ length: 10_000 }, (_, n) => (n % 2 === 0 ? "certificate_mismatch" : "granted")),
  );
  t.is(backend.asked.length, 1);
});

test("a backend that hangs costs bounded requests and waits, then 503 at once; it recovers at once", async (t) => {
  const { backend, authorize, time } = createStreamed({
    cache: { push: false },
    questions: { maxConcurrent: 8, maxQueued: 100 },
  });
  for (let n = 0; n < 5000; n++) backend.tokens.set(`cold-${n}`, boundFacts());
  await authorize("good");
  backend.asked.length = 0;
  let hanging = true;
  backend.before = () => (hanging ? new Promise(() => undefined) : undefined);
  const outcomes: string[] = [];
  const calls = Array.from({ length: 5000 }, (_, n) =>
    outcomeOf(authorize(`cold-${n}`)).then((outcome) => outcomes.push(outcome)),
  );
  await time.settle();
  t.is(backend.asked.length, 8);
  t.is(outcomes.length, 5000 - 108);
  // A hot token is served meanwhile.
  t.is(await outcomeOf(authorize("good")), "granted");
  await time.pass(2000);
  await Promise.all(calls);
  t.deepEqual([...new Set(outcomes)], ["introspection_unavailable"]);
  t.true(backend.signals.slice(1, 9).every((signal) => signal?.aborted === true));
  // Of those that waited nobody has been asked for in vain after its request had gone.
  t.true(backend.asked.length <= 8 + 100);
  const inVain = backend.asked.length;
  hanging = false;
  // What hung takes no turn from those who come now.
  t.deepEqual(
    await Promise.all(Array.from({ length: 50 }, (_, n) => outcomeOf(authorize(`cold-${n}`)))),
    Array<string>(50).fill("granted"),
  );
  t.is(backend.asked.length, inVain + 50);
});

test("a refusal because the queue is full has a Retry-After", async (t) => {
  const { backend, authorize } = createScripted({ questions: { maxConcurrent: 1, maxQueued: 1 } });
  backend.before = () => new Promise(() => undefined);
  void outcomeOf(authorize("a"));
  void outcomeOf(authorize("b"));
  const error = await t.throwsAsync(authorize("c"), { instanceOf: IntrospectionUnavailable, message: /too many/ });
  t.like(error, { status: 503, headers: { "Retry-After": "1" } });
  // Others may still join a question that waits.
  void outcomeOf(authorize("b"));
});

test("a waiting introspection request is sent in order when one ends, unless its callers have left", async (t) => {
  const { backend, authorize } = createScripted({ questions: { maxConcurrent: 1 } });
  const gates = new Map<string, PromiseWithResolvers<undefined>>();
  backend.before = async (token) => {
    const gate = Promise.withResolvers<undefined>();
    gates.set(token, gate);
    await gate.promise;
  };
  const controller = new AbortController();
  const calls = ["a", "b", "c", "d"].map((token) =>
    outcomeOf(authorize(token, token === "b" ? { signal: controller.signal } : {})),
  );
  t.deepEqual(backend.asked, ["a"]);
  controller.abort();
  gates.get("a")?.resolve(undefined);
  await calls[0];
  await new Promise(setImmediate);
  t.deepEqual(backend.asked, ["a", "c"]);
  gates.get("c")?.reject(new Error("failed"));
  await calls[2];
  await new Promise(setImmediate);
  t.deepEqual(backend.asked, ["a", "c", "d"]);
  gates.get("d")?.resolve(undefined);
  t.deepEqual(await Promise.all(calls), [
    "token_unknown",
    "AbortError: This operation was aborted",
    "introspection_unavailable",
    "token_unknown",
  ]);
});

test("the wait in the queue counts against the timeout", async (t) => {
  const { backend, authorize, time } = createStreamed({ cache: { push: false }, questions: { maxConcurrent: 1 } });
  const gate = Promise.withResolvers<undefined>();
  backend.before = () => gate.promise;
  const first = outcomeOf(authorize("a"));
  await time.pass(500);
  const second = outcomeOf(authorize("b"));
  await time.pass(1500);
  t.is(await first, "introspection_unavailable");
  t.deepEqual(backend.asked, ["a", "b"]);
  await time.pass(500);
  t.is(await second, "introspection_unavailable");
});

test("by default a cached token is served within the ttl of an outage, and an unknown one never", async (t) => {
  const { backend, authorize, pass } = createScripted();
  backend.tokens.set("good", boundFacts());
  await authorize("good");
  backend.before = down;
  pass(10_000);
  t.is(await outcomeOf(authorize("good")), "granted");
  t.is(await outcomeOf(authorize("cold")), "introspection_unavailable");
  pass(1);
  t.is(await outcomeOf(authorize("good")), "introspection_unavailable");
});

const stale = { cache: { staleIfUnavailable: 60 } };

test("staleIfUnavailable: older facts are used during an outage for that time only, with all checks", async (t) => {
  const { backend, authorize, pass } = createScripted(stale);
  backend.tokens.set("good", boundFacts());
  await authorize("good");
  backend.before = down;
  pass(70_000);
  t.is(await outcomeOf(authorize("good")), "granted");
  t.is(await outcomeOf(authorize("good", { certificate: { x5tS256: otherX5tS256 } })), "certificate_mismatch");
  t.is(await outcomeOf(authorize("good", { requirement: { scopes: ["admin"] } })), "scope_insufficient");
  t.is(await outcomeOf(authorize("cold")), "introspection_unavailable");
  pass(1);
  t.is(await outcomeOf(authorize("good")), "introspection_unavailable");
});

test("staleIfUnavailable: each request asks first, and its response counts", async (t) => {
  const { backend, authorize, pass } = createScripted(stale);
  backend.tokens.set("good", boundFacts());
  await authorize("good");
  pass(20_000);
  backend.before = down;
  t.is(await outcomeOf(authorize("good")), "granted");
  t.is(backend.asked.length, 2);
  backend.before = undefined;
  backend.tokens.delete("good");
  t.is(await outcomeOf(authorize("good")), "token_unknown");
  backend.before = down;
  pass(2000);
  t.is(await outcomeOf(authorize("good")), "introspection_unavailable");
});

test("staleIfUnavailable: never past exp, whatever the wall clock is set to", async (t) => {
  const { backend, authorize, pass, time } = createScripted(stale);
  backend.tokens.set("good", boundFacts({ exp: time.wall / 1000 + 30 }));
  backend.tokens.set("second", boundFacts({ exp: time.wall / 1000 + 30 }));
  await authorize("good");
  await authorize("second");
  backend.before = down;
  pass(29_999);
  t.is(await outcomeOf(authorize("good")), "granted");
  pass(1);
  t.is(await outcomeOf(authorize("good")), "introspection_unavailable");
  time.wall -= 3_600_000;
  t.is(await outcomeOf(authorize("second")), "introspection_unavailable");
});

test("staleIfUnavailable: not for an answer that makes no sense, nor beyond a route's maxAge", async (t) => {
  const { backend, authorize, pass } = createScripted(stale);
  backend.tokens.set("good", boundFacts());
  await authorize("good");
  pass(20_000);
  backend.tokens.set("good", { active: "yes" });
  await t.throwsAsync(authorize("good"), { instanceOf: IntrospectionMalformed });
  backend.before = down;
  t.is(await outcomeOf(authorize("good", { requirement: { maxAge: 19 } })), "introspection_unavailable");
  t.is(await outcomeOf(authorize("good", { requirement: { maxAge: 0 } })), "introspection_unavailable");
  t.is(await outcomeOf(authorize("good", { requirement: { maxAge: 20 } })), "granted");
});

test("staleIfUnavailable: not for an invalidated response", async (t) => {
  const { backend, authorize, open, revoke, beatFor, stream, time } = createStreamed({
    cache: { staleIfUnavailable: 60 },
  });
  await open();
  await authorize("good");
  await authorize("second");
  await revoke("good");
  await beatFor(250);
  backend.before = down;
  stream.latest().fail(new Error("down"));
  stream.onOpen = down;
  await time.pass(50_000);
  t.is(await outcomeOf(authorize("good")), "introspection_unavailable");
  t.is(await outcomeOf(authorize("second")), "granted");
  await time.pass(21_000);
  t.is(await outcomeOf(authorize("second")), "introspection_unavailable");
});

test("a request that is aborted gets its own reason, and no stale facts", async (t) => {
  const { backend, authorize, pass } = createScripted(stale);
  backend.tokens.set("good", boundFacts());
  await authorize("good");
  pass(20_000);
  backend.before = () => new Promise(() => undefined);
  const controller = new AbortController();
  const call = authorize("good", { signal: controller.signal });
  controller.abort();
  await t.throwsAsync(call, { name: "AbortError" });
});
