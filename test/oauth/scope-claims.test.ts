import test from "ava";
import { claimsOfScopes, isClaimOfScope } from "../../src/oauth/scope-claims.ts";

test("the four scopes stand for their claims, others for none", (t) => {
  t.deepEqual(claimsOfScopes(["openid", "phone", "read", "email", "__proto__"]), [
    "phone_number",
    "phone_number_verified",
    "email",
    "email_verified",
  ]);
  t.deepEqual(claimsOfScopes(["address"]), ["address"]);
  t.deepEqual(claimsOfScopes([]), []);
  t.deepEqual(
    claimsOfScopes(["profile"]).filter((name) => !isClaimOfScope(name)),
    [],
  );
  for (const name of ["openid", "profile ", "Email", "phone", "constructor", ""]) t.false(isClaimOfScope(name));
});
