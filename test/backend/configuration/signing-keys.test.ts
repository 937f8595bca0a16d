import { createPublicKey, generateKeyPairSync } from "node:crypto";
import test from "ava";
import { changed, problemsOf, signingKey, type Change } from "./a-configuration.ts";

const jwks = "services[0].jwks";
const service = (members: string): Change => ["    clients:", `    ${members}\n    clients:`];
const set = (...keys: unknown[]) => JSON.stringify({ keys });
const audience = service("defaultResources: [https://api.example.com/]");

/** What is said of a service with this key set, and these members besides. */
function problemsWith(keys: string, ...changes: readonly Change[]): Promise<string[]> {
  return problemsOf(changed([...changes, service("jwks: { file: signing.json }")]), {
    files: { "/etc/certbound/signing.json": keys },
  });
}

const s1 = signingKey("s-1");
const s2 = signingKey("s-2");
const rsa = signingKey("s-3", "RSA-2048");
const publicHalf = (key: Record<string, unknown>) => ({
  ...createPublicKey({ key, format: "jwk" }).export({ format: "jwk" }),
  kid: key["kid"],
});

test("a service's jwks may have keys of every kind, and public halves of former ones", async (t) => {
  t.deepEqual(await problemsWith(set(s1)), []);
  t.deepEqual(await problemsWith(set(s1, s2, rsa, signingKey("s-4", "Ed25519"))), []);
  t.deepEqual(await problemsWith(set(signingKey(undefined))), []);
  t.deepEqual(await problemsWith(set(s1, publicHalf(s2))), []);
  t.deepEqual(await problemsWith(set({ ...s1, alg: "ES256", key_ops: ["sign"] })), []);
});

test("a jwks of a service that is no set of keys for signatures is refused", async (t) => {
  const symmetric = (place: number) => `keys[${place}] is a symmetric key: nothing is signed with a secret`;
  const noUse =
    "keys[1] is a private key for no signature: RSA of 2048 bits, P-256, P-384, P-521, Ed25519 are for one, when alg, use and key_ops agree";
  const unreadable = (place: number) =>
    `has a key that cannot be read: keys[${place}] is incomplete, of an unknown type, or its halves do not belong together`;
  const notASet = "is not a JWK Set of keys that can be read as JSON text (RFC 7517 §5): ";
  const short = generateKeyPairSync("rsa", { modulusLength: 1024 }).privateKey.export({ format: "jwk" });
  const k256 = generateKeyPairSync("ec", { namedCurve: "secp256k1" }).privateKey.export({ format: "jwk" });
  const rows: readonly [string, ...string[]][] = [
    ["not JSON", `${notASet}it is not JSON`],
    ["[]", `${notASet}it is not a JSON object`],
    ["null", `${notASet}it is not a JSON object`],
    ["{}", `${notASet}its keys is missing or of a wrong type`],
    [JSON.stringify(s1), `${notASet}it is one JWK: put it into {"keys": […]}`],
    ['{"keys":[1]}', `${notASet}its keys[0] is missing or of a wrong type`],
    ['{"keys":[{}]}', `${notASet}its keys[0].kty is missing or of a wrong type`],
    ['{"keys":[{"kty":"EC"}]}', unreadable(0)],
    [set(), "has no private key"],
    [set(publicHalf(s1)), "has no private key"],
    [set(s1, { ...s2, kid: "s-1" }), "keys[0] and keys[1] have one kid"],
    [set({ kty: "oct", k: "c2VjcmV0" }, s1, { ...s2, kid: "s-1" }), symmetric(0), "keys[1] and keys[2] have one kid"],
    [set(s1, { ...publicHalf(s2), kid: "s-1" }), "keys[0] and keys[1] have one kid"],
    [set(s1, { kty: "oct", k: "c2VjcmV0", kid: "h-1" }), symmetric(1)],
    [set({ kty: "oct", k: "c2VjcmV0", kid: "h-1" }), symmetric(0), "has no private key"],
    [set(s1, { ...s2, d: "AA" }), unreadable(1)],
    [set(s1, { ...s2, d: s1["d"] }), unreadable(1)],
    [set(s1, { ...s2, x: "AA" }), unreadable(1)],
    [set(s1, { ...publicHalf(s2), x: "AA" }), unreadable(1)],
    [set(s1, { ...s2, alg: "none" }), noUse],
    [set(s1, { ...s2, alg: "ES384" }), noUse],
    [set(s1, { ...rsa, alg: "HS256" }), noUse],
    [set(s1, { ...s2, use: "enc" }), noUse],
    [set(s1, { ...s2, key_ops: ["encrypt"] }), noUse],
    [set(s1, short), noUse],
    [set(s1, k256), noUse],
  ];
  for (const [text, ...sentences] of rows) {
    t.deepEqual(
      await problemsWith(text),
      sentences.map((sentence) => `${jwks} ${sentence}`),
      text,
    );
  }
});

test("9068-2.1-a: access tokens are never unsigned: algorithm none, a symmetric one or no key is refused", async (t) => {
  const words = "must be one of RS256, RS384, RS512, PS256, PS384, PS512, ES256, ES384, ES512, EdDSA, Ed25519";
  const path = "services[0].accessTokenSignAlg";
  for (const alg of ["none", "None", "HS256", "ES256K", '""']) {
    t.deepEqual(
      await problemsWith(set(s1), audience, service(`accessTokenSignAlg: ${alg}`)),
      [`${path} ${words}`],
      alg,
    );
  }
  const es256 = service("accessTokenSignAlg: ES256");
  t.deepEqual(await problemsWith(set(s1), audience, es256), []);
  t.deepEqual(await problemsWith(set(rsa), audience, service("accessTokenSignAlg: RS256")), []);
  t.deepEqual(await problemsOf(changed([audience, es256])), [
    `${path} is ES256: the service's jwks has no private key for it, or several and accessTokenSignatureKeyId names none of them`,
  ]);
  for (const keys of [set(rsa), set(rsa, publicHalf(s1))]) {
    t.deepEqual(await problemsWith(keys, audience, es256), [
      `${path} is ES256: the service's jwks has no private key for it, or several and accessTokenSignatureKeyId names none of them`,
    ]);
  }
});

test("of several keys that fit, one has to be named, and a name has to be that of a private key", async (t) => {
  const es256 = service("accessTokenSignAlg: ES256");
  const named = (kid: string) => service(`accessTokenSignatureKeyId: ${kid}`);
  t.deepEqual(await problemsWith(set(s1, s2), audience, es256, named("s-2")), []);
  const several =
    "is ES256: the service's jwks has no private key for it, or several and accessTokenSignatureKeyId names none of them";
  t.deepEqual(await problemsWith(set(s1, s2), audience, es256), [`services[0].accessTokenSignAlg ${several}`]);
  t.deepEqual(await problemsWith(set(s1, s2, rsa), audience, es256, named("s-3")), [
    `services[0].accessTokenSignAlg ${several}`,
  ]);
  for (const member of ["accessTokenSignatureKeyId", "idTokenSignatureKeyId", "introspectionSignatureKeyId"]) {
    const path = `services[0].${member}`;
    t.deepEqual(await problemsWith(set(s1), service(`${member}: s-9`)), [`${path} names no private key of jwks`]);
    t.deepEqual(await problemsWith(set(s1, publicHalf(s2)), service(`${member}: s-2`)), [
      `${path} names no private key of jwks`,
    ]);
    t.deepEqual(await problemsOf(changed([service(`${member}: s-1`)])), [`${path} names no private key of jwks`]);
  }
});

test("JWT access tokens need an audience for requests that name no resource", async (t) => {
  t.deepEqual(await problemsWith(set(s1), service("accessTokenSignAlg: ES256")), [
    "services[0].defaultResources is empty: a JWT access token whose request names no resource needs an audience too (RFC 9068 §3)",
  ]);
});

test("with the scope openid, every client that can log users in needs a key for its ID tokens", async (t) => {
  const openid: Change = ["{ name: write }", "{ name: write }, { name: openid }"];
  const code = (members: string): Change => [
    "clientId: 3",
    `clientId: 3\n        grantTypes: [AUTHORIZATION_CODE]\n        redirectUris: [https://c.example/cb]${members}`,
  ];
  const path = "services[0].clients[2].idTokenSignAlg";
  t.deepEqual(await problemsWith(set(s1), openid), [], "no client of users");
  t.deepEqual(await problemsWith(set(s1), code("")), [], "no openid");
  t.deepEqual(await problemsWith(set(s1), openid, code("")), [
    `${path} is RS256: the service's jwks has no private key for it, or several and idTokenSignatureKeyId names none of them`,
  ]);
  t.deepEqual(await problemsWith(set(rsa), openid, code("")), []);
  t.deepEqual(await problemsWith(set(s1), openid, code("\n        idTokenSignAlg: ES256")), []);
  t.deepEqual(await problemsWith(set(s1, s2), openid, code("\n        idTokenSignAlg: ES256")), [
    `${path} is ES256: the service's jwks has no private key for it, or several and idTokenSignatureKeyId names none of them`,
  ]);
  const named = service("idTokenSignatureKeyId: s-2");
  t.deepEqual(await problemsWith(set(s1, s2), openid, named, code("\n        idTokenSignAlg: ES256")), []);
  t.deepEqual(await problemsWith(set(s1), openid, code("\n        extension: { requestableScopes: [read] }")), []);
});
