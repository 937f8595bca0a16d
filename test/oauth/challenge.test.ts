import test from "ava";
import fc from "fast-check";
import { bearerChallenge, type ChallengeParameters } from "../../src/oauth/challenge.ts";
import { readChallenge, readChallenges } from "../support/read-challenge.ts";

/** RFC 6750 §3 and RFC 9728 §5.1: what each attribute may consist of, the quoting taken off. */
const allowed: Readonly<Record<keyof ChallengeParameters, RegExp>> = {
  realm: /^[\x20-\x7E]+$/,
  error: /^[\x20\x21\x23-\x5B\x5D-\x7E]+$/,
  error_description: /^[\x20\x21\x23-\x5B\x5D-\x7E]+$/,
  error_uri: /^[\x21\x23-\x5B\x5D-\x7E]+$/,
  scope: /^[\x21\x23-\x5B\x5D-\x7E]+( [\x21\x23-\x5B\x5D-\x7E]+)*$/,
  resource_metadata: /^[\x21\x23-\x5B\x5D-\x7E]+$/,
};

const oddText = fc.oneof(
  fc.string({ unit: "binary" }),
  fc.string({
    unit: fc.constantFrom('"', "\\", ",", "=", " ", "\r", "\n", "\0", "a", "é", "😀", "\uD800", "\t", "\x7F"),
  }),
);
const parameters = fc.record(
  {
    realm: oddText,
    scope: oddText,
    error: oddText,
    error_description: oddText,
    error_uri: oddText,
    resource_metadata: oddText,
  },
  { requiredKeys: [] },
);

test("6750-3-b: a challenge made from any texts parses, with each attribute once and in its character set", (t) => {
  fc.assert(
    fc.property(parameters, (given) => {
      const challenge = readChallenge(bearerChallenge(given));
      t.is(challenge.scheme, "bearer");
      t.true(challenge.parameters.size >= 1);
      for (const [name, value] of challenge.parameters) t.regex(value, allowed[name as keyof ChallengeParameters]);
    }),
    { numRuns: 3000 },
  );
});

test("6750-3-b: a scope token with odd characters is left out, and the others keep their order", (t) => {
  const scopeOf = (scope: string): string | undefined =>
    readChallenge(bearerChallenge({ scope })).parameters.get("scope");
  t.is(scopeOf('write "read" x\\y tab\tbed né 😀 nul\0 a'), "write a");
  t.is(scopeOf("  read   write "), "read write");
  t.is(scopeOf("urn:x:read,write https://api.example.com/a=b"), "urn:x:read,write https://api.example.com/a=b");
  t.is(scopeOf('"'), undefined);
  t.is(scopeOf("a\r\nSet-Cookie: x=y"), "x=y");
});

test("texts that fit come back as they were given", (t) => {
  const given = {
    realm: 'the "api" \\ here',
    error: "insufficient_scope",
    error_description: "The scope 'write', at least, is missing.",
    error_uri: "https://example.com/errors?code=1#a",
    scope: "read write",
    resource_metadata: "https://api.example.com/.well-known/oauth-protected-resource",
  };
  t.deepEqual(Object.fromEntries(readChallenge(bearerChallenge(given)).parameters), given);
});

test("the value is written in the form of RFC 6750 §3", (t) => {
  t.is(
    bearerChallenge({ realm: "example", error: "invalid_token", error_description: "The access token expired" }),
    'Bearer realm="example", error="invalid_token", error_description="The access token expired"',
  );
});

test("a challenge without attributes gets a neutral realm", (t) => {
  const neutral = 'Bearer realm="resource"';
  for (const given of [{}, { realm: "" }, { scope: "" }, { scope: '"' }, { error_uri: "a b" }, { realm: undefined }]) {
    t.is(bearerChallenge(given), neutral, JSON.stringify(given));
  }
});

test("no text can end its attribute, begin another or begin a line", (t) => {
  const attack = 'x", error="none"\r\nSet-Cookie: a=b\\';
  const { parameters: attributes } = readChallenge(
    bearerChallenge({
      realm: attack,
      error: attack,
      error_description: attack,
      error_uri: attack,
      resource_metadata: attack,
    }),
  );
  t.deepEqual(Object.fromEntries(attributes), {
    realm: 'x", error="none"??Set-Cookie: a=b\\',
    error: "x?, error=?none???Set-Cookie: a=b?",
    error_description: "x?, error=?none???Set-Cookie: a=b?",
  });
});

test("a character outside the basic plane becomes one question mark", (t) => {
  t.is(bearerChallenge({ error_description: "a😀b" }), 'Bearer error_description="a?b"');
});

test("the parser of the tests reads what senders may write and nothing else", (t) => {
  t.deepEqual(
    readChallenges('Basic realm="a, b", Bearer error=x, scope="\\"", Negotiate').map((one) => [
      one.scheme,
      Object.fromEntries(one.parameters),
    ]),
    [
      ["basic", { realm: "a, b" }],
      ["bearer", { error: "x", scope: '"' }],
      ["negotiate", {}],
    ],
  );
  const malformed = [
    "",
    "Bearer ",
    'Bearer  realm="a"',
    'Bearer realm="a" error="b"',
    'Bearer realm="a",error="b"',
    'Bearer realm="a", realm="b"',
    'Bearer realm="a", REALM="b"',
    'Bearer realm="a',
    'Bearer realm="a"b"',
    'Bearer realm="a\\"',
    "Bearer realm=",
    'Bearer realm="é"',
    'Bearer realm="a\nb"',
    'Bearer realm="a", ',
    'Bearer realm="a"\r\n',
  ];
  for (const value of malformed) t.throws(() => readChallenges(value), { instanceOf: SyntaxError }, value);
  t.throws(() => readChallenge("Basic, Bearer"), { instanceOf: SyntaxError });
});
