import test from "ava";
import fc from "fast-check";
import { decideAccess, type ActiveTokenFacts } from "../../src/oauth/access-token-decision.ts";
import { isThumbprint, readConfirmation } from "../../src/oauth/confirmation.ts";

const x5tS256 = "A4DtL2JmUMhAsvJj5tKyn64SqzmuXbMrJa0n761y5v0";
const hex = "0380ed2f626650c840b2f263e6d2b29fae12ab39ae5db32b25ad27efad72e6fd";

/** Whether a token whose introspection answer has this `cnf` opens a route for the certificate of `x5tS256`. */
function opens(cnf: unknown): boolean {
  const facts: ActiveTokenFacts = {
    active: true,
    exp: undefined,
    nbf: undefined,
    sub: undefined,
    scopes: [],
    audience: [],
    confirmation: readConfirmation(cnf),
  };
  return decideAccess(facts, { binding: "if-bound" }, { x5tS256 }, 0).granted;
}

test("a thumbprint alone is a certificate binding", (t) => {
  t.deepEqual(readConfirmation({ "x5t#S256": x5tS256 }), { kind: "certificate", x5tS256 });
  t.true(opens({ "x5t#S256": x5tS256 }));
});

test("no cnf is no binding; undefined is the only value that says so", (t) => {
  t.deepEqual(readConfirmation(undefined), { kind: "none" });
  for (const cnf of [null, false, 0, "", Number.NaN, {}, []]) t.not(readConfirmation(cnf).kind, "none");
});

test("a cnf that says nothing usable is malformed and opens nothing", (t) => {
  const values: Record<string, unknown> = {
    null: null,
    true: true,
    number: 1,
    text: x5tS256,
    "empty object": {},
    array: [],
    "array with the thumbprint": [x5tS256],
    "array with the member": Object.assign([], { "x5t#S256": x5tS256 }),
    "array with the object": [{ "x5t#S256": x5tS256 }],
    "unknown member only": { other: x5tS256 },
    date: new Date(0),
    map: new Map([["x5t#S256", x5tS256]]),
    "empty text": { "x5t#S256": "" },
    "null thumbprint": { "x5t#S256": null },
    undefined: { "x5t#S256": undefined },
    "number for text": { "x5t#S256": 1 },
    "array for text": { "x5t#S256": [x5tS256] },
    "object for text": { "x5t#S256": { toString: () => x5tS256 } },
    "String object": { "x5t#S256": new String(x5tS256) },
    padded: { "x5t#S256": `${x5tS256}=` },
    hexadecimal: { "x5t#S256": hex },
    "hexadecimal with colons": { "x5t#S256": hex.replaceAll(/..(?=.)/g, "$&:") },
    "base64 of the hexadecimal": { "x5t#S256": Buffer.from(hex).toString("base64url") },
    "one character less": { "x5t#S256": x5tS256.slice(0, -1) },
    "one character more": { "x5t#S256": `${x5tS256}A` },
    "blank before": { "x5t#S256": ` ${x5tS256}` },
    "line end after": { "x5t#S256": `${x5tS256}\n` },
    "two lines": { "x5t#S256": `${x5tS256}\n${x5tS256}` },
    "base64 with a slash": { "x5t#S256": `/${x5tS256.slice(1)}` },
    "base64 with a plus": { "x5t#S256": `+${x5tS256.slice(1)}` },
    "unused bits set": { "x5t#S256": `${x5tS256.slice(0, -1)}1` },
    "20 octets": { "x5t#S256": Buffer.alloc(20).toString("base64url") },
    "a mebibyte": { "x5t#S256": "A".repeat(1_048_576) },
  };
  for (const [name, cnf] of Object.entries(values)) {
    t.deepEqual(readConfirmation(cnf), { kind: "malformed" }, name);
    t.false(opens(cnf), name);
  }
});

test("the case of a thumbprint counts", (t) => {
  t.false(opens({ "x5t#S256": x5tS256.toLowerCase() }));
  t.false(opens({ "x5t#S256": x5tS256.toUpperCase() }));
});

test("a binding that exists and is not checked here refuses, even beside the right thumbprint", (t) => {
  for (const member of ["jkt", "jwk", "jwe", "jku", "kid", "osc"]) {
    for (const value of ["a", {}, null, undefined, ""]) {
      t.deepEqual(readConfirmation({ [member]: value }), { kind: "unsupported", member });
      t.deepEqual(readConfirmation({ "x5t#S256": x5tS256, [member]: value }), { kind: "unsupported", member });
      t.deepEqual(readConfirmation({ [member]: value, "x5t#S256": x5tS256 }), { kind: "unsupported", member });
      t.false(opens({ "x5t#S256": x5tS256, [member]: value }));
    }
  }
});

test("a misspelt thumbprint member refuses, alone and beside the right one", (t) => {
  const misspelt = ["x5t#SHA256", "x5t#s256", "X5T#S256", "x5t", "X5t", "x5t#", "x5tS256", "x5t#S512", "x5t#S256 "];
  for (const member of misspelt) {
    t.deepEqual(readConfirmation({ [member]: x5tS256 }), { kind: "unsupported", member }, member);
    t.deepEqual(readConfirmation({ "x5t#S256": x5tS256, [member]: x5tS256 }), { kind: "unsupported", member }, member);
    t.false(opens({ "x5t#S256": x5tS256, [member]: x5tS256 }), member);
  }
});

test("of a misspelt member the operator sees the beginning only", (t) => {
  t.deepEqual(readConfirmation({ [`x5t${"a".repeat(100_000)}`]: 1 }), {
    kind: "unsupported",
    member: `x5t${"a".repeat(29)}`,
  });
});

test("8705-7.2: other members of cnf are ignored, and a cnf without a member we understand opens nothing", (t) => {
  const others = {
    unknown: 1,
    "": 2,
    ckt: "a",
    S256: "b",
    "sha-256": x5tS256,
    " x5t#S256": x5tS256,
    KID: "c",
    length: 1,
  };
  t.deepEqual(readConfirmation({ ...others, "x5t#S256": x5tS256 }), { kind: "certificate", x5tS256 });
  t.true(opens({ ...others, "x5t#S256": x5tS256 }));
  t.deepEqual(readConfirmation(others), { kind: "malformed" });
  t.false(opens(others));
});

test("names that every object inherits are ordinary unknown members", (t) => {
  const text = `{"__proto__":{"x5t#S256":"${x5tS256}"},"constructor":{"jkt":"a"},"toString":1,"hasOwnProperty":true}`;
  t.deepEqual(readConfirmation(JSON.parse(text)), { kind: "malformed" });
  const beside: unknown = JSON.parse(text.replace("{", `{"x5t#S256":"${x5tS256}",`));
  t.deepEqual(readConfirmation(beside), { kind: "certificate", x5tS256 });
});

test("only a cnf's own members count", (t) => {
  t.deepEqual(readConfirmation(Object.create({ "x5t#S256": x5tS256 })), { kind: "malformed" });
  const bare: object = Object.assign(Object.create(null) as object, { "x5t#S256": x5tS256 });
  t.deepEqual(readConfirmation(bare), { kind: "certificate", x5tS256 });
  t.deepEqual(readConfirmation(Object.create(null)), { kind: "malformed" });
});

test("no JSON value makes the reader throw, and none but a whole thumbprint is a certificate binding", (t) => {
  const member = fc.constantFrom("x5t#S256", "x5t", "jkt", "kid", "__proto__", "other");
  const value = fc.oneof(fc.constant(x5tS256), fc.string({ unit: "binary" }), fc.jsonValue());
  const cnf = fc.oneof(fc.jsonValue(), fc.dictionary(member, value), fc.anything());
  fc.assert(
    fc.property(cnf, (given) => {
      const confirmation = readConfirmation(given);
      if (confirmation.kind !== "certificate") return;
      t.deepEqual(
        [...Object.keys(given as object)].filter((one) => /^x5t|^jkt$|^kid$/.test(one)),
        ["x5t#S256"],
      );
      t.is(Buffer.from(confirmation.x5tS256, "base64url").length, 32);
    }),
    { numRuns: 3000 },
  );
});

test("what Node writes for any 32 octets is a thumbprint, and nothing else is that decodes to them", (t) => {
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 32, maxLength: 32 }), fc.integer({ min: 1, max: 3 }), (octets, unused) => {
      const thumbprint = Buffer.from(octets).toString("base64url");
      t.true(isThumbprint(thumbprint));
      const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
      const last = alphabet.charAt(alphabet.indexOf(thumbprint.charAt(42)) + unused);
      const twin = thumbprint.slice(0, 42) + last;
      t.deepEqual(Buffer.from(twin, "base64url"), Buffer.from(octets));
      t.false(isThumbprint(twin));
    }),
  );
});
