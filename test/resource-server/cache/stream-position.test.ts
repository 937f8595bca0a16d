import test from "ava";
import {
  createStreamPosition,
  driftAllowance,
  StreamBroken,
} from "../../../src/resource-server/cache/stream-position.ts";
import { createChain } from "./scripted-stream.ts";

function createPosition() {
  const time = { now: 1000 };
  const log: string[] = [];
  const position = createStreamPosition({
    monotonicClock: () => time.now,
    onInvalidation: (keys) => log.push(keys.join()),
    onLoss: () => log.push(`loss, lease ${position.coverage.lease}`),
  });
  const chain = createChain();
  position.opening();
  const take = (message: unknown): void => {
    position.take(message as never);
  };
  return { position, time, log, chain, take };
}

test("the first poll cannot have begun before the stream was asked for, and the lease begins there", (t) => {
  const { position, time, chain, take } = createPosition();
  t.deepEqual(position.coverage, { since: Infinity, lease: -Infinity });
  time.now = 1400;
  take(chain.reset());
  t.deepEqual(position.coverage, { since: Infinity, lease: -Infinity });
  time.now = 1500;
  take(chain.heartbeat(77_000));
  t.deepEqual(position.coverage, { since: 1500, lease: 1000 });
  t.is(position.anchoredAfter, 500);
});

test("the lease advances with the backend's clock, minus the drift allowance, not with arrival times", (t) => {
  const { position, time, chain, take } = createPosition();
  take(chain.reset());
  take(chain.heartbeat(77_000));
  time.now = 9000;
  take(chain.heartbeat(77_250));
  t.is(position.coverage.lease, 1000 + 250 * (1 - driftAllowance));
  take(chain.heartbeat(77_250));
  t.is(position.coverage.lease, 1000 + 250 * (1 - driftAllowance));
});

test("over 30 s, a faster backend clock within the allowance does not bring the lease before the poll", (t) => {
  const { position, time, chain, take } = createPosition();
  take(chain.reset());
  take(chain.heartbeat(0));
  for (let true_ = 250; true_ <= 30_000; true_ += 250) {
    time.now = 1000 + true_;
    take(chain.heartbeat(true_ * (1 + driftAllowance)));
    t.true(position.coverage.lease <= time.now);
    t.true(position.coverage.lease > time.now - 1);
  }
});

for (const [what, polledAt] of [
  ["before the last one", 76_999],
  ["later than this process's clock allows", 77_101],
  ["never", Number.NaN],
  ["endlessly far ahead", Infinity],
] as const) {
  test(`a heartbeat of a poll that began ${what} breaks the stream, unused`, (t) => {
    const { position, time, chain, take } = createPosition();
    take(chain.reset());
    time.now = 1100;
    take(chain.heartbeat(77_000));
    const { cursor } = position;
    const coverage = { ...position.coverage };
    const message = { ...chain.heartbeat(polledAt), cursor: "e:9" };
    t.throws(
      () => {
        take(message);
      },
      { instanceOf: StreamBroken },
    );
    t.is(position.cursor, cursor);
    t.deepEqual(position.coverage, coverage);
  });
}

for (const [what, spoil] of Object.entries<(chain: ReturnType<typeof createChain>) => unknown>({
  "a heartbeat out of order": (chain) => {
    chain.invalidation("lost");
    return chain.heartbeat(77_010);
  },
  "an event after one that was lost": (chain) => {
    chain.invalidation("lost");
    return chain.invalidation("b");
  },
  "an event of an unknown type": (chain) => ({ ...chain.heartbeat(77_010), type: "renewal" }),
  "a heartbeat without a time": (chain) => ({ ...chain.heartbeat(77_010), polledAt: undefined }),
  "a time that is text": (chain) => ({ ...chain.heartbeat(77_010), polledAt: "77010" }),
  "an event without keys": (chain) => ({ ...chain.invalidation("a"), keys: undefined }),
  "keys that are no texts": (chain) => ({ ...chain.invalidation("a"), keys: [1] }),
  "no cursor": (chain) => ({ ...chain.heartbeat(77_010), cursor: undefined }),
  null: () => null,
  text: () => "heartbeat",
})) {
  test(`breaks the stream and moves neither cursor nor lease: ${what}`, (t) => {
    const { position, time, chain, take } = createPosition();
    take(chain.reset());
    take(chain.heartbeat(77_000));
    time.now = 1050;
    const { cursor } = position;
    const coverage = { ...position.coverage };
    t.throws(
      () => {
        take(spoil(chain));
      },
      { instanceOf: StreamBroken },
    );
    t.is(position.cursor, cursor);
    t.deepEqual(position.coverage, coverage);
  });
}

test("an event that arrives twice breaks the stream, and one out of order still invalidates", (t) => {
  const { log, chain, take } = createPosition();
  take(chain.reset());
  const event = chain.invalidation("a");
  take(event);
  t.throws(
    () => {
      take(event);
    },
    { instanceOf: StreamBroken },
  );
  chain.invalidation("lost");
  t.throws(
    () => {
      take(chain.invalidation("b"));
    },
    { instanceOf: StreamBroken },
  );
  t.deepEqual(log, ["a", "a", "b"]);
});

test("nothing but a reset can be the first message to a reader without a cursor", (t) => {
  for (const first of [createChain().heartbeat(1), createChain().invalidation("a")]) {
    const { take } = createPosition();
    t.throws(
      () => {
        take(first);
      },
      { instanceOf: StreamBroken },
    );
  }
});

test("a connection that continues at the cursor keeps the coverage, with an anchor of its own", (t) => {
  const { position, time, chain, take } = createPosition();
  take(chain.reset());
  take(chain.heartbeat(77_000));
  time.now = 5000;
  position.opening();
  t.deepEqual(position.coverage, { since: 1000, lease: 1000 });
  time.now = 5200;
  take(chain.invalidation("a"));
  // Another node, with another clock.
  take(chain.heartbeat(12));
  t.deepEqual(position.coverage, { since: 1000, lease: 5000 });
});

test("the lease never goes back", (t) => {
  const { position, time, chain, take } = createPosition();
  take(chain.reset());
  take(chain.heartbeat(77_000));
  time.now = 3000;
  take(chain.heartbeat(79_000));
  const { lease } = position.coverage;
  position.opening();
  time.now = 3001;
  take(chain.heartbeat(79_001));
  t.true(position.coverage.lease >= lease);
});

test("a later reset reports the loss under the old coverage, and the next heartbeat begins a new one", (t) => {
  const { position, time, log, chain, take } = createPosition();
  take(chain.reset());
  take(chain.heartbeat(77_000));
  t.deepEqual(log, []);
  time.now = 2000;
  const other = createChain("f");
  take(other.reset());
  t.deepEqual(log, ["loss, lease 1000"]);
  t.deepEqual(position.coverage, { since: Infinity, lease: -Infinity });
  time.now = 2100;
  take(other.heartbeat(78_050));
  t.is(position.coverage.since, 2100);
  t.true(position.coverage.lease <= 2050);
});
