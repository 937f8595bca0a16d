import test from "ava";
import { challengeErrors } from "../../src/oauth/http-refusal.ts";

test("a token that is good and does not suffice is 403, every other refusal is 401 invalid_token", (t) => {
  const insufficient = ["scope_insufficient", "subject_mismatch", "subject_missing"];
  const codes = Object.entries(challengeErrors);
  t.is(codes.length, 14);
  for (const [code, { status, error }] of codes) {
    const expected = insufficient.includes(code) ? [403, "insufficient_scope"] : [401, "invalid_token"];
    t.deepEqual([status, error], expected, code);
  }
});
