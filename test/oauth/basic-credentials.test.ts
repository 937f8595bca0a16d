import test from "ava";
import fc from "fast-check";
import { readBasicCredentials } from "../../src/oauth/basic-credentials.ts";

const plain = { formDecoded: false };
const decoded = { formDecoded: true };
const encode = (text: string | Uint8Array): string => `Basic ${Buffer.from(text as string).toString("base64")}`;

/** A half as RFC 6749 §2.3.1 has a client encode it. */
function formEncode(text: string): string {
  return new URLSearchParams([["", text]]).toString().slice(1);
}

test("credentials are read as RFC 7617 §2 shows them", (t) => {
  const aladdin = { ok: true, userId: "Aladdin", password: "open sesame" } as const;
  t.deepEqual(readBasicCredentials("Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==", plain), aladdin);
  t.deepEqual(readBasicCredentials("Basic dGVzdDoxMjPCow==", plain), { ok: true, userId: "test", password: "123£" });
});

test("the scheme is read in any case, with one blank after it or more", (t) => {
  for (const value of ["basic YTpi", "BASIC YTpi", "bAsIc YTpi", "Basic   YTpi"]) {
    t.deepEqual(readBasicCredentials(value, plain), { ok: true, userId: "a", password: "b" }, value);
  }
});

test("the first colon ends the user id; either half may be empty", (t) => {
  t.deepEqual(readBasicCredentials(encode("a:b:c:"), plain), { ok: true, userId: "a", password: "b:c:" });
  t.deepEqual(readBasicCredentials(encode(":"), plain), { ok: true, userId: "", password: "" });
  t.deepEqual(readBasicCredentials(encode(":b"), plain), { ok: true, userId: "", password: "b" });
});

test("an OAuth client's halves are form-decoded, after they were split", (t) => {
  t.deepEqual(readBasicCredentials(encode("a%3Ab:c%3Ad+e%2B%25%C3%A9"), decoded), {
    ok: true,
    userId: "a:b",
    password: "c:d e+%é",
  });
});

test("an API caller's halves are not form-decoded", (t) => {
  t.deepEqual(readBasicCredentials(encode("a+b:c%3Ad%zz"), plain), { ok: true, userId: "a+b", password: "c%3Ad%zz" });
});

test("any printable pair survives the encoding of RFC 6749 §2.3.1", (t) => {
  const half = fc
    .string({ unit: fc.constantFrom(":", "%", "+", " ", "é", "😀", "a", "=", "&", '"', "\\", "\u{FEFF}") })
    .filter((text) => text !== "");
  fc.assert(
    fc.property(half, half, (userId, password) => {
      const value = encode(`${formEncode(userId)}:${formEncode(password)}`);
      t.deepEqual(readBasicCredentials(value, decoded), { ok: true, userId, password });
    }),
  );
});

test("a byte order mark is a character like others", (t) => {
  const reading = readBasicCredentials(encode("\u{FEFF}a:b"), plain);
  t.deepEqual(reading, { ok: true, userId: "\u{FEFF}a", password: "b" });
});

test("what is not Basic credentials is not ok", (t) => {
  const values: Record<string, string> = {
    empty: "",
    "the scheme alone": "Basic",
    "the scheme and a blank": "Basic ",
    "another scheme": "Bearer YTpi",
    "a longer scheme": "Basics YTpi",
    "no blank": "BasicYTpi",
    "a tab": "Basic\tYTpi",
    "a blank before": " Basic YTpi",
    "a blank after": "Basic YTpi ",
    "a line end after": "Basic YTpi\n",
    "two credentials": "Basic YTpi, Basic YTpi",
    "a parameter": "Basic YTpi realm=x",
    "no colon": encode("ab"),
    "padding missing": "Basic YWE6Yg",
    "padding too much": "Basic YTpi=",
    "padding only": "Basic ==",
    "unused bits set": "Basic YWE6Yh==",
    "base64url letters": "Basic YTo_Pz8_",
    "a blank inside": "Basic YT pi",
    "not base64": "Basic a:b",
    "not UTF-8": encode(Buffer.from([0x61, 0x3a, 0xff])),
    "an overlong encoding": encode(Buffer.from([0x61, 0x3a, 0xc0, 0xaf])),
    "NUL in the password": encode("a:b\0"),
    "a line end in the user id": encode("a\n:b"),
    "DEL in the password": encode("a:\x7F"),
  };
  for (const [name, value] of Object.entries(values)) {
    t.deepEqual(readBasicCredentials(value, plain), { ok: false }, name);
    t.deepEqual(readBasicCredentials(value, decoded), { ok: false }, name);
  }
});

test("halves that cannot be form-decoded are not ok", (t) => {
  for (const pair of ["a:%zz", "%zz:b", "a:%", "a:%C3", "a:%00", "a%0A:b", "a:%7F", "a:%ED%A0%80"]) {
    t.deepEqual(readBasicCredentials(encode(pair), decoded), { ok: false }, pair);
  }
});

test("no text makes the reader throw", (t) => {
  const text = fc.oneof(
    fc.string({ unit: "binary" }),
    fc.base64String().map((one) => `Basic ${one}`),
  );
  t.notThrows(() => {
    fc.assert(
      fc.property(text, fc.boolean(), (value, formDecoded) => "ok" in readBasicCredentials(value, { formDecoded })),
    );
  });
});
