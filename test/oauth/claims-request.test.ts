import test from "ava";
import { readClaimsRequest, scopeClaims } from "../../src/oauth/claims-request.ts";

test("the example of OpenID Connect Core §5.5 is read", (t) => {
  const request = readClaimsRequest(`{
    "userinfo": {
      "given_name": {"essential": true}, "nickname": null, "email": {"essential": true},
      "http://example.info/claims/groups": null
    },
    "id_token": {"auth_time": {"essential": true}, "acr": {"values": ["urn:mace:incommon:iap:silver"]}}
  }`);
  t.deepEqual(
    [...(request?.userInfo?.claims ?? [])],
    [
      ["given_name", { essential: true, values: [] }],
      ["nickname", { essential: false, values: [] }],
      ["email", { essential: true, values: [] }],
      ["http://example.info/claims/groups", { essential: false, values: [] }],
    ],
  );
  t.deepEqual(
    [...(request?.idToken?.claims ?? [])],
    [
      ["auth_time", { essential: true, values: [] }],
      ["acr", { essential: false, values: ["urn:mace:incommon:iap:silver"] }],
    ],
  );
  t.is(request?.idToken?.text, '{"auth_time":{"essential":true},"acr":{"values":["urn:mace:incommon:iap:silver"]}}');
});

test("a value is a list of one, and more of a claim than is understood is kept in the text", (t) => {
  const request = readClaimsRequest('{"id_token":{"sub":{"value":"john","x":1}}}');
  t.deepEqual(request?.idToken?.claims.get("sub"), { essential: false, values: ["john"] });
  t.is(request?.idToken?.text, '{"sub":{"value":"john","x":1}}');
  t.is(request?.userInfo, undefined);
});

test("a request may say nothing that is understood", (t) => {
  for (const text of ["{}", '{"other":1}', '{"id_token":null,"userinfo":null}']) {
    t.deepEqual(readClaimsRequest(text), { idToken: undefined, userInfo: undefined }, text);
  }
});

test("names that objects have anyway are names like any other", (t) => {
  const request = readClaimsRequest(
    '{"__proto__":{"id_token":{"a":null}},"userinfo":{"__proto__":null,"constructor":{}}}',
  );
  t.is(request?.idToken, undefined);
  t.deepEqual([...(request?.userInfo?.claims.keys() ?? [])], ["__proto__", "constructor"]);
});

const nested = (levels: number) => `${"[".repeat(levels)}${"]".repeat(levels)}`;

test("a text may be nested 32 levels deep", (t) => {
  t.truthy(readClaimsRequest(`{"id_token":{"a":{"x":${nested(29)}}}}`));
  t.is(readClaimsRequest(`{"id_token":{"a":{"x":${nested(30)}}}}`), undefined);
  t.is(readClaimsRequest(`{"x":${nested(8000)}}`), undefined);
  t.is(readClaimsRequest(`{"x":{"__proto__":${nested(8000)}}}`), undefined);
});

for (const text of [
  "",
  "{",
  "null",
  "[]",
  "1",
  '"a"',
  '{"id_token":[]}',
  '{"id_token":"a"}',
  '{"userinfo":1}',
  '{"id_token":{"a":1}}',
  '{"id_token":{"a":[]}}',
  '{"id_token":{"a":true}}',
  '{"id_token":{"a":{"essential":"true"}}}',
  '{"id_token":{"a":{"values":"a"}}}',
  '{"id_token":{}} x',
]) {
  test(`no claims request: ${text}`, (t) => {
    t.is(readClaimsRequest(text), undefined);
  });
}

test("four scopes stand for claims, the others for none", (t) => {
  t.deepEqual(scopeClaims(["openid", "email", "x", "__proto__"]), ["email", "email_verified"]);
  t.deepEqual(scopeClaims(["phone", "address"]), ["phone_number", "phone_number_verified", "address"]);
  t.is(scopeClaims(["profile"]).length, 14);
  t.is(new Set(scopeClaims(["profile", "email", "address", "phone"])).size, 19);
});
