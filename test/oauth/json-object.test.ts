import test from "ava";
import fc from "fast-check";
import { hasMoreElements, isNestedWithin, readJsonObject } from "../../src/oauth/json-object.ts";

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

/** Objects, arrays and, of each, the commas between what is in it. */
function elementsOf(value: unknown): number {
  if (typeof value !== "object" || value === null) return 0;
  const inside: readonly unknown[] = Object.values(value);
  return inside.reduce<number>((sum, one) => sum + elementsOf(one), Math.max(1, inside.length));
}

test("elements are counted as a parser would make them, and what is in a string is none", (t) => {
  fc.assert(
    fc.property(fc.jsonValue({ maxDepth: 4 }), (value) => {
      const text = JSON.stringify(value);
      // Blanks make the text longer than any bound, so that it is looked at.
      const padded = " ".repeat(200) + text;
      const elements = elementsOf(JSON.parse(text));
      t.false(hasMoreElements(padded, elements));
      if (elements > 0) t.true(hasMoreElements(padded, elements - 1));
    }),
  );
  t.false(hasMoreElements(JSON.stringify(['\\",[{', ",,,,,,"]), 2));
});

test("a JSON object of two thousand elements is read, and one of more is not", (t) => {
  const object = (members: number) =>
    JSON.stringify(Object.fromEntries(Array.from({ length: members }, (_, index) => [`m${index}`, 0])));
  t.not(readJsonObject(object(2000)), undefined);
  t.is(readJsonObject(object(2001)), undefined);
});
