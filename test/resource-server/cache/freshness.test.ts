import test from "ava";
import { certifiedAt, type Coverage, isFresh, noCoverage } from "../../../src/resource-server/cache/freshness.ts";

const limits = { ttl: 10_000, lease: 1000 };
const asked = { askedAt: 50_000, revocable: true };
const covered: Coverage = { since: 50_000, lease: 90_000 };

for (const [what, entry, coverage, now, fresh] of [
  ["without a stream, as old as the ttl", asked, noCoverage, 60_000, true],
  ["without a stream, a millisecond older", asked, noCoverage, 60_001, false],
  ["covered since it was asked for, the lease as old as allowed", asked, covered, 91_000, true],
  ["covered, the lease a millisecond older", asked, covered, 91_001, false],
  ["covered since a millisecond after it was asked for", asked, { ...covered, since: 50_001 }, 90_000, false],
  ["covered, and it can be made void by nothing", { ...asked, revocable: false }, covered, 90_000, false],
  ["covered by an old lease, and asked for lately", asked, { since: 0, lease: 10_000 }, 60_000, true],
  ["at a time that is not a number", asked, covered, Number.NaN, false],
  ["asked for at a time that is not a number", { ...asked, askedAt: Number.NaN }, covered, 90_000, false],
] as const) {
  test(`an answer is ${fresh ? "fresh" : "not fresh"}: ${what}`, (t) => {
    t.is(isFresh(entry, coverage, limits, now), fresh);
  });
}

test("a lease that is longer than the ttl helps only what the stream covers", (t) => {
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

test("an answer is certified by the lease, or by its question when that is later or the stream did not see all", (t) => {
  t.is(certifiedAt(asked, covered), 90_000);
  t.is(certifiedAt(asked, { since: 0, lease: 49_000 }), 50_000);
  t.is(certifiedAt(asked, { since: 60_000, lease: 90_000 }), 50_000);
  t.is(certifiedAt(asked, noCoverage), 50_000);
});
