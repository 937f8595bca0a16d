import test from "ava";
import { createServiceKey, serviceJwks, type ServiceKey } from "../../support/signing-keys.ts";
import { accepted, changed, problemsOf, read } from "./a-configuration.ts";

const rsa = createServiceKey("RSA", "rsa");
const ec = createServiceKey("P256", "ec");
const at = "services[0]";

/** The problems of a service with this key set and these members. */
function problemsWith(jwks: string | undefined, members: string): Promise<string[]> {
  const [text, env] = configuration(jwks, members);
  return problemsOf(text, { env });
}

function configuration(jwks: string | undefined, members: string): [string, Record<string, string>] {
  const ours = `${jwks === undefined ? "" : "    jwks: { env: SERVICE_JWKS }\n"}${members === "" ? "" : `    ${members}\n`}`;
  const text = changed([["    apiSecret:", `${ours}    apiSecret:`]]);
  return [text, jwks === undefined ? {} : { SERVICE_JWKS: jwks }];
}

const keys = (...all: readonly ServiceKey[]) => serviceJwks(all);

test("accepted: keys for what is to be signed, public ones of before, and none where nothing is signed", async (t) => {
  t.deepEqual(await problemsOf(accepted), []);
  const two = createServiceKey("P256", "two");
  for (const [jwks, members] of [
    [keys(rsa), ""],
    [keys(ec), "accessTokenSignAlg: ES256"],
    [keys(rsa, ec), "accessTokenSignAlg: PS512"],
    [keys(ec, two), "accessTokenSignAlg: ES256\n    accessTokenSignatureKeyId: two"],
    [serviceJwks([ec], [two]), "accessTokenSignAlg: ES256"],
    [keys(rsa, ec), "idTokenSignatureKeyId: rsa\n    introspectionSignatureKeyId: ec"],
  ] as const) {
    t.deepEqual(await problemsWith(jwks, members), []);
  }
  const [text, env] = configuration(keys(ec), "accessTokenSignAlg: ES256");
  const { services } = await read(text, { env });
  t.is(services[0]?.settings.jwks, keys(ec));
});

const unreadable = `${at}.jwks is not a JWK Set of keys that can be read (RFC 7517 §5), as JSON text`;
const none = (alg: string) =>
  `${at}.accessTokenSignAlg is ${alg}: jwks has no private key for it, or several and accessTokenSignatureKeyId names none of them`;

const refusals: Record<string, readonly [jwks: string | undefined, members: string, problem: string]> = {
  "no JSON": ["{", "", unreadable],
  "no set": [JSON.stringify(ec.privateJwk), "", unreadable],
  "a damaged key": [JSON.stringify({ keys: [{ ...ec.privateJwk, d: "AAAA" }] }), "", unreadable],
  "halves of two keys": [
    JSON.stringify({ keys: [{ ...ec.privateJwk, d: createServiceKey("P256").privateJwk["d"] }] }),
    "",
    unreadable,
  ],
  "no keys for JWT access tokens": [undefined, "accessTokenSignAlg: ES256", none("ES256")],
  "keys for others": [keys(rsa), "accessTokenSignAlg: ES256", none("ES256")],
  "a public key only": [serviceJwks([], [ec]), "accessTokenSignAlg: ES256", none("ES256")],
  "two, and nothing says which": [
    keys(ec, createServiceKey("P256", "two")),
    "accessTokenSignAlg: ES256",
    none("ES256"),
  ],
  "an RSA key that is too short": [
    keys(createServiceKey("shortRSA")),
    "",
    `${at}.jwks keys[0] is for no signature: RSA of 2048 bits, P-256, P-384, P-521, Ed25519 are`,
  ],
  "a key for encryption": [
    keys(rsa, createServiceKey("P256", "e", { use: "enc" })),
    "",
    `${at}.jwks keys[1] is for no signature: RSA of 2048 bits, P-256, P-384, P-521, Ed25519 are`,
  ],
  "a kid twice": [keys(ec, createServiceKey("P384", "ec")), "", `${at}.jwks keys[1] has the kid of another key`],
  "a kid that no key has": [
    keys(ec),
    "introspectionSignatureKeyId: other",
    `${at}.introspectionSignatureKeyId names no key of jwks that signs`,
  ],
  "a kid without keys": [
    undefined,
    "idTokenSignatureKeyId: other",
    `${at}.idTokenSignatureKeyId names no key of jwks that signs`,
  ],
  "one resource twice": [
    undefined,
    "supportedResources: [https://a.example, https://b.example, https://a.example]",
    `${at}.supportedResources[2] is the same as that of ${at}.supportedResources[0]`,
  ],
};

for (const [what, [jwks, members, problem]] of Object.entries(refusals)) {
  test(`refused: ${what}`, async (t) => {
    t.deepEqual(await problemsWith(jwks, members), [problem]);
  });
}

for (const alg of ["none", "HS256", "RS1", "es256", "ECDH-ES"]) {
  test(`refused: access tokens signed by ${alg}`, async (t) => {
    const [problem = "", ...more] = await problemsWith(keys(rsa, ec), `accessTokenSignAlg: ${alg}`);
    t.deepEqual(more, []);
    t.regex(problem, /^services\[0\]\.accessTokenSignAlg /);
  });
}
