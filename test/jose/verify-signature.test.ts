import { createSecretKey, randomBytes } from "node:crypto";
import test from "ava";
import { SignJWT } from "jose";
import { KeysUnusable, localKeys, sharedSecret, signatureDefect } from "../../src/jose/verify-signature.ts";
import { createSigningKey } from "../support/jwt-issuer.ts";

const key = createSigningKey("ES256", "k1");
const sign = (alg: string, by: Parameters<SignJWT["sign"]>[0], kid?: string) =>
  new SignJWT({}).setProtectedHeader({ alg, ...(kid === undefined ? {} : { kid }) }).sign(by);

test("a secret in a key set verifies nothing, even where its algorithm is accepted; a shared one does", async (t) => {
  const secret = randomBytes(32);
  const jws = await sign("HS256", createSecretKey(secret));
  const published = localKeys({ keys: [{ kty: "oct", k: secret.toString("base64url") }, key.jwk] });
  t.is(await signatureDefect(jws, published, ["HS256", "ES256"]), "its algorithm is not supported");
  const text = "a secret of two, with more octets than 32";
  const shared = sharedSecret(text);
  t.is(await signatureDefect(await sign("HS256", createSecretKey(text, "utf8")), shared, ["HS256"]), undefined);
  t.is(await signatureDefect(jws, shared, ["HS256"]), "its signature is not the issuer's");
});

test("of keys of one name, or of none, five are tried and no more", async (t) => {
  const jws = await sign("ES256", key.privateKey);
  const others = Array.from({ length: 5 }, () => createSigningKey("ES256").jwk);
  t.is(await signatureDefect(jws, localKeys({ keys: [...others.slice(1), key.jwk] }), ["ES256"]), undefined);
  const late = localKeys({ keys: [...others, key.jwk] });
  t.is(await signatureDefect(jws, late, ["ES256"]), "too many keys fit it: they have no kid");
});

test("what is no key set says nothing of a signature", (t) => {
  for (const none of [undefined, null, {}, { keys: {} }, { keys: [1] }, { keys: [[]] }, "keys"]) {
    t.throws(() => localKeys(none), { instanceOf: KeysUnusable });
  }
});
