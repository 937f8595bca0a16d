import { createPrivateKey } from "node:crypto";
import test from "ava";
import {
  accessTokenKey,
  chooseSigningKey,
  readSigningKeys,
  SigningKeyUnusable,
} from "../../../../src/backend/engine/settings/signing-keys.ts";
import { signJwt } from "../../../../src/jose/sign-jwt.ts";
import { signatureDefect } from "../../../../src/jose/verify-signature.ts";
import { serviceSettings } from "../../../support/settings.ts";
import { createServiceKey, serviceJwks, verifyJwt } from "../../../support/signing-keys.ts";

const rsa = createServiceKey("RSA", "rsa");
const ec = createServiceKey("P256", "ec");

test("a key signs with its type's algorithms, or only with those that it names", (t) => {
  const rsaAlgorithms = ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512"];
  const rows = [
    [rsa, rsaAlgorithms],
    [ec, ["ES256"]],
    [createServiceKey("P384"), ["ES384"]],
    [createServiceKey("P521"), ["ES512"]],
    [createServiceKey("Ed25519"), ["EdDSA", "Ed25519"]],
    [createServiceKey("Ed25519", "a", { alg: "EdDSA" }), ["EdDSA"]],
    [createServiceKey("Ed25519", "a", { alg: "Ed25519" }), ["Ed25519"]],
    [createServiceKey("shortRSA"), []],
    [createServiceKey("P256", "a", { alg: "ES256", use: "sig", key_ops: ["sign"] }), ["ES256"]],
    [createServiceKey("P256", "a", { alg: "ES384" }), []],
    [createServiceKey("P256", "a", { alg: "ECDH-ES" }), []],
    [createServiceKey("P256", "a", { use: "enc" }), []],
    [createServiceKey("P256", "a", { key_ops: ["deriveKey"] }), []],
  ] as const;
  for (const [key, algorithms] of rows) {
    t.deepEqual(readSigningKeys(serviceJwks([key])).keys[0]?.algorithms, [...algorithms]);
  }
});

test("the kid chooses among several keys for an algorithm; without a kid none is used", (t) => {
  const [one, two] = [createServiceKey("P256", "one"), createServiceKey("P256", "two")];
  const keys = readSigningKeys(serviceJwks([one, two, rsa]));
  t.is(chooseSigningKey(keys, "ES256", "two")?.kid, "two");
  t.is(chooseSigningKey(keys, "ES256", undefined), undefined);
  t.is(chooseSigningKey(keys, "ES256", "three"), undefined);
  t.is(chooseSigningKey(keys, "ES256", "rsa"), undefined, "a kid whose key is for other algorithms says nothing");
  t.is(chooseSigningKey(keys, "PS256", undefined)?.kid, "rsa");
  t.is(chooseSigningKey(keys, "PS256", "two")?.kid, "rsa", "the only one there is");
  t.is(chooseSigningKey(keys, "EdDSA", "one"), undefined);
});

test("a public key is published and verifies, and nothing is signed with it", async (t) => {
  const earlier = createServiceKey("P256", "earlier");
  const keys = readSigningKeys(serviceJwks([rsa], [earlier]));
  t.is(chooseSigningKey(keys, "ES256", "earlier"), undefined);
  const jws = await signJwt({ a: 1 }, earlier.privateKey, { alg: "ES256", typ: "at+jwt", kid: "earlier" });
  t.is(await signatureDefect(jws, keys.verificationKeys, ["ES256"]), undefined);
});

test("after a rotation the only private key signs, without a kid, beside the earlier key's public half", (t) => {
  const [earlier, next] = [createServiceKey("P256", "earlier"), createServiceKey("P256", "next")];
  const keys = readSigningKeys(serviceJwks([next], [earlier]));
  t.is(chooseSigningKey(keys, "ES256", undefined)?.kid, "next");
  t.is(chooseSigningKey(keys, "ES256", "earlier")?.kid, "next");
});

test("published keys have no private member, whatever the key set has", (t) => {
  const all = [rsa, ec, createServiceKey("P521", "p"), createServiceKey("Ed25519", "o", { secretNote: "x" })];
  const { publicJwks } = readSigningKeys(serviceJwks(all));
  t.is(publicJwks.keys.length, all.length);
  t.deepEqual(publicJwks.keys[0], { ...rsa.publicJwk });
  t.deepEqual(publicJwks.keys[1], { ...ec.publicJwk });
  const members = new Set(publicJwks.keys.flatMap((key) => Object.keys(key)));
  t.deepEqual([...members].sort(), ["crv", "e", "kid", "kty", "n", "x", "y"]);
});

test("without jwks there is no key; a symmetric one is passed over", (t) => {
  t.deepEqual(readSigningKeys(undefined).publicJwks, { keys: [] });
  const jwks = JSON.stringify({ keys: [{ kty: "oct", k: "AAAA", kid: "s" }, ec.privateJwk] });
  t.deepEqual(readSigningKeys(jwks).publicJwks, { keys: [ec.publicJwk] });
});

for (const [what, jwks] of Object.entries({
  "no JSON": '{"keys":[{"kty":"EC","d":"very-secret-text"',
  "no object": '"very-secret-text"',
  null: "null",
  "no keys": '{"key":"very-secret-text"}',
  "keys that are no array": '{"keys":{"0":"very-secret-text"}}',
  "a key that is no object": '{"keys":["very-secret-text"]}',
  "a key that is null": '{"keys":[null]}',
  "a key of no known type": '{"keys":[{"kty":"very-secret-text"}]}',
  "a private key that is damaged": JSON.stringify({ keys: [{ ...ec.privateJwk, d: "very-secret-text" }] }),
  "a public key off its curve": JSON.stringify({ keys: [{ ...ec.publicJwk, x: "AAAA" }] }),
})) {
  test(`refused, quoting nothing: ${what}`, (t) => {
    const error = t.throws(() => readSigningKeys(jwks), { instanceOf: SigningKeyUnusable });
    t.notRegex(String(error.stack) + String(error.cause), /very-secret/);
  });
}

test("a missing key is a fault if the service promises JWT access tokens; otherwise tokens are opaque", (t) => {
  const signingKeys = readSigningKeys(serviceJwks([ec]));
  t.is(accessTokenKey({ settings: serviceSettings(), signingKeys }), undefined);
  t.is(accessTokenKey({ settings: serviceSettings({ accessTokenSignAlg: "ES256" }), signingKeys })?.kid, "ec");
  const error = t.throws(() =>
    accessTokenKey({ settings: serviceSettings({ accessTokenSignAlg: "RS256" }), signingKeys }),
  );
  t.true(error instanceof SigningKeyUnusable);
});

test("a header parameter of a caller's never takes the place of one that checking rests on", async (t) => {
  const more = {
    ...{ alg: "none", typ: "x", kid: "x", cty: "x", crit: ["x"], b64: false, jku: "x", jwk: {}, x5u: "x", x5c: [] },
    ...{ x5t: "x", "x5t#S256": "x", enc: "x", zip: "x", epk: {} },
    ...{ purpose: "id" },
  };
  const jws = await signJwt({}, ec.privateKey, { alg: "ES256", typ: "JWT", kid: "ec", more });
  t.deepEqual((await verifyJwt(jws, ec)).header, { purpose: "id", alg: "ES256", typ: "JWT", kid: "ec" });
  const bare = await signJwt({}, ec.privateKey, { alg: "ES256", typ: "JWT", kid: undefined, more });
  t.deepEqual(JSON.parse(Buffer.from(bare.split(".")[0] ?? "", "base64url").toString()), {
    purpose: "id",
    alg: "ES256",
    typ: "JWT",
  });
});

test("a key signs by no algorithm that is not its own", async (t) => {
  for (const alg of ["RS256", "ES384", "none", "HS256"]) {
    await t.throwsAsync(
      signJwt({}, createPrivateKey({ key: ec.privateJwk, format: "jwk" }), { alg, typ: "JWT", kid: "" }),
    );
  }
});
