import test from "ava";
import fc from "fast-check";
import { readBasicCredentials } from "../../src/oauth/authorization-header.ts";
import { readCompactJwt } from "../../src/oauth/compact-jwt.ts";
import { type Form, readForm } from "../../src/oauth/form.ts";
import { hasMoreElements, isNestedWithin, readJsonObject } from "../../src/oauth/json-object.ts";

function formOf(text: string, repeatable?: readonly string[]): Form {
  const reading = readForm(text, repeatable === undefined ? {} : { repeatable });
  if ("error" in reading) throw new Error(`${reading.error} ${reading.parameter ?? ""}`);
  return reading;
}

function refusal(text: string, repeatable?: readonly string[]): { reason: string; parameter: string | undefined } {
  const reading = readForm(text, repeatable === undefined ? {} : { repeatable });
  if (!("error" in reading)) throw new Error(`read without complaint: ${text}`);
  return { reason: reading.error, parameter: reading.parameter };
}

const malformed = { reason: "malformed", parameter: undefined };

test("a form is read as its sender encoded it", (t) => {
  const form = formOf("grant_type=client_credentials&scope=a+b&client_secret=%3A%25%2B%20%C3%A9%F0%9F%98%80&x=a=b");
  t.is(form.get("grant_type"), "client_credentials");
  t.is(form.get("scope"), "a b");
  t.is(form.get("client_secret"), ":%+ é😀");
  t.is(form.get("x"), "a=b");
  t.is(form.get("code"), undefined);
});

test("whatever pairs URLSearchParams writes come back unchanged", (t) => {
  const word = fc.string({ unit: "binary", minLength: 1 }).map((text) => text.replaceAll(/[\p{Cc}\uFFFD]/gu, "?"));
  const pairs = fc.uniqueArray(fc.tuple(word, word), { selector: ([name]) => name });
  fc.assert(
    fc.property(pairs, (given) => {
      const usable = given.filter(([name]) => !/^[a-z_]+\[/.test(name));
      const form = formOf(new URLSearchParams(usable).toString());
      for (const [name, value] of usable) t.is(form.get(name), value);
    }),
  );
});

test("empty text and empty pieces are a form without parameters", (t) => {
  for (const text of ["", "\n", "\r\n", "&", "&&&", "&\r\n"])
    t.is(formOf(text).get(""), undefined, JSON.stringify(text));
  t.is(formOf("&a=1&&b=2&").get("b"), "2");
});

test("line ends after the last value are dropped, and no others", (t) => {
  for (const end of ["\n", "\r\n", "\n\n", "\r\r\n"]) t.is(formOf(`a=1&token=abc${end}`).get("token"), "abc");
  t.is(formOf("token=abc%0A").get("token"), "abc\n");
  t.is(formOf("token=abc\n&a=1").get("token"), "abc\n");
});

test("a parameter without a value counts as omitted", (t) => {
  const form = formOf("scope=&code&token=x&resource=&resource=a", ["resource"]);
  t.is(form.get("scope"), undefined);
  t.is(form.get("code"), undefined);
  t.deepEqual(form.getAll("scope"), []);
  t.deepEqual(form.getAll("resource"), ["a"]);
  t.is(form.get("resource"), "a");
});

test("a parameter given twice is refused and named", (t) => {
  const repeated = { reason: "repeated", parameter: "token" };
  for (const text of [
    "token=a&token=b",
    "token=a&token=a",
    "token=&token=a",
    "token=a&token=",
    "token&token",
    "token=a&x=1&tok%65n=b",
    "token=a&token=b&token=c\n",
  ]) {
    t.deepEqual(refusal(text), repeated, text);
  }
  t.deepEqual(refusal("token=a&token=b", ["resource"]), repeated);
});

test("names that differ are not a repetition", (t) => {
  const form = formOf("token=a&Token=b&token+=c&token%C3%A9=d&__proto__=e&constructor=f");
  t.is(form.get("token"), "a");
  t.is(form.get("__proto__"), "e");
  t.is(form.get("constructor"), "f");
  t.is(form.get("toString"), undefined);
  t.deepEqual(refusal("__proto__=a&__proto__=b"), { reason: "repeated", parameter: "__proto__" });
});

test("a parameter that may repeat keeps all its values in order, and only that one may", (t) => {
  t.deepEqual(formOf("resource=b&x=1&resource=a&resource=b", ["resource"]).getAll("resource"), ["b", "a", "b"]);
  t.is(formOf("resource=b&resource=a", ["resource"]).get("resource"), "b");
  t.deepEqual(refusal("resource=b&resource=a&scope=x&scope=y", ["resource"]).parameter, "scope");
});

test("bracketed forms of a parameter are malformed and named, whether it may repeat or not", (t) => {
  for (const text of ["token[]=a", "token[a]=a", "token%5B%5D=a", "token[", "token[a][b]=c", "a=1&token[]"]) {
    t.deepEqual(refusal(text, ["token"]), { reason: "malformed", parameter: "token" }, text);
  }
});

test("other unknown names are ignored, odd ones too", (t) => {
  const form = formOf("a%20b[]=1&[]=2&X[]=3&x-y=4&=5&%F0%9F%98%80=6&foo[bar]=7&constructor[]=8&token=t");
  t.is(form.get("token"), "t");
});

test("text that cannot be decoded is malformed", (t) => {
  for (const text of [
    "a=%",
    "a=%z",
    "a=%zz",
    "a=%4",
    "%zz=a",
    "a=%C3",
    "a=%C3%28",
    "a=%FF",
    "a=%C0%AF",
    "a=%ED%A0%80",
    "a=%F4%90%80%80",
    "a=\uD800",
    "a=\uFFFD",
    "a=1&b=%u0041",
  ]) {
    t.deepEqual(refusal(text), malformed, JSON.stringify(text));
  }
});

test("control characters in the value of a known parameter are text like any other", (t) => {
  const reading = readForm("token=%00%01%0D%0A%7F");
  t.is("error" in reading ? undefined : reading.get("token"), "\0\x01\r\n\x7F");
});

test("a control character in a name is malformed, and in an unknown value unless it is a tab or a line end", (t) => {
  for (const text of ["%00=1", "a%00=1", "token%00=1", "a%0A=1", "a%09=1", "a%7F=1", "a%C2%85=1", "\0"]) {
    t.deepEqual(refusal(text), malformed, JSON.stringify(text));
  }
  for (const text of ["a=%00", "a=x%01", "a=\0", "a=%1B", "a=%7F", "a=%C2%80"]) {
    t.deepEqual(refusal(text), { ...malformed, parameter: "a" }, JSON.stringify(text));
  }
  t.is(formOf("claims=%7B%0D%0A%09%7D").get("claims"), "{\r\n\t}");
});

test("a refusal never repeats characters that cannot be shown", (t) => {
  t.is(refusal("a%20b=1&a%20b=2").parameter, undefined);
  t.is(refusal("%3Cscript%3E=1&%3Cscript%3E=2").parameter, undefined);
  t.is(refusal(`${"a".repeat(65)}=1&${"a".repeat(65)}=2`).parameter, undefined);
  t.is(refusal(`${"a".repeat(64)}=1&${"a".repeat(64)}=2`).parameter, "a".repeat(64));
  t.is(refusal("=1&=2").parameter, undefined);
});

test("a thousand parameters are read, one more is malformed", (t) => {
  const many = (count: number): string => Array.from({ length: count }, (_, i) => `p${i}=${i}`).join("&");
  t.is(formOf(many(1000)).get("p999"), "999");
  t.deepEqual(refusal(many(1001)), malformed);
  t.deepEqual(refusal("a=1&".repeat(2000), ["a"]), malformed);
});

test("a mebibyte of anything is read or refused, never thrown over", (t) => {
  for (const piece of ["&", "=", "+", "%", "%41", "\n", "a", "a=b&", "[", "é"]) {
    t.notThrows(() => readForm(piece.repeat(1_048_576 / piece.length)), piece);
  }
  t.is(formOf(`a=${"%41".repeat(10_000)}`).get("a")?.length, 10_000);
});

test("no text makes the reader throw", (t) => {
  const unit = fc.constantFrom("a", "=", "&", "%", "4", "1", "+", "[", "]", "\n", "\0", "é", "\uD800");
  t.notThrows(() => {
    fc.assert(
      fc.property(fc.string({ unit }), (text) => typeof readForm(text) === "object"),
      { numRuns: 2000 },
    );
  });
});

test("where any parameter may repeat, those that did are named, empty values counted", (t) => {
  const reading = readForm("a=1&b=&b=&c=1&a=1&d", { repeatable: "any" });
  t.deepEqual("error" in reading ? undefined : reading.repeated, ["a", "b"]);
  t.deepEqual(formOf("a=1&b=2").repeated, []);
  t.deepEqual(formOf("resource=a&resource=b", ["resource"]).repeated, ["resource"]);
});

test("where any parameter may repeat, a bracketed form of one that OAuth has is malformed still", (t) => {
  for (const name of ["redirect_uri", "client_id", "response_type", "state", "code_challenge"]) {
    t.deepEqual(readForm(`${name}[]=a`, { repeatable: "any" }), { error: "malformed", parameter: name });
  }
});

const plain = { formDecoded: false };
const decoded = { formDecoded: true };
const encode = (text: string | Uint8Array): string => `Basic ${Buffer.from(text as string).toString("base64")}`;

/** A half as RFC 6749 §2.3.1 has a client encode it. */
function formEncode(text: string): string {
  return new URLSearchParams([["", text]]).toString().slice(1);
}

test("credentials are read as RFC 7617 §2 shows them", (t) => {
  const aladdin = { userId: "Aladdin", password: "open sesame" } as const;
  t.deepEqual(readBasicCredentials("Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==", plain), aladdin);
  t.deepEqual(readBasicCredentials("Basic dGVzdDoxMjPCow==", plain), { userId: "test", password: "123£" });
});

test("the scheme is read in any case, with one blank after it or more", (t) => {
  for (const value of ["basic YTpi", "BASIC YTpi", "bAsIc YTpi", "Basic   YTpi"]) {
    t.deepEqual(readBasicCredentials(value, plain), { userId: "a", password: "b" }, value);
  }
});

test("the first colon ends the user id; either half may be empty", (t) => {
  t.deepEqual(readBasicCredentials(encode("a:b:c:"), plain), { userId: "a", password: "b:c:" });
  t.deepEqual(readBasicCredentials(encode(":"), plain), { userId: "", password: "" });
  t.deepEqual(readBasicCredentials(encode(":b"), plain), { userId: "", password: "b" });
});

test("an OAuth client's halves are form-decoded, after they were split", (t) => {
  t.deepEqual(readBasicCredentials(encode("a%3Ab:c%3Ad+e%2B%25%C3%A9"), decoded), {
    userId: "a:b",
    password: "c:d e+%é",
  });
});

test("an API caller's halves are not form-decoded", (t) => {
  t.deepEqual(readBasicCredentials(encode("a+b:c%3Ad%zz"), plain), { userId: "a+b", password: "c%3Ad%zz" });
});

test("any printable pair survives the encoding of RFC 6749 §2.3.1", (t) => {
  const half = fc
    .string({ unit: fc.constantFrom(":", "%", "+", " ", "é", "😀", "a", "=", "&", '"', "\\", "\u{FEFF}") })
    .filter((text) => text !== "");
  fc.assert(
    fc.property(half, half, (userId, password) => {
      const value = encode(`${formEncode(userId)}:${formEncode(password)}`);
      t.deepEqual(readBasicCredentials(value, decoded), { userId, password });
    }),
  );
});

test("a byte order mark is a character like others", (t) => {
  const reading = readBasicCredentials(encode("\u{FEFF}a:b"), plain);
  t.deepEqual(reading, { userId: "\u{FEFF}a", password: "b" });
});

test("a value that is no Basic credentials is rejected", (t) => {
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
    t.deepEqual(readBasicCredentials(value, plain), { error: "malformed" }, name);
    t.deepEqual(readBasicCredentials(value, decoded), { error: "malformed" }, name);
  }
});

test("halves that cannot be form-decoded are not ok", (t) => {
  for (const pair of ["a:%zz", "%zz:b", "a:%", "a:%C3", "a:%00", "a%0A:b", "a:%7F", "a:%ED%A0%80"]) {
    t.deepEqual(readBasicCredentials(encode(pair), decoded), { error: "malformed" }, pair);
  }
});

test("no text makes the reader of Basic credentials throw", (t) => {
  const text = fc.oneof(
    fc.string({ unit: "binary" }),
    fc.base64String().map((one) => `Basic ${one}`),
  );
  t.notThrows(() => {
    fc.assert(
      fc.property(
        text,
        fc.boolean(),
        (value, formDecoded) => typeof readBasicCredentials(value, { formDecoded }) === "object",
      ),
    );
  });
});

const part = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString("base64url");
const head = part({ alg: "ES256", typ: "at+jwt" });
const body = part({ iss: "https://as.example" });
const signature = Buffer.alloc(64, 7).toString("base64url");
const jwt = `${head}.${body}.${signature}`;

test("header and payload are read, unverified", (t) => {
  t.deepEqual(readCompactJwt(jwt), {
    header: { alg: "ES256", typ: "at+jwt" },
    payload: { iss: "https://as.example" },
  });
});

/** The same octets with a bit set that the last character does not spend. */
function withUnusedBit(text: string): string {
  const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
  const at = alphabet.indexOf(text.at(-1) ?? "");
  const other = text.slice(0, -1) + (alphabet[at + 1] ?? "");
  if (!Buffer.from(other, "base64url").equals(Buffer.from(text, "base64url"))) throw new Error("other octets");
  return other;
}

const refused: Record<string, string> = {
  "an empty text": "",
  "an opaque token": "5eed",
  "two parts": `${head}.${body}`,
  "four parts": `${jwt}.AA`,
  "five parts, as a JWE has": `${jwt}.AA.AA`,
  "an empty header": `.${body}.${signature}`,
  "an empty payload": `${head}..${signature}`,
  "an empty signature": `${head}.${body}.`,
  "padding after the signature": `${jwt}==`,
  "padding after the header": `${head}=.${body}.${signature}`,
  "a line break at the end": `${jwt}\n`,
  "a blank at the end": `${jwt} `,
  "a blank before it": ` ${jwt}`,
  "a bit set that the signature does not spend": `${head}.${body}.${withUnusedBit(signature)}`,
  "base64 of the other alphabet": `${head}.${body}.${signature.slice(0, -2)}+/`,
  "a header that is no JSON": `AAAA.${body}.${signature}`,
  "a header that is an array": `${part([])}.${body}.${signature}`,
  "a payload that is null": `${head}.${part(null)}.${signature}`,
  "a payload that is text": `${head}.${part("claims")}.${signature}`,
  "a payload that is not UTF-8": `${head}.${Buffer.from('{"a":"\xff"}', "latin1").toString("base64url")}.${signature}`,
};
for (const [what, text] of Object.entries(refused)) {
  test(`not a JWT: ${what}`, (t) => {
    t.is(readCompactJwt(text), undefined);
  });
}

test("a value without members has no levels, each array and each object is one", (t) => {
  for (const value of [null, undefined, 0, "", "[[[", true]) t.true(isNestedWithin(0, value));
  for (const value of [[], {}]) {
    t.true(isNestedWithin(1, value));
    t.false(isNestedWithin(0, value));
  }
  t.true(isNestedWithin(2, [1, { a: 1 }, []]));
  t.false(isNestedWithin(2, [1, { a: [] }]));
});

test("a text too deep for any stack is rejected without a failure", (t) => {
  const depth = 500_000;
  t.false(isNestedWithin(64, JSON.parse("[".repeat(depth) + "]".repeat(depth))));
});

/** Objects, arrays and, of each, the commas between what is in it. */
function elementsOf(value: unknown): number {
  if (typeof value !== "object" || value === null) return 0;
  const inside: readonly unknown[] = Object.values(value);
  return inside.reduce<number>((sum, one) => sum + elementsOf(one), Math.max(1, inside.length));
}

test("elements are counted as a parser would make them, not those inside strings", (t) => {
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
