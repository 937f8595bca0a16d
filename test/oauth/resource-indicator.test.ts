import test from "ava";
import fc from "fast-check";
import { isResourceIndicator } from "../../src/oauth/resource-indicator.ts";

test("absolute URIs without fragment are resource indicators", (t) => {
  for (const text of [
    "https://api.example.com",
    "https://api.example.com/",
    "https://api.example.com:8443/app/?tenant=a/b?c",
    "HTTPS://API.EXAMPLE.COM/",
    "https://xn--bcher-kva.example/%C3%A9",
    "https://192.0.2.1/",
    "https://[2001:db8::1]",
    "https://[2001:db8::1]:8443/a?b",
    "https://user@[::1]/",
    "https://api.example.com/a;b=c,(d)*!$&'~@:",
    "http://localhost:8705",
    "urn:example:api",
    "urn:uuid:f81d4fae-7dec-11d0-a765-00a0c91e6bf6",
    "api://example/read",
    "tag:example.com,2026:api",
    "com.example.app:/api",
  ]) {
    t.true(isResourceIndicator(text), text);
  }
});

test("what is relative, has a fragment or is not a URI is none", (t) => {
  for (const text of [
    "",
    "api",
    "/api",
    "//api.example.com/",
    "?a=b",
    "https:",
    "https:api.example.com",
    "https:/api.example.com",
    "https://",
    "https:///api.example.com",
    "https://?a",
    "https://:443/",
    "https://api.example.com:99999/",
    "https://api.example.com:port/",
    "https://api.example.com/#",
    "https://api.example.com/#a",
    "#a",
    "urn:example:api#a",
    "urn:",
    ":a",
    "1a:b",
    "-a:b",
    "a_b:c",
    "https://api.example.com/a b",
    " https://api.example.com/",
    "https://api.example.com/ ",
    "https://api.example.com/\n",
    "https://api.example.com\t/",
    "https://api.example.com/\0",
    "https://api.example.com/\x7F",
    "https://bücher.example/",
    "https://api.example.com/é",
    "https://api.example.com/%",
    "https://api.example.com/%4",
    "https://api.example.com/%zz",
    "https:\\\\api.example.com\\a",
    "https://api.example.com/[a]",
    "https://api.example.com/?[a]",
    "https://[::1",
    "https://::1]/",
    "https://[::1]a/",
    "https://[::1]@api.example.com/",
    "api://[::1]@example/",
    "https://[v1.a]/",
    "https://[:::]/",
    "https://a@b@[::1]/",
    'https://api.example.com/"a"',
    "https://api.example.com/<a>",
    "https://api.example.com/{a}",
    "https://api.example.com/a|b",
    "https://api.example.com/a^b",
    "https://api.example.com/a`b",
  ]) {
    t.false(isResourceIndicator(text), JSON.stringify(text));
  }
});

test("no text with a character outside RFC 3986 is a resource indicator", (t) => {
  fc.assert(
    fc.property(fc.string(), fc.string({ unit: "binary", minLength: 1 }), (before, odd) => {
      if (/^[\w.~!$&'()*+,;=:@/?%[\]-]*$/.test(odd)) return;
      t.false(isResourceIndicator(`https://api.example.com/${before}${odd}`));
      t.false(isResourceIndicator(`urn:example:${odd}`));
    }),
  );
});

test("two hundred thousand of any piece are answered", (t) => {
  for (const piece of ["%", "%41", "a", "?", "/", "@", "[", "a@", ":"]) {
    t.notThrows(() => isResourceIndicator(`x://${piece.repeat(200_000)}\n`), piece);
  }
});
