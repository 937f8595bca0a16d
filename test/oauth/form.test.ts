import test from "ava";
import fc from "fast-check";
import { readForm, type Form } from "../../src/oauth/form.ts";

function formOf(text: string, repeatable?: readonly string[]): Form {
  const reading = readForm(text, repeatable === undefined ? {} : { repeatable });
  if (!reading.ok) throw new Error(`${reading.reason} ${reading.parameter ?? ""}`);
  return reading.form;
}

function refusal(text: string, repeatable?: readonly string[]): { reason: string; parameter: string | undefined } {
  const reading = readForm(text, repeatable === undefined ? {} : { repeatable });
  if (reading.ok) throw new Error(`read without complaint: ${text}`);
  return { reason: reading.reason, parameter: reading.parameter };
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
  t.true(reading.ok);
  t.is(reading.ok ? reading.form.get("token") : undefined, "\0\x01\r\n\x7F");
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

test("a refusal never repeats what cannot be shown", (t) => {
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
      fc.property(fc.string({ unit }), (text) => typeof readForm(text).ok === "boolean"),
      { numRuns: 2000 },
    );
  });
});

test("where any parameter may repeat, those that did are named, empty values counted", (t) => {
  const reading = readForm("a=1&b=&b=&c=1&a=1&d", { repeatable: "any" });
  t.deepEqual(reading.ok && reading.form.repeated, ["a", "b"]);
  t.deepEqual(formOf("a=1&b=2").repeated, []);
  t.deepEqual(formOf("resource=a&resource=b", ["resource"]).repeated, ["resource"]);
});

test("where any parameter may repeat, a bracketed form of one that OAuth has is malformed still", (t) => {
  for (const name of ["redirect_uri", "client_id", "response_type", "state", "code_challenge"]) {
    t.deepEqual(readForm(`${name}[]=a`, { repeatable: "any" }), { ok: false, reason: "malformed", parameter: name });
  }
});
