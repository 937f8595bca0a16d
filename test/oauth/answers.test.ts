import test from "ava";
import fc from "fast-check";
import { prefersMediaType } from "../../src/oauth/accept.ts";
import { bearerChallenge, challengeErrors, type ChallengeParameters } from "../../src/oauth/challenge.ts";
import { errorResponseBody } from "../../src/oauth/error-text.ts";
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
    scope: fc.array(oddText),
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
    readChallenge(bearerChallenge({ scope: scope.split(" ") })).parameters.get("scope");
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
  const challenge = bearerChallenge({ ...given, scope: given.scope.split(" ") });
  t.deepEqual(Object.fromEntries(readChallenge(challenge).parameters), given);
});

test("the value is written in the form of RFC 6750 §3", (t) => {
  t.is(
    bearerChallenge({ realm: "example", error: "invalid_token", error_description: "The access token expired" }),
    'Bearer realm="example", error="invalid_token", error_description="The access token expired"',
  );
});

test("a challenge without attributes gets a neutral realm", (t) => {
  const neutral = 'Bearer realm="resource"';
  for (const given of [
    {},
    { realm: "" },
    { scope: [] },
    { scope: [""] },
    { scope: ['"'] },
    { error_uri: "a b" },
    { realm: undefined },
  ]) {
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

test("a valid token that is not sufficient is 403, every other refusal is 401 invalid_token", (t) => {
  const insufficient = ["scope_insufficient", "subject_mismatch", "subject_missing"];
  const codes = Object.entries(challengeErrors);
  t.is(codes.length, 14);
  for (const [code, { status, error }] of codes) {
    const expected = insufficient.includes(code) ? [403, "insufficient_scope"] : [401, "invalid_token"];
    t.deepEqual([status, error], expected, code);
  }
});

test("an error response has the members of RFC 6749 §5.2 that were given", (t) => {
  t.is(errorResponseBody({ error: "invalid_request" }), '{"error":"invalid_request"}');
  t.is(
    errorResponseBody({
      error: "invalid_client",
      error_description: "[A048308] The client could not be authenticated.",
      error_uri: "https://docs.example.com/errors?code=1#A048308",
    }),
    '{"error":"invalid_client","error_description":"[A048308] The client could not be authenticated.",' +
      '"error_uri":"https://docs.example.com/errors?code=1#A048308"}',
  );
  t.is(errorResponseBody({ error: "x", error_description: undefined, error_uri: undefined }), '{"error":"x"}');
});

test("characters that the RFC forbids become question marks, one each", (t) => {
  t.deepEqual(JSON.parse(errorResponseBody({ error: "é", error_description: 'a\r\nb"c\\d😀e\tf\0' })), {
    error: "?",
    error_description: "a??b?c?d?e?f?",
  });
});

test("a URI with a character that does not belong is left out", (t) => {
  for (const error_uri of [
    "",
    "https://example.com/a b",
    'https://example.com/"',
    "https://example.com/\n",
    "https://é/",
  ]) {
    t.is(errorResponseBody({ error: "x", error_uri }), '{"error":"x"}', JSON.stringify(error_uri));
  }
});

test("whatever the texts are, the body is JSON with members in their character sets", (t) => {
  const text = fc.string({
    unit: fc.oneof(
      fc.constantFrom('"', "\\", "\r", "\n", "\uD800", "😀", "a"),
      fc.nat(0xffff).map((code) => String.fromCharCode(code)),
    ),
  });
  fc.assert(
    fc.property(text, text, text, (error, error_description, error_uri) => {
      const body = errorResponseBody({ error, error_description, error_uri });
      t.regex(body, /^[\x20-\x7E]*$/);
      const members = JSON.parse(body) as Record<string, string>;
      t.regex(members["error"] ?? "", /^[\x20\x21\x23-\x5B\x5D-\x7E]*$/);
      t.regex(members["error_description"] ?? "", /^[\x20\x21\x23-\x5B\x5D-\x7E]*$/);
      if (members["error_uri"] !== undefined) t.regex(members["error_uri"], /^[\x21\x23-\x5B\x5D-\x7E]+$/);
    }),
  );
});

const signed = "application/token-introspection+jwt";
const plain = "application/json";

const asked = {
  "named alone": signed,
  "in capitals": "Application/Token-Introspection+JWT",
  "beside ranges": `${signed}, */*`,
  "beside its family": `application/*, ${signed}`,
  "at the same weight": `${plain}, ${signed}`,
  "the heavier": `${plain};q=0.8,${signed};q=0.9`,
  "the heavier by default": `${plain}; q=0.999, ${signed}`,
  "where the other is refused": `${plain};q=0, ${signed};q=0.001`,
  "with a parameter": `${signed};profile="x"`,
  "where the other's weight cannot be read": `${plain};q=2, ${signed};q=0.1`,
  "where a lighter range speaks of the other": `${signed};q=0.5, */*;q=0.1`,
  "where the other is refused in spite of its family": `${plain};q=0, application/*;q=0.9, ${signed};q=0.1`,
  "twice, once the heavier": `${signed};q=0.1, ${plain};q=0.5, ${signed}`,
};

const notAsked = {
  nothing: "",
  "anything at all": "*/*",
  "the family": "application/*",
  "the family, where the usual one is refused": `application/*, ${plain};q=0`,
  "the usual one": plain,
  "the lighter": `${signed};q=0.5, ${plain}`,
  "the lighter than any": `${signed};q=0.5, */*`,
  "the lighter than its family": `${signed};q=0.5, application/*;q=0.6`,
  refused: `${signed};q=0`,
  "refused with decimals": `${signed};q=0.000, ${plain};q=0`,
  "with a weight above one": `${signed};q=1.5`,
  "with an invalid weight": `${signed};q=high`,
  "with an empty weight": `${signed};q=`,
  "with a negative weight": `${signed};q=-1`,
  "with four decimals": `${signed};q=0.1234`,
  "with something behind it": `${signed}x`,
  "with something before it": `x${signed}`,
  "a parameter that names it": `text/plain;a=${signed}`,
};

for (const [what, accept] of Object.entries(asked)) {
  test(`asked for: ${what}`, (t) => {
    t.true(prefersMediaType(accept, signed, plain));
  });
}

for (const [what, accept] of Object.entries(notAsked)) {
  test(`not asked for: ${what}`, (t) => {
    t.false(prefersMediaType(accept, signed, plain));
  });
}
