import test from "ava";
import { CompactEncrypt } from "jose";
import { openSealedJson, sealJson } from "../../src/jose/sealed-json.ts";

const key = new Uint8Array(32).fill(1);
const value = { subject: "alice", list: [1, null, "ü"] };

test("a sealed value opens with the same key for the same purpose, and its text is hidden", async (t) => {
  const sealed = await sealJson(value, key, "a");
  t.deepEqual(await openSealedJson(sealed, key, "a"), value);
  t.regex(sealed, /^[A-Za-z0-9_-]+\.\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+$/);
  const parts = sealed.split(".").map((part) => Buffer.from(part, "base64url").toString("latin1"));
  t.deepEqual(JSON.parse(parts[0] ?? ""), { alg: "dir", enc: "A256GCM", typ: "a" });
  t.false(parts.slice(1).join().includes("alice"));
  t.not(await sealJson(value, key, "a"), sealed);
});

test("nothing else opens", async (t) => {
  const sealed = await sealJson(value, key, "a");
  const [header = "", , iv = "", text = "", tag = ""] = sealed.split(".");
  const flip = (part: string): string => (part.startsWith("A") ? "B" : "A") + part.slice(1);
  const other = Buffer.from(JSON.stringify({ alg: "dir", enc: "A256GCM", typ: "b" })).toString("base64url");
  t.is(await openSealedJson(sealed, new Uint8Array(32).fill(2), "a"), undefined);
  t.is(await openSealedJson(sealed, key, "b"), undefined);
  t.is(await openSealedJson([other, "", iv, text, tag].join("."), key, "b"), undefined);
  for (const forged of [
    "",
    "x",
    "....",
    `${sealed}x`,
    sealed.slice(0, -1),
    [header, "", flip(iv), text, tag].join("."),
    [header, "", iv, flip(text), tag].join("."),
    [header, "", iv, text, flip(tag)].join("."),
    [header, "", iv, text, ""].join("."),
    [header, "AAAA", iv, text, tag].join("."),
    "eyJhbGciOiJub25lIn0.e30.",
  ]) {
    t.is(await openSealedJson(forged, key, "a"), undefined, forged);
  }
});

test("another algorithm is not ours, even with our key", async (t) => {
  const plaintext = new TextEncoder().encode(JSON.stringify(value));
  const wrapped = new CompactEncrypt(plaintext).setProtectedHeader({ alg: "A256KW", enc: "A256GCM", typ: "a" });
  t.is(await openSealedJson(await wrapped.encrypt(key), key, "a"), undefined);
});
