import { generateKeyPairSync, randomUUID } from "node:crypto";
import type { RequestListener } from "node:http";
import test from "ava";
import { SignJWT } from "jose";
import { createSelfSigned, type TestCertificate } from "../support/certificates.ts";
import { accessTokenOf, startDeployment } from "../support/deployment.ts";
import { assertErrorForm } from "../support/error-form.ts";
import { startJwksServer } from "../support/jwks-server.ts";
import { clientSettings, jwksOf, secretOf } from "../support/settings.ts";

const second = 1000;
const issuer = "https://as.example.com";
const setOf = (...certificates: readonly TestCertificate[]) => JSON.parse(jwksOf(...certificates)) as object;
const first = createSelfSigned({ subject: "CN=first" });
const next = createSelfSigned({ subject: "CN=next" });
const stranger = createSelfSigned({ subject: "CN=stranger" });

function handClock() {
  let now = 1_000_000;
  return {
    monotonicClock: () => now,
    pass: (milliseconds: number) => {
      now += milliseconds;
    },
  };
}

test("8705-2.2-c: at jwksUri certificates change within their bounds; strangers cause one fetch in 10 s", async (t) => {
  const server = await startJwksServer(t, setOf(first));
  const { monotonicClock, pass } = handClock();
  const client = clientSettings({ clientId: 1, tokenAuthMethod: "SELF_SIGNED_TLS_CLIENT_AUTH", jwksUri: server.url });
  const { token } = await startDeployment(t, { clients: [client], monotonicClock });
  const accepts = async (certificate = first) => accessTokenOf(t, await token({ client_id: "1" }, certificate));
  const refuses = async (certificate = first) => {
    assertErrorForm(t, await token({ client_id: "1" }, certificate), "invalid_client", [400, 401]);
  };
  await accepts(first);
  await accepts(first);
  t.is(server.asked(), 1, "the set is remembered");

  server.serve(setOf(first, next));
  pass(10 * second);
  await accepts(next);
  t.is(server.asked(), 2, "one fetch on a certificate that is not known");
  for (let round = 0; round < 5; round++) await refuses(stranger);
  t.is(server.asked(), 2, "and no other for ten seconds");
  pass(10 * second);
  for (let round = 0; round < 5; round++) await refuses(stranger);
  t.is(server.asked(), 3);
  await accepts(first);

  server.serve(setOf(next));
  pass(60 * second);
  await refuses(first);
  await accepts(next);
});

test("while a jwksUri does not answer, known certificates count for ten minutes; then the answer is 503", async (t) => {
  const server = await startJwksServer(t, setOf(first));
  const { monotonicClock, pass } = handClock();
  const client = clientSettings({ clientId: 1, tokenAuthMethod: "SELF_SIGNED_TLS_CLIENT_AUTH", jwksUri: server.url });
  const { token } = await startDeployment(t, { clients: [client], monotonicClock });
  accessTokenOf(t, await token({ client_id: "1" }, first));
  server.serve(((_request, response) => response.writeHead(500).end()) satisfies RequestListener);
  pass(599 * second);
  accessTokenOf(t, await token({ client_id: "1" }, first));
  assertErrorForm(t, await token({ client_id: "1" }, stranger), "invalid_client", [400, 401]);
  pass(second);
  const answer = await token({ client_id: "1" }, first);
  t.is(answer.status, 503);
  t.notRegex(answer.body, /access_token|invalid_client/);
});

test("in a set at jwksUri a wrong or unreadable certificate of a key is ignored, and the others count", async (t) => {
  const [registered] = (setOf(first) as { keys: object[] }).keys;
  const x5c = [next.der.toString("base64")];
  const keys = [{ ...registered, x5c }, { kty: "EC", x5c: ["AAAA"] }, { kty: "EC", x5c: 1 }, { x5c }, registered];
  const server = await startJwksServer(t, { keys });
  const client = clientSettings({ clientId: 1, tokenAuthMethod: "SELF_SIGNED_TLS_CLIENT_AUTH", jwksUri: server.url });
  const { token } = await startDeployment(t, { clients: [client] });
  accessTokenOf(t, await token({ client_id: "1" }, first));
  assertErrorForm(t, await token({ client_id: "1" }, next), "invalid_client", [400, 401]);
});

interface Key {
  readonly privateKey: Parameters<SignJWT["sign"]>[0];
  readonly jwk: object;
  readonly kid: string;
}

function createKey(kid: string): Key {
  const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  return { kid, jwk: { ...publicKey.export({ format: "jwk" }), kid }, privateKey };
}

function assertionBy({ kid, privateKey }: Key, clientId: number): Promise<string> {
  return new SignJWT({ iss: String(clientId), sub: String(clientId), aud: issuer, jti: randomUUID() })
    .setProtectedHeader({ alg: "ES256", kid })
    .setExpirationTime("1m")
    .sign(privateKey);
}

const withAssertion = (assertion: string) => ({
  client_assertion_type: "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
  client_assertion: assertion,
});

test("private_key_jwt with keys at jwksUri: a new key is had when an assertion names it", async (t) => {
  const [old, fresh] = [createKey("old"), createKey("fresh")];
  const server = await startJwksServer(t, { keys: [old.jwk] });
  const { monotonicClock, pass } = handClock();
  const client = clientSettings({ clientId: 1, tokenAuthMethod: "PRIVATE_KEY_JWT", jwksUri: server.url });
  const { token } = await startDeployment(t, { clients: [client], monotonicClock });
  const ask = async (key: Key) => token(withAssertion(await assertionBy(key, 1)), first);
  accessTokenOf(t, await ask(old));
  assertErrorForm(t, await ask(fresh), "invalid_client", [400, 401]);
  server.serve({ keys: [fresh.jwk] });
  pass(10 * second);
  accessTokenOf(t, await ask(fresh));
  assertErrorForm(t, await ask(old), "invalid_client", [400, 401]);
  t.is(server.asked(), 2);
});

test("an assertion that could not be checked during an outage of the jwksUri is valid once afterwards", async (t) => {
  const key = createKey("k");
  const server = await startJwksServer(t, { keys: [key.jwk] });
  server.serve(((_request, response) => response.writeHead(500).end()) satisfies RequestListener);
  const { monotonicClock, pass } = handClock();
  const client = clientSettings({ clientId: 1, tokenAuthMethod: "PRIVATE_KEY_JWT", jwksUri: server.url });
  const { token } = await startDeployment(t, { clients: [client], monotonicClock });
  const assertion = withAssertion(await assertionBy(key, 1));
  for (let round = 0; round < 3; round++) t.is((await token(assertion, first)).status, 503);
  t.is(server.asked(), 1);
  server.serve({ keys: [key.jwk] });
  pass(10 * second);
  accessTokenOf(t, await token(assertion, first));
  assertErrorForm(t, await token(assertion, first), "invalid_client", [400, 401]);
});

test("only an assertion for this server, by the client and currently valid, causes a fetch", async (t) => {
  const key = createKey("k");
  const server = await startJwksServer(t, { keys: [key.jwk] });
  const client = clientSettings({ clientId: 1, tokenAuthMethod: "PRIVATE_KEY_JWT", jwksUri: server.url });
  const { token } = await startDeployment(t, { clients: [client] });
  const good = await assertionBy(key, 1);
  for (const form of [
    { client_id: "1" },
    { client_id: "1", client_secret: "guess" },
    { client_id: "1", ...withAssertion("text") },
    { client_id: "1", ...withAssertion(await assertionBy(key, 2)) },
    { ...withAssertion(good), client_secret: "guess" },
  ]) {
    assertErrorForm(t, await token(form, first), "invalid_client", [400, 401]);
  }
  t.is(server.asked(), 0);
  accessTokenOf(t, await token(withAssertion(good), first));
});

test("9700-2.5: private_key_jwt and mutual TLS are offered, and a service can forbid secrets", async (t) => {
  const key = createKey("k");
  const clients = [
    clientSettings({ clientId: 1, tokenAuthMethod: "PRIVATE_KEY_JWT", jwks: JSON.stringify({ keys: [key.jwk] }) }),
    clientSettings({ clientId: 2, tokenAuthMethod: "SELF_SIGNED_TLS_CLIENT_AUTH", jwks: jwksOf(first) }),
    clientSettings({ clientId: 3, tokenAuthMethod: "CLIENT_SECRET_POST" }),
  ];
  const secretly = { client_id: "3", client_secret: secretOf(3) };
  const open = await startDeployment(t, { clients });
  accessTokenOf(t, await open.token(secretly, first));
  const strict = await startDeployment(t, {
    service: { supportedTokenAuthMethods: ["PRIVATE_KEY_JWT", "TLS_CLIENT_AUTH", "SELF_SIGNED_TLS_CLIENT_AUTH"] },
    clients,
  });
  accessTokenOf(t, await strict.token(withAssertion(await assertionBy(key, 1)), first));
  accessTokenOf(t, await strict.token({ client_id: "2" }, first));
  assertErrorForm(t, await strict.token(secretly, first), "invalid_client", [400, 401]);
});
