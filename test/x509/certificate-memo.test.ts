import test from "ava";
import { createCertificateMemo } from "../../src/x509/certificate-memo.ts";

test("gives back what was set, and nothing else", (t) => {
  const memo = createCertificateMemo<number>({ maxEntries: 2, maxOctets: 100 });
  memo.set("a", 1, 10);
  t.is(memo.get("a"), 1);
  t.is(memo.get("b"), undefined);
});

test("drops what was used least recently when there are too many entries", (t) => {
  const memo = createCertificateMemo<number>({ maxEntries: 2, maxOctets: 100 });
  memo.set("a", 1, 10);
  memo.set("b", 2, 10);
  memo.get("a");
  memo.set("c", 3, 10);
  t.deepEqual([memo.get("a"), memo.get("b"), memo.get("c")], [1, undefined, 3]);
});

test("drops as many as it takes when they cost too much together", (t) => {
  const memo = createCertificateMemo<number>({ maxEntries: 10, maxOctets: 100 });
  memo.set("a", 1, 40);
  memo.set("b", 2, 40);
  memo.set("c", 3, 90);
  t.deepEqual([memo.get("a"), memo.get("b"), memo.get("c")], [undefined, undefined, 3]);
});

test("keeps nothing that is too large for it, and nothing else goes for it", (t) => {
  const memo = createCertificateMemo<number>({ maxEntries: 10, maxOctets: 100 });
  memo.set("a", 1, 40);
  memo.set("b", 2, 101);
  t.deepEqual([memo.get("a"), memo.get("b")], [1, undefined]);
});

test("an entry set again costs once", (t) => {
  const memo = createCertificateMemo<number>({ maxEntries: 10, maxOctets: 100 });
  for (let times = 0; times < 10; times += 1) memo.set("a", times, 50);
  memo.set("b", 2, 50);
  t.deepEqual([memo.get("a"), memo.get("b")], [9, 2]);
});
