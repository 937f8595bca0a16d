import test from "ava";
import { createPollTimer } from "../../../../src/backend/engine/invalidation/poll-timer.ts";
import { createHandTimer } from "./hand-timer.ts";

/** A poll that takes as long as it is told to, and remembers when each began. */
function startTimer(takes: (hand: ReturnType<typeof createHandTimer>) => Promise<void> = () => Promise.resolve()) {
  const hand = createHandTimer();
  const began: number[] = [];
  let running = 0;
  let most = 0;
  const timer = createPollTimer(
    async () => {
      began.push(hand.now() - 1_000);
      most = Math.max(most, ++running);
      await takes(hand);
      running -= 1;
    },
    { monotonicClock: hand.now, wait: hand.wait },
  );
  return { hand, timer, began, most: () => most };
}

test("the first poll is due at once, the others every 250 ms from beginning to beginning", async (t) => {
  const { hand, timer, began } = startTimer();
  await hand.pass(1_000);
  t.deepEqual(began, [], "not before it is asked for");
  timer.soon();
  await hand.pass(1_000);
  t.deepEqual(began, [1_000, 1_250, 1_500, 1_750, 2_000]);
});

test("whoever asks gets a poll sooner, at most one in 20 ms however many ask", async (t) => {
  const { hand, timer, began } = startTimer();
  timer.soon();
  await hand.pass(5);
  for (let asked = 0; asked < 100; asked++) timer.soon();
  await hand.pass(295);
  t.deepEqual(began, [0, 20, 270]);
});

test("polls do not overlap: who asks during one gets the next, and a slow one delays the others", async (t) => {
  let finish: () => void = () => undefined;
  const { hand, timer, began, most } = startTimer(
    () =>
      new Promise((resolve) => {
        finish = resolve;
      }),
  );
  timer.soon();
  await hand.pass(900);
  timer.soon();
  timer.soon();
  await hand.pass(100);
  t.deepEqual(began, [0]);
  finish();
  await hand.pass(0);
  t.deepEqual(began, [0, 1_000]);
  await hand.pass(300);
  finish();
  await hand.pass(0);
  t.deepEqual(began, [0, 1_000, 1_300], "250 ms are over already");
  t.is(most(), 1);
});

test("after stop no poll begins, until one is asked for again", async (t) => {
  const { hand, timer, began } = startTimer();
  timer.soon();
  await hand.pass(100);
  timer.stop();
  await hand.pass(1_000);
  t.deepEqual(began, [0]);
  t.deepEqual(hand.waiting(), []);
  timer.soon();
  await hand.pass(0);
  t.deepEqual(began, [0, 1_100]);
});

test("stop during a poll lets it end and begins no other", async (t) => {
  let finish: () => void = () => undefined;
  const { hand, timer, began } = startTimer(
    () =>
      new Promise((resolve) => {
        finish = resolve;
      }),
  );
  timer.soon();
  await hand.pass(10);
  timer.stop();
  finish();
  await hand.pass(1_000);
  t.deepEqual(began, [0]);
});
