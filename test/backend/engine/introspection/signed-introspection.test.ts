import test, { type ExecutionContext } from "ava";
import type { ServiceSettings } from "../../../../src/backend/engine/settings/settings.ts";
import type { StandardIntrospectionRequest } from "../../../../src/contract/auth-introspection-standard.ts";
import { createSelfSigned } from "../../../support/certificates.ts";
import { createEngineByHand, startInstant } from "../../../support/engine.ts";
import { clientSettings, serviceSettings } from "../../../support/settings.ts";
import { createServiceKey, serviceJwks, verifyJwt, type ServiceKey } from "../../../support/signing-keys.ts";
import { issueToUser } from "../user-tokens.ts";

const k1 = createSelfSigned({ subject: "CN=client-1" });
const rsa = createServiceKey("RSA", "rsa");
const ec = createServiceKey("P256", "ec");
const httpAcceptHeader = "application/token-introspection+jwt";
const rsUri = "https://api.example.com";

async function open(t: ExecutionContext, service: Partial<ServiceSettings> = {}) {
  const settings = serviceSettings({ jwks: serviceJwks([rsa, ec]), ...service });
  const byHand = await createEngineByHand(t, [{ settings, clients: [clientSettings({ clientId: 1 })] }]);
  const { accessToken = "" } = await issueToUser(byHand, {
    x5tS256: k1.x5tS256,
    resources: [rsUri],
    details: { authTime: 1, acr: "loa-2", properties: [{ key: "tenant", value: "acme" }] },
  });
  const ask = (request: Partial<StandardIntrospectionRequest>) =>
    byHand.operations().authIntrospectionStandard({ parameters: `token=${accessToken}`, rsUri, ...request });
  return { ...byHand, settings, accessToken, ask };
}

test("9701-5-b: iss, aud and iat are outside, and inside are exactly the members of the plain reply", async (t) => {
  const { ask, setClock } = await open(t);
  setClock(startInstant + 61_000);
  const plain = await ask({});
  const signed = await ask({ httpAcceptHeader });
  t.is(plain.action, "OK");
  t.is(signed.action, "JWT");
  t.is(signed.resultCode, "A145001");
  t.deepEqual(signed.invalidationKeys, plain.invalidationKeys);
  const { header, payload, text } = await verifyJwt(signed.responseContent ?? "", rsa);
  t.deepEqual(header, { alg: "RS256", typ: "token-introspection+jwt", kid: "rsa" });
  t.deepEqual(payload, {
    iss: "https://as.example.com",
    aud: rsUri,
    iat: Math.floor(startInstant / 1000) + 61,
    token_introspection: JSON.parse(plain.responseContent ?? "") as unknown,
  });
  t.true(text.includes(plain.responseContent ?? "-"));
  t.like(payload["token_introspection"], { active: true, sub: "user-1", cnf: { "x5t#S256": k1.x5tS256 } });
});

test("a signed reply for an inactive token has active: false and nothing else", async (t) => {
  const { ask, accessToken, settings, configure, setClock } = await open(t);
  const inactive = async (request: Partial<StandardIntrospectionRequest> = {}) => {
    const answer = await ask({ httpAcceptHeader, ...request });
    t.is(answer.action, "JWT");
    t.is(answer.invalidationKeys, undefined);
    const { payload } = await verifyJwt(answer.responseContent ?? "", rsa);
    t.deepEqual(Object.keys(payload), ["iss", "aud", "iat", "token_introspection"]);
    t.deepEqual(payload["token_introspection"], { active: false });
  };
  await inactive({ parameters: "token=unknown" });
  await inactive({ parameters: `token=${accessToken}%3D` });
  await inactive({ rsUri: "https://other.example.com" });
  await configure([{ settings, clients: [clientSettings({ clientId: 1, locked: true })] }]);
  await inactive();
  await configure([{ settings, clients: [clientSettings({ clientId: 1 })] }]);
  t.regex((await ask({})).responseContent ?? "", /"active":true/);
  setClock(startInstant + 3_600_000);
  await inactive();
});

test("a signed answer needs rsUri: A404301, and the token is not looked at", async (t) => {
  const { ask } = await open(t);
  for (const none of [undefined, null, ""]) {
    for (const parameters of [undefined, "token=unknown"]) {
      const answer = await ask({ httpAcceptHeader, rsUri: none, ...(parameters === undefined ? {} : { parameters }) });
      t.is(answer.resultCode, "A404301");
      t.is(answer.action, "BAD_REQUEST");
      t.like(JSON.parse(answer.responseContent ?? ""), { error: "invalid_request" });
    }
  }
});

test("the caller chooses the reply's algorithm, RS256 by default, never none and never a secret's", async (t) => {
  const { ask } = await open(t);
  const algOf = async (introspectionSignAlg: StandardIntrospectionRequest["introspectionSignAlg"], key: ServiceKey) =>
    (await verifyJwt((await ask({ httpAcceptHeader, introspectionSignAlg })).responseContent ?? "", key)).header["alg"];
  t.is(await algOf(undefined, rsa), "RS256");
  t.is(await algOf(null, rsa), "RS256");
  t.is(await algOf("", rsa), "RS256");
  t.is(await algOf("PS384", rsa), "PS384");
  t.is(await algOf("ES256", ec), "ES256");
});

test("an algorithm without a key of the service is the caller's error, A404201, and no plain reply", async (t) => {
  const withoutRsa = await open(t, { jwks: serviceJwks([ec]) });
  const without = await open(t, { jwks: '{"keys":[]}' });
  for (const [{ ask }, introspectionSignAlg] of [
    [withoutRsa, undefined],
    [withoutRsa, "ES384"],
    [without, "ES256"],
  ] as const) {
    const answer = await ask({ httpAcceptHeader, introspectionSignAlg });
    t.is(answer.resultCode, "A404201");
    t.is(answer.action, "INTERNAL_SERVER_ERROR");
    t.false((answer.responseContent ?? "").includes("active"));
  }
  t.is((await without.ask({ introspectionSignAlg: "ES256" })).action, "OK", "a plain reply needs no key");
});

test("the key is the one that the service names", async (t) => {
  const two = createServiceKey("P256", "two");
  const { ask } = await open(t, { jwks: serviceJwks([ec, two]), introspectionSignatureKeyId: "two" });
  const answer = await ask({ httpAcceptHeader, introspectionSignAlg: "ES256" });
  t.is((await verifyJwt(answer.responseContent ?? "", two)).header["kid"], "two");
});
