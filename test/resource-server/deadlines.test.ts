import { mock } from "node:test";
import test from "ava";
import { IntrospectionUnavailable } from "../../src/resource-server/introspection-unavailable.ts";
import { boundFacts, createScripted } from "../support/scripted-backend.ts";

// The timers of this process are the test's: nothing here waits, and nothing else may run beside it.
test.before(() => {
  mock.timers.enable({ apis: ["setTimeout"] });
});
test.after.always(() => {
  mock.timers.reset();
});

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

test.serial("each request has a deadline of its own, and the question goes on for who came later", async (t) => {
  const { backend, authorize, gate } = createWaiting();
  const first = authorize("good");
  mock.timers.tick(1000);
  const second = authorize("good");
  mock.timers.tick(1000);
  await t.throwsAsync(first, { instanceOf: IntrospectionUnavailable });
  t.false(backend.signals[0]?.aborted);
  gate.resolve(undefined);
  await t.notThrowsAsync(second);
  t.is(backend.asked.length, 1);
});
