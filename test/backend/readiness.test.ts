import test from "ava";
import { createReadiness, type FailedCheck } from "../../src/backend/readiness.ts";

/** A check that is as it is told, and counts how often it was run. */
function counted(name: string, holds: () => boolean | Promise<void>) {
  const check = {
    name,
    runs: 0,
    check(): void | Promise<void> {
      check.runs++;
      const outcome = holds();
      if (outcome === false) throw new Error(`${name} does not hold`);
      return outcome === true ? undefined : outcome;
    },
  };
  return check;
}

test("the names of the checks that do not hold are answered in their order, whatever they throw or reject with", async (t) => {
  const checks = [
    counted("a", () => false),
    counted("b", () => true),
    counted("c", () => Promise.reject(new Error("no"))),
    counted("d", () => Promise.resolve()),
    // eslint-disable-next-line @typescript-eslint/prefer-promise-reject-errors -- a check may be anyone's
    counted("e", () => Promise.reject(undefined)),
  ];
  t.deepEqual(await createReadiness({ checks, monotonicClock: () => 0 })(), ["a", "c", "e"]);
  t.deepEqual(await createReadiness({ checks: [], monotonicClock: () => 0 })(), []);
});

test("a thousand who ask within a second run each check once, and so in each second that follows", async (t) => {
  let now = 5;
  let holds = true;
  const checks = [counted("sync", () => holds), counted("async", () => Promise.resolve())];
  const failedChecks = createReadiness({ checks, monotonicClock: () => now });
  const ask = () => Promise.all(Array.from({ length: 1000 }, () => failedChecks()));
  t.true((await ask()).every((names) => names.length === 0));
  holds = false;
  now += 999;
  t.true(
    (await ask()).every((names) => names.length === 0),
    "the answer is kept for a second",
  );
  t.deepEqual(
    checks.map(({ runs }) => runs),
    [1, 1],
  );
  now += 1;
  t.true((await ask()).every((names) => names.join() === "sync"));
  t.deepEqual(
    checks.map(({ runs }) => runs),
    [2, 2],
  );
});

test("a check that does not answer in time counts as failed, and is not begun again before it has ended", async (t) => {
  let now = 0;
  let patience = new AbortController();
  const waits: number[] = [];
  let ends = Promise.withResolvers<undefined>();
  const slow = counted("slow", () => ends.promise);
  const quick = counted("quick", () => true);
  const failedChecks = createReadiness({
    checks: [slow, quick],
    monotonicClock: () => now,
    timeoutSignal(milliseconds) {
      waits.push(milliseconds);
      return patience.signal;
    },
  });
  const first = failedChecks();
  await new Promise(setImmediate);
  patience.abort();
  t.deepEqual(await first, ["slow"]);
  patience = new AbortController();
  for (let second = 1; second <= 100; second++) {
    now += 1000;
    t.deepEqual(await failedChecks(), ["slow"], "without waiting for it");
  }
  t.deepEqual([slow.runs, quick.runs], [1, 101]);
  ends.resolve(undefined);
  await ends.promise;
  await new Promise(setImmediate);
  now += 1000;
  t.deepEqual(await failedChecks(), []);
  t.is(slow.runs, 2);
  t.true(
    waits.every((milliseconds) => milliseconds < 1000),
    "Kubernetes gives a probe one second",
  );

  ends = Promise.withResolvers();
  now += 1000;
  const last = failedChecks();
  ends.reject(new Error("late"));
  t.deepEqual(await last, ["slow"]);
});

test("a change of the answer is told once, with the reasons", async (t) => {
  let now = 0;
  let holds = true;
  const changes: (readonly FailedCheck[])[] = [];
  const failedChecks = createReadiness({
    checks: [counted("a", () => holds)],
    monotonicClock: () => now,
    onChange: (failed) => changes.push(failed),
  });
  for (const next of [true, true, false, false, true, true]) {
    holds = next;
    now += 1000;
    await failedChecks();
  }
  t.deepEqual(
    changes.map((failed) => failed.map(({ name, error }) => `${name}: ${(error as Error).message}`)),
    [["a: a does not hold"], []],
  );
});
