import { mock } from "node:test";
import test from "ava";
import {
  IntrospectionMalformed,
  IntrospectionUnavailable,
} from "../../../src/resource-server/refusal/introspection-unavailable.ts";
import { boundFacts, createScripted } from "../../support/scripted-backend.ts";

/** A scripted resource server whose answers wait until they are let go, question by question. */
function createHeld(options: Parameters<typeof createScripted>[0] = {}) {
  const scripted = createScripted(options);
  scripted.backend.tokens.set("good", boundFacts());
  const held: PromiseWithResolvers<undefined>[] = [];
  scripted.backend.before = async () => {
    const gate = Promise.withResolvers<undefined>();
    held.push(gate);
    await gate.promise;
  };
  return { ...scripted, held };
}

const settled = () => new Promise(setImmediate);

test("misses for one token wait for one answer, those for another token do not", async (t) => {
  const { backend, authorize, held } = createHeld();
  backend.tokens.set("second", boundFacts());
  const calls = [authorize("good"), authorize("good"), authorize("second"), authorize("good")];
  t.deepEqual(backend.asked, ["good", "second"]);
  for (const gate of held) gate.resolve(undefined);
  const [a, b, c, d] = await Promise.all(calls);
  t.is(a, b);
  t.is(a, d);
  t.not(a, c);
});

test("the first caller may leave: the others get the response", async (t) => {
  const { backend, authorize, held } = createHeld();
  const controller = new AbortController();
  const reason = new Error("gone");
  const leader = authorize("good", { signal: controller.signal });
  const others = [authorize("good"), authorize("good")];
  controller.abort(reason);
  t.is(await t.throwsAsync(leader), reason);
  t.false(backend.signals[0]?.aborted);
  held[0]?.resolve(undefined);
  await t.notThrowsAsync(Promise.all(others));
  t.is(backend.asked.length, 1);
});

test("a request without waiting callers is cancelled, and a later caller sends a new one", async (t) => {
  const { backend, authorize, held } = createHeld();
  const controller = new AbortController();
  const calls = [authorize("good", { signal: controller.signal }), authorize("good", { signal: controller.signal })];
  controller.abort();
  for (const call of calls) await t.throwsAsync(call, { name: "AbortError" });
  t.true(backend.signals[0]?.aborted);
  const later = authorize("good");
  t.is(backend.asked.length, 2);
  held[1]?.resolve(undefined);
  await t.notThrowsAsync(later);
});

test("a response that arrives without waiting callers is cached", async (t) => {
  const { backend, authorize, held } = createHeld();
  const controller = new AbortController();
  const call = authorize("good", { signal: controller.signal });
  controller.abort();
  await t.throwsAsync(call, { name: "AbortError" });
  held[0]?.resolve(undefined);
  await settled();
  await t.notThrowsAsync(authorize("good"));
  t.is(backend.asked.length, 1);
});

test("a signal that is aborted already asks nothing", async (t) => {
  const { backend, authorize } = createHeld();
  await t.throwsAsync(authorize("good", { signal: AbortSignal.abort() }), { name: "AbortError" });
  t.is(backend.asked.length, 0);
});

test("a failure reaches the first caller; the others retry once, together", async (t) => {
  const { backend, authorize, held } = createHeld();
  const leader = authorize("good");
  const others = Array.from({ length: 20 }, () => authorize("good"));
  held[0]?.reject(new Error("down"));
  await t.throwsAsync(leader, { instanceOf: IntrospectionUnavailable });
  await settled();
  t.is(backend.asked.length, 2);
  held[1]?.resolve(undefined);
  await t.notThrowsAsync(Promise.all(others));
});

test("the others try once more and not for ever", async (t) => {
  const { backend, authorize, held } = createHeld();
  const calls = Array.from({ length: 20 }, () => authorize("good"));
  const outcomes = Promise.allSettled(calls);
  held[0]?.reject(new Error("down"));
  await settled();
  held[1]?.reject(new Error("down"));
  for (const outcome of await outcomes) {
    t.true(outcome.status === "rejected" && outcome.reason instanceof IntrospectionUnavailable);
  }
  t.is(backend.asked.length, 2);
});

test("there is no second try after the deadline", async (t) => {
  const { backend, authorize, held, pass } = createHeld({ timeout: 60_000 });
  const leader = authorize("good");
  const other = authorize("good");
  pass(60_000);
  held[0]?.reject(new Error("down"));
  await t.throwsAsync(leader, { instanceOf: IntrospectionUnavailable });
  await t.throwsAsync(other, { instanceOf: IntrospectionUnavailable, message: /within 60000 ms/ });
  t.is(backend.asked.length, 1);
});

test("a caller that left before the second try does not come back", async (t) => {
  const { backend, authorize, held } = createHeld();
  const controller = new AbortController();
  const leader = authorize("good");
  const gone = authorize("good", { signal: controller.signal });
  held[0]?.reject(new Error("down"));
  controller.abort();
  await t.throwsAsync(leader, { instanceOf: IntrospectionUnavailable });
  await t.throwsAsync(gone, { name: "AbortError" });
  t.is(backend.asked.length, 1);
});

test("nor does one that leaves between the failure and the second try", async (t) => {
  const { backend, authorize, held } = createHeld();
  const controller = new AbortController();
  const leader = authorize("good");
  const gone = authorize("good", { signal: controller.signal });
  // The last moment before: the question is called off when all who waited have been told of its failure.
  backend.signals[0]?.addEventListener("abort", () => {
    controller.abort();
  });
  held[0]?.reject(new Error("down"));
  await t.throwsAsync(leader, { instanceOf: IntrospectionUnavailable });
  await t.throwsAsync(gone, { name: "AbortError" });
  t.is(backend.asked.length, 1);
});

test("a malformed response is reported as such, and not cached", async (t) => {
  const { backend, authorize } = createScripted();
  backend.tokens.set("odd", { active: "true" });
  await t.throwsAsync(authorize("odd"), { instanceOf: IntrospectionMalformed });
  await t.throwsAsync(authorize("odd"), { instanceOf: IntrospectionMalformed });
  t.is(backend.asked.length, 2);
});

// The timers of this process are the test's: nothing here waits, and nothing else may run beside it.
test.before(() => {
  mock.timers.enable({ apis: ["setTimeout"] });
});
test.after.always(() => {
  mock.timers.reset();
});

const message = (call: Promise<unknown>): Promise<string> => call.then(() => "granted", String);
const turns = () => new Promise(setImmediate);

function createWaiting() {
  const scripted = createScripted({ timeout: 2000 });
  scripted.backend.tokens.set("good", boundFacts());
  const gate = Promise.withResolvers<undefined>();
  scripted.backend.before = () => gate.promise;
  return { ...scripted, gate };
}

test.serial("a request waits as long as it may, and is then an outage", async (t) => {
  const { backend, authorize } = createWaiting();
  let ended = false;
  const call = authorize("good").finally(() => {
    ended = true;
  });
  mock.timers.tick(1999);
  await Promise.resolve();
  t.false(ended);
  mock.timers.tick(1);
  await t.throwsAsync(call, { instanceOf: IntrospectionUnavailable, message: /no answer within 2000 ms/ });
  t.true(backend.signals[0]?.aborted);
});

test.serial(
  "each request has its own deadline, and a caller that came later than a lost one sends a new one",
  async (t) => {
    const { backend, authorize, gate } = createWaiting();
    const first = authorize("good");
    mock.timers.tick(1000);
    const second = authorize("good");
    mock.timers.tick(999);
    t.false(backend.signals[0]?.aborted);
    // An answer to the first question would now be older than any answer may be.
    mock.timers.tick(1);
    await t.throwsAsync(first, { instanceOf: IntrospectionUnavailable });
    await turns();
    t.true(backend.signals[0]?.aborted);
    t.is(backend.asked.length, 2);
    gate.resolve(undefined);
    await t.notThrowsAsync(second);
  },
);

test.serial("a caller that asks again has the rest of its timeout", async (t) => {
  const { backend, authorize, pass } = createWaiting();
  const tick = (milliseconds: number): void => {
    pass(milliseconds);
    mock.timers.tick(milliseconds);
  };
  const outcomes = [message(authorize("good"))];
  tick(1500);
  outcomes.push(message(authorize("good")));
  tick(500);
  await turns();
  t.is(backend.asked.length, 2);
  tick(1500);
  for (const outcome of await Promise.all(outcomes)) t.regex(outcome, /no answer within 2000 ms/);
  t.true(backend.signals[1]?.aborted);
});

test.serial("an answer that comes while timers are late is too old, and refused", async (t) => {
  const { authorize, gate, time } = createWaiting();
  const call = authorize("good");
  time.monotonic += 2001;
  gate.resolve(undefined);
  await t.throwsAsync(call, { instanceOf: IntrospectionUnavailable, message: /no answer within 2000 ms/ });
});
