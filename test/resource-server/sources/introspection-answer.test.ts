import test from "ava";
import { decideAccess } from "../../../src/oauth/access-token-decision.ts";
import {
  IntrospectionMalformed,
  IntrospectionUnavailable,
} from "../../../src/resource-server/refusal/introspection-unavailable.ts";
import { readIntrospection, readStandardAnswer } from "../../../src/resource-server/sources/introspection-answer.ts";

const x5tS256 = "A4DtL2JmUMhAsvJj5tKyn64SqzmuXbMrJa0n761y5v0";
const full = {
  active: true,
  scope: "read write",
  iss: "https://as.example.com",
  cnf: { "x5t#S256": x5tS256, note: "other members are ignored" },
  token_type: "Bearer",
  iat: 1_640_415_600,
  nbf: 1_640_415_600,
  exp: 1_640_419_200,
  client_id: "4326385670",
  sub: "user",
  aud: ["https://api.example.com"],
};

test("an answer is read whole", (t) => {
  const { facts, accessToken } = readAccepted(full);
  t.deepEqual(facts, {
    active: true,
    exp: 1_640_419_200,
    nbf: 1_640_415_600,
    sub: "user",
    scopes: ["read", "write"],
    audience: ["https://api.example.com"],
    confirmation: { kind: "certificate", x5tS256 },
  });
  t.deepEqual(accessToken, {
    active: true,
    issuer: "https://as.example.com",
    sub: "user",
    clientId: "4326385670",
    scopes: ["read", "write"],
    audience: ["https://api.example.com"],
    exp: 1_640_419_200,
    iat: 1_640_415_600,
    nbf: 1_640_415_600,
    tokenType: "Bearer",
    x5tS256,
    claims: full,
  });
});

const accepted: Record<string, [change: object, expected: object]> = {
  "no scope": [{ scope: undefined }, { scopes: [] }],
  "the scope null that Authlete prints": [{ scope: null }, { scopes: [] }],
  "an empty scope": [{ scope: "" }, { scopes: [] }],
  "blanks around scopes": [{ scope: " read  write " }, { scopes: ["read", "write"] }],
  "one audience as text": [{ aud: "https://api.example.com" }, { audience: ["https://api.example.com"] }],
  "no audience": [{ aud: undefined }, { audience: [] }],
  "an empty audience": [{ aud: [] }, { audience: [] }],
  "no expiry": [{ exp: undefined }, { exp: undefined }],
  "an expiry of 0": [{ exp: 0 }, { exp: 0 }],
  "the last second of 5138": [{ exp: 100_000_000_000 }, { exp: 100_000_000_000 }],
  "no subject": [{ sub: undefined }, { sub: undefined }],
};
for (const [what, [change, expected]] of Object.entries(accepted)) {
  test(`read: ${what}`, (t) => {
    t.like(readAccepted({ ...full, ...change }).facts, expected);
  });
}

for (const inactive of [
  { active: false },
  { active: false, exp: "never", cnf: 1 },
  { active: true, token_use: "refresh_token", exp: 1_900_000_000 },
]) {
  test(`a token that is not active, whatever else is said: ${JSON.stringify(inactive)}`, (t) => {
    t.deepEqual(readIntrospection(inactive).facts, { active: false, cause: "unknown" });
  });
}

const malformed: Record<string, unknown> = {
  nothing: undefined,
  null: null,
  "an array": [full],
  "a text": "active",
  "no active": { ...full, active: undefined },
  'active as "true"': { ...full, active: "true" },
  "active as 1": { ...full, active: 1 },
  "active as null": { ...full, active: null },
  "exp in milliseconds": { ...full, exp: 1_640_419_200_000 },
  "exp just beyond a second's size": { ...full, exp: 100_000_000_001 },
  "exp as text": { ...full, exp: "1640419200" },
  "exp as a fraction": { ...full, exp: 1_640_419_200.5 },
  "exp as null": { ...full, exp: null },
  "exp above 2^53": { ...full, exp: 2 ** 53 },
  "iat as text": { ...full, iat: "1640419200" },
  "nbf in milliseconds": { ...full, nbf: 1_640_419_200_000 },
  "scope as an array": { ...full, scope: ["read"] },
  "scope as a number": { ...full, scope: 1 },
  "sub as a number": { ...full, sub: 1 },
  "sub as null": { ...full, sub: null },
  "client_id as a number": { ...full, client_id: 4_326_385_670 },
  "token_type as an object": { ...full, token_type: {} },
  "aud as a number": { ...full, aud: 1 },
  "aud with a number": { ...full, aud: ["https://api.example.com", 1] },
  "aud as null": { ...full, aud: null },
  "aud as an object": { ...full, aud: {} },
};
for (const [what, answer] of Object.entries(malformed)) {
  test(`malformed: ${what}`, (t) => {
    const error = t.throws(() => readIntrospection(answer), { instanceOf: IntrospectionMalformed });
    t.false(/1640419200|4326385670|api\.example/.test(error.message));
  });
}

const badConfirmations: Record<string, unknown> = {
  "{}": {},
  null: null,
  "an empty thumbprint": { "x5t#S256": "" },
  "an unknown member only": { "x5t#S512": x5tS256 },
  "a known binding that is not checked": { jkt: x5tS256 },
  "a misspelt member": { "x5t#SHA256": x5tS256 },
  "a right and a misspelt member": { "x5t#S256": x5tS256, "x5t#s256": x5tS256 },
  "a number": { "x5t#S256": 1 },
  "an array": [{ "x5t#S256": x5tS256 }],
  "a padded thumbprint": { "x5t#S256": `${x5tS256}=` },
  hexadecimal: { "x5t#S256": Buffer.from(x5tS256, "base64url").toString("hex") },
  "a text": x5tS256,
};
for (const [what, cnf] of Object.entries(badConfirmations)) {
  for (const binding of ["required", "if-bound"] as const) {
    test(`8705-3.2-b: a cnf that is ${what} opens nothing (binding ${binding})`, (t) => {
      const { facts } = readIntrospection({ ...full, cnf });
      const now = 1_640_416_000_000;
      for (const certificate of [{ x5tS256 }, undefined]) {
        t.like(decideAccess(facts, { binding }, certificate, now), { granted: false });
      }
    });
  }
}

test("responseContent is read as text and as the object itself, which stays as it was", (t) => {
  const responseContent = { ...full };
  const fromObject = readStandardAnswer({ action: "OK", responseContent });
  t.deepEqual(fromObject, readStandardAnswer({ action: "OK", responseContent: JSON.stringify(full) }));
  t.false(Object.isFrozen(responseContent));
});

for (const responseContent of [undefined, "", "{", "[]", "null", "true", '"active"']) {
  test(`responseContent that is no JSON object is malformed: ${String(responseContent)}`, (t) => {
    t.throws(() => readStandardAnswer({ action: "OK", responseContent }), { instanceOf: IntrospectionMalformed });
  });
}

for (const action of ["INTERNAL_SERVER_ERROR", "BAD_REQUEST", "JWT", ""]) {
  test(`the action "${action}" is no answer about a token`, (t) => {
    const answer = { action, resultCode: "A145301", responseContent: '{"active":true}' };
    t.throws(() => readStandardAnswer(answer), { instanceOf: IntrospectionUnavailable });
  });
}

test("everything that is handed out is frozen, however deep", (t) => {
  const deep = JSON.parse(`${'{"a":['.repeat(1000)}1${"]}".repeat(1000)}`) as unknown;
  const { accessToken } = readAccepted({ ...full, deep });
  for (let at: unknown = accessToken.claims["deep"]; typeof at === "object" && at !== null; at = Object.values(at)[0]) {
    if (!Object.isFrozen(at)) t.fail();
  }
  for (const part of [
    accessToken,
    accessToken.scopes,
    accessToken.audience,
    accessToken.claims,
    accessToken.claims["cnf"],
  ]) {
    t.true(Object.isFrozen(part));
  }
  t.throws(() => (accessToken.scopes as string[]).push("admin"), { instanceOf: TypeError });
});

function readAccepted(answer: unknown) {
  const record = readIntrospection(answer);
  if (!("accessToken" in record)) throw new Error("not active");
  return record;
}
