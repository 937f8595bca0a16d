import { createHash } from "node:crypto";
import test, { type ExecutionContext } from "ava";
import type { GrantDetails } from "../../../../src/backend/engine/grant/grant-details.ts";
import type { ClientSettings, ServiceSettings } from "../../../../src/backend/engine/settings/settings.ts";
import { createEngineByHand, startInstant } from "../../../support/engine.ts";
import { clientSettings, serviceSettings } from "../../../support/settings.ts";
import { createServiceKey, serviceJwks, verifyJwt, type ServiceKey } from "../../../support/signing-keys.ts";
import { issueToUser } from "../user-tokens.ts";

const rsa = createServiceKey("RSA", "rsa");
const ec = createServiceKey("P256", "ec");
const now = Math.floor(startInstant / 1000);

function createOpenIdEngine(
  t: ExecutionContext,
  service: Partial<ServiceSettings> = {},
  client: Partial<ClientSettings> = {},
) {
  const settings = serviceSettings({ jwks: serviceJwks([rsa, ec]), ...service });
  return createEngineByHand(t, [
    { settings, clients: [clientSettings({ clientId: 1, clientIdAlias: "client-one", ...client })] },
  ]);
}

async function idTokenOf(t: ExecutionContext, details: GrantDetails, first = true) {
  const { idToken = "" } = await issueToUser(await createOpenIdEngine(t), { details, first });
  return verifyJwt(idToken, rsa);
}

test("an ID token has the members that are listed here, in this order, and no others", async (t) => {
  const answer = await issueToUser(await createOpenIdEngine(t), {
    details: {
      authTime: now - 60,
      acr: "loa-2",
      properties: [{ key: "tenant", value: "acme" }],
      jwtAtClaims: { roles: ["admin"] },
      userInfoClaims: '{"email":null}',
      idToken: { nonce: "n-0S6_WzA2Mj" },
    },
  });
  const { header, text } = await verifyJwt(answer.idToken ?? "", rsa);
  t.deepEqual(header, { alg: "RS256", typ: "JWT", kid: "rsa" });
  const half = createHash("sha256")
    .update(answer.accessToken ?? "")
    .digest()
    .subarray(0, 16)
    .toString("base64url");
  t.is(
    text,
    `{"iss":"https://as.example.com","sub":"user-1","aud":"1","exp":${now + 3600},"iat":${now},` +
      `"auth_time":${now - 60},"nonce":"n-0S6_WzA2Mj","acr":"loa-2","at_hash":"${half}"}`,
  );
  t.is(answer.idToken, (JSON.parse(answer.responseContent ?? "") as { id_token: string }).id_token);
});

test("at_hash is over the token that the client gets, by the hash of the signature", async (t) => {
  const keys: readonly (readonly [NonNullable<ClientSettings["idTokenSignAlg"]>, ServiceKey, string])[] = [
    ["RS256", rsa, "sha256"],
    ["PS384", rsa, "sha384"],
    ["ES512", createServiceKey("P521", "p521"), "sha512"],
    ["EdDSA", createServiceKey("Ed25519", "ed"), "sha512"],
  ];
  for (const [idTokenSignAlg, key, hash] of keys) {
    const service = { jwks: serviceJwks(key === rsa ? [rsa, ec] : [key, ec]), accessTokenSignAlg: "ES256" } as const;
    const answer = await issueToUser(await createOpenIdEngine(t, service, { idTokenSignAlg }));
    const { header, payload } = await verifyJwt(answer.idToken ?? "", key);
    t.is(header["alg"], idTokenSignAlg);
    const { access_token: forClient } = JSON.parse(answer.responseContent ?? "") as { access_token: string };
    t.is(answer.jwtAccessToken, forClient);
    const digest = createHash(hash).update(forClient).digest();
    t.is(payload["at_hash"], digest.subarray(0, digest.length / 2).toString("base64url"));
  }
});

test("only the first ID token of a grant carries the nonce", async (t) => {
  const details = { idToken: { nonce: "n" } };
  t.is((await idTokenOf(t, details)).payload["nonce"], "n");
  t.false("nonce" in (await idTokenOf(t, details, false)).payload);
  t.false("nonce" in (await idTokenOf(t, {})).payload);
});

test("the subject, the audience's form and the lifetime are as the caller and the settings have them", async (t) => {
  t.is((await idTokenOf(t, { idToken: { sub: "pairwise-7" } })).payload["sub"], "pairwise-7");
  t.deepEqual((await idTokenOf(t, { idToken: { audType: "array" } })).payload["aud"], ["1"]);
  t.is((await idTokenOf(t, { idToken: { audType: "string" } })).payload["aud"], "1");
  const ofService = await issueToUser(await createOpenIdEngine(t, { idTokenDuration: 60 }));
  t.is((await verifyJwt(ofService.idToken ?? "", rsa)).payload["exp"], now + 60);
  const engine = await createOpenIdEngine(t, { idTokenDuration: 60 }, { extension: { idTokenDuration: 30 } });
  const ofClient = await issueToUser(engine, { clientIdAliasUsed: true });
  t.like((await verifyJwt(ofClient.idToken ?? "", rsa)).payload, { exp: now + 30, aud: "client-one" });
});

test("claims about the user never replace the protocol's members, also not those that are left out", async (t) => {
  const names = `iss sub aud exp nbf iat jti auth_time nonce acr azp at_hash c_hash s_hash rt_hash sid sub_jwk cnf
    events client_id scope act may_act`;
  const dangerous = Object.fromEntries(names.split(/\s+/).map((name) => [name, "theirs"]));
  const claims = {
    ...dangerous,
    name: "Ann",
    "name#ja": "アン",
    amr: ["pwd"],
    email_verified: false,
    phone: null,
    address: { l: 1 },
  };
  const { payload } = await idTokenOf(t, { idToken: { claims } });
  const { payload: without } = await idTokenOf(t, {});
  t.deepEqual(payload, {
    ...without,
    at_hash: payload["at_hash"],
    name: "Ann",
    "name#ja": "アン",
    amr: ["pwd"],
    email_verified: false,
    address: { l: 1 },
  });
  t.not(payload["at_hash"], "theirs");
});

test("the caller's header parameters are added, except those that signing or checking depends on", async (t) => {
  const headerParams = { purpose: "x", alg: "none", typ: "at+jwt", kid: "other", crit: ["purpose"], jku: "https://a" };
  const { header } = await idTokenOf(t, { idToken: { headerParams } });
  t.deepEqual(header, { purpose: "x", alg: "RS256", typ: "JWT", kid: "rsa" });
});

test("there is one with openid and a user, signed with the key that the service names; not without a key", async (t) => {
  const engine = await createOpenIdEngine(t);
  t.is((await issueToUser(engine, { scopes: ["read"] })).idToken, undefined);
  t.is((await issueToUser(engine, { subject: undefined })).idToken, undefined);
  const without = await issueToUser(await createOpenIdEngine(t, { jwks: serviceJwks([ec]) }));
  t.is(without.idToken, undefined);
  t.false((without.responseContent ?? "").includes("id_token"));
  const two = createServiceKey("P256", "two");
  const named = await createOpenIdEngine(
    t,
    { jwks: serviceJwks([ec, two]), idTokenSignatureKeyId: "two" },
    { idTokenSignAlg: "ES256" },
  );
  t.is((await verifyJwt((await issueToUser(named)).idToken ?? "", two)).header["kid"], "two");
});
