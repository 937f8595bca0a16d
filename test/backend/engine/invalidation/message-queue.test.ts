import test from "ava";
import { createMessageQueue } from "../../../../src/backend/engine/invalidation/message-queue.ts";
import { createPollTimer } from "../../../../src/backend/engine/invalidation/poll-timer.ts";
import type { InvalidationMessage } from "../../../../src/contract/auth-introspection-events.ts";
import { createHandTimer } from "./hand-timer.ts";

const event = (after: number): InvalidationMessage => ({
  type: "invalidation",
  after: `${after}`,
  cursor: `${after + 1}`,
  keys: [`key ${after}`],
});
const heartbeat = (after: number, cursor: number, polledAt: number): InvalidationMessage => ({
  type: "heartbeat",
  after: `${after}`,
  cursor: `${cursor}`,
  polledAt,
});

async function drain(queue: ReturnType<typeof createMessageQueue>): Promise<InvalidationMessage[]> {
  queue.end();
  const messages = [];
  for await (const message of queue.messages()) messages.push(message);
  return messages;
}

test("messages come in their order, and heartbeats that wait become one", async (t) => {
  const queue = createMessageQueue("0");
  t.is(queue.cursor, "0");
  for (const message of [event(0), heartbeat(1, 3, 10), heartbeat(3, 4, 20), heartbeat(4, 4, 30), event(4)]) {
    queue.push(message);
  }
  t.is(queue.cursor, "5");
  t.deepEqual(await drain(queue), [event(0), heartbeat(1, 4, 30), event(4)]);
});

test("a reader that has ten thousand events before it gets a reset in their place", async (t) => {
  const queue = createMessageQueue("0");
  for (let after = 0; after < 10_001; after++) queue.push(event(after));
  queue.push(heartbeat(10_001, 10_001, 10));
  t.deepEqual(await drain(queue), [{ type: "reset", cursor: "10001" }, heartbeat(10_001, 10_001, 10)]);
});

test("a reset replaces the messages that wait before it", async (t) => {
  const queue = createMessageQueue("0");
  queue.push(event(0));
  queue.push({ type: "reset", cursor: "9" });
  queue.push(event(9));
  t.deepEqual(await drain(queue), [{ type: "reset", cursor: "9" }, event(9)]);
});

test("after its end the queue accepts nothing; what it had is read, and then the error is thrown", async (t) => {
  const queue = createMessageQueue(undefined);
  queue.push(event(0));
  const error = new Error("broken off");
  queue.fail(error);
  queue.push(event(1));
  const messages = queue.messages();
  t.deepEqual(await messages.next(), { done: false, value: event(0) });
  t.is(await t.throwsAsync(messages.next()), error);
});

test("an abandoned queue is empty at once, also for a reader that waits or is halfway through", async (t) => {
  const queue = createMessageQueue(undefined);
  const messages = queue.messages();
  const waiting = messages.next();
  queue.push(event(0));
  t.deepEqual(await waiting, { done: false, value: event(0) });
  queue.push(event(1));
  queue.abandon();
  t.deepEqual(await messages.next(), { done: true, value: undefined });
});

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
    { monotonicClock: hand.now, interval: 250, wait: hand.wait },
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

test("a request makes the next poll sooner, at most once in 20 ms however many ask", async (t) => {
  const { hand, timer, began } = startTimer();
  timer.soon();
  await hand.pass(5);
  for (let asked = 0; asked < 100; asked++) timer.soon();
  await hand.pass(295);
  t.deepEqual(began, [0, 20, 270]);
});

test("polls do not overlap: a request during one gets the next, and a slow one delays the others", async (t) => {
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
