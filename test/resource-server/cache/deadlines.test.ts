import { mock } from "node:test";
import test from "ava";
import { IntrospectionUnavailable } from "../../../src/resource-server/refusal/introspection-unavailable.ts";
import { boundFacts, createScripted } from "../../support/scripted-backend.ts";

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

test.serial("each request has a deadline of its own, and who came later than a lost question asks again", async (t) => {
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
});

test.serial("who asks again has what is left of its patience", async (t) => {
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
