import test from "ava";
import { isNestedWithin } from "../../src/oauth/json-object.ts";

test("a value without members has no levels, each array and each object is one", (t) => {
  for (const value of [null, undefined, 0, "", "[[[", true]) t.true(isNestedWithin(0, value));
  for (const value of [[], {}]) {
    t.true(isNestedWithin(1, value));
    t.false(isNestedWithin(0, value));
  }
  t.true(isNestedWithin(2, [1, { a: 1 }, []]));
  t.false(isNestedWithin(2, [1, { a: [] }]));
});

test("a text that no stack could hold is refused, not failed at", (t) => {
  const depth = 500_000;
  t.false(isNestedWithin(64, JSON.parse("[".repeat(depth) + "]".repeat(depth))));
});
