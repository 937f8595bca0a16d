import type { SigningAlgorithm } from "../../../../src/oauth/registered-names.ts";
import test, { type ExecutionContext } from "ava";
import type { ServiceSettings } from "../../../../src/backend/engine/settings/settings.ts";
import { createSelfSigned } from "../../../support/certificates.ts";
import { createEngineByHand, startEngine, startInstant } from "../../../support/engine.ts";
import { clientSettings, secretOf, serviceSettings } from "../../../support/settings.ts";
import { createServiceKey, serviceJwks, verifyJwt, type ServiceKey } from "../../../support/signing-keys.ts";
import { issueToUser } from "../user-tokens.ts";

const k1 = createSelfSigned({ subject: "CN=client-1" });
const ec = createServiceKey("P256", "ec");
const rsa = createServiceKey("RSA", "rsa");
const resource = "https://api.example.com";
const inJwts: Partial<ServiceSettings> = {
  jwks: serviceJwks([ec]),
  accessTokenSignAlg: "ES256",
  supportedScopes: [{ name: "read" }, { name: "openid" }],
  defaultResources: [resource],
};
const now = Math.floor(startInstant / 1000);

/** An engine whose service has JWT access tokens, with client 1. */
function createJwtEngine(t: ExecutionContext, service: Partial<ServiceSettings> = {}) {
  const clients = [clientSettings({ clientId: 1, clientIdAlias: "client-one", extension: {} })];
  return createEngineByHand(t, [{ settings: serviceSettings({ ...inJwts, ...service }), clients }]);
}

test("9068-2.1-a: whatever the service signs by, it signs, and RS256 is among it", async (t) => {
  const keys: readonly (readonly [SigningAlgorithm, ServiceKey])[] = [
    ...(["RS256", "RS384", "RS512", "PS256", "PS384", "PS512"] as const).map((alg) => [alg, rsa] as const),
    ["ES256", ec],
    ["ES384", createServiceKey("P384", "p384")],
    ["ES512", createServiceKey("P521", "p521")],
    ["EdDSA", createServiceKey("Ed25519", "ed")],
  ];
  for (const [alg, key] of keys) {
    const { issue } = await startEngine(t, { ...inJwts, jwks: serviceJwks([key]), accessTokenSignAlg: alg });
    const { jwtAccessToken = "" } = await issue("&scope=read");
    const { header } = await verifyJwt(jwtAccessToken, key);
    t.deepEqual(header, { alg, typ: "at+jwt", kid: key.kid });
  }
});

test("9068-2.1-b: the header says at+jwt, and a key without a name is not named", async (t) => {
  const unnamed = createServiceKey("P256");
  const { issue } = await startEngine(t, { ...inJwts, jwks: serviceJwks([unnamed]) });
  const { jwtAccessToken = "" } = await issue();
  t.deepEqual((await verifyJwt(jwtAccessToken, unnamed)).header, { alg: "ES256", typ: "at+jwt" });
});

test("the client gets the JWT, the API caller both it and the identifier that it carries", async (t) => {
  const { issue } = await startEngine(t, inJwts);
  const { accessToken, jwtAccessToken = "", responseContent = "" } = await issue("&scope=read");
  t.is((JSON.parse(responseContent) as { access_token: string }).access_token, jwtAccessToken);
  t.regex(accessToken ?? "", /^[\w-]{43}$/);
  t.is((await verifyJwt(jwtAccessToken, ec)).payload["jti"], accessToken);
  t.is((await (await startEngine(t)).issue()).jwtAccessToken, undefined);
});

test("9068-6: a token has the members that are listed here, in this order, and no others", async (t) => {
  const { issue } = await startEngine(t, inJwts, [clientSettings({ clientId: 1 })]);
  const { accessToken, jwtAccessToken = "" } = await issue("&scope=read", {
    clientCertificate: k1.pem,
    properties: [
      { key: "tenant", value: "acme" },
      { key: "secret", value: "hush", hidden: true },
    ],
  });
  const { text } = await verifyJwt(jwtAccessToken, ec);
  t.is(
    text,
    `{"iss":"https://as.example.com","sub":"1","aud":"${resource}","exp":${now + 3600},"iat":${now},` +
      `"jti":"${accessToken}","client_id":"1","scope":"read","cnf":{"x5t#S256":"${k1.x5tS256}"}}`,
  );
  const byHand = await createJwtEngine(t);
  const properties = [{ key: "tenant", value: "acme" }];
  const details = { authTime: now - 5, acr: "loa-2", properties, idToken: { nonce: "n", claims: { email: "e@x" } } };
  const answer = await issueToUser(byHand, { details });
  t.is(
    (await verifyJwt(answer.jwtAccessToken ?? "", ec)).text,
    `{"iss":"https://as.example.com","sub":"user-1","aud":"https://as.example.com","exp":${now + 3600},"iat":${now},` +
      `"jti":"${answer.accessToken}","client_id":"1","scope":"openid","auth_time":${now - 5},"acr":"loa-2"}`,
  );
});

test("9068-2.2.3: scope has the granted scopes, with blanks between, and is absent without any", async (t) => {
  const { issue } = await startEngine(t, { ...inJwts, supportedScopes: [{ name: "read" }, { name: "write" }] });
  const scopeOf = async (parameters: string) => {
    const { jwtAccessToken = "", responseContent = "" } = await issue(parameters);
    const granted = (JSON.parse(responseContent) as { scope?: string }).scope;
    const { payload } = await verifyJwt(jwtAccessToken, ec);
    t.is(payload["scope"], granted);
    return Object.hasOwn(payload, "scope") ? payload["scope"] : "left out";
  };
  t.is(await scopeOf("&scope=read+write"), "read write");
  t.is(await scopeOf("&scope=write+unknown"), "write");
  t.is(await scopeOf(""), "left out");
});

test("the audience is the requested resource, else the service's own, else the service; many are an array", async (t) => {
  const audienceOf = async (service: Partial<ServiceSettings>, parameters = "") => {
    const { issue } = await startEngine(t, { ...inJwts, ...service });
    const { jwtAccessToken = "" } = await issue(parameters);
    return (await verifyJwt(jwtAccessToken, ec)).payload["aud"];
  };
  t.is(await audienceOf({}), resource);
  t.is(await audienceOf({}, "&resource=https://other.example.com/"), "https://other.example.com/");
  t.deepEqual(await audienceOf({}, `&resource=${resource}&resource=https://b.example/`), [
    resource,
    "https://b.example/",
  ]);
  t.is(await audienceOf({ defaultResources: [] }), "https://as.example.com");
  t.deepEqual(await audienceOf({ defaultResources: [resource, "https://b.example/"] }), [
    resource,
    "https://b.example/",
  ]);
});

test("8705-3.1-a: a bound token has cnf with exactly x5t#S256, an unbound one has no cnf", async (t) => {
  const { issue } = await startEngine(t, inJwts, [
    clientSettings({ clientId: 1 }),
    clientSettings({ clientId: 2, tlsClientCertificateBoundAccessTokens: false }),
  ]);
  const bound = await issue("", { clientCertificate: k1.pem });
  const { payload, text } = await verifyJwt(bound.jwtAccessToken ?? "", ec);
  t.deepEqual(payload["cnf"], { "x5t#S256": k1.x5tS256 });
  t.deepEqual(text.match(/"x5t[^"]*"/g), ['"x5t#S256"']);
  const unbound = await issue("", { clientId: "2", clientSecret: secretOf(2), clientCertificate: k1.pem });
  t.false("cnf" in (await verifyJwt(unbound.jwtAccessToken ?? "", ec)).payload);
});

test("a client named by its alias is named so throughout", async (t) => {
  const byHand = await createJwtEngine(t);
  const alone = await issueToUser(byHand, { subject: undefined, scopes: [], clientIdAliasUsed: true });
  t.like((await verifyJwt(alone.jwtAccessToken ?? "", ec)).payload, { sub: "client-one", client_id: "client-one" });
  const ofUser = await issueToUser(byHand, { clientIdAliasUsed: true });
  t.like((await verifyJwt(ofUser.jwtAccessToken ?? "", ec)).payload, { sub: "user-1", client_id: "client-one" });
});

test("the caller's claims are added to the token's own, never replace them, and are never null", async (t) => {
  const byHand = await createJwtEngine(t);
  const names = `iss sub aud exp nbf iat jti client_id scope cnf auth_time acr amr act may_act active token_type
    token_introspection authorization_details username events`;
  const dangerous = Object.fromEntries(names.split(/\s+/).map((name) => [name, "theirs"]));
  const jwtAtClaims = { ...dangerous, tenant: "acme", roles: ["a", { b: null }], empty: null, zero: 0, no: false };
  const plain = await issueToUser(byHand, { subject: undefined, scopes: [], details: {} });
  const answer = await issueToUser(byHand, { subject: undefined, scopes: [], details: { jwtAtClaims } });
  const { payload } = await verifyJwt(answer.jwtAccessToken ?? "", ec);
  const { payload: without } = await verifyJwt(plain.jwtAccessToken ?? "", ec);
  t.deepEqual(payload, {
    ...without,
    jti: answer.accessToken,
    tenant: "acme",
    roles: ["a", { b: null }],
    zero: 0,
    no: false,
  });
});

test("a service that has lost its key is a fault: no token is issued or kept", async (t) => {
  const { issue } = await startEngine(t, { ...inJwts, jwks: serviceJwks([rsa]) });
  await t.throwsAsync(issue(), { name: "SigningKeyUnusable" });
});
