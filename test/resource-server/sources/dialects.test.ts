import test from "ava";
import { decideAccess } from "../../../src/oauth/access-token-decision.ts";
import { IntrospectionMalformed } from "../../../src/resource-server/refusal/introspection-unavailable.ts";
import { type DialectName, readDialect, type Tolerances } from "../../../src/resource-server/sources/dialects.ts";
import { readIntrospection } from "../../../src/resource-server/sources/introspection-answer.ts";

const x5tS256 = "A4DtL2JmUMhAsvJj5tKyn64SqzmuXbMrJa0n761y5v0";
const other = "OID_Sc2yReTDx9QS7f1SMUzNxsh7khJYmaIwqXw8Yuw";
const full = { active: true, scope: "read", exp: 1_900_000_000, token_type: "Bearer", cnf: { "x5t#S256": x5tS256 } };
const now = 1_800_000_000_000;

type Dialect = DialectName | Partial<Tolerances>;

const read = (change: object, dialect?: Dialect) => readIntrospection({ ...full, ...change }, readDialect(dialect));

function readActive(change: object, dialect?: Dialect) {
  const record = read(change, dialect);
  if (!("accessToken" in record)) throw new Error("not active");
  return record;
}

/** Whether the token opens a route with its certificate, with another, and with none where an unbound one would do. */
function opens(change: object, dialect?: Dialect) {
  const { facts } = readActive(change, dialect);
  const holds = (certificate: { x5tS256: string } | undefined): boolean =>
    decideAccess(facts, { binding: "if-bound" }, certificate, now).granted;
  return { right: holds({ x5tS256 }), other: holds({ x5tS256: other }), none: holds(undefined) };
}
const boundOnly = { right: true, other: false, none: false };
const nothing = { right: false, other: false, none: false };

// Read by every endpoint, whatever the dialect.
const always: Record<string, [change: object, facts: object]> = {
  "scope as text": [{ scope: "read write" }, { scopes: ["read", "write"] }],
  "scope null": [{ scope: null }, { scopes: [] }],
  "no scope": [{ scope: undefined }, { scopes: [] }],
  "instants that are whole": [
    { exp: 1_900_000_000, nbf: 0 },
    { exp: 1_900_000_000, nbf: 0 },
  ],
  "instants with a fraction, which only shortens the life": [
    { exp: 1_900_000_000.9, nbf: 1.5 },
    { exp: 1_900_000_000, nbf: 2 },
  ],
  "aud as text": [{ aud: "https://api.example" }, { audience: ["https://api.example"] }],
  "aud as an array": [{ aud: ["a", "b"] }, { audience: ["a", "b"] }],
  "an empty aud": [{ aud: [] }, { audience: [] }],
  "cnf with members that are no binding": [
    { cnf: { "x5t#S256": x5tS256, note: 1 } },
    { confirmation: { kind: "certificate", x5tS256 } },
  ],
  "a padded thumbprint": [{ cnf: { "x5t#S256": `${x5tS256}=` } }, { confirmation: { kind: "certificate", x5tS256 } }],
};
for (const [what, [change, facts]] of Object.entries(always)) {
  test(`read without any option: ${what}`, (t) => {
    t.like(readActive(change).facts, facts);
  });
}

const optIn: Record<string, [change: object, option: keyof Tolerances, facts: object]> = {
  'active as "true"': [{ active: "true" }, "activeAsString", { active: true }],
  'active as "false"': [{ active: "false" }, "activeAsString", { active: false }],
  "scope as an array": [{ scope: ["read", "write"] }, "scopeAsArray", { scopes: ["read", "write"] }],
  "exp as text": [{ exp: "1900000000" }, "numericStrings", { exp: 1_900_000_000 }],
  "nbf as text": [{ nbf: "1" }, "numericStrings", { nbf: 1 }],
};
for (const [what, [change, option, facts]] of Object.entries(optIn)) {
  test(`${what}: refused with a message that names the option, read with it`, (t) => {
    t.throws(() => read(change), { instanceOf: IntrospectionMalformed, message: new RegExp(`dialect: .*${option}`) });
    t.like(read(change, { [option]: true }).facts, facts);
  });
}

const never: Record<string, [change: object, message: RegExp]> = {
  "active as 1": [{ active: 1 }, /active/],
  'active as "yes"': [{ active: "yes" }, /active/],
  'active as "TRUE"': [{ active: "TRUE" }, /active/],
  "active null": [{ active: null }, /active/],
  "no active": [{ active: undefined }, /active/],
  "exp in milliseconds": [{ exp: 1_900_000_000_000 }, /exp looks like milliseconds/],
  "exp in milliseconds as text": [{ exp: "1900000000000" }, /exp looks like milliseconds|numericStrings/],
  "exp as 1e400": [{ exp: Number.POSITIVE_INFINITY }, /exp/],
  "exp as hexadecimal text": [{ exp: "0x71" }, /exp/],
  "exp as text with a blank": [{ exp: " 1900000000" }, /exp/],
  "exp as empty text": [{ exp: "" }, /exp/],
  "exp null": [{ exp: null }, /exp/],
  "exp above 2^53": [{ exp: 2 ** 53 }, /exp/],
  "scope as an array with a number": [{ scope: ["read", 1] }, /scope/],
  "scope as an array with a blank in it": [{ scope: ["read write"] }, /scope/],
  "scope as an object": [{ scope: {} }, /scope/],
  "aud as an object": [{ aud: {} }, /aud/],
};
const everything: Partial<Tolerances> = {
  activeAsString: true,
  scopeAsArray: true,
  numericStrings: true,
  x5tSHA256: true,
  bindingInScope: true,
};
for (const [what, [change, message]] of Object.entries(never)) {
  test(`refused whatever is tolerated: ${what}`, (t) => {
    for (const dialect of [undefined, everything]) {
      t.throws(() => read(change, dialect), { instanceOf: IntrospectionMalformed, message });
    }
  });
}

const hex = Buffer.from(x5tS256, "base64url").toString("hex");
const brokenConfirmations: Record<string, unknown> = {
  "{}": {},
  null: null,
  false: false,
  "an array": [{ "x5t#S256": x5tS256 }],
  text: x5tS256,
  "an empty thumbprint": { "x5t#S256": "" },
  "a thumbprint that is a number": { "x5t#S256": 1 },
  "a thumbprint in an array": { "x5t#S256": [x5tS256] },
  "only members that are no binding": { note: 1 },
  hexadecimal: { "x5t#S256": hex },
  "hexadecimal with colons": { "x5t#S256": hex.replaceAll(/..(?=.)/g, "$&:") },
  "small letters": { "x5t#S256": x5tS256.toLowerCase() },
  "the other alphabet": { "x5t#S256": other.replaceAll("_", "/") },
  "padded twice": { "x5t#S256": `${x5tS256}==` },
  "padded before": { "x5t#S256": `=${x5tS256}` },
  "a line break": { "x5t#S256": `${x5tS256}\n` },
  "one character short": { "x5t#S256": x5tS256.slice(1) },
  jwk: { jwk: { kty: "EC" } },
  jwe: { jwe: "eyJ" },
  jku: { jku: "https://as.example/jwks" },
  kid: { kid: "1" },
  jkt: { jkt: x5tS256 },
  "a jwk beside a right thumbprint": { "x5t#S256": x5tS256, jwk: {} },
  "x5t#s256": { "x5t#s256": x5tS256 },
  "X5T#S256": { "X5T#S256": x5tS256 },
  x5t: { x5t: x5tS256 },
  "x5t#S512": { "x5t#S512": x5tS256 },
  "a misspelt thumbprint beside a right one": { "x5t#S256": x5tS256, "x5t#sha256": x5tS256 },
};
for (const [what, cnf] of Object.entries(brokenConfirmations)) {
  test(`a cnf that opens nothing, and never counts as unbound: ${what}`, (t) => {
    for (const dialect of [undefined, "wso2", everything] as const) t.deepEqual(opens({ cnf }, dialect), nothing);
  });
}

// WSO2.

test('x5t#SHA256 is refused by default with a message that names dialect: "wso2", and read with it', (t) => {
  const cnf = { "x5t#SHA256": x5tS256 };
  t.deepEqual(opens({ cnf }), nothing);
  t.regex(readActive({ cnf }).remark ?? "", /dialect: "wso2"/);
  t.deepEqual(opens({ cnf }, "wso2"), boundOnly);
  t.is(readActive({ cnf }, "wso2").accessToken.x5tS256, x5tS256);
  t.is(readActive({ cnf }, "wso2").remark, undefined);
});

test("a scope that carries the binding never counts as unbound; wso2 reads it and it is no scope any more", (t) => {
  const change = { cnf: undefined, scope: `openid x5t#SHA256:${x5tS256} read` };
  t.deepEqual(opens(change), nothing);
  t.regex(readActive(change).remark ?? "", /dialect: "wso2"/);
  t.deepEqual(opens(change, "wso2"), boundOnly);
  t.deepEqual(readActive(change, "wso2").facts.scopes, ["openid", "read"]);
  t.deepEqual(readActive(change, "wso2").accessToken.scopes, ["openid", "read"]);
});

test("wso2: cnf and scope together must agree, under either name", (t) => {
  const scope = `read x5t#SHA256:${x5tS256}`;
  for (const name of ["x5t#SHA256", "x5t#S256"]) {
    t.deepEqual(opens({ cnf: { [name]: x5tS256 }, scope }, "wso2"), boundOnly, name);
    t.deepEqual(opens({ cnf: { [name]: other }, scope }, "wso2"), nothing, name);
  }
  t.deepEqual(opens({ cnf: { "x5t#S256": x5tS256, "x5t#SHA256": x5tS256 } }, "wso2"), boundOnly);
  t.deepEqual(opens({ cnf: { "x5t#S256": x5tS256, "x5t#SHA256": other } }, "wso2"), nothing);
  t.deepEqual(opens({ cnf: {}, scope }, "wso2"), nothing);
  t.deepEqual(opens({ cnf: { jkt: x5tS256 }, scope }, "wso2"), nothing);
});

for (const scope of [
  `x5t#SHA256:${x5tS256} x5t#SHA256:${other}`,
  "x5t#SHA256:",
  `x5t#SHA256:${hex}`,
  `x5t#sha256:${x5tS256}`,
  `X5T#SHA1:${x5tS256}`,
  `x5t:${x5tS256}`,
  `x5t#SHA256=${x5tS256}`,
  `x5t%23SHA256:${x5tS256}`,
  "x5t#SHA256",
  `openid,x5t#SHA256:${x5tS256}`,
  `openid\tx5t#SHA256:${x5tS256}`,
  `openid\nx5t#SHA256:${x5tS256}`,
  `openid\u00a0x5t#SHA256:${x5tS256}`,
]) {
  test(`a scope with an unsupported binding rejects: ${JSON.stringify(scope)}`, (t) => {
    for (const dialect of [undefined, "wso2"] as const) t.deepEqual(opens({ cnf: undefined, scope }, dialect), nothing);
  });
}

test("a scope that only has these letters in it is a scope", (t) => {
  t.deepEqual(readActive({ scope: "max5total prefix5t x5team" }).facts.confirmation, { kind: "certificate", x5tS256 });
});

test("a binding in an element of a scope array refuses, whatever sets it off", (t) => {
  for (const scope of [[`x5t#SHA256:${x5tS256}`], [`read\tx5t#SHA256:${x5tS256}`], [`read,x5t#SHA256:${x5tS256}`]]) {
    t.deepEqual(opens({ cnf: undefined, scope }, "spring"), nothing);
  }
});

for (const token_type of ["DPoP", "dpop", "PoP", "mac", "MAC"]) {
  test(`a token of the type ${token_type} is no Bearer token, bound to a certificate or not`, (t) => {
    for (const dialect of [undefined, "wso2"] as const) {
      t.deepEqual(opens({ token_type, cnf: undefined }, dialect), nothing);
      t.deepEqual(opens({ token_type }, dialect), nothing);
    }
    t.regex(readActive({ token_type }).remark ?? "", /^token_type says that the token is bound/);
  });
}

test("binding_type without the binding never counts as unbound, and is no matter beside it", (t) => {
  for (const binding_type of ["certificate", "Certificate", "DPoP"]) {
    for (const dialect of [undefined, "wso2"] as const) {
      t.deepEqual(opens({ cnf: undefined, binding_type, binding_ref: "1" }, dialect), nothing);
    }
  }
  t.deepEqual(opens({ binding_type: "certificate", binding_ref: "1" }, "wso2"), boundOnly);
  t.deepEqual(opens({ cnf: undefined, binding_type: "cookie" }), { right: true, other: true, none: true });
});

test("without wso2, a scope that carries another binding than cnf refuses", (t) => {
  t.deepEqual(opens({ scope: `read x5t#SHA256:${x5tS256}` }), boundOnly);
  t.deepEqual(opens({ scope: `read x5t#SHA256:${other}` }), nothing);
});

test("wso2: the answers in its documentation are read, the tenant in the username unchanged", (t) => {
  const answer = {
    nbf: 1_584_956_834,
    scope: "openid",
    active: true,
    cnf: { "x5t#SHA256": "mt3KDY1hofQurloTbphKHCSrTlAGl5MlgXX6Xxj9c_E" },
    token_type: "Bearer",
    exp: 1_900_000_000,
    iat: 1_584_956_834,
    client_id: "rgfKVdnMQnJSSr_pKFTxj3apiwYa",
    username: "admin@foo.com@carbon.super",
    aut: "APPLICATION_USER",
  };
  const record = readIntrospection(answer, readDialect("wso2"));
  t.like(record, {
    accessToken: { x5tS256: "mt3KDY1hofQurloTbphKHCSrTlAGl5MlgXX6Xxj9c_E", claims: { username: answer.username } },
  });
});

// The others.

test("authlete: scope null and a decimal client_id", (t) => {
  const { accessToken } = readActive({ scope: null, client_id: "4326385670" }, "authlete");
  t.like(accessToken, { scopes: [], clientId: "4326385670" });
});

test("hydra: an empty aud, ext, instants of 0, no cnf", (t) => {
  const { facts } = readActive({ cnf: undefined, aud: [], ext: { a: 1 }, nbf: 0, token_use: "access_token" }, "hydra");
  t.like(facts, { audience: [], nbf: 0, confirmation: { kind: "none" } });
  t.false(read({ token_use: "refresh_token" }, "hydra").facts.active);
});

test("an expiry of 0 is long ago, not never", (t) => {
  t.deepEqual(opens({ exp: 0 }, "hydra"), nothing);
});

test("keycloak: its other tokens are no access tokens, more members in cnf are no matter", (t) => {
  for (const typ of ["Refresh", "Offline", "ID"]) t.false(read({ typ }, "keycloak").facts.active, typ);
  t.deepEqual(opens({ typ: "Bearer", cnf: { "x5t#S256": x5tS256, more: {} }, jwt: "eyJ" }, "keycloak"), boundOnly);
});

test("oidc-provider: a token without token_type is a refresh token", (t) => {
  t.false(read({ token_type: undefined }, "oidc-provider").facts.active);
  t.true(read({ scope: undefined }, "oidc-provider").facts.active);
});

test("spring: active and instants as text", (t) => {
  t.like(readActive({ active: "true", exp: "1900000000" }, "spring").facts, { exp: 1_900_000_000 });
});

test("identityserver4: scope as an array", (t) => {
  t.deepEqual(readActive({ scope: ["read"] }, "identityserver4").facts.scopes, ["read"]);
});

test("pingam: a proof-of-possession key in cnf is a binding that is not checked", (t) => {
  t.deepEqual(opens({ cnf: { jwk: { kty: "EC" } } }, "pingam"), nothing);
});

for (const [what, dialect, message] of [
  ["another name", "WSO2", /^dialect must be one of .*wso2/],
  ["a name of every object", "constructor", /^dialect /],
  ["an unknown tolerance", { x5tsha256: true }, /^dialect\.x5tsha256 is not an option/],
  ["a tolerance that is text", { x5tSHA256: "yes" }, /^dialect\.x5tSHA256 must be/],
  ["null", null, /^dialect /],
  ["an array", ["wso2"], /^dialect\.0 /],
] as const) {
  test(`the option is refused: ${what}`, (t) => {
    const error = t.throws(() => readDialect(dialect as never), { instanceOf: TypeError, message });
    t.like(error, { code: "ERR_INVALID_OPTION" });
  });
}

test("the result is frozen in every dialect", (t) => {
  for (const dialect of ["rfc7662", "wso2"] as const) {
    const record = readActive({ scope: `read x5t#SHA256:${x5tS256}` }, dialect);
    for (const part of [record, record.facts, record.facts.scopes, record.facts.confirmation, record.accessToken]) {
      t.true(Object.isFrozen(part));
    }
  }
});
