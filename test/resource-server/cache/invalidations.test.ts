import test from "ava";
import { createKeyIndex, createRecentInvalidations } from "../../../src/resource-server/cache/invalidations.ts";

test("an event during an open request invalidates responses with its keys, and no others", (t) => {
  const recent = createRecentInvalidations();
  recent.note(["early"]);
  const question = recent.begin();
  t.false(question.isInvalidated(["early"]));
  recent.note(["a", "b"]);
  t.true(question.isInvalidated(["x", "b"]));
  t.false(question.isInvalidated(["x"]));
  t.false(question.isInvalidated([]));
  t.false(recent.begin().isInvalidated(["a"]));
});

test("keys are kept as long as a question is open that is older, and no longer", (t) => {
  const recent = createRecentInvalidations();
  recent.note(["nobody asks"]);
  t.is(recent.size, 0);
  const first = recent.begin();
  recent.note(["a"]);
  const second = recent.begin();
  recent.note(["b"]);
  recent.note(["a"]);
  t.is(recent.size, 2);
  second.end();
  t.is(recent.size, 2);
  first.end();
  t.is(recent.size, 0);
  const third = recent.begin();
  recent.note(["c"]);
  const fourth = recent.begin();
  recent.note(["d"]);
  third.end();
  t.is(recent.size, 1);
  t.true(fourth.isInvalidated(["d"]));
  t.false(fourth.isInvalidated(["c"]));
  fourth.end();
  fourth.end();
  t.is(recent.size, 0);
});

test("with more keys than fit, every pending response is invalid, and later ones are not", (t) => {
  const recent = createRecentInvalidations(3);
  const question = recent.begin();
  recent.note(["a", "b", "c"]);
  t.false(question.isInvalidated(["x"]));
  recent.note(["d"]);
  t.true(question.isInvalidated(["x"]));
  t.true(question.isInvalidated([]));
  t.is(recent.size, 0);
  t.false(recent.begin().isInvalidated(["a"]));
});

test("after a loss of events every pending response is invalid", (t) => {
  const recent = createRecentInvalidations();
  const question = recent.begin();
  recent.noteAll();
  t.true(question.isInvalidated(["x"]));
  t.false(recent.begin().isInvalidated(["x"]));
});

test("an index finds each item once, by any of its keys, and keeps nothing of removed ones", (t) => {
  const index = createKeyIndex<string>();
  index.add(["a", "b"], "one");
  index.add(["b", "c"], "two");
  t.deepEqual([...index.under(["a", "b"])].sort(), ["one", "two"]);
  t.deepEqual([...index.under(["c", "x"])], ["two"]);
  index.remove(["a", "b"], "one");
  t.deepEqual([...index.under(["a", "b"])], ["two"]);
  index.remove(["b", "c"], "two");
  t.is(index.size, 0);
});
