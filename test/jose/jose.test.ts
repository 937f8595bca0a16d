import { createSecretKey, generateKeyPairSync, type KeyObject, randomBytes } from "node:crypto";
import { readFile } from "node:fs/promises";
import test from "ava";
import { SignJWT } from "jose";
import { KeysUnusable, localKeys, remoteKeys, sharedSecret, signatureDefect } from "../../src/jose/verify-signature.ts";
import { readCompactJwt } from "../../src/oauth/compact-jwt.ts";
import { asymmetricAlgorithms } from "../../src/resource-server/sources/issuer-keys.ts";
import { createSigningKey } from "../support/jwt-issuer.ts";

interface Group {
  readonly file: string;
  readonly comment: string;
  readonly keys: readonly Readonly<Record<string, unknown>>[];
  readonly tests: readonly { tcId: number; comment: string; jws: string; result: "valid" | "invalid" }[];
}

const path = new URL("../vectors/wycheproof-jws.json", import.meta.url);
const { groups } = JSON.parse(await readFile(path, "utf8")) as { groups: readonly Group[] };

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

test("of keys with one name, or without a name, only five are tried", async (t) => {
  const jws = await sign("ES256", key.privateKey);
  const others = Array.from({ length: 5 }, () => createSigningKey("ES256").jwk);
  t.is(await signatureDefect(jws, localKeys({ keys: [...others.slice(1), key.jwk] }), ["ES256"]), undefined);
  const late = localKeys({ keys: [...others, key.jwk] });
  t.is(await signatureDefect(jws, late, ["ES256"]), "too many keys fit it: they have no kid");
});

test("a value that is no key set is a key error, not a signature error", (t) => {
  for (const none of [undefined, null, {}, { keys: {} }, { keys: [1] }, { keys: [[]] }, "keys"]) {
    t.throws(() => localKeys(none), { instanceOf: KeysUnusable });
  }
});

const rsa = (modulusLength: number, publicExponent = 65_537) =>
  generateKeyPairSync("rsa", { modulusLength, publicExponent });
const shortRsa = rsa(2048);
const jwkOf = ({ publicKey }: { readonly publicKey: KeyObject }) => publicKey.export({ format: "jwk" });

for (const [what, exponent] of [
  ["3", 3],
  ["65537", 65_537],
  ["the greatest prime below 2³²", 4_294_967_291],
] as const) {
  test(`a signature by RSA is checked where its public exponent is ${what}`, async (t) => {
    const pair = rsa(2048, exponent);
    const jws = await sign("RS256", pair.privateKey);
    t.is(await signatureDefect(jws, localKeys({ keys: [jwkOf(pair)] }), ["RS256"]), undefined);
  });
}

test("a modulus of 8192 bits is taken, and one of a bit more is no key", async (t) => {
  const jws = await sign("RS256", shortRsa.privateKey);
  const modulus = (bits: number): string => {
    const octets = Buffer.alloc(Math.ceil(bits / 8), 0xff);
    octets[0] = 0xff >> (octets.length * 8 - bits);
    return octets.toString("base64url");
  };
  const defectWith = (bits: number, form = (n: string) => n) =>
    signatureDefect(jws, localKeys({ keys: [{ ...jwkOf(shortRsa), n: form(modulus(bits)) }] }), ["RS256"]);
  t.is(await defectWith(8192), "its signature is not the issuer's");
  for (const bits of [8193, 8200, 16_384, 65_536]) t.is(await defectWith(bits), "the issuer has no key for it");
});

test("an RSA key whose exponent is costly, or lets anybody sign, is not used", async (t) => {
  const jws = await sign("RS256", shortRsa.privateKey);
  const one = Buffer.of(0, 0, 1);
  for (const e of [
    Buffer.alloc(6, 1),
    Buffer.alloc(256, 0xff),
    Buffer.of(1, 0, 0, 0, 1),
    Buffer.of(1),
    one,
    Buffer.of(),
  ]) {
    const keys = localKeys({ keys: [{ ...jwkOf(shortRsa), e: e.toString("base64url") }, key.jwk] });
    t.is(await signatureDefect(jws, keys, ["RS256"]), "the issuer has no key for it", e.toString("hex").slice(0, 16));
  }
});

test("a costly key beside a good one does not slow the good one down, in a fetched set, too", async (t) => {
  const jws = await sign("RS256", shortRsa.privateKey);
  const dear = { ...jwkOf(shortRsa), n: Buffer.alloc(1025, 0xff).toString("base64url") };
  const keys = { keys: [...Array.from({ length: 20 }, () => dear), jwkOf(shortRsa)] };
  t.is(await signatureDefect(jws, localKeys(keys), ["RS256"]), undefined);
  const fetched = remoteKeys(new URL("https://as.example.com/jwks"), {
    fetchJson: () => Promise.resolve(JSON.stringify(keys)),
    timeout: 1000,
    cooldown: 1000,
    maxAge: 1000,
  });
  t.is(await signatureDefect(jws, fetched, ["RS256"]), undefined);
});

const algorithms = [...asymmetricAlgorithms];

/** Whether the signature holds; keys that cannot be used accept nothing. */
async function accepts({ keys }: Group, jws: string): Promise<boolean> {
  try {
    return (await signatureDefect(jws, localKeys({ keys }), algorithms)) === undefined;
  } catch (error) {
    if (error instanceof KeysUnusable) return false;
    throw error;
  }
}

/** Valid there, and not here: nothing that a shared secret signed, and no algorithm that RFC 7518 does not have. */
const isOurs = ({ keys }: Group): boolean => keys.every(({ kty, alg }) => kty !== "oct" && alg !== "ES521");

/** What only an analysis of the issuer's own key would find; the key is configured, and not the token's. */
const weakKeyOfTheIssuer = new Set(["jws_rsa_roca_key"]);

/** RFC 7520 Figure 20 is PS384 under a key that says PS256: a key is for the algorithm that it names (RFC 7517 §4.4). */
const otherAlgorithm = new Set([346, 350]);

test("the vectors are those that they should be", (t) => {
  const all = groups.flatMap(({ tests }) => tests);
  t.true(all.length >= 400);
  t.true(groups.some((group) => isOurs(group) && group.tests.some(({ result }) => result === "valid")));
});

for (const [at, group] of groups.entries()) {
  const { file, comment, tests } = group;
  if (weakKeyOfTheIssuer.has(comment)) continue;
  test(`9068-4-d (Wycheproof): ${file} group ${at} (${comment}, ${tests.length} signatures)`, async (t) => {
    for (const { tcId, comment: what, jws, result } of tests) {
      const expected = result === "valid" && isOurs(group) && !otherAlgorithm.has(tcId);
      t.is(await accepts(group, jws), expected, `${tcId} ${what}`);
    }
  });
}

test("a Wycheproof vector in another spelling is not canonical, whatever its signature", (t) => {
  const odd = groups.flatMap(({ tests }) => tests).filter(({ jws }) => /[^A-Za-z0-9_.-]/.test(jws));
  t.true(odd.length > 0);
  for (const { jws, comment } of odd) t.is(readCompactJwt(jws), undefined, comment);
});
