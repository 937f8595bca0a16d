import test, { type ExecutionContext } from "ava";
import { createEventFollower } from "../../../../src/backend/engine/invalidation/event-follower.ts";
import { openSqliteStore } from "../../../../src/backend/store/sqlite/open-sqlite-store.ts";
import { StoreFailure, type Store } from "../../../../src/backend/store/store.ts";
import type { InvalidationMessage } from "../../../../src/contract/auth-introspection-events.ts";
import { endGrant, issueGrant, issueTokens, putConfiguration, revoke, twoServices } from "../../store/commands.ts";
import { createHandTimer, settled } from "./hand-timer.ts";

interface Reader {
  /** What has come so far, and was not taken from here yet. */
  readonly take: () => InvalidationMessage[];
  readonly ended: () => boolean;
  readonly failure: () => unknown;
  readonly leave: () => void;
}

/** A follower over a real store, with the clock in the test's hand. */
async function startFollower(t: ExecutionContext, around: (store: Store) => Partial<Store> = () => ({})) {
  const store = await openSqliteStore({ path: ":memory:" });
  t.teardown(() => store.close());
  await store.run(twoServices());
  const hand = createHandTimer();
  const faults: string[] = [];
  const reads: (string | undefined)[] = [];
  const watched: Store = { ...store, ...around(store) };
  const follower = createEventFollower({
    heartbeatInterval: 250,
    store: {
      ...watched,
      readInvalidationEvents(query) {
        reads.push(query.after);
        return watched.readInvalidationEvents(query);
      },
    },
    monotonicClock: hand.now,
    wait: hand.wait,
    reportFault: (_, what) => faults.push(what),
  });
  t.teardown(() => {
    follower.close();
  });

  function read(serviceId = 1, cursor?: string): Reader {
    let messages: InvalidationMessage[] = [];
    let failure: unknown;
    let ended = false;
    const leaving = new AbortController();
    const reading = async (): Promise<void> => {
      for await (const message of follower.open(serviceId, { cursor }, leaving.signal)) messages.push(message);
    };
    reading()
      .catch((error: unknown) => {
        failure = error;
      })
      .finally(() => {
        ended = true;
      });
    return {
      take() {
        const taken = messages;
        messages = [];
        return taken;
      },
      ended: () => ended,
      failure: () => failure,
      leave: () => {
        leaving.abort();
      },
    };
  }

  async function revokeOne(): Promise<string> {
    const issued = issueTokens();
    await store.run(issued);
    await store.run(revoke(issued));
    return `token:${Buffer.from(issued.accessToken.digest).toString("base64url")}`;
  }

  return { store, hand, follower, read, revokeOne, faults, reads };
}

/** Types and keys, and that each message begins where the one before it ended. */
function chained(t: ExecutionContext, messages: readonly InvalidationMessage[], from?: string): unknown[] {
  let at = from;
  return messages.map((message) => {
    if (message.type !== "reset") t.is(message.after, at ?? message.after);
    at = message.cursor;
    return message.type === "invalidation" ? message.keys : message.type;
  });
}

const cursorOf = (messages: readonly InvalidationMessage[]): string => messages.at(-1)?.cursor ?? "";

test("a reader without a cursor gets a reset, a heartbeat behind it, and one with every poll", async (t) => {
  const { hand, read } = await startFollower(t);
  const reader = read();
  await hand.pass(0);
  const first = reader.take();
  t.deepEqual(chained(t, first), ["reset", "heartbeat"]);
  t.like(first[1], { type: "heartbeat", polledAt: 1_000 });
  await hand.pass(500);
  const more = reader.take();
  t.deepEqual(chained(t, more, cursorOf(first)), ["heartbeat", "heartbeat"]);
  t.deepEqual(
    more.map((message) => message.type === "heartbeat" && message.polledAt),
    [1_250, 1_500],
  );
});

test("an event comes before the heartbeat of the poll that found it, to its own service only", async (t) => {
  const { hand, read, store, revokeOne } = await startFollower(t);
  const [one, two] = [read(1), read(2)];
  await hand.pass(0);
  const [atOne, atTwo] = [cursorOf(one.take()), cursorOf(two.take())];
  const key = await revokeOne();
  const grants = [issueGrant("g", { serviceId: 2, clientId: 21 }), issueGrant("g")];
  for (const grant of grants) await store.run(grant);
  await store.run(endGrant("g", 2));
  await store.run(endGrant("g", 1));
  await hand.pass(250);
  const [ofOne, ofTwo] = [one.take(), two.take()];
  t.deepEqual(chained(t, ofOne, atOne), [[key], ["grant:g"], "heartbeat"]);
  t.deepEqual(chained(t, ofTwo, atTwo), [["grant:g"], "heartbeat"]);
  t.is(cursorOf(ofOne), cursorOf(ofTwo));
});

test("more events than one reading takes come all, once, and before the heartbeat", async (t) => {
  const { hand, read, revokeOne } = await startFollower(t);
  const reader = read();
  await hand.pass(0);
  const at = cursorOf(reader.take());
  const keys = await Promise.all(Array.from({ length: 1_203 }, revokeOne));
  await hand.pass(250);
  const found = chained(t, reader.take(), at);
  t.is(found.pop(), "heartbeat");
  t.deepEqual(found.flat().sort(), keys.sort());
});

test("all readers share one poll, and without readers nothing is polled", async (t) => {
  const { hand, read, reads } = await startFollower(t);
  await hand.pass(5_000);
  t.is(reads.length, 0);
  const readers = Array.from({ length: 50 }, () => read());
  await hand.pass(1_000);
  t.is(reads.length, 5);
  for (const reader of readers) reader.leave();
  await hand.pass(5_000);
  t.is(reads.length, 5);
  t.deepEqual(hand.waiting(), []);
  t.true(readers.every((reader) => reader.ended()));
});

test("no heartbeat is older than the request: a reader that arrives during a poll waits for the next", async (t) => {
  const gate = Promise.withResolvers<undefined>();
  let held = 1;
  const { hand, read } = await startFollower(t, (store) => ({
    async readInvalidationEvents(query) {
      const events = await store.readInvalidationEvents(query);
      if (held-- > 0) await gate.promise;
      return events;
    },
  }));
  const early = read();
  await hand.pass(100);
  const late = read();
  await hand.pass(0);
  gate.resolve(undefined);
  await settled();
  const first = early.take();
  t.deepEqual(chained(t, first), ["reset", "heartbeat"]);
  t.like(first[1], { type: "heartbeat", polledAt: 1_000 }, "when the poll began, however long it took");
  t.deepEqual(late.take(), []);
  await hand.pass(0);
  t.like(late.take()[1], { type: "heartbeat", polledAt: 1_100 });
});

test("a reader that returns gets exactly what it missed, and continues with the others", async (t) => {
  const { hand, read, revokeOne } = await startFollower(t);
  const stays = read();
  const leaves = read();
  await hand.pass(0);
  const at = cursorOf(leaves.take());
  stays.take();
  leaves.leave();
  const missed = [await revokeOne(), await revokeOne(), await revokeOne()];
  await hand.pass(250);
  const back = read(1, at);
  const other = read(2, at);
  await hand.pass(20);
  t.deepEqual(chained(t, back.take(), at), [...missed.map((key) => [key]), "heartbeat"]);
  t.deepEqual(chained(t, other.take(), at), ["heartbeat"], "another service's events are nothing to it");
  stays.take();
  const next = await revokeOne();
  await hand.pass(250);
  t.deepEqual(chained(t, back.take()), [[next], "heartbeat"]);
  t.deepEqual(chained(t, stays.take()), [[next], "heartbeat"]);
});

test("a cursor that cannot be continued is a reset to where the others stand", async (t) => {
  const { hand, read, revokeOne } = await startFollower(t);
  await revokeOne();
  const reader = read(1, "of another store");
  await hand.pass(0);
  t.deepEqual(chained(t, reader.take()), ["reset", "heartbeat"]);
});

test("a reader that missed more than ten thousand events begins anew", async (t) => {
  const { hand, read, store } = await startFollower(t);
  const reader = read();
  await hand.pass(0);
  const at = cursorOf(reader.take());
  reader.leave();
  const issued = Array.from({ length: 10_001 }, () => issueTokens());
  await Promise.all(issued.map((command) => store.run(command)));
  await Promise.all(issued.slice(1).map((command) => store.run(revoke(command))));
  const all = read(1, at);
  await hand.pass(20);
  t.is(all.take().length, 10_001, "ten thousand and a heartbeat");
  await store.run(revoke(issued[0] ?? issueTokens()));
  const anew = read(1, at);
  await hand.pass(20);
  t.deepEqual(chained(t, anew.take()), ["reset", "heartbeat"]);
});

test("no more missed events are read than the reader can be sent", async (t) => {
  // A store with any number of events, 500 of them a reading.
  let at = 0;
  const { hand, read, reads } = await startFollower(t, () => ({
    readInvalidationEvents: ({ after, upTo, limit }) => {
      if (upTo === undefined) return Promise.resolve({ reset: false, events: [], cursor: "head", complete: true });
      at += limit;
      const event = { serviceId: 1, keys: ["token:x"], cursor: `${after ?? ""}+` };
      const events = Array.from({ length: limit }, () => event);
      return Promise.resolve({ reset: false, events, cursor: String(at), complete: false });
    },
  }));
  read(1, "far behind");
  await hand.pass(0);
  // 10,000 events in 20 readings, and the one that is too many.
  t.is(reads.filter((after) => after !== undefined && after !== "head").length, 21);
});

test("a failed poll sends nothing to readers and rejects new ones; then polling continues", async (t) => {
  let broken = false;
  const { hand, read, revokeOne, faults } = await startFollower(t, (store) => ({
    readInvalidationEvents: (query) =>
      broken ? Promise.reject(new StoreFailure("the disk is gone")) : store.readInvalidationEvents(query),
  }));
  const reader = read();
  await hand.pass(0);
  const at = cursorOf(reader.take());
  broken = true;
  const key = await revokeOne();
  const coming = read();
  await hand.pass(2_000);
  t.deepEqual(reader.take(), []);
  t.false(reader.ended());
  t.true(coming.failure() instanceof StoreFailure);
  t.deepEqual(faults, ["the store could not be polled for invalidation events"], "one line an outage");
  broken = false;
  await hand.pass(250);
  t.deepEqual(chained(t, reader.take(), at), [[key], "heartbeat"]);
  broken = true;
  await hand.pass(250);
  t.is(faults.length, 2);
});

test("a store that went back resets and ends every stream", async (t) => {
  let gone = false;
  const { hand, read } = await startFollower(t, (store) => ({
    readInvalidationEvents: (query) => store.readInvalidationEvents(gone ? { ...query, after: "lost" } : query),
  }));
  const readers = [read(1), read(2)];
  await hand.pass(0);
  for (const reader of readers) reader.take();
  gone = true;
  await hand.pass(250);
  for (const reader of readers) {
    t.deepEqual(chained(t, reader.take()), ["reset"]);
    t.true(reader.ended());
    t.is(reader.failure(), undefined);
  }
});

test("a change of the service's settings is sent, and then the stream ends; a client's does not end it", async (t) => {
  const { hand, read, store } = await startFollower(t);
  const [one, two] = [read(1), read(2)];
  await hand.pass(0);
  const at = cursorOf(one.take());
  two.take();
  const clients = [{ id: 11, alias: "eleven", settings: "other" }, { id: 12 }];
  const second = { id: 2, clients: [{ id: 21, alias: "eleven" }] };
  await store.run(putConfiguration({ id: 1, clients }, second));
  await hand.pass(250);
  t.deepEqual(chained(t, one.take(), at), [["client:1:11"], "heartbeat"]);
  await store.run(putConfiguration({ id: 1, settings: "other", clients }, second));
  await hand.pass(250);
  t.deepEqual(chained(t, one.take()), [["service:1"]]);
  t.true(one.ended());
  t.false(two.ended());
});

test("a hint has the next poll come sooner; it sends nothing that the store does not have", async (t) => {
  const { hand, follower, read, revokeOne } = await startFollower(t);
  follower.hint();
  t.deepEqual(hand.waiting(), [], "nobody reads");
  const reader = read();
  await hand.pass(100);
  reader.take();
  const key = await revokeOne();
  follower.hint();
  await hand.pass(0);
  t.deepEqual(chained(t, reader.take()), [[key], "heartbeat"]);
});

test("close ends every stream in good order, rejects waiting readers, and opens no new stream", async (t) => {
  const { hand, follower, read } = await startFollower(t);
  const reader = read();
  await hand.pass(0);
  const waiting = read();
  follower.close();
  const late = read();
  await settled();
  t.deepEqual([reader.ended(), reader.failure()], [true, undefined]);
  for (const refused of [waiting, late]) t.like(refused.failure(), { name: "StreamUnavailable" });
});

test("a thousand streams are all that a process has; one that ends makes room", async (t) => {
  const { hand, read } = await startFollower(t);
  const readers = Array.from({ length: 1_000 }, () => read());
  const refused = read();
  await hand.pass(0);
  t.like(refused.failure(), { name: "StreamUnavailable" });
  t.true(readers.every((reader) => reader.take().length === 2));
  readers[0]?.leave();
  await settled();
  const next = read();
  await hand.pass(20);
  t.is(next.take().length, 2);
});

test("a reader that left before it began is not counted", async (t) => {
  const { follower, hand } = await startFollower(t);
  const messages = follower.open(1, {}, AbortSignal.abort());
  t.true((await messages.next()).done);
  t.deepEqual(hand.waiting(), []);
});
