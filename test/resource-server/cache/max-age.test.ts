import test from "ava";
import { certifiedAt, type Coverage, isFresh, noCoverage } from "../../../src/resource-server/cache/freshness.ts";
import { AccessTokenRefused } from "../../../src/resource-server/refusal/access-token-refused.ts";
import { boundFacts, certificate, createScripted } from "../../support/scripted-backend.ts";
import { createStreamed } from "./streamed.ts";

const maxAge = (seconds: number) => ({ requirement: { maxAge: seconds } });

test("a route's maxAge requests newer facts, and other routes use the response", async (t) => {
  const { backend, authorize, pass } = createScripted();
  backend.tokens.set("good", boundFacts());
  await authorize("good");
  pass(2000);
  await authorize("good", maxAge(2));
  t.is(backend.asked.length, 1);
  pass(1);
  await authorize("good", maxAge(2));
  t.is(backend.asked.length, 2);
  pass(10_000);
  await authorize("good");
  t.is(backend.asked.length, 2);
});

test("a route's maxAge never allows more than the ttl", async (t) => {
  const { backend, authorize, pass } = createScripted();
  backend.tokens.set("good", boundFacts());
  await authorize("good");
  pass(10_001);
  await authorize("good", maxAge(60));
  t.is(backend.asked.length, 2);
});

test("a token that the stream vouches for is as young as its last poll", async (t) => {
  const { backend, authorize, open, beatFor } = createStreamed();
  await open();
  await authorize("good");
  await beatFor(20_000);
  await authorize("good", maxAge(0.5));
  t.is(backend.asked.length, 1);
});

test("a maxAge of 0 asks for this request alone: neither memory nor anyone's question will do", async (t) => {
  const { backend, authorize } = createScripted();
  backend.tokens.set("good", boundFacts());
  const gate = Promise.withResolvers<undefined>();
  backend.before = (_, question) => (question === 1 ? gate.promise.then(() => undefined) : undefined);
  const slow = authorize("good");
  backend.tokens.delete("good");
  await t.throwsAsync(authorize("good", maxAge(0)), { instanceOf: AccessTokenRefused });
  const two = [authorize("good", maxAge(0)), authorize("good", maxAge(0))];
  for (const call of two) await t.throwsAsync(call, { instanceOf: AccessTokenRefused });
  t.is(backend.asked.length, 4);
  gate.resolve(undefined);
  await t.notThrowsAsync(slow);
  backend.tokens.set("good", boundFacts());
  await authorize("good", maxAge(0));
  await authorize("good", maxAge(0));
  t.is(backend.asked.length, 6);
});

test("a request joins a question that is no older than its maxAge, and asks itself when it is", async (t) => {
  const { backend, authorize, pass } = createScripted();
  backend.tokens.set("good", boundFacts());
  const gate = Promise.withResolvers<undefined>();
  backend.before = () => gate.promise;
  const calls = [authorize("good")];
  pass(1000);
  calls.push(authorize("good", maxAge(1)));
  t.is(backend.asked.length, 1);
  pass(1);
  calls.push(authorize("good", maxAge(1)));
  t.is(backend.asked.length, 2);
  gate.resolve(undefined);
  await t.notThrowsAsync(Promise.all(calls));
});

test('the backend\'s way of deciding honours it, and it makes no other question (decide: "backend")', async (t) => {
  const { backend, authorize, pass } = createScripted({ decide: "backend" });
  let asked = 0;
  backend.authIntrospection = () => {
    asked += 1;
    const thumbprint = { certificateThumbprint: certificate.x5tS256 };
    return Promise.resolve({ action: "OK", resultCode: "A056001", resultMessage: "", ...thumbprint } as never);
  };
  const presented = { certificate: { ...certificate, raw: new Uint8Array([1]) } };
  await authorize("good", presented);
  pass(2000);
  await authorize("good", { ...presented, ...maxAge(2) });
  t.is(asked, 1);
  await authorize("good", { ...presented, ...maxAge(1) });
  t.is(asked, 2);
  await authorize("good", { ...presented, ...maxAge(0) });
  t.is(asked, 3);
  await authorize("good", presented);
  t.is(asked, 3);
});

for (const wrong of [-1, Number.NaN, "text", null]) {
  test(`a maxAge of ${wrong} is refused by its name`, async (t) => {
    const { authorize } = createScripted();
    const call = authorize("good", { requirement: { maxAge: wrong as never } });
    t.like(await t.throwsAsync(call, { instanceOf: TypeError, message: /^requirement\.maxAge / }), {
      code: "ERR_INVALID_OPTION",
    });
  });
}

const limits = { ttl: 10_000, lease: 1000 };
const asked = { askedAt: 50_000, revocable: true };
const covered: Coverage = { since: 50_000, lease: 90_000 };

for (const [what, entry, coverage, now, fresh] of [
  ["without a stream, as old as the ttl", asked, noCoverage, 60_000, true],
  ["without a stream, a millisecond older", asked, noCoverage, 60_001, false],
  ["covered since it was asked for, the lease as old as allowed", asked, covered, 91_000, true],
  ["covered, the lease a millisecond older", asked, covered, 91_001, false],
  ["covered since a millisecond after it was asked for", asked, { ...covered, since: 50_001 }, 90_000, false],
  ["covered, and no event can invalidate it", { ...asked, revocable: false }, covered, 90_000, false],
  ["covered by an old lease, and asked for lately", asked, { since: 0, lease: 10_000 }, 60_000, true],
  ["at a time that is not a number", asked, covered, Number.NaN, false],
  ["asked for at a time that is not a number", { ...asked, askedAt: Number.NaN }, covered, 90_000, false],
] as const) {
  test(`an answer is ${fresh ? "fresh" : "not fresh"}: ${what}`, (t) => {
    t.is(isFresh(entry, coverage, limits, now), fresh);
  });
}

test("a lease that is longer than the ttl helps only covered responses", (t) => {
  const longLease = { ttl: 1000, lease: 10_000 };
  t.true(isFresh(asked, { since: 50_000, lease: 51_000 }, longLease, 55_000));
  t.false(isFresh(asked, { since: 50_001, lease: 51_000 }, longLease, 55_000));
  t.false(isFresh({ ...asked, revocable: false }, { since: 50_000, lease: 51_000 }, longLease, 55_000));
});

test("a route's maxAge counts from when the answer was certified, and never allows more than the rule", (t) => {
  t.true(isFresh(asked, covered, limits, 90_500, 500));
  t.false(isFresh(asked, covered, limits, 90_501, 500));
  t.false(isFresh(asked, covered, limits, 91_001, 60_000));
  t.true(isFresh(asked, noCoverage, limits, 50_000, 0));
  t.false(isFresh(asked, noCoverage, limits, 50_001, 0));
});

test("a response is certified by the lease, or by its request if that is later or not covered", (t) => {
  t.is(certifiedAt(asked, covered), 90_000);
  t.is(certifiedAt(asked, { since: 0, lease: 49_000 }), 50_000);
  t.is(certifiedAt(asked, { since: 60_000, lease: 90_000 }), 50_000);
  t.is(certifiedAt(asked, noCoverage), 50_000);
});
