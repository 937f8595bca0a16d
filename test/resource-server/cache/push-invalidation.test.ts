import test, { type ExecutionContext } from "ava";
import { AccessTokenRefused } from "../../../src/resource-server/refusal/access-token-refused.ts";
import { IntrospectionUnavailable } from "../../../src/resource-server/refusal/introspection-unavailable.ts";
import { boundFacts } from "../../support/scripted-backend.ts";
import { createStreamed, keysOf } from "./streamed.ts";

const settled = () => new Promise(setImmediate);

function refused(t: ExecutionContext, call: Promise<unknown>): Promise<AccessTokenRefused> {
  return t.throwsAsync(call, { instanceOf: AccessTokenRefused });
}

/** Holds back the answers to every question from now on. */
function hold({ backend }: ReturnType<typeof createStreamed>) {
  const gates: PromiseWithResolvers<undefined>[] = [];
  backend.before = async () => {
    const gate = Promise.withResolvers<undefined>();
    gates.push(gate);
    await gate.promise;
  };
  return {
    /** Lets the answer to this question through. */
    release: async (question: number): Promise<void> => {
      gates[question]?.resolve(undefined);
      await settled();
    },
  };
}

test("the stream is opened with the first question, once, and not before", async (t) => {
  const { stream, authorize, time } = createStreamed();
  t.is(stream.connections.length, 0);
  await Promise.all([authorize("good"), authorize("second")]);
  await time.pass(5000);
  t.is(stream.connections.length, 1);
  t.is(stream.latest().cursor, undefined);
});

test("while the stream is whole and quiet an answer is asked for once, far beyond its ttl", async (t) => {
  const { backend, authorize, open, beatFor } = createStreamed();
  await open();
  for (let n = 0; n < 100; n++) {
    await authorize("good");
    await beatFor(1000);
  }
  t.deepEqual(backend.asked, ["good"]);
});

test("an event invalidates the response at once, and no other one", async (t) => {
  const { backend, authorize, open, revoke } = createStreamed();
  await open();
  await authorize("good");
  await authorize("second");
  await revoke("good");
  await refused(t, authorize("good"));
  await authorize("second");
  t.deepEqual(backend.asked, ["good", "second", "good"]);
});

for (const key of keysOf("good")) {
  test(`a response is invalidated by each of its keys: ${key}`, async (t) => {
    const { backend, stream, chain, time, authorize, open } = createStreamed();
    await open();
    await authorize("good");
    stream.latest().push(chain().invalidation("token:other", key, "another"));
    await time.settle();
    await authorize("good");
    t.is(backend.asked.length, 2);
  });
}

test("a response requested before the stream began is valid for its ttl and no longer", async (t) => {
  const { backend, stream, chain, nodeClock, authorize, beatFor, time } = createStreamed();
  await authorize("good");
  stream.latest().push(chain().reset());
  await time.settle();
  // Between the reset and the first heartbeat the stream vouches for nothing either.
  await authorize("second");
  await time.pass(1);
  stream.latest().push(chain().heartbeat(nodeClock()));
  await beatFor(9999);
  await authorize("good");
  t.is(backend.asked.length, 2);
  await beatFor(2);
  await authorize("good");
  await authorize("second");
  t.deepEqual(backend.asked, ["good", "second", "good", "second"]);
  await beatFor(30_000);
  await authorize("good");
  await authorize("second");
  t.is(backend.asked.length, 4);
});

test("answers that rest on no keys are not vouched for", async (t) => {
  const { backend, authorize, open, beatFor } = createStreamed();
  const answer = backend.authIntrospectionStandard.bind(backend);
  backend.authIntrospectionStandard = async (...all) => ({ ...(await answer(...all)), invalidationKeys: undefined });
  await open();
  await authorize("good");
  await beatFor(10_001);
  await authorize("good");
  t.is(backend.asked.length, 2);
});

test("the stream does not vouch for inactive tokens", async (t) => {
  const { backend, authorize, open, beatFor } = createStreamed();
  await open();
  await refused(t, authorize("none"));
  await beatFor(1001);
  await refused(t, authorize("none"));
  t.is(backend.asked.length, 2);
});

test("after the stream is cut, its responses are used for the lease and then requested again", async (t) => {
  const { backend, stream, authorize, open, beatFor, time } = createStreamed();
  await open();
  await authorize("good");
  await beatFor(60_000);
  stream.onOpen = (connection) => {
    connection.fail(new Error("cut"));
  };
  stream.latest().fail(new Error("cut"));
  // The first heartbeat of the last connection took 250 ms to come: so far behind is the lease.
  await time.pass(700);
  await authorize("good");
  t.is(backend.asked.length, 1);
  await time.pass(300);
  await authorize("good");
  t.is(backend.asked.length, 2);
  // From here on the ttl alone.
  await time.pass(10_000);
  await authorize("good");
  t.is(backend.asked.length, 2);
  await time.pass(1);
  await authorize("good");
  t.is(backend.asked.length, 3);
});

test("a connection that stays open and silent certifies nothing", async (t) => {
  const { backend, authorize, open, beatFor, time } = createStreamed();
  await open();
  await authorize("good");
  await beatFor(60_000);
  await time.pass(1200);
  await authorize("good");
  t.is(backend.asked.length, 2);
});

test("heartbeats that come again and again of one poll certify nothing new", async (t) => {
  const { backend, stream, chain, nodeClock, authorize, open, beatFor, time } = createStreamed();
  await open();
  await authorize("good");
  await beatFor(20_000);
  const polledAt = nodeClock();
  for (let n = 0; n < 6; n++) {
    await time.pass(200);
    stream.latest().push(chain().heartbeat(polledAt));
  }
  await authorize("good");
  t.is(backend.asked.length, 2);
});

test("with everything 5 s late the ttl rules, and an event still counts when it comes", async (t) => {
  const { backend, stream, chain, nodeClock, authorize, time } = createStreamed();
  const late = async (milliseconds: number): Promise<void> => {
    for (let passed = 0; passed < milliseconds; passed += 250) {
      const message = chain().heartbeat(nodeClock());
      const to = stream.latest();
      time.clocks.schedule(() => {
        to.push(message);
      }, 5000);
      await time.pass(250);
    }
  };
  await refused(t, authorize("opener"));
  backend.asked.length = 0;
  stream.latest().push(chain().reset());
  await late(5500);
  await authorize("good");
  await late(4500);
  await authorize("good");
  t.deepEqual(backend.asked, ["good"]);
  backend.tokens.delete("good");
  stream.latest().push(chain().invalidation("token:good"));
  await time.settle();
  await refused(t, authorize("good"));
  t.is(backend.asked.length, 2);
});

test("after a cut the stream continues at the cursor: nothing was lost, nothing is requested again", async (t) => {
  const { backend, stream, chain, nodeClock, authorize, open, beatFor, revoke, time } = createStreamed();
  await open();
  await authorize("good");
  await authorize("second");
  await beatFor(20_000);
  const { cursor } = chain().heartbeat(0);
  stream.latest().fail(new Error("cut"));
  await time.pass(100);
  t.is(stream.connections.length, 2);
  t.is(stream.latest().cursor, cursor);
  backend.tokens.delete("second");
  stream.latest().push(chain().invalidation("token:second"), chain().heartbeat(nodeClock()));
  await time.settle();
  await authorize("good");
  await refused(t, authorize("second"));
  t.deepEqual(backend.asked, ["good", "second", "second"]);
  await beatFor(20_000);
  await revoke("good");
  await refused(t, authorize("good"));
});

test("a lease that ran out in a gap: when the stream is back at the cursor, the response is valid again", async (t) => {
  const { backend, stream, authorize, open, beatFor, beat, time } = createStreamed();
  await open();
  await authorize("good");
  await beatFor(20_000);
  stream.onOpen = (connection) => {
    connection.fail(new Error("down"));
  };
  stream.latest().fail(new Error("cut"));
  await time.pass(3000);
  stream.onOpen = undefined;
  await time.pass(200);
  t.is(stream.connections.length, 6);
  await beat();
  await authorize("good");
  t.is(backend.asked.length, 1);
});

for (const [what, epoch] of [
  ["events were lost", "e"],
  ["the store is another one", "f"],
] as const) {
  test(`a reset (${what}) invalidates every positive response, and coverage begins anew`, async (t) => {
    const { backend, stream, chain, authorize, open, begin, beat, beatFor, revoke, time } = createStreamed();
    await open();
    await authorize("good");
    await refused(t, authorize("none"));
    await beatFor(250);
    backend.tokens.delete("good");
    stream.latest().fail(new Error("cut"));
    await time.pass(100);
    begin(epoch);
    stream.latest().push(chain().reset());
    await time.settle();
    await refused(t, authorize("good"));
    await refused(t, authorize("none"));
    t.deepEqual(backend.asked, ["good", "none", "good"]);
    await beat();
    await authorize("second");
    await beatFor(30_000);
    await authorize("second");
    t.is(backend.asked.length, 4);
    await revoke("second");
    await refused(t, authorize("second"));
  });
}

for (const [what, spoil] of Object.entries<(run: ReturnType<typeof createStreamed>) => unknown>({
  "an event is lost": ({ chain, nodeClock }) => {
    chain().invalidation("token:good");
    return chain().heartbeat(nodeClock());
  },
  "an event comes twice": ({ stream, chain }) => {
    const event = chain().invalidation("token:second");
    stream.latest().push(event);
    return event;
  },
  "events are out of order": ({ chain }) => {
    chain().invalidation("token:good");
    return chain().invalidation("token:second");
  },
  "the poll's time goes back": ({ chain, nodeClock }) => chain().heartbeat(nodeClock() - 60_000),
  "the poll's time lies ahead": ({ chain, nodeClock }) => chain().heartbeat(nodeClock() + 60_000),
  "garbage comes": () => ({ type: "heartbeat" }),
})) {
  test(`a broken stream is reopened at the last good cursor; the lease stands still: ${what}`, async (t) => {
    const run = createStreamed();
    const { backend, stream, authorize, open, beatFor, beat, time } = run;
    await open();
    await authorize("good");
    await beatFor(20_000);
    const good = run.chain().at();
    const broken = stream.latest();
    broken.push(spoil(run));
    await time.settle();
    t.true(broken.closed());
    const [before] = stream.connections.slice(0, -1);
    t.is(before, undefined, "it is not opened anew at once");
    await time.pass(100);
    t.is(stream.connections.length, 2);
    t.is(stream.latest().cursor, what === "an event comes twice" ? "e:1" : good);
    // Nothing certifies until a heartbeat comes; then what the new connection brings counts.
    await time.pass(1000);
    await authorize("good");
    t.is(backend.asked.length, 2);
    const chain = run.chain();
    if (what.startsWith("an event is lost") || what.startsWith("events")) {
      backend.tokens.delete("good");
      stream.latest().push({ type: "invalidation", after: good, cursor: chain.at(), keys: ["token:good"] });
    }
    await beat();
    await (backend.tokens.has("good") ? authorize("good") : refused(t, authorize("good")));
  });
}

test("a response that is pending during the event is never used: the request is sent once more", async (t) => {
  const run = createStreamed();
  const { backend, stream, chain, authorize, open, time } = run;
  await open();
  const { release } = hold(run);
  const call = authorize("good");
  await settled();
  // The backend has read the facts; then it is revoked, and the event overtakes the answer.
  backend.tokens.delete("good");
  stream.latest().push(chain().invalidation("token:good"));
  await time.settle();
  await release(0);
  t.deepEqual(backend.asked, ["good", "good"]);
  await release(1);
  await refused(t, call);
  await refused(t, authorize("good"));
  t.is(backend.asked.length, 2);
});

test("a response that arrives before the event is used, and invalid after the event", async (t) => {
  const run = createStreamed();
  const { backend, authorize, open, revoke } = run;
  await open();
  const { release } = hold(run);
  const call = authorize("good");
  await settled();
  await release(0);
  await t.notThrowsAsync(call);
  backend.before = undefined;
  await revoke("good");
  await refused(t, authorize("good"));
});

test("an event about others leaves an answer on its way alone", async (t) => {
  const run = createStreamed();
  const { backend, stream, chain, authorize, open, time } = run;
  await open();
  const { release } = hold(run);
  const call = authorize("good");
  await settled();
  stream.latest().push(chain().invalidation("token:second"));
  await time.settle();
  await release(0);
  await t.notThrowsAsync(call);
  t.is(backend.asked.length, 1);
});

test("a response that is invalidated twice is an outage for all who wait, and is not cached", async (t) => {
  const run = createStreamed();
  const { backend, stream, chain, authorize, open, time } = run;
  await open();
  const { release } = hold(run);
  const call = authorize("good");
  for (const question of [0, 1]) {
    await settled();
    stream.latest().push(chain().invalidation("client:1"));
    await time.settle();
    await release(question);
  }
  await t.throwsAsync(call, { instanceOf: IntrospectionUnavailable, message: /invalidated before it arrived/ });
  t.is(backend.asked.length, 2);
  backend.before = undefined;
  await authorize("good");
  t.is(backend.asked.length, 3);
});

test("a response without waiting callers is not cached if an event came before it", async (t) => {
  const run = createStreamed();
  const { backend, authorize, open, revoke } = run;
  await open();
  const { release } = hold(run);
  const controller = new AbortController();
  const call = authorize("good", { signal: controller.signal });
  await settled();
  controller.abort();
  await t.throwsAsync(call, { name: "AbortError" });
  await revoke("good");
  await release(0);
  backend.before = undefined;
  await refused(t, authorize("good"));
});

test("a reset invalidates pending responses, whatever their keys", async (t) => {
  const run = createStreamed();
  const { backend, stream, chain, authorize, open, begin, time } = run;
  await open();
  const { release } = hold(run);
  const call = authorize("good");
  await settled();
  backend.tokens.delete("good");
  begin("f");
  stream.latest().push(chain().reset());
  await time.settle();
  await release(0);
  await release(1);
  await refused(t, call);
});

for (const [what, options] of Object.entries({
  "push is off": { cache: { push: false } },
  "nothing is remembered": { cache: false },
  "the ttl is 0": { cache: { ttl: 0 } },
} as const)) {
  test(`no stream is opened when ${what}`, async (t) => {
    const { stream, authorize } = createStreamed(options);
    await authorize("good");
    t.is(stream.connections.length, 0);
  });
}

test("the lease is as long as the option says, and no longer", async (t) => {
  const { backend, authorize, open, beatFor, time } = createStreamed({ cache: { lease: 3, ttl: 5 } });
  await open();
  await authorize("good");
  await beatFor(10_000);
  await time.pass(2900);
  await authorize("good");
  t.is(backend.asked.length, 1);
  await time.pass(200);
  await authorize("good");
  t.is(backend.asked.length, 2);
});

test("a covered token still expires at exactly exp", async (t) => {
  const { backend, authorize, open, beatFor, time } = createStreamed();
  backend.tokens.set("good", boundFacts({ exp: time.wall / 1000 + 60 }));
  await open();
  await authorize("good");
  await beatFor(59_900);
  await authorize("good");
  t.is(backend.asked.length, 1);
  await beatFor(100);
  t.is((await refused(t, authorize("good"))).code, "token_expired");
});

for (const step of [-3_600_000, 3_600_000]) {
  test(`a wall clock step of ${step / 3_600_000} h neither ends a cached token nor lengthens its life`, async (t) => {
    const { backend, authorize, open, beatFor, time } = createStreamed();
    backend.tokens.set("good", boundFacts({ exp: time.wall / 1000 + 60 }));
    await open();
    const { signal } = await authorize("good");
    time.wall += step;
    await beatFor(59_900);
    await authorize("good");
    t.is(backend.asked.length, 1);
    t.false(signal.aborted);
    backend.tokens.delete("good");
    await beatFor(100);
    t.true(signal.aborted);
    await refused(t, authorize("good"));
    t.is(backend.asked.length, 2);
  });
}
