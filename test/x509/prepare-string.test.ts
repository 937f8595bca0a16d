import test from "ava";
import fc from "fast-check";
import { prepareString } from "../../src/x509/prepare-string.ts";

for (const [written, prepared] of [
  ["Acme", "acme"],
  ["  Acme   GmbH ", "acme gmbh"],
  ["a\tb\r\nc\u2003d\u2028e", "a b c d e"],
  ["", ""],
  [" ", ""],
  ["Straße ẞ", "strasse ss"],
  ["Ⅳ ﬁ ㎏ K", "iv fi kg k"],
  ["I İ ı", "i i\u0307 ı"],
  // A blank with an accent on it is no blank (RFC 4518 §2.6.1).
  ["a  \u0301", "a  \u0301"],
] as const) {
  test(`${JSON.stringify(written)} is prepared as ${JSON.stringify(prepared)}`, (t) => {
    t.is(prepareString(written), prepared);
  });
}

for (const character of [
  "\0",
  "\u0001",
  "\u007F",
  "\u00AD",
  "\u034F",
  "\u180B",
  "\u200B",
  "\u200E",
  "\u2028\u202E",
].concat(["\u2060", "\uD800", "\uE000", "\uFDD0", "\uFE00", "\uFEFF", "\uFFFC", "\uFFFD", "\u{E0001}", "\u{E0100}"])) {
  const codePoints = Array.from(character, (one) => `U+${(one.codePointAt(0) ?? 0).toString(16)}`).join(" ");
  test(`${codePoints} can be compared with nothing`, (t) => {
    t.is(prepareString(character), undefined);
    t.is(prepareString(`a${character}b`), undefined);
  });
}

test("what is prepared stays as it is when prepared again", (t) => {
  fc.assert(
    fc.property(fc.string({ unit: "grapheme" }), (text) => {
      const prepared = prepareString(text);
      return prepared === undefined || prepareString(prepared) === prepared;
    }),
    { numRuns: 2000 },
  );
  t.pass();
});

test("every letter is the same as its capital, as regular expressions without regard to case see it", (t) => {
  // An independent account of Unicode's simple case folding; İ alone folds to two characters here.
  const differing: string[] = [];
  for (let codePoint = 0x80; codePoint < 0x11_0000; codePoint += 1) {
    const letter = String.fromCodePoint(codePoint);
    if (!/^\p{L}$/u.test(letter) || letter.normalize("NFKC") !== letter) continue;
    for (const other of [letter.toUpperCase(), letter.toLowerCase()]) {
      if (Array.from(other).length !== 1 || other === letter) continue;
      const folded = new RegExp(`^${letter}$`, "iu").test(other);
      if (folded !== (prepareString(letter) === prepareString(other))) differing.push(letter);
    }
  }
  t.deepEqual(differing, []);
});

test("a text that is longer than any name matches nothing, before anything is normalised", (t) => {
  t.is(prepareString("a".repeat(1024)), "a".repeat(1024));
  t.is(prepareString("a".repeat(1025)), undefined);
  t.is(prepareString(`a${"\u0301".repeat(11_000)}${"\u0316".repeat(11_000)}`), undefined);
});

test("thirty accents on one letter are compared, and more match nothing", (t) => {
  t.not(prepareString(`a${"\u0301".repeat(30)}`), undefined);
  t.is(prepareString(`a${"\u0301".repeat(31)}`), undefined);
});
