import test from "ava";
import fc from "fast-check";
import {
  type ActiveTokenFacts,
  decideAccess,
  type PresentedCertificate,
  type RefusalCode,
  type Requirement,
  type TokenFacts,
} from "../../src/oauth/access-token-decision.ts";
import { requiresBinding } from "../../src/oauth/certificate-binding.ts";
import { type Confirmation, isThumbprint, readConfirmation } from "../../src/oauth/confirmation.ts";
import { readSourceTree } from "../support/source-tree.ts";

const right = "A4DtL2JmUMhAsvJj5tKyn64SqzmuXbMrJa0n761y5v0";
const wrong = "OID_Sc2yReTDx9QS7f1SMUzNxsh7khJYmaIwqXw8Yuw";
const now = 1_700_000_000_500;

const bound: ActiveTokenFacts = {
  active: true,
  exp: 1_700_000_060,
  nbf: undefined,
  sub: "john",
  scopes: ["read", "write"],
  audience: ["https://api.example.com"],
  confirmation: { kind: "certificate", x5tS256: right },
};
const unbound: ActiveTokenFacts = { ...bound, confirmation: { kind: "none" } };
const ifBound: Requirement = { binding: "if-bound" };
const required: Requirement = { binding: "required" };

function outcome(
  facts: TokenFacts,
  requirement: Requirement,
  certificate: PresentedCertificate,
  at = now,
): RefusalCode | "granted" {
  const decision = decideAccess(facts, requirement, certificate, at);
  return decision.granted ? "granted" : decision.code;
}

/** As {@link outcome}, with the certificate that the token is bound to. */
function outcomeForOwner(facts: TokenFacts, requirement: Requirement): RefusalCode | "granted" {
  return outcome(facts, requirement, { x5tS256: right });
}

function lacks(held: readonly string[] = [], demanded: readonly string[] = []): boolean {
  return new Set([...held, ...demanded]).size > new Set(held).size;
}

/**
 * The rules once more, written as a list: each with the demand that it makes, in the order in which they are told.
 * Whoever meets all of them is let in.
 */
function oracle(
  facts: TokenFacts,
  requirement: Requirement,
  certificate: PresentedCertificate,
  at: number,
): RefusalCode | "granted" {
  const active = facts.active ? facts : undefined;
  const kind = active?.confirmation.kind;
  const expected = active?.confirmation.kind === "certificate" ? active.confirmation.x5tS256 : undefined;
  const presented = certificate !== undefined && "x5tS256" in certificate ? certificate.x5tS256 : undefined;
  const isWhole = expected?.length === 43;
  const violations: Readonly<Record<RefusalCode, boolean>> = {
    client_locked: !facts.active && facts.cause === "client_locked",
    token_unknown: !facts.active && facts.cause === "unknown",
    token_expired: active?.exp !== undefined && active.exp <= at / 1000,
    token_not_yet_valid: active?.nbf !== undefined && active.nbf > at / 1000,
    certificate_unreadable: certificate !== undefined && "unreadable" in certificate,
    confirmation_malformed:
      !["none", "certificate", "unsupported"].includes(kind ?? "") || (kind === "certificate" && !isWhole),
    confirmation_unsupported: kind === "unsupported",
    token_unbound: kind === "none" && requirement.binding !== "if-bound",
    certificate_missing: kind === "certificate" && certificate === undefined,
    certificate_mismatch: kind === "certificate" && presented !== expected,
    audience_mismatch: lacks(active?.audience, requirement.resources),
    subject_missing: requirement.subject !== undefined && active?.sub === undefined,
    subject_mismatch: requirement.subject !== undefined && active?.sub !== requirement.subject,
    scope_insufficient: lacks(active?.scopes, requirement.scopes),
  };
  const told = Object.entries(violations).find(([, violated]) => violated);
  return told === undefined ? "granted" : (told[0] as RefusalCode);
}

test("every combination of facts, requirement and certificate is decided by the list of rules", (t) => {
  const times = [undefined, 1_699_999_999, 1_700_000_000, 1_700_000_000.5, 1_700_000_001];
  const confirmations: Confirmation[] = [
    { kind: "none" },
    { kind: "certificate", x5tS256: right },
    { kind: "certificate", x5tS256: "" },
    { kind: "unsupported", member: "jkt" },
    { kind: "malformed" },
    { kind: "invented" } as unknown as Confirmation,
  ];
  const bindings = ["required", "if-bound", undefined as unknown as "if-bound"] as const;
  const certificates: PresentedCertificate[] = [
    undefined,
    { unreadable: "not DER" },
    { x5tS256: right },
    { x5tS256: wrong },
    { x5tS256: "" },
  ];
  const lists = [
    { held: [], demanded: undefined },
    { held: ["a"], demanded: [] },
    { held: ["b", "a"], demanded: ["a", "b"] },
    { held: ["a"], demanded: ["a", "b"] },
    { held: [], demanded: ["a"] },
  ];
  const subjects = [
    { sub: undefined, subject: undefined },
    { sub: "john", subject: undefined },
    { sub: "john", subject: "john" },
    { sub: "john", subject: "John" },
    { sub: "", subject: "john" },
    { sub: undefined, subject: "" },
  ];
  const counts = new Map<string, number>();
  const differences: unknown[] = [];
  const compare = (facts: TokenFacts, requirement: Requirement, certificate: PresentedCertificate): void => {
    const actual = outcome(facts, requirement, certificate);
    counts.set(actual, (counts.get(actual) ?? 0) + 1);
    const expected = oracle(facts, requirement, certificate, now);
    if (actual !== expected) differences.push({ facts, requirement, certificate, actual, expected });
  };
  for (const binding of bindings)
    for (const certificate of certificates)
      for (const resources of lists)
        for (const scopes of lists)
          for (const { sub, subject } of subjects) {
            const requirement: Requirement = {
              binding,
              ...(resources.demanded === undefined ? {} : { resources: resources.demanded }),
              ...(scopes.demanded === undefined ? {} : { scopes: scopes.demanded }),
              ...(subject === undefined ? {} : { subject }),
            };
            compare({ active: false, cause: "unknown" }, requirement, certificate);
            compare({ active: false, cause: "client_locked" }, requirement, certificate);
            for (const exp of times)
              for (const nbf of times)
                for (const confirmation of confirmations) {
                  const { held: audience } = resources;
                  compare(
                    { active: true, exp, nbf, sub, scopes: scopes.held, audience, confirmation },
                    requirement,
                    certificate,
                  );
                }
          }
  t.deepEqual(differences.slice(0, 3), []);
  t.is(counts.size, 15, "each code and a grant occurred");
});

test("a bound token is never granted to a certificate other than its own, whatever is demanded", (t) => {
  const thumbprint = fc
    .uint8Array({ minLength: 32, maxLength: 32 })
    .map((octets) => Buffer.from(octets).toString("base64url"));
  const other = fc.oneof({ arbitrary: thumbprint, weight: 1 }, { arbitrary: fc.string({ unit: "binary" }), weight: 1 });
  const words = fc.array(fc.constantFrom<string>("a", "b"), { maxLength: 2 });
  const requirements = fc.record(
    {
      scopes: words,
      resources: words,
      subject: fc.constantFrom("john", ""),
      binding: fc.constantFrom("required", "if-bound"),
    },
    { requiredKeys: ["binding"] },
  ) as fc.Arbitrary<Requirement>;
  fc.assert(
    fc.property(thumbprint, other, fc.nat(255), requirements, (own, foreign, bit, requirement) => {
      const flipped = Buffer.from(own, "base64url");
      flipped[bit >> 3] = (flipped[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      const facts: ActiveTokenFacts = {
        ...bound,
        scopes: ["a", "b"],
        audience: ["a", "b"],
        confirmation: { kind: "certificate", x5tS256: own },
      };
      const lookAlikes = [
        flipped.toString("base64url"),
        `${own}=`,
        `${own} `,
        own.slice(0, -1),
        own.toLowerCase(),
        own.toUpperCase(),
        foreign,
      ];
      for (const x5tS256 of lookAlikes.filter((one) => one !== own)) {
        t.is(outcome(facts, requirement, { x5tS256 }), "certificate_mismatch");
      }
      t.is(outcome(facts, requirement, undefined), "certificate_missing");
      t.is(outcome(facts, requirement, { unreadable: own }), "certificate_unreadable");
      t.is(outcome({ ...facts, sub: requirement.subject }, requirement, { x5tS256: own }), "granted");
    }),
  );
});

test("whatever is granted meets every demand", (t) => {
  const seconds = fc.option(fc.integer({ min: 1_699_999_998, max: 1_700_000_002 }), { nil: undefined });
  const words = fc.array(fc.constantFrom<string>("a", "b", "c"), { maxLength: 3 });
  const facts = fc.record({
    active: fc.constant(true as const),
    exp: seconds,
    nbf: seconds,
    sub: fc.constantFrom<string | undefined>("john", "jane", undefined),
    scopes: words,
    audience: words,
    confirmation: fc.constantFrom<Confirmation>(
      { kind: "none" },
      { kind: "certificate", x5tS256: right },
      { kind: "malformed" },
    ),
  });
  const requirements = fc.record(
    {
      scopes: words,
      resources: words,
      subject: fc.constantFrom("john", "jane"),
      binding: fc.constantFrom("required", "if-bound"),
    },
    { requiredKeys: ["binding"] },
  ) as fc.Arbitrary<Requirement>;
  const certificates = fc.constantFrom<PresentedCertificate>({ x5tS256: right }, { x5tS256: wrong }, undefined);
  let grants = 0;
  fc.assert(
    fc.property(
      facts,
      requirements,
      certificates,
      fc.integer({ min: -1500, max: 1500 }),
      (known, demanded, certificate, offset) => {
        const at = 1_700_000_000_000 + offset;
        if (outcome(known, demanded, certificate, at) !== "granted") return;
        grants++;
        for (const one of demanded.scopes ?? []) t.true(known.scopes.includes(one));
        for (const one of demanded.resources ?? []) t.true(known.audience.includes(one));
        if (demanded.subject !== undefined) t.is(known.sub, demanded.subject);
        if (known.exp !== undefined) t.true(at < known.exp * 1000);
        if (known.nbf !== undefined) t.true(at >= known.nbf * 1000);
        if (known.confirmation.kind === "certificate") t.deepEqual(certificate, { x5tS256: right });
        else t.deepEqual([known.confirmation.kind, demanded.binding], ["none", "if-bound"]);
      },
    ),
    { numRuns: 20_000 },
  );
  t.true(grants > 100);
});

test("a token is dead at exp to the millisecond and alive the one before", (t) => {
  const facts = { ...bound, exp: 1_700_000_000 };
  t.is(outcome(facts, ifBound, { x5tS256: right }, 1_699_999_999_999), "granted");
  t.is(outcome(facts, ifBound, { x5tS256: right }, 1_700_000_000_000), "token_expired");
  t.is(outcome(facts, ifBound, { x5tS256: right }, 1_700_000_000_001), "token_expired");
});

test("a token is valid at nbf to the millisecond and not the one before", (t) => {
  const facts = { ...bound, nbf: 1_700_000_000 };
  t.is(outcome(facts, ifBound, { x5tS256: right }, 1_699_999_999_999), "token_not_yet_valid");
  t.is(outcome(facts, ifBound, { x5tS256: right }, 1_700_000_000_000), "granted");
});

test("a token whose nbf is its exp is never valid", (t) => {
  const facts = { ...bound, exp: 1_700_000_000, nbf: 1_700_000_000 };
  for (const at of [1_699_999_999_999, 1_700_000_000_000, 1_700_000_000_001]) {
    t.not(outcome(facts, ifBound, { x5tS256: right }, at), "granted");
  }
});

test("exp 0 is a time long gone and not the absence of one", (t) => {
  t.is(outcomeForOwner({ ...bound, exp: 0 }, ifBound), "token_expired");
  t.is(outcomeForOwner({ ...bound, exp: undefined }, ifBound), "granted");
});

test("a time that is not a number refuses", (t) => {
  t.is(outcomeForOwner({ ...bound, exp: Number.NaN }, ifBound), "token_expired");
  t.is(outcomeForOwner({ ...bound, nbf: Number.NaN }, ifBound), "token_not_yet_valid");
  t.is(outcome(bound, ifBound, { x5tS256: right }, Number.NaN), "token_expired");
});

test("an unbound token is granted with or without a certificate unless a binding is required", (t) => {
  for (const certificate of [undefined, { x5tS256: right }]) {
    t.is(decideAccess(unbound, ifBound, certificate, now).granted, true);
    t.deepEqual(decideAccess(unbound, required, certificate, now), { granted: false, code: "token_unbound" });
  }
});

test("an unreadable certificate is rejected even if no certificate was needed", (t) => {
  t.is(outcome(unbound, ifBound, { unreadable: "trailing octets" }), "certificate_unreadable");
});

test("resources demanded of a token without audience refuse it", (t) => {
  t.is(
    outcomeForOwner({ ...bound, audience: [] }, { ...ifBound, resources: ["https://api.example.com"] }),
    "audience_mismatch",
  );
});

test("scopes, resources and subjects are compared exactly", (t) => {
  for (const scope of ["Read", "rea", "read ", "read write", "", "re%61d"]) {
    t.is(outcomeForOwner(bound, { ...ifBound, scopes: [scope] }), "scope_insufficient", scope);
  }
  for (const resource of ["https://api.example.com/", "https://API.example.com", "https://api.example", ""]) {
    t.is(outcomeForOwner(bound, { ...ifBound, resources: [resource] }), "audience_mismatch", resource);
  }
  for (const subject of ["John", "joh", "john ", ""])
    t.is(outcomeForOwner(bound, { ...ifBound, subject }), "subject_mismatch", subject);
  t.is(outcomeForOwner({ ...bound, sub: undefined }, { ...ifBound, subject: "john" }), "subject_missing");
});

test("a stranger to the certificate learns nothing of scopes, subject or audience", (t) => {
  const demanding: Requirement = { binding: "required", scopes: ["none"], subject: "none", resources: ["none"] };
  t.is(outcome(bound, demanding, { x5tS256: wrong }), "certificate_mismatch");
});

test("every grant is one frozen value, and facts and requirement may be frozen too", (t) => {
  const facts = Object.freeze({ ...bound, scopes: Object.freeze(["read"]), audience: Object.freeze([]) });
  const requirement = Object.freeze({ binding: "required" as const, scopes: Object.freeze(["read"]) });
  const decision = decideAccess(facts, requirement, Object.freeze({ x5tS256: right }), now);
  t.true(decision.granted);
  t.true(Object.isFrozen(decision));
  t.is(decision, decideAccess(unbound, ifBound, undefined, now));
});

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

test("no cnf is no binding; undefined is the only value for it", (t) => {
  t.deepEqual(readConfirmation(undefined), { kind: "none" });
  for (const cnf of [null, false, 0, "", Number.NaN, {}, []]) t.not(readConfirmation(cnf).kind, "none");
});

test("a cnf without a usable binding is malformed and opens nothing", (t) => {
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

test("no JSON value makes the reader throw, and only a whole thumbprint is a certificate binding", (t) => {
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

test("exactly the texts that Node writes for 32 octets are thumbprints", (t) => {
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

// The article's table: the service's switch, the client's switch, and whether the token is bound.
for (const [service, client, bound] of [
  [true, true, true],
  [true, false, false],
  [false, true, false],
  [false, false, false],
] as const) {
  test(`service ${service}, client ${client}: access tokens are ${bound ? "bound" : "not bound"}`, (t) => {
    const [ofService, ofClient] = [service, client].map((on) => ({ tlsClientCertificateBoundAccessTokens: on }));
    t.is(ofService !== undefined && ofClient !== undefined && requiresBinding(ofService, ofClient), bound);
  });
}

test("no other file of src decides whether a token has to be bound", async (t) => {
  const files = await readSourceTree(new URL("../../src/", import.meta.url));
  const twice = /tlsClientCertificateBoundAccessTokens\s*&&[^;{]*tlsClientCertificateBoundAccessTokens/;
  const deciding = files.filter(({ text }) => twice.test(text)).map(({ path }) => path);
  t.deepEqual(deciding, ["oauth/certificate-binding.ts"]);
});
