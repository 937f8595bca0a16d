import test, { type ExecutionContext } from "ava";
import type { ServiceSettings } from "../../src/backend/engine/settings/settings.ts";
import { tokenDigestText } from "../../src/oauth/token-digest.ts";
import { jwtAccessTokens, type JwtAccessTokensOptions } from "../../src/resource-server/index.ts";
import { accessTokenOf } from "../support/deployment.ts";
import { createEngineByHand } from "../support/engine.ts";
import { assertErrorForm } from "../support/error-form.ts";
import { authorization, startGrants, tokensOf } from "./grants-deployment.ts";
import { grantsClient, k1, k2, supportedGrantTypes } from "../support/grants.ts";
import { clientSettings, secretOf, serviceSettings } from "../support/settings.ts";
import { startServedApi } from "./served-api.ts";
import { createServiceKey, serviceJwks, verifyJwt, type ServiceKey } from "../support/signing-keys.ts";

const key = createServiceKey("P256", "key-1");
const issuer = "https://as.example.com";
const resource = "https://api.example.com";
const otherResource = "https://other.example.com";

/** A deployment whose access tokens are JWTs for {@link resource}. */
function startJwts(t: ExecutionContext, service: Partial<ServiceSettings> = {}, ...rest: Rest) {
  const inJwts = { jwks: serviceJwks([key]), accessTokenSignAlg: "ES256", defaultResources: [resource] } as const;
  return startGrants(t, { ...inJwts, ...service }, ...rest);
}
type Rest = Parameters<typeof startGrants> extends [unknown, unknown?, ...infer More] ? More : never;

/** Checks tokens with the keys that the service publishes, and with nothing else. */
function locally(keys: readonly ServiceKey[] = [key], more: Partial<JwtAccessTokensOptions> = {}) {
  const jwks = { keys: keys.map(({ publicJwk }) => publicJwk) };
  return jwtAccessTokens({ issuer, audience: resource, jwks, ...more });
}

const payloadOf = async (token: string): Promise<Readonly<Record<string, unknown>>> =>
  (await verifyJwt(token, key)).payload;

const askedFor = { grant_type: "client_credentials", scope: "read" } as const;

test("9068-2.2-a, 9068-2.2-b: every grant's tokens have iss, exp, aud, sub, client_id, iat and jti", async (t) => {
  const grantTypes = [...supportedGrantTypes, "PASSWORD"] as const;
  const client = grantsClient({ clientId: 1, grantTypes });
  const { token, begin, code, exchange, refresh, api } = await startJwts(t, { supportedGrantTypes: grantTypes }, [
    client,
  ]);
  const ofCode = await begin({ scopes: ["read"] });
  const refreshed = accessTokenOf(t, await refresh(ofCode.refreshToken));
  const own = accessTokenOf(t, await token(askedFor, k1, { authorization }));
  const form = "grant_type=password&username=user-1&password=secret&scope=read";
  const asked = await api.authToken({
    parameters: form,
    clientId: "1",
    clientSecret: client.clientSecret,
    clientCertificate: k1.pem,
  });
  t.is(asked.action, "PASSWORD");
  const ofPassword = await api.authTokenIssue({ ticket: asked.ticket, subject: "user-1" });
  const withoutScopes = accessTokenOf(t, await exchange((await code({ scopes: [], resources: [resource] })).code));
  const seen = new Set<unknown>();
  for (const [jwt, sub] of [
    [ofCode.accessToken, "user-1"],
    [refreshed, "user-1"],
    [ofPassword.jwtAccessToken ?? "", "user-1"],
    [withoutScopes, "user-1"],
    [own, "1"],
  ] as const) {
    const payload = await payloadOf(jwt);
    t.like(payload, { iss: issuer, sub, client_id: "1", cnf: { "x5t#S256": k1.x5tS256 } });
    t.is(Number(payload["exp"]) - Number(payload["iat"]), 3600);
    t.is(typeof payload["aud"], "string");
    seen.add(payload["jti"]);
    t.false(Object.values(payload).includes(null));
    t.is("scope" in payload, jwt !== withoutScopes);
  }
  t.is(seen.size, 5);
  // No user has the name of a client: the two cannot be taken for one another (RFC 9700 §4.15).
  const posing = await api.authToken({
    parameters: form,
    clientId: "1",
    clientSecret: client.clientSecret,
    clientCertificate: k1.pem,
  });
  t.not((await api.authTokenIssue({ ticket: posing.ticket, subject: "1" })).action, "OK");
});

test("9068-3: aud is the requested resource or the service's own; unknown ones, and several with scopes, fail", async (t) => {
  const { token, code, exchange, refresh } = await startJwts(t, { supportedResources: [resource, otherResource] });
  const ask = (parameters: string) =>
    token(Object.fromEntries(new URLSearchParams(`grant_type=client_credentials&${parameters}`)), k1, {
      authorization,
    });
  t.is((await payloadOf(accessTokenOf(t, await ask("scope=read"))))["aud"], resource);
  t.is((await payloadOf(accessTokenOf(t, await ask(`scope=read&resource=${otherResource}`))))["aud"], otherResource);
  assertErrorForm(t, await ask("resource=https://unknown.example"), "invalid_target", [400]);

  const { code: several } = await code({ scopes: ["read"], resources: [resource, otherResource] });
  assertErrorForm(t, await exchange(several), "invalid_target", [400]);
  const named = tokensOf(t, await exchange(several, { resource: otherResource }));
  t.is((await payloadOf(named.accessToken))["aud"], otherResource);
  assertErrorForm(t, await refresh(named.refreshToken), "invalid_target", [400]);
  const again = await payloadOf(accessTokenOf(t, await refresh(named.refreshToken, { resource })));
  t.is(again["aud"], resource);

  const { code: withoutScopes } = await code({ scopes: [], resources: [resource, otherResource] });
  t.deepEqual((await payloadOf(accessTokenOf(t, await exchange(withoutScopes))))["aud"], [resource, otherResource]);
});

test("two resources at once, with a scope: A251310, however the token is asked for", async (t) => {
  const { api } = await startJwts(t);
  const answer = await api.authToken({
    parameters: `grant_type=client_credentials&scope=read&resource=${resource}&resource=${otherResource}`,
    clientId: "1",
    clientSecret: grantsClient({ clientId: 1 }).clientSecret,
    clientCertificate: k1.pem,
  });
  t.is(answer.resultCode, "A251310");
  t.is(answer.action, "BAD_REQUEST");
});

test("9068-5: a token for one resource does not open another, nor does an ID token", async (t) => {
  const { token, code, exchange } = await startJwts(t, {}, [grantsClient({ clientId: 1, idTokenSignAlg: "ES256" })]);
  const here = await startServedApi(t, locally());
  const there = await startServedApi(t, locally([key], { audience: otherResource }));
  const forHere = accessTokenOf(t, await token({ ...askedFor, resource }, k1, { authorization }));
  const forThere = accessTokenOf(t, await token({ ...askedFor, resource: otherResource }, k1, { authorization }));
  t.is((await here.call(forHere, k1)).status, 200);
  t.is((await there.call(forThere, k1)).status, 200);
  t.is((await here.call(forThere, k1)).status, 401);
  t.is((await there.call(forHere, k1)).status, 401);
  const { code: withUser } = await code({ scopes: ["read", "openid"], resources: [resource] });
  const { access_token, id_token } = JSON.parse((await exchange(withUser)).body) as Record<string, string>;
  t.is((await here.call(access_token ?? "", k1)).status, 200);
  t.is((await here.call(id_token ?? "", k1)).status, 401);
  t.regex(here.reasons().at(-1) ?? "", /typ/);
});

test("a bound JWT opens an API that checks it itself over mutual TLS, with its certificate and no other", async (t) => {
  const { token } = await startJwts(t);
  const { call, reasons } = await startServedApi(t, locally());
  const jwt = accessTokenOf(t, await token(askedFor, k1, { authorization }));
  const granted = await call(jwt, k1);
  t.is(granted.status, 200);
  t.like(JSON.parse(granted.body), { sub: "1", scopes: ["read"], x5tS256: k1.x5tS256, clientId: "1" });
  t.is((await call(jwt, k2)).status, 401);
  t.is((await call(jwt)).status, 401);
  t.is(reasons().length, 2);
});

/** Other spellings that a lax decoder takes for the same token. */
function variantsOf(jwt: string): Record<string, string> {
  const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
  const last = jwt.at(-1) ?? "";
  // An ES256 signature has 64 octets: its last character has four bits to spend and two to spare.
  const flipped = alphabet[alphabet.indexOf(last) ^ 1] ?? "";
  return {
    "==": `${jwt}==`,
    "=": `${jwt}=`,
    "a flipped unused bit": jwt.slice(0, -1) + flipped,
    "a newline": `${jwt}\n`,
    "a carriage return": `${jwt}\r\n`,
    "a blank": `${jwt} `,
    "a leading blank": ` ${jwt}`,
    "a dot": `${jwt}.`,
  };
}

test("9068-x: another spelling of a JWT is no token, before and after its revocation, anywhere", async (t) => {
  const { token, api, facts, revoke, isActive } = await startJwts(t);
  const locals = locally();
  t.teardown(() => locals.close());
  const inLibrary = async (text: string): Promise<boolean> => {
    const { record } = await locals.ask(text, { signal: new AbortController().signal });
    return "accessToken" in record;
  };
  const jwt = accessTokenOf(t, await token(askedFor, k1, { authorization }));
  const variants = Object.entries(variantsOf(jwt));
  const decoded = (text: string) => Buffer.from(text.trim().split(".")[2] ?? "", "base64url").toString("hex");
  t.is(decoded(variants[2]?.[1] ?? ""), decoded(jwt), "the same signature to a lax decoder");
  const refusedEverywhere = async () => {
    for (const [what, variant] of variants) {
      t.deepEqual(await facts(variant), { active: false }, what);
      const answer = await api.authIntrospection({ token: variant, clientCertificate: k1.pem });
      t.is(answer.resultCode, "A057302", what);
      t.is((await api.authUserinfo({ token: variant, clientCertificate: k1.pem })).resultCode, "A088302", what);
      t.false(await inLibrary(variant), what);
    }
  };
  t.true(await isActive(jwt));
  t.true(await inLibrary(jwt));
  await refusedEverywhere();
  // Revoking a variant is revoking nothing.
  for (const [, variant] of variants) t.is((await revoke({ token: variant }, k1, { authorization })).status, 200);
  t.true(await isActive(jwt));
  t.is((await revoke({ token: jwt }, k1, { authorization })).status, 200);
  t.false(await isActive(jwt));
  await refusedEverywhere();
});

test("JWT and identifier are one token: revoking one ends both; the JWT's answer also has its own digest", async (t) => {
  for (const revoked of ["jwt", "identifier"] as const) {
    const { token, api, facts, isActive, revoke } = await startJwts(t);
    const jwt = accessTokenOf(t, await token(askedFor, k1, { authorization }));
    const identifier = String((await payloadOf(jwt))["jti"]);
    t.deepEqual(await facts(jwt), await facts(identifier));
    const keysOf = async (form: string) =>
      (await api.authIntrospectionStandard({ parameters: `token=${form}` })).invalidationKeys;
    t.truthy((await keysOf(jwt))?.[0]?.startsWith("token:"));
    // A store that has lost the token can still end what is remembered of its JWT.
    const [tokenKey, ...others] = (await keysOf(identifier)) ?? [];
    t.deepEqual(await keysOf(jwt), [tokenKey, `token:${tokenDigestText(jwt)}`, ...others]);
    await revoke({ token: revoked === "jwt" ? jwt : identifier }, k1, { authorization });
    t.false(await isActive(jwt));
    t.false(await isActive(identifier));
  }
});

test("8705-3.2-a: cnf of introspection, certificateThumbprint and cnf in the JWT are the same", async (t) => {
  const { token, facts, api } = await startJwts(t);
  const jwt = accessTokenOf(t, await token(askedFor, k2, { authorization }));
  const cnf = { "x5t#S256": k2.x5tS256 };
  t.deepEqual((await payloadOf(jwt))["cnf"], cnf);
  t.deepEqual((await facts(jwt))["cnf"], cnf);
  const decided = await api.authIntrospection({ token: jwt, clientCertificate: k2.pem });
  t.is(decided.resultCode, "A056001");
  t.is(decided.certificateThumbprint, k2.x5tS256);
  t.is((await api.authIntrospection({ token: jwt, clientCertificate: k1.pem })).resultCode, "A065305");
});

test("after its key was replaced a token works at introspection, and wherever the old key is published", async (t) => {
  const next = createServiceKey("P256", "key-2");
  const clients = [clientSettings({ clientId: 1 })];
  const keptBy = (jwks: string) => {
    const inJwts = { jwks, accessTokenSignAlg: "ES256", defaultResources: [resource] } as const;
    return [{ settings: serviceSettings({ ...inJwts, supportedScopes: [{ name: "read" }] }), clients }];
  };
  const { operations, configure, setClock } = await createEngineByHand(t, keptBy(serviceJwks([key])));
  setClock(Date.now());
  const issue = async () => {
    const parameters = "grant_type=client_credentials&scope=read";
    const request = { parameters, clientId: "1", clientSecret: secretOf(1), clientCertificate: k1.pem };
    return (await operations().authToken(request)).jwtAccessToken ?? "";
  };
  const old = await issue();
  await configure(keptBy(serviceJwks([next], [key])));
  const fresh = await issue();
  t.is((await verifyJwt(fresh, next)).header["kid"], "key-2");
  const published = await operations().serviceJwksGet({});
  t.deepEqual(published, { keys: [next.publicJwk, key.publicJwk] } as typeof published);
  const { call } = await startServedApi(
    t,
    jwtAccessTokens({ issuer, audience: resource, jwks: { keys: published?.keys ?? [] } }),
  );
  for (const token of [old, fresh]) {
    t.is((await operations().authIntrospection({ token, clientCertificate: k1.pem })).resultCode, "A056001");
    t.is((await call(token, k1)).status, 200);
  }
  const withoutOld = await startServedApi(t, locally([next]));
  t.is((await withoutOld.call(old, k1)).status, 401);
});
