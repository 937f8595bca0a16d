import test from "ava";
import { createLoginThrottle } from "../../examples/login-throttle.ts";
import { collectGarbage } from "../support/collect-garbage.ts";

function open() {
  let now = 1_800_000_000_000;
  const throttle = createLoginThrottle(() => now);
  return { ...throttle, pass: (seconds: number) => void (now += seconds * 1000) };
}

test("an address has a few free tries, then waits longer and longer, a quarter of an hour at the most", (t) => {
  const { begin, pass } = open();
  for (let at = 0; at < 5; at++) t.is(begin(`name-${at}`, "192.0.2.1"), 0);
  const waits: number[] = [];
  for (let at = 0; at < 14; at++) {
    const wait = begin(`other-${at}`, "192.0.2.1");
    waits.push(wait);
    pass(wait);
    t.is(begin(`another-${at}`, "192.0.2.1"), 0);
  }
  t.deepEqual(waits.slice(0, 5), [1, 2, 4, 8, 16]);
  t.is(waits.at(-1), 900);
  t.is(begin("name", "192.0.2.2"), 0);
});

test("many addresses guess at one name no faster than one, and the owner's own address never waits for them", (t) => {
  const { begin, succeeded, pass } = open();
  t.is(begin("alice", "192.0.2.1"), 0);
  succeeded("alice", "192.0.2.1");
  let guesses = 0;
  for (let second = 0; second < 600; second++) {
    for (let at = 0; at < 10; at++)
      if (begin("alice", `198.51.100.${(second * 10 + at) % 250}-${second}`) === 0) guesses += 1;
    pass(1);
  }
  t.true(guesses < 40, String(guesses));
  t.is(begin("alice", "192.0.2.1"), 0);
  succeeded("alice", "192.0.2.1");
  t.true(begin("alice", "203.0.113.1") <= 30);
});

test("what somebody guesses at an owner's address at other names does not hold the owner up, and a success ends the count", (t) => {
  const { begin, succeeded } = open();
  begin("alice", "192.0.2.1");
  succeeded("alice", "192.0.2.1");
  for (let at = 0; at < 50; at++) begin(`name-${at}`, "192.0.2.1");
  for (let at = 0; at < 4; at++) t.is(begin("alice", "192.0.2.1"), 0);
  succeeded("alice", "192.0.2.1");
  for (let at = 0; at < 4; at++) t.is(begin("alice", "192.0.2.1"), 0);
});

test("a name takes the same room however long it is", async (t) => {
  const { begin } = open();
  await collectGarbage();
  const before = process.memoryUsage().heapUsed;
  for (let at = 0; at < 1000; at++) begin(`${at}`.padEnd(60_000, "x"), `192.0.2.${at}`);
  await collectGarbage();
  t.true(process.memoryUsage().heapUsed - before < 10_000_000);
  begin("", undefined);
});
