import test from "ava";
import { ApiError } from "../../../src/contract/api-error.ts";
import { collectGarbage } from "../../support/collect-garbage.ts";
import { createStreamed } from "./streamed.ts";

test("while the stream cannot be had it is tried again ever more rarely, 5 s apart at the most", async (t) => {
  const { stream, authorize, time } = createStreamed();
  const openings: number[] = [];
  stream.onOpen = (connection) => {
    openings.push(time.monotonic);
    connection.fail(new Error("down"));
  };
  await authorize("good");
  await time.pass(30_000);
  const pauses = openings.slice(1).map((at, index) => at - (openings[index] ?? 0));
  t.deepEqual(pauses.slice(0, 8), [100, 200, 400, 800, 1600, 3200, 5000, 5000]);
});

test("a stream that the backend ends is opened again after a pause, however orderly the end", async (t) => {
  const { stream, authorize, time } = createStreamed();
  stream.onOpen = (connection) => {
    connection.end();
  };
  await authorize("good");
  await time.pass(1000);
  t.is(stream.connections.length, 4);
});

test("after a connection that held, the next pause is short again", async (t) => {
  const { stream, open, beatFor, authorize, time } = createStreamed();
  stream.onOpen = (connection) => {
    connection.fail(new Error("down"));
  };
  await authorize("good");
  await time.pass(3050);
  stream.onOpen = undefined;
  await time.pass(100);
  await open();
  await beatFor(5500);
  const { length } = stream.connections;
  stream.latest().fail(new Error("cut"));
  await time.pass(99);
  t.is(stream.connections.length, length);
  await time.pass(1);
  t.is(stream.connections.length, length + 1);
});

test("a connection without a heartbeat for 10 s is dropped, even if its other end stays silent", async (t) => {
  const { stream, chain, open, beatFor, time } = createStreamed();
  await open();
  await beatFor(1000);
  const silent = stream.latest();
  await time.pass(9000);
  // Events alone do not show that polls succeed.
  silent.push(chain().invalidation("token:x"));
  await time.pass(999);
  t.false(silent.closed());
  await time.pass(1);
  t.true(silent.closed());
  await time.pass(100);
  t.is(stream.connections.length, 2);
  t.is(stream.latest().cursor, "e:1");
});

test("clocks drift: a connection is replaced after 30 s, right after a heartbeat, and responses stay valid", async (t) => {
  const { backend, stream, authorize, open, beatFor } = createStreamed();
  await open();
  await authorize("good");
  await beatFor(30_000);
  t.is(stream.connections.length, 1);
  await beatFor(250);
  t.is(stream.connections.length, 2);
  t.true(stream.connections[0]?.closed());
  await beatFor(60_000);
  t.is(stream.connections.length, 3);
  await authorize("good");
  t.is(backend.asked.length, 1);
});

test("one whose first heartbeat was slow is replaced after 5 s: its lease lags behind", async (t) => {
  const { stream, chain, authorize, nodeClock, beatFor, time } = createStreamed();
  await authorize("good");
  stream.latest().push(chain().reset());
  await time.pass(501);
  stream.latest().push(chain().heartbeat(nodeClock()));
  await beatFor(4250);
  t.is(stream.connections.length, 1);
  await beatFor(250);
  t.is(stream.connections.length, 2);
  await beatFor(10_000);
  t.is(stream.connections.length, 2);
});

for (const [status, code] of [
  [401, "A001202"],
  [403, "A001223"],
  [404, "A001302"],
] as const) {
  test(`a stream that is refused with ${status} causes one warning and is tried again after a minute`, async (t) => {
    const { backend, stream, warnings, authorize, time } = createStreamed();
    stream.onOpen = (connection) => {
      connection.fail(new ApiError(status, code, "No."));
    };
    await authorize("good");
    await time.pass(59_999);
    t.is(stream.connections.length, 1);
    await time.pass(60_002);
    t.is(stream.connections.length, 3);
    t.deepEqual(
      warnings.map((warning) => warning.code),
      ["CERTBOUND_NO_PUSH"],
    );
    t.regex(warnings[0]?.message ?? "", new RegExp(String(status)));
    // It works without, by the ttl.
    await authorize("good");
    t.is(backend.asked.length, 2);
  });
}

for (const status of [408, 429, 500, 503]) {
  test(`a stream that is not to be had now (${status}) is tried again soon, without a warning`, async (t) => {
    const { stream, warnings, authorize, time } = createStreamed();
    stream.onOpen = (connection) => {
      connection.fail(new ApiError(status, "A001311", "No."));
    };
    await authorize("good");
    await time.pass(1000);
    t.is(stream.connections.length, 4);
    t.deepEqual(warnings, []);
  });
}

test("a source whose stream cannot be requested is an outage of the stream alone", async (t) => {
  const { backend, stream, authorize, time } = createStreamed();
  stream.onOpen = () => {
    throw new Error("not now");
  };
  await authorize("good");
  await time.pass(1000);
  t.is(stream.connections.length, 4);
  stream.onOpen = undefined;
  await authorize("good");
  t.is(backend.asked.length, 1);
});

test.serial("messages are not kept after they are read, however long the connection lasts", async (t) => {
  const { stream, chain, open, beat, time } = createStreamed();
  await open();
  const read = await (async () => {
    const message = chain().invalidation("token:other");
    stream.latest().push(message);
    await time.settle();
    return new WeakRef(message);
  })();
  await beat();
  await beat();
  await collectGarbage();
  t.is(read.deref(), undefined);
  t.is(stream.connections.length, 1);
});

test("close ends the stream, and nothing opens it again or waits", async (t) => {
  const { stream, open, resourceServer, time } = createStreamed();
  await open();
  await resourceServer.close();
  t.true(stream.latest().closed());
  await time.pass(120_000);
  t.is(stream.connections.length, 1);
  t.is(time.waiting(), 0);
});

test("close between two connections ends the waiting", async (t) => {
  const { stream, open, resourceServer, time } = createStreamed();
  await open();
  stream.latest().fail(new Error("cut"));
  await time.settle();
  await resourceServer.close();
  await time.pass(120_000);
  t.is(stream.connections.length, 1);
  t.is(time.waiting(), 0);
});
