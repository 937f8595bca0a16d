import test from "ava";
import { AccessTokenRefused } from "../../../src/resource-server/refusal/access-token-refused.ts";
import { IntrospectionUnavailable } from "../../../src/resource-server/refusal/introspection-unavailable.ts";
import { collectGarbage } from "../../support/collect-garbage.ts";
import { boundFacts, certificate } from "../../support/scripted-backend.ts";
import { createStreamed } from "./streamed.ts";

function down(): never {
  throw new Error("down");
}

/** The reason, once aborted. */
const reasonOf = (signal: AbortSignal): unknown => (signal.aborted ? signal.reason : undefined);

test("a signal costs nothing until it is read, does not show, and is one and the same", async (t) => {
  const { authorize, open, time } = createStreamed();
  await open();
  const waiting = time.waiting();
  const accessToken = await authorize("good");
  t.is(time.waiting(), waiting);
  t.false(Object.keys(accessToken).includes("signal"));
  t.false(JSON.stringify(accessToken).includes("signal"));
  t.false(Object.getOwnPropertyDescriptor(accessToken, "signal")?.enumerable);
  t.true(Object.isFrozen(accessToken));
  t.true(Object.isFrozen(accessToken.claims));
  t.deepEqual(structuredClone(accessToken), { ...accessToken } as never);
  const { signal } = accessToken;
  t.true(signal instanceof AbortSignal);
  t.false(signal.aborted);
  t.is(accessToken.signal, signal);
  t.is((await authorize("good")).signal, signal);
});

test("while the stream is whole nothing is asked, and a revocation aborts the signal with its event", async (t) => {
  const { backend, authorize, open, beatFor, revoke } = createStreamed();
  await open();
  const { signal } = await authorize("good");
  const { signal: other } = await authorize("second");
  await beatFor(60_000);
  t.is(backend.asked.length, 2);
  await revoke("good");
  t.is(backend.asked.length, 3);
  t.true(reasonOf(signal) instanceof AccessTokenRefused);
  t.false(other.aborted);
});

test("an event that changes nothing about the token ends nothing", async (t) => {
  const { stream, chain, backend, authorize, open, beatFor, revoke, time } = createStreamed();
  await open();
  const { signal } = await authorize("good");
  stream.latest().push(chain().invalidation("client:1"));
  await time.settle();
  t.is(backend.asked.length, 2);
  await beatFor(30_000);
  t.false(signal.aborted);
  t.is(backend.asked.length, 2);
  await revoke("good");
  t.true(signal.aborted);
});

for (const [what, change] of Object.entries({
  "fewer scopes": { scope: "read" },
  "another certificate": { cnf: { "x5t#S256": "OID_Sc2yReTDx9QS7f1SMUzNxsh7khJYmaIwqXw8Yuw" } },
  "another audience": { aud: "https://other.example" },
})) {
  test(`a token that has ${what} after an event no longer matches its decision`, async (t) => {
    const { stream, chain, backend, authorize, open, time } = createStreamed();
    await open();
    const { signal } = await authorize("good");
    backend.tokens.set("good", boundFacts(change));
    stream.latest().push(chain().invalidation("token:good"));
    await time.settle();
    const reason = reasonOf(signal);
    t.true(reason instanceof AccessTokenRefused && reason.reason.includes("has changed"));
  });
}

test("if no source answers after an event, the signal is aborted within the timeout", async (t) => {
  const { backend, authorize, open, revoke, beatFor } = createStreamed();
  await open();
  const { signal } = await authorize("good");
  backend.before = down;
  await revoke("good");
  await beatFor(1999);
  t.false(signal.aborted);
  await beatFor(1);
  t.true(reasonOf(signal) instanceof IntrospectionUnavailable);
  // It had been tried again.
  t.true(backend.asked.length > 3);
});

test("a question that succeeds in time after an event ends nothing", async (t) => {
  const { stream, chain, backend, authorize, open, beatFor, time } = createStreamed();
  await open();
  const { signal } = await authorize("good");
  backend.before = down;
  stream.latest().push(chain().invalidation("token:good"));
  await time.settle();
  await beatFor(1000);
  backend.before = undefined;
  await beatFor(10_000);
  t.false(signal.aborted);
});

test("it is aborted at the expiry to the millisecond, whatever the wall clock is set to", async (t) => {
  const { backend, authorize, open, beatFor, time } = createStreamed();
  const inSeconds = (seconds: number) => boundFacts({ exp: time.wall / 1000 + seconds });
  backend.tokens.set("soon", inSeconds(10));
  backend.tokens.set("later", inSeconds(20));
  await open();
  const { signal: soon } = await authorize("soon");
  await beatFor(9999);
  t.false(soon.aborted);
  await time.pass(1);
  t.like(reasonOf(soon), { code: "token_expired" });

  // The wall clock is set back: it is over when its time has passed nevertheless.
  const { signal: later } = await authorize("later");
  time.wall -= 3_600_000;
  await beatFor(9999);
  t.false(later.aborted);
  await time.pass(1);
  t.like(reasonOf(later), { code: "token_expired" });

  // It is set forward: the token has as much left as before.
  backend.tokens.set("far", inSeconds(30));
  const { signal: far } = await authorize("far");
  await beatFor(5000);
  time.wall += 41 * 86_400_000;
  await beatFor(24_999);
  t.false(far.aborted);
  await time.pass(1);
  t.like(reasonOf(far), { code: "token_expired" });
});

test("without a stream a watched token is requested after half of the ttl, and the response counts", async (t) => {
  const { backend, authorize, time } = createStreamed({ cache: { push: false } });
  const { signal } = await authorize("good");
  await time.pass(4999);
  t.is(backend.asked.length, 1);
  await time.pass(1);
  t.is(backend.asked.length, 2);
  await time.pass(30_000);
  t.is(backend.asked.length, 8);
  t.false(signal.aborted);
  backend.tokens.delete("good");
  await time.pass(5000);
  t.true(reasonOf(signal) instanceof AccessTokenRefused);
  await time.pass(60_000);
  t.is(backend.asked.length, 9);
  t.is(time.waiting(), 0);
});

test("without a stream, and when nothing can be found out, it ends with the ttl", async (t) => {
  const { backend, authorize, time } = createStreamed({ cache: { push: false } });
  const { signal } = await authorize("good");
  backend.before = down;
  await time.pass(9999);
  t.false(signal.aborted);
  await time.pass(1);
  t.true(reasonOf(signal) instanceof IntrospectionUnavailable);
});

test("when the stream is cut, asking takes its place before the ttl is over since it last vouched", async (t) => {
  const { backend, stream, authorize, open, beatFor, time } = createStreamed();
  await open();
  const { signal } = await authorize("good");
  await beatFor(29_000);
  t.is(backend.asked.length, 1);
  stream.onOpen = down;
  stream.latest().fail(new Error("cut"));
  await time.pass(4500);
  t.is(backend.asked.length, 1);
  await time.pass(1000);
  t.is(backend.asked.length, 2);
  backend.before = down;
  await time.pass(9000);
  t.false(signal.aborted);
  await time.pass(1000);
  t.true(reasonOf(signal) instanceof IntrospectionUnavailable);
});

test("after a reset every watched token is asked for, few at a time", async (t) => {
  const { backend, stream, chain, authorize, open, begin, beatFor, time } = createStreamed();
  await open();
  const signals: AbortSignal[] = [];
  for (let n = 0; n < 100; n++) {
    backend.tokens.set(`t${n}`, boundFacts());
    signals.push((await authorize(`t${n}`)).signal);
  }
  await beatFor(20_000);
  backend.asked.length = 0;
  let under = 0;
  let most = 0;
  backend.before = async () => {
    most = Math.max(most, ++under);
    await new Promise(setImmediate);
    under -= 1;
  };
  for (let n = 0; n < 100; n += 2) backend.tokens.delete(`t${n}`);
  begin("f");
  stream.latest().push(chain().reset());
  for (let n = 0; n < 10; n++) await time.settle();
  t.is(backend.asked.length, 100);
  t.is(most, 16);
  t.deepEqual(
    signals.map(({ aborted }) => aborted),
    signals.map((_, n) => n % 2 === 0),
  );
});

test("the result of another request aborts the signal at once", async (t) => {
  const { backend, authorize, time } = createStreamed({ cache: { push: false } });
  const { signal } = await authorize("good");
  backend.tokens.delete("good");
  await time.pass(1000);
  await t.throwsAsync(authorize("good", { requirement: { maxAge: 0 } }), { instanceOf: AccessTokenRefused });
  t.true(signal.aborted);
});

test("a signal that is read after its token's end is aborted, or soon will be", async (t) => {
  const { authorize, open, revoke, time } = createStreamed();
  await open();
  const revoked = await authorize("good");
  const { signal: read } = revoked;
  await revoke("good");
  t.true(revoked.signal.aborted);
  t.is(revoked.signal, read);
  const unread = await authorize("second");
  await revoke("second");
  const { signal } = unread;
  await time.settle();
  t.true(reasonOf(signal) instanceof AccessTokenRefused);
});

test("an answer that memory has lost is asked for again when its signal is read: an event may have gone by", async (t) => {
  const { backend, authorize, open, revoke, time } = createStreamed({ cache: { maxEntries: 1 } });
  await open();
  const first = await authorize("good");
  await authorize("second");
  await revoke("good");
  const { signal } = first;
  await time.settle();
  t.true(signal.aborted);
  t.deepEqual(backend.asked, ["good", "second", "good"]);
});

test("a signal is independent of the room in the cache", async (t) => {
  const { backend, authorize, open, revoke, beatFor } = createStreamed({ cache: { maxEntries: 1 } });
  await open();
  const { signal } = await authorize("good");
  await authorize("second");
  await beatFor(60_000);
  t.false(signal.aborted);
  t.is(backend.asked.length, 2);
  await revoke("good");
  t.true(signal.aborted);
});

test("signals beyond the number that is looked after end with the bound, and are not asked for", async (t) => {
  const { backend, authorize, open, beatFor, time } = createStreamed({ cache: { maxWatched: 1 } });
  await open();
  const { signal: first } = await authorize("good");
  const { signal: second } = await authorize("second");
  await beatFor(9999);
  t.false(second.aborted);
  await time.pass(1);
  t.true(reasonOf(second) instanceof IntrospectionUnavailable);
  t.false(first.aborted);
  t.is(backend.asked.length, 2);
});

test("a signal beyond that number ends a bound after the last vouching; the next request gets another", async (t) => {
  const { backend, authorize, open, beatFor, time } = createStreamed({ cache: { maxWatched: 1 } });
  await open();
  const { signal: first } = await authorize("good");
  await authorize("second");
  await beatFor(60_000);
  const { signal: second } = await authorize("second");
  t.false(second.aborted);
  // The lease is behind: by a beat, since the connection was replaced, and by the drift allowance.
  await beatFor(9500);
  t.false(second.aborted);
  await time.pass(500);
  t.true(reasonOf(second) instanceof IntrospectionUnavailable);
  const { signal: next } = await authorize("second");
  t.false(next.aborted);
  t.is((await authorize("second")).signal, next);
  t.false(first.aborted);
  t.is(backend.asked.length, 2);
});

test("a signal beyond that number, of an invalidated response, ends a bound after its request", async (t) => {
  const { authorize, open, beatFor, revoke } = createStreamed({ cache: { maxWatched: 1 } });
  await open();
  const { signal: first } = await authorize("good");
  const second = await authorize("second");
  await beatFor(60_000);
  await revoke("second");
  t.true(second.signal.aborted);
  t.false(first.aborted);
});

test("if the bound was over in a gap and the response is valid again, requests get a live signal", async (t) => {
  const { backend, stream, authorize, open, beatFor, beat, revoke, time } = createStreamed();
  await open();
  const { signal: before } = await authorize("good");
  backend.before = down;
  stream.onOpen = down;
  stream.latest().fail(new Error("cut"));
  await time.pass(20_000);
  t.true(reasonOf(before) instanceof IntrospectionUnavailable);
  stream.onOpen = undefined;
  const tried = stream.connections.length;
  while (stream.connections.length === tried) await time.pass(100);
  await beat();
  const { signal: after } = await authorize("good");
  t.false(after.aborted);
  t.true(before.aborted);
  await beatFor(60_000);
  t.false(after.aborted);
  backend.before = undefined;
  await revoke("good");
  t.true(reasonOf(after) instanceof AccessTokenRefused);
});

test("while its request hangs, a signal is aborted at expiry or at the bound's end to the millisecond", async (t) => {
  const { backend, authorize, time } = createStreamed({ cache: { push: false, ttl: 1 }, timeout: 5000 });
  backend.tokens.set("short", boundFacts({ exp: time.wall / 1000 + 1 }));
  await time.pass(250);
  const { signal: short } = await authorize("short");
  const { signal: long } = await authorize("good");
  backend.before = () => new Promise<void>(() => undefined);
  await time.pass(749);
  t.false(short.aborted);
  await time.pass(1);
  t.like(reasonOf(short), { code: "token_expired" });
  await time.pass(249);
  t.false(long.aborted);
  await time.pass(1);
  t.true(reasonOf(long) instanceof IntrospectionUnavailable);
});

test("close ends every signal", async (t) => {
  const { authorize, open, resourceServer, time } = createStreamed({ cache: { maxWatched: 1 } });
  await open();
  const tokens = [await authorize("good"), await authorize("second")];
  const signals = tokens.map(({ signal }) => signal);
  await resourceServer.close();
  t.deepEqual(
    signals.map((signal) => reasonOf(signal) instanceof IntrospectionUnavailable),
    [true, true],
  );
  t.is(time.waiting(), 0);
});

test("a signal read after close is aborted", async (t) => {
  const { authorize, resourceServer } = createStreamed();
  const token = await authorize("good");
  await resourceServer.close();
  t.true(token.signal.aborted);
});

for (const cache of [false, { ttl: 0 }] as const) {
  test(`without a cache (${JSON.stringify(cache)}) a watched token is requested every five seconds`, async (t) => {
    const { backend, authorize, time } = createStreamed({ cache });
    const { signal } = await authorize("good");
    await time.pass(5000);
    t.is(backend.asked.length, 2);
    backend.tokens.delete("good");
    await time.pass(5000);
    t.true(signal.aborted);
  });
}

test('with decide: "backend" a watched token is asked for again by the same request', async (t) => {
  const { backend, stream, authorize, time } = createStreamed({ decide: "backend" });
  const questions: unknown[] = [];
  let action = "OK";
  backend.authIntrospection = (question) => {
    questions.push(question);
    const thumbprint = { certificateThumbprint: certificate.x5tS256 };
    return Promise.resolve({ action, resultCode: "A056001", resultMessage: "", ...thumbprint } as never);
  };
  const { signal } = await authorize("good", {
    certificate: { ...certificate, raw: new Uint8Array([1]) },
    requirement: { scopes: ["read"] },
  });
  await time.pass(5000);
  t.is(questions.length, 2);
  t.deepEqual(questions[1], questions[0]);
  action = "FORBIDDEN";
  await time.pass(5000);
  t.like(reasonOf(signal), { code: "scope_insufficient" });
  t.is(stream.connections.length, 0);
});

test.serial("an unreferenced signal's token is not requested any more; with a listener it still is", async (t) => {
  const { backend, authorize, time } = createStreamed({ cache: { push: false, maxEntries: 1 } });
  let told = 0;
  await (async () => {
    (await authorize("good")).signal.throwIfAborted();
    (await authorize("second")).signal.addEventListener("abort", () => (told += 1));
  })();
  // Memory holds the last token that it was asked for, and with it the signal.
  backend.tokens.set("third", boundFacts());
  await authorize("third");
  await collectGarbage();
  backend.asked.length = 0;
  await time.pass(9000);
  t.deepEqual(backend.asked, ["second"]);
  backend.tokens.delete("second");
  await time.pass(5000);
  t.is(told, 1);
});

test.serial(
  "a signal derived from an unreferenced one is still aborted: by events, and when the bound is over",
  async (t) => {
    const { backend, stream, authorize, open, revoke, beatFor, time } = createStreamed({ cache: { maxEntries: 1 } });
    await open();
    const told: string[] = [];
    const made: AbortSignal[] = [];
    await (async () => {
      for (const token of ["good", "second"]) {
        const signal = AbortSignal.any([(await authorize(token)).signal, new AbortController().signal]);
        signal.addEventListener("abort", () => told.push(token));
        made.push(signal);
      }
    })();
    backend.tokens.set("third", boundFacts());
    await authorize("third");
    await collectGarbage();
    await beatFor(20_000);
    t.deepEqual(told, []);
    await revoke("good");
    t.deepEqual(told, ["good"]);
    backend.asked.length = 0;
    stream.onOpen = down;
    stream.latest().fail(new Error("cut"));
    await time.pass(10_000);
    t.deepEqual(told, ["good", "second"]);
    t.deepEqual(backend.asked, []);
    t.is(made.length, 2);
  },
);

test.serial("an unread signal is aborted when it is read after the end, and so is one derived from it", async (t) => {
  const { authorize, open, revoke } = createStreamed();
  await open();
  const { signals, made } = await (async () => {
    const both = [(await authorize("good")).signal, (await authorize("second")).signal];
    return { signals: both, made: both.map((signal) => AbortSignal.any([signal, new AbortController().signal])) };
  })();
  await revoke("good");
  await revoke("second");
  await collectGarbage();
  t.true(signals.every((signal) => reasonOf(signal) instanceof AccessTokenRefused));
  t.true(made.every((signal) => reasonOf(signal) instanceof AccessTokenRefused));
});

test.serial("a token whose signal was released is requested in time again when a new signal is taken", async (t) => {
  const { backend, authorize, time } = createStreamed({ cache: { push: false, maxEntries: 1, ttl: 1 } });
  await (async () => {
    (await authorize("good")).signal.throwIfAborted();
  })();
  await authorize("second");
  await collectGarbage();
  await time.pass(900);
  const accessToken = await authorize("good");
  await time.pass(150);
  backend.asked.length = 0;
  const { signal } = accessToken;
  await time.pass(350);
  t.deepEqual(backend.asked, ["good"]);
  await time.pass(600);
  t.false(signal.aborted);
});

test.serial("an unreferenced signal makes room for another", async (t) => {
  const { backend, authorize, open, revoke } = createStreamed({ cache: { maxWatched: 1, maxEntries: 1 } });
  await open();
  await (async () => {
    (await authorize("good")).signal.throwIfAborted();
  })();
  backend.tokens.set("third", boundFacts());
  await authorize("third");
  await collectGarbage();
  const { signal } = await authorize("second");
  await revoke("second");
  t.true(reasonOf(signal) instanceof AccessTokenRefused);
});
