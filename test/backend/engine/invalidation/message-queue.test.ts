import test from "ava";
import { createMessageQueue } from "../../../../src/backend/engine/invalidation/message-queue.ts";
import type { InvalidationMessage } from "../../../../src/contract/invalidation-message.ts";

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

test("a reset makes what waits before it needless", async (t) => {
  const queue = createMessageQueue("0");
  queue.push(event(0));
  queue.push({ type: "reset", cursor: "9" });
  queue.push(event(9));
  t.deepEqual(await drain(queue), [{ type: "reset", cursor: "9" }, event(9)]);
});

test("after its end nothing is taken in; what was there is read, and then the error is thrown", async (t) => {
  const queue = createMessageQueue(undefined);
  queue.push(event(0));
  const error = new Error("broken off");
  queue.fail(error);
  queue.push(event(1));
  const messages = queue.messages();
  t.deepEqual(await messages.next(), { done: false, value: event(0) });
  t.is(await t.throwsAsync(messages.next()), error);
});

test("an abandoned queue is empty at once, also for whoever waits for it or is halfway through", async (t) => {
  const queue = createMessageQueue(undefined);
  const messages = queue.messages();
  const waiting = messages.next();
  queue.push(event(0));
  t.deepEqual(await waiting, { done: false, value: event(0) });
  queue.push(event(1));
  queue.abandon();
  t.deepEqual(await messages.next(), { done: true, value: undefined });
});
