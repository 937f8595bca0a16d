import test from "ava";
import fc from "fast-check";
import { namesAccessToken, readBearerToken } from "../../src/oauth/bearer-token.ts";
import { decodeFormComponent } from "../../src/oauth/form.ts";

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

test("no header, or another scheme's, is none", (t) => {
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

test("no text makes the reader throw, and a token is never other than what stood there", (t) => {
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
