import test from "ava";
import { count, duration } from "../../src/options/read-number.ts";
import { refuseUnknownOptions } from "../../src/options/refuse-unknown-options.ts";
import { readSourceTree } from "../support/source-tree.ts";

const invalid = (message: string) => ({ instanceOf: TypeError, code: "ERR_INVALID_OPTION", message });

for (const [given, within] of [
  [{}, undefined],
  [{ ttl: 1 }, undefined],
  [{ ttl: undefined, push: false }, "cache"],
] as const) {
  test(`known options pass: ${JSON.stringify(given)}`, (t) => {
    t.notThrows(() => {
      refuseUnknownOptions(given, ["ttl", "push"], within);
      refuseUnknownOptions(given, new Set(["ttl", "push"]), within);
    });
  });
}

for (const [given, within, message] of [
  [{ tll: 1 }, undefined, "tll is not an option."],
  [{ ttl: 1, Push: true }, "cache", "cache.Push is not an option."],
  [{ constructor: 1 }, undefined, "constructor is not an option."],
  [JSON.parse('{"__proto__":1}') as object, undefined, "__proto__ is not an option."],
] as const) {
  test(`an unknown option is refused: ${message}`, (t) => {
    t.throws(() => {
      refuseUnknownOptions(given, ["ttl", "push"], within);
    }, invalid(message));
  });
}

for (const [milliseconds, least] of [
  [0, 0],
  [0.5, 0],
  [1, 1],
  [2_147_483_647, 1],
] as const) {
  test(`${milliseconds} ms, ${least} at least, is a duration`, (t) => {
    t.is(duration("timeout", milliseconds, least), milliseconds);
  });
}

for (const [milliseconds, least] of [
  [-1, 0],
  [0, 1],
  [NaN, 0],
  [Infinity, 0],
  [2_147_483_648, 0],
  ["5", 0],
] as const) {
  test(`${String(milliseconds)} ms, ${least} at least, is no duration`, (t) => {
    const message = least === 0 ? "timeout must be 0 or more." : "timeout must be positive.";
    t.throws(() => duration("timeout", milliseconds as number, least), invalid(message));
  });
}

for (const value of [0, -1, 1.5, NaN, 10_000_001, "5"]) {
  test(`${String(value)} is no count`, (t) => {
    t.throws(() => count("maxEntries", value as number), invalid("maxEntries must be a positive integer."));
  });
}

test("1 and the greatest are counts", (t) => {
  t.is(count("maxEntries", 1), 1);
  t.is(count("maxEntries", 7, 7), 7);
});

test("one function refuses unknown options, in every room", async (t) => {
  const files = await readSourceTree(new URL("../../src/", import.meta.url));
  const refusing = files.filter(({ text }) => text.includes("is not an option")).map(({ path }) => path);
  t.deepEqual(refusing, ["options/refuse-unknown-options.ts"]);
});
