import { createHash } from "node:crypto";
import test from "ava";
import { tokenDigest, tokenDigestText } from "../../src/oauth/token-digest.ts";

test("the digest of a token is its SHA-256", (t) => {
  // FIPS 180-4, example of one block.
  t.is(tokenDigest("abc").toString("hex"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  t.is(tokenDigestText("abc"), "ungWv48Bz-pBQUDeXa4iI7ADYaOWF3qctBD_YfIAFa0");
});

test("both forms are the same 32 octets, of a token in UTF-8", (t) => {
  for (const token of ["", "a", "mF_9.B5f-4.1JqM", "é😀", "a".repeat(16_384), "a\n"]) {
    t.is(tokenDigest(token).length, 32);
    t.deepEqual(tokenDigest(token), createHash("sha256").update(Buffer.from(token, "utf8")).digest());
    t.is(tokenDigest(token).toString("base64url"), tokenDigestText(token));
  }
});

test("a digest does not share its octets with another, nor its memory", (t) => {
  t.is(tokenDigest("a").buffer.byteLength, 32);
  const first = tokenDigest("a");
  const copy = Buffer.from(first);
  tokenDigest("b");
  t.deepEqual(first, copy);
});
