import test from "ava";
import fc from "fast-check";
import { formatScope, readScope } from "../../src/oauth/scope.ts";

test("scopes are read in their order, each once", (t) => {
  t.deepEqual(readScope("write read write admin read"), { ok: true, scopes: ["write", "read", "admin"] });
  t.deepEqual(readScope("openid"), { ok: true, scopes: ["openid"] });
  t.deepEqual(readScope("Read read"), { ok: true, scopes: ["Read", "read"] });
  t.deepEqual(readScope("__proto__ constructor"), { ok: true, scopes: ["__proto__", "constructor"] });
});

test("the empty text is no scope", (t) => {
  t.deepEqual(readScope(""), { ok: true, scopes: [] });
});

test("each character is allowed in a scope exactly when RFC 6749 §3.3 lists it", (t) => {
  const allowed = (code: number): boolean =>
    code === 0x21 || (code >= 0x23 && code <= 0x5b) || (code >= 0x5d && code <= 0x7e);
  for (let code = 0; code < 0x300; code++) {
    t.is(readScope(`a${String.fromCodePoint(code)}`).ok, allowed(code), `U+${code.toString(16)}`);
  }
  for (const scope of ["é", "😀", "\uD800", "a\u2003b"]) t.false(readScope(scope).ok, JSON.stringify(scope));
});

test("blanks stand between scopes only, and one at a time", (t) => {
  for (const scope of [" ", " a", "a ", "a  b", "a\tb", "a\n", "a\nb", "a,\u00A0b"]) {
    t.deepEqual(readScope(scope), { ok: false }, JSON.stringify(scope));
  }
});

test("what is written is read back", (t) => {
  const token = fc.string({ unit: "grapheme-ascii", minLength: 1 }).filter((text) => !/[ "\\]/.test(text));
  fc.assert(
    fc.property(fc.uniqueArray(token), (scopes) => {
      t.deepEqual(readScope(formatScope(scopes)), { ok: true, scopes });
    }),
  );
});

test("a thousand scopes are read, and no more", (t) => {
  const scopes = (count: number) => Array.from({ length: count }, (_, i) => `s${i % 700}`).join(" ");
  const reading = readScope(scopes(1000));
  t.is(reading.ok && reading.scopes.length, 700);
  t.deepEqual(readScope(scopes(1001)), { ok: false });
});
