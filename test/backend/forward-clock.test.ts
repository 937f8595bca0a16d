import test from "ava";
import fc from "fast-check";
import { createForwardClock, type ClockEvent, type ForwardClock } from "../../src/backend/forward-clock.ts";

const start = Date.parse("2026-12-01T00:00:00Z");
const [second, minute, hour] = [1_000, 60_000, 3_600_000];

interface World {
  readonly clock: ForwardClock;
  /** Lets time go by: on the monotonic clock, and on the wall clock as well. */
  readonly pass: (milliseconds: number) => void;
  /** Sets the wall clock, by so many milliseconds. */
  readonly step: (milliseconds: number) => void;
  readonly wall: () => number;
  readonly events: ClockEvent[];
}

function createWorld(floor = 0): World {
  let [wall, monotonic] = [start, 500];
  const events: ClockEvent[] = [];
  const clock = createForwardClock({
    wallClock: () => wall,
    monotonicClock: () => monotonic,
    floor,
    report: (event) => events.push(event),
  });
  return {
    clock,
    pass(milliseconds) {
      wall += milliseconds;
      monotonic += milliseconds;
    },
    step(milliseconds) {
      wall += milliseconds;
    },
    wall: () => wall,
    events,
  };
}

test("it is the wall clock as long as that goes forward", (t) => {
  const { clock, pass, wall, events } = createWorld();
  for (let round = 0; round < 100; round++) {
    pass(round * 17);
    t.is(clock.now(), wall());
    t.is(clock.behind(), 0);
  }
  t.deepEqual(events, []);
});

test("after a step back, time runs on at half speed until the wall clock has caught up", (t) => {
  const { clock, pass, step, wall, events } = createWorld();
  const before = clock.now();
  step(-20 * second);
  t.is(clock.now(), before);
  t.is(clock.behind(), 20 * second);
  pass(10 * second);
  t.is(clock.now(), before + 5 * second);
  t.is(clock.behind(), 15 * second);
  pass(29 * second);
  t.is(clock.now(), before + 19.5 * second);
  pass(second);
  clock.now();
  pass(1);
  t.is(clock.now(), wall());
  t.is(clock.behind(), 0);
  t.deepEqual(events, [{ type: "behind", by: 20 * second }, { type: "caught-up" }]);
});

test("a step back is reported once, and again when there is another one after it is over", (t) => {
  const { clock, pass, step, events } = createWorld();
  for (let round = 0; round < 2; round++) {
    for (let look = 0; look < 10; look++) {
      step(-3 * second);
      clock.now();
      clock.observe();
    }
    pass(2 * minute);
    clock.now();
  }
  t.deepEqual(
    events.map(({ type }) => type),
    ["behind", "caught-up", "behind", "caught-up"],
  );
});

test("less than a second is bridged without a word", (t) => {
  const { clock, step, events } = createWorld();
  const before = clock.now();
  step(-999);
  t.is(clock.now(), before);
  t.is(clock.behind(), 999);
  t.deepEqual(events, []);
});

test("it begins at its floor when the wall clock is behind that", (t) => {
  const { clock, pass, events } = createWorld(start + minute);
  t.is(clock.now(), start + minute);
  pass(second);
  t.is(clock.now(), start + minute + second / 2);
  t.deepEqual(events, [{ type: "behind", by: minute }]);
});

test("a later time of another process raises it, and an earlier one does not", (t) => {
  const { clock } = createWorld();
  const before = clock.now();
  clock.raise(before - second);
  t.is(clock.now(), before);
  clock.raise(before + second);
  t.is(clock.now(), before + second);
  t.is(clock.actedOn(), before + second);
});

test("observing the clocks is not acting: only the time that was acted on is to be stored", (t) => {
  const { clock, pass } = createWorld();
  const acted = clock.now();
  pass(second);
  clock.observe();
  t.is(clock.actedOn(), acted);
});

test("a jump ahead of half an hour counts as a correction: it is followed, and kept", (t) => {
  const { clock, step, wall, events } = createWorld();
  clock.now();
  step(hour / 2);
  const ahead = clock.now();
  t.is(ahead, wall());
  t.is(clock.actedOn(), ahead);
  t.false(clock.isDoubtful());
  step(-hour / 2);
  t.is(clock.now(), ahead);
  t.deepEqual(events, [{ type: "behind", by: hour / 2 }]);
});

test("a longer jump is followed and reported, and the stored time runs on as without it", (t) => {
  const { clock, pass, step, wall, events } = createWorld();
  const before = clock.now();
  step(10 * 365 * 24 * hour);
  t.is(clock.now(), wall());
  t.true(clock.isDoubtful());
  t.is(clock.actedOn(), before);
  pass(minute);
  t.is(clock.now(), wall());
  t.is(clock.actedOn(), before + minute);
  t.deepEqual(events, [{ type: "jumped-ahead", by: 10 * 365 * 24 * hour }]);
});

test("a jump ahead that is set right within an hour leaves nothing behind", (t) => {
  const { clock, pass, step, wall, events } = createWorld();
  clock.now();
  step(365 * 24 * hour);
  clock.now();
  pass(hour - second);
  clock.now();
  step(-365 * 24 * hour);
  t.is(clock.now(), wall());
  t.is(clock.behind(), 0);
  t.is(clock.actedOn(), wall());
  t.false(clock.isDoubtful());
  t.deepEqual(
    events.map(({ type }) => type),
    ["jumped-ahead", "jump-undone"],
  );
});

test("setting it right never goes behind the time of before the jump", (t) => {
  const { clock, pass, step, events } = createWorld();
  const before = clock.now();
  step(2 * hour);
  clock.now();
  pass(minute);
  step(-2 * hour - 20 * second);
  t.is(clock.now(), before + minute);
  t.is(clock.behind(), 20 * second);
  t.deepEqual(
    events.map(({ type }) => type),
    ["jumped-ahead", "jump-undone", "behind"],
  );
});

test("while a jump is in doubt, a step back of half an hour or less revives nothing either", (t) => {
  const { clock, step } = createWorld();
  clock.now();
  step(5 * hour);
  const ahead = clock.now();
  step(-hour / 2);
  t.is(clock.now(), ahead);
  t.true(clock.isDoubtful());
});

test("a jump that has lasted for an hour is believed: then it is kept, and no step back undoes it", (t) => {
  const { clock, pass, step, events } = createWorld();
  clock.now();
  step(5 * hour);
  clock.now();
  pass(hour);
  const ahead = clock.now();
  t.is(clock.actedOn(), ahead);
  step(-5 * hour);
  t.is(clock.now(), ahead);
  t.deepEqual(
    events.map(({ type }) => type),
    ["jumped-ahead", "jump-kept", "behind"],
  );
});

test("a pause between two looks is no jump, however long", (t) => {
  const { clock, pass, wall, events } = createWorld();
  clock.now();
  pass(1_000 * hour);
  t.is(clock.now(), wall());
  t.deepEqual(events, []);
});

test("a start long after the floor is no jump to report, but can be taken back for an hour", (t) => {
  const { clock, step, wall, events } = createWorld(start - 48 * hour);
  t.is(clock.now(), start);
  t.true(clock.isDoubtful());
  t.is(clock.actedOn(), start - 48 * hour);
  t.deepEqual(events, []);
  step(-24 * hour);
  t.is(clock.now(), wall());
  t.is(clock.behind(), 0);
});

test("a new store has nothing to doubt by", (t) => {
  t.false(createWorld(0).clock.isDoubtful());
});

test("whatever the wall clock does, time goes back only where a jump of more than half an hour is undone", (t) => {
  const steps = fc.array(
    fc.tuple(fc.integer({ min: 0, max: 2 * hour }), fc.integer({ min: -5 * hour, max: 5 * hour })),
    { maxLength: 40 },
  );
  const neverBack = fc.property(steps, (taken) => {
    const { clock, pass, step, wall, events } = createWorld();
    let before = clock.now();
    let undoubted = before;
    for (const [passed, stepped] of taken) {
      pass(passed);
      step(stepped);
      const count = events.length;
      const now = clock.now();
      const undone = events.slice(count).some(({ type }) => type === "jump-undone");
      // A clock that is ahead is followed; one that is behind is not.
      if (now < before && !(undone && now >= undoubted)) return false;
      if (!undone && now < wall()) return false;
      // What is kept never goes back, and is never ahead of what was acted on.
      if (clock.actedOn() < undoubted - 1 || clock.actedOn() > now) return false;
      undoubted = clock.actedOn();
      before = now;
    }
    return true;
  });
  t.notThrows(() => {
    fc.assert(neverBack, { numRuns: 2_000 });
  });
});
