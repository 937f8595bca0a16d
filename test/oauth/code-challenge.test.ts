import { createHash } from "node:crypto";
import test from "ava";
import fc from "fast-check";
import { checkCodeVerifier, isCodeChallenge } from "../../src/oauth/code-challenge.ts";

/** RFC 7636 App. B. */
const verifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
const challenge = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

test("the verifier of RFC 7636 Appendix B fits its challenge", (t) => {
  t.is(checkCodeVerifier(verifier, challenge), "ok");
  t.true(isCodeChallenge(challenge));
});

test("a verifier fits the challenge made of it, and no other's", (t) => {
  const unreserved = fc.constantFrom("A", "Z", "a", "z", "0", "9", "-", ".", "_", "~");
  const verifiers = fc.string({ unit: unreserved, minLength: 43, maxLength: 128 });
  fc.assert(
    fc.property(verifiers, verifiers, (own, other) => {
      const made = createHash("sha256").update(own).digest("base64url");
      t.true(isCodeChallenge(made));
      t.is(checkCodeVerifier(own, made), "ok");
      t.is(checkCodeVerifier(other, made), other === own ? "ok" : "different");
    }),
  );
});

test("a challenge is no verifier of itself (plain)", (t) => {
  t.is(checkCodeVerifier(challenge, challenge), "different");
});

for (const [what, text] of [
  ["empty", ""],
  ["42 characters", "a".repeat(42)],
  ["129 characters", "a".repeat(129)],
  ["padding", `${"a".repeat(43)}=`],
  ["a blank", `${"a".repeat(43)} `],
  ["a line break", `${"a".repeat(43)}\n`],
  ["a plus sign", `${"a".repeat(43)}+`],
  ["a slash", `${"a".repeat(43)}/`],
  ["a letter beyond ASCII", `${"a".repeat(43)}é`],
  ["a NUL", `${"a".repeat(43)}\0`],
] as const) {
  test(`a verifier is malformed: ${what}`, (t) => {
    const made = createHash("sha256").update(text).digest("base64url");
    t.is(checkCodeVerifier(text, made), "malformed");
  });
}

test("a verifier has 43 to 128 characters", (t) => {
  for (const length of [43, 44, 127, 128]) {
    const text = "~".repeat(length);
    t.is(checkCodeVerifier(text, createHash("sha256").update(text).digest("base64url")), "ok", String(length));
  }
});

for (const [what, text] of [
  ["empty", ""],
  ["42 characters", challenge.slice(1)],
  ["44 characters", `A${challenge}`],
  ["padding", `${challenge}=`],
  ["a line break", `${challenge}\n`],
  ["standard base64", challenge.replace("-", "+")],
  ["a dot", challenge.replace("E", ".")],
  ["an unused bit that is set", `${challenge.slice(0, -1)}N`],
  ["a letter beyond ASCII", challenge.replace("E", "é")],
] as const) {
  test(`no challenge: ${what}`, (t) => {
    t.false(isCodeChallenge(text));
  });
}
