import { createHash, randomBytes } from "node:crypto";
import test from "ava";
import fc from "fast-check";
import { SealedTextRefused, createSecretBox } from "../../../src/backend/secret-box/aes-secret-box.ts";

const key = createHash("sha256").update("a key").digest();
const otherKey = createHash("sha256").update("another key").digest();
const box = createSecretBox(key, randomBytes);
const refused = {
  instanceOf: SealedTextRefused,
  message: "the sealed text cannot be opened: another key, another context, or changed",
};

const anyText = fc.string({ unit: "binary" }).filter((text) => text.isWellFormed());

test("whatever is sealed is opened again, under its own context only", (t) => {
  fc.assert(
    fc.property(anyText, anyText, anyText, (text, context, other) => {
      fc.pre(context !== other);
      const sealed = box.seal(text, context);
      return box.open(sealed, context) === text && throws(() => box.open(sealed, other));
    }),
  );
  t.pass();
});

test("the same text is sealed differently each time, and the sealed text does not contain it", (t) => {
  const once = box.seal("a secret of some length", "c");
  t.not(box.seal("a secret of some length", "c"), once);
  t.false(Buffer.from(once.slice(3), "base64url").includes("secret"));
});

test("a box opens across restarts with the same key, and not with another key", (t) => {
  const sealed = box.seal("a secret", "c");
  t.is(createSecretBox(new Uint8Array(key), randomBytes).open(sealed, "c"), "a secret");
  t.throws(() => createSecretBox(otherKey, randomBytes).open(sealed, "c"), refused);
});

test("changing any one character of a sealed text is refused", (t) => {
  const sealed = box.seal("a secret", "c");
  const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.=+/ \n";
  for (let at = 0; at < sealed.length; at++) {
    for (const character of alphabet) {
      if (character === sealed[at]) continue;
      const changed = sealed.slice(0, at) + character + sealed.slice(at + 1);
      if (!throws(() => box.open(changed, "c"))) t.fail(`opened with ${JSON.stringify(character)} at ${at}`);
    }
  }
  t.pass();
});

test("a sealed text that is shortened, lengthened, padded, empty or of another version is refused", (t) => {
  const sealed = box.seal("a secret", "c");
  const others = [
    "",
    "v1.",
    "v1",
    sealed.slice(3),
    sealed.slice(0, -1),
    sealed.slice(0, -4),
    `${sealed}A`,
    `${sealed}AAAA`,
    `${sealed}=`,
    `${sealed}\n`,
    ` ${sealed}`,
    sealed.replace("v1.", "v2."),
    sealed.replace("v1.", "V1."),
    "v1.".padEnd(40, "A"),
    "a secret",
  ];
  for (const other of others) t.throws(() => box.open(other, "c"), refused);
});

test("the empty text can be sealed, and texts of one length give sealed texts of one length", (t) => {
  t.is(box.open(box.seal("", ""), ""), "");
  t.is(box.seal("aaaa", "c").length, box.seal("bbbb", "c").length);
});

test("a tag is 32 octets, equal for equal texts and different under another key", (t) => {
  t.is(box.tag("settings").length, 32);
  t.deepEqual(box.tag("settings"), createSecretBox(new Uint8Array(key), randomBytes).tag("settings"));
  t.notDeepEqual(box.tag("settings"), box.tag("setting"));
  t.notDeepEqual(box.tag("settings"), createSecretBox(otherKey, randomBytes).tag("settings"));
});

// Worked out with WebCrypto, not with the code under test.
test("the stored form is stable: a box sealed by version 1 is opened, and its tag is the same", (t) => {
  const fixed = createSecretBox(key, (octets) => new Uint8Array(octets).fill(7));
  const kept = "v1.BwcHBwcHBwcHBwcHJN0H12VOLMxFBKBMjaVLoFCYW87FO-Zl";
  t.is(fixed.seal("a secret", "service:1:apiSecret"), kept);
  t.is(box.open(kept, "service:1:apiSecret"), "a secret");
  t.is(Buffer.from(box.tag("a secret")).toString("base64url"), "YuiQmjJTtZh6bqiU2JwxuVgXS0arg78hV-QBtyL-mKM");
});

test("a key that is not 32 octets is refused without being shown", (t) => {
  for (const length of [0, 16, 31, 33, 64]) {
    t.throws(() => createSecretBox(new Uint8Array(length), randomBytes), {
      instanceOf: TypeError,
      code: "ERR_SECRET_BOX_KEY",
      message: '"key" must be 32 octets',
    });
  }
});

test("a text that has no UTF-8 is refused, not altered", (t) => {
  const expected = {
    instanceOf: TypeError,
    code: "ERR_SECRET_BOX_TEXT",
    message: "the text is not well-formed Unicode",
  };
  t.throws(() => box.seal("\ud800", "c"), expected);
  t.throws(() => box.seal("a", "\udfff"), expected);
  t.throws(() => box.tag("\ud800"), expected);
});

function throws(action: () => unknown): boolean {
  try {
    action();
    return false;
  } catch (error) {
    return error instanceof SealedTextRefused;
  }
}
