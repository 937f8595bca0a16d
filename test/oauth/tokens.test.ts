import { createHash } from "node:crypto";
import test from "ava";
import fc from "fast-check";
import { namesAccessToken, readBearerToken } from "../../src/oauth/authorization-header.ts";
import { decodeFormComponent } from "../../src/oauth/form.ts";
import { isResourceIndicator } from "../../src/oauth/uri.ts";
import { formatScope, readScope } from "../../src/oauth/scope.ts";
import { tokenDigest, tokenDigestText } from "../../src/oauth/token-digest.ts";

test("a bearer token is read with the scheme in any case", (t) => {
  for (const scheme of ["Bearer", "bearer", "BEARER", "bEaReR"]) {
    t.deepEqual(readBearerToken(`${scheme} mF_9.B5f-4.1JqM`), { kind: "token", token: "mF_9.B5f-4.1JqM" });
    t.deepEqual(readBearerToken([`${scheme} mF_9.B5f-4.1JqM`]), { kind: "token", token: "mF_9.B5f-4.1JqM" });
  }
});

test("all of b64token is a token", (t) => {
  const characters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~+/";
  const b64token = fc
    .tuple(
      fc.string({ unit: fc.nat(characters.length - 1).map((at) => characters.charAt(at)), minLength: 1 }),
      fc.nat(3),
    )
    .map(([body, padding]) => body + "=".repeat(padding));
  fc.assert(
    fc.property(b64token, (token) => {
      t.deepEqual(readBearerToken(`Bearer ${token}`), { kind: "token", token });
    }),
  );
  t.deepEqual(readBearerToken("Bearer a"), { kind: "token", token: "a" });
  const long = "a".repeat(16_384);
  t.deepEqual(readBearerToken(`Bearer ${long}`), { kind: "token", token: long });
});

test("no header, or another scheme's, is no token", (t) => {
  t.deepEqual(readBearerToken(undefined), { kind: "none" });
  t.deepEqual(readBearerToken([]), { kind: "none" });
  for (const value of [
    "",
    "Basic YTpi",
    "DPoP mF_9.B5f-4.1JqM",
    "Bearertoken",
    "Bearers abc",
    "Bearer-x abc",
    "x Bearer abc",
  ]) {
    t.deepEqual(readBearerToken(value), { kind: "none" }, value);
    t.deepEqual(readBearerToken([value]), { kind: "none" }, value);
  }
});

test("two headers are malformed, equal or of different schemes", (t) => {
  const malformed = { kind: "malformed", reason: "header_repeated" } as const;
  for (const other of ["Bearer a", "Bearer b", "Basic YTpi", ""]) {
    t.deepEqual(readBearerToken(["Bearer a", other]), malformed);
    t.deepEqual(readBearerToken([other, "Bearer a"]), malformed);
  }
});

test("the scheme without a token is malformed", (t) => {
  for (const value of ["Bearer", "bearer", "Bearer ", "Bearer  ", "Bearer\t"]) {
    t.deepEqual(readBearerToken(value), { kind: "malformed", reason: "token_missing" }, JSON.stringify(value));
  }
});

test("anything but one blank before the token is malformed", (t) => {
  for (const value of [
    "Bearer  x",
    "Bearer\tx",
    "Bearer \tx",
    "Bearer\nx",
    "Bearer\u00A0x",
    "Bearer=x",
    "Bearer,x",
    "Bearer:x",
    " Bearer x",
  ]) {
    t.deepEqual(readBearerToken(value), { kind: "malformed", reason: "separator_malformed" }, JSON.stringify(value));
  }
});

test("characters outside b64token, and anything after it, are malformed", (t) => {
  const values = [
    "Bearer a, Bearer b",
    "Bearer a,Bearer b",
    "Bearer a,",
    "Bearer ,a",
    "Bearer a b",
    "Bearer a ",
    "Bearer a\n",
    "Bearer a\r\nX: y",
    "Bearer a\0",
    'Bearer "a"',
    "Bearer a=b",
    "Bearer =",
    "Bearer ==a",
    "Bearer a%20b",
    "Bearer é",
    "Bearer \u{1F600}",
    "Bearer \u017F",
    "Bearer \u212A",
    "Bearer realm=x",
  ];
  for (const value of values) {
    t.deepEqual(readBearerToken(value), { kind: "malformed", reason: "token_malformed" }, JSON.stringify(value));
  }
});

test("no text makes the reader throw, and a token is always the text that was sent", (t) => {
  const text = fc.oneof(
    fc.string({ unit: "binary" }),
    fc.string().map((rest) => `Bearer${rest}`),
  );
  fc.assert(
    fc.property(text, (value) => {
      const reading = readBearerToken(value);
      if (reading.kind === "token") t.is(`bearer ${reading.token}`, value.replace(/^bearer/i, "bearer"));
      else t.true(["none", "malformed"].includes(reading.kind));
    }),
    { numRuns: 2000 },
  );
});

test("a token in a form is found however its name is written, as by decoding each name", (t) => {
  const decoding = (text: string): boolean =>
    text.split("&").some((pair) => {
      const name = decodeFormComponent(pair.split("=", 1)[0] ?? "");
      return name === "access_token" || name?.startsWith("access_token[") === true;
    });
  const written = fc
    .constantFrom("access_token", "access_token[", "access_token[]", "access_toke", "xaccess_token", "ACCESS_TOKEN")
    .chain((name) =>
      fc
        .array(fc.constantFrom("plain", "lower", "upper"), { minLength: name.length, maxLength: name.length })
        .map((ways) =>
          Array.from(name, (character, at) => {
            const hex = character.charCodeAt(0).toString(16);
            if (ways[at] === "plain") return character;
            return `%${ways[at] === "lower" ? hex : hex.toUpperCase()}`;
          }).join(""),
        ),
    );
  const pair = fc.tuple(
    fc.oneof(written, fc.constantFrom("a", "", "+", "%20")),
    fc.constantFrom("", "=", "=b", "=b=c"),
  );
  const form = fc.array(pair.map((parts) => parts.join(""))).map((pairs) => pairs.join("&"));
  fc.assert(
    fc.property(form, (text) => {
      t.is(namesAccessToken(text), decoding(text), text);
    }),
  );
});

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

test("scopes are read in their order, each once", (t) => {
  t.deepEqual(readScope("write read write admin read"), ["write", "read", "admin"]);
  t.deepEqual(readScope("openid"), ["openid"]);
  t.deepEqual(readScope("Read read"), ["Read", "read"]);
  t.deepEqual(readScope("__proto__ constructor"), ["__proto__", "constructor"]);
});

test("the empty text is no scope", (t) => {
  t.deepEqual(readScope(""), []);
});

test("each character is allowed in a scope exactly when RFC 6749 §3.3 lists it", (t) => {
  const allowed = (code: number): boolean =>
    code === 0x21 || (code >= 0x23 && code <= 0x5b) || (code >= 0x5d && code <= 0x7e);
  for (let code = 0; code < 0x300; code++) {
    t.is(!("error" in readScope(`a${String.fromCodePoint(code)}`)), allowed(code), `U+${code.toString(16)}`);
  }
  for (const scope of ["é", "😀", "\uD800", "a\u2003b"]) t.true("error" in readScope(scope), JSON.stringify(scope));
});

test("blanks stand between scopes only, and one at a time", (t) => {
  for (const scope of [" ", " a", "a ", "a  b", "a\tb", "a\n", "a\nb", "a,\u00A0b"]) {
    t.deepEqual(readScope(scope), { error: "malformed" }, JSON.stringify(scope));
  }
});

test("a written value is read back", (t) => {
  const token = fc.string({ unit: "grapheme-ascii", minLength: 1 }).filter((text) => !/[ "\\]/.test(text));
  fc.assert(
    fc.property(fc.uniqueArray(token), (scopes) => {
      t.deepEqual(readScope(formatScope(scopes)), scopes);
    }),
  );
});

test("a thousand scopes are read, and no more", (t) => {
  const scopes = (count: number) => Array.from({ length: count }, (_, i) => `s${i % 700}`).join(" ");
  const reading = readScope(scopes(1000));
  t.is("error" in reading ? undefined : reading.length, 700);
  t.deepEqual(readScope(scopes(1001)), { error: "too many" });
});

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

test("a URI that is relative, has a fragment or is malformed is no resource", (t) => {
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
