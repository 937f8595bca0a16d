import { generateKeyPairSync } from "node:crypto";
import test from "ava";
import { changed, clientB, jwkOf, problemsOf, signingKey, type Change } from "./a-configuration.ts";

const client = "services[0].clients[2]";
const secret = "        clientSecret: { file: secrets/client-c }\n";
const set = (...keys: unknown[]) => JSON.stringify({ keys });
const { x5c, ...publicKey } = jwkOf(clientB);

/** What is said of a client with this method and these members. */
function problemsWith(method: string, members: string, clientSecret = "s".repeat(32)): Promise<string[]> {
  const lines = members.replaceAll("\n", "\n        ");
  const withSecret = method.startsWith("CLIENT_SECRET") ? secret : "";
  return problemsOf(
    changed([
      ["CLIENT_SECRET_BASIC", method],
      [secret, `${withSecret}        ${lines}\n`],
    ]),
    { files: { "/etc/certbound/secrets/client-c": clientSecret } },
  );
}

test("PRIVATE_KEY_JWT takes a jwks with a key that fits, or a jwksUri", async (t) => {
  t.truthy(x5c);
  t.deepEqual(await problemsWith("PRIVATE_KEY_JWT", `jwks: '${set(publicKey)}'`), []);
  t.deepEqual(await problemsWith("PRIVATE_KEY_JWT", `jwks: '${set(publicKey)}'\ntokenAuthSignAlg: ES256`), []);
  t.deepEqual(await problemsWith("PRIVATE_KEY_JWT", "jwksUri: https://c.example/jwks"), []);
  t.deepEqual(
    await problemsWith("PRIVATE_KEY_JWT", "jwksUri: http://127.0.0.1:3000/jwks\ntokenAuthSignAlg: RS256"),
    [],
  );
  t.deepEqual(await problemsWith("SELF_SIGNED_TLS_CLIENT_AUTH", "jwksUri: https://c.example/jwks"), []);
});

test("a PRIVATE_KEY_JWT client without a key that could ever verify an assertion is refused", async (t) => {
  const none = `${client}.jwks has no key for signatures by RS, PS, ES or EdDSA`;
  t.deepEqual(await problemsWith("PRIVATE_KEY_JWT", "locked: false"), [
    `${client}.jwks is missing: PRIVATE_KEY_JWT needs it, or jwksUri`,
  ]);
  t.deepEqual(await problemsWith("PRIVATE_KEY_JWT", `jwks: '${set()}'`), [none]);
  t.deepEqual(await problemsWith("PRIVATE_KEY_JWT", `jwks: '${set({ ...publicKey, use: "enc" })}'`), [none]);
  const short = generateKeyPairSync("rsa", { modulusLength: 1024 }).publicKey.export({ format: "jwk" });
  t.deepEqual(await problemsWith("PRIVATE_KEY_JWT", `jwks: '${set(short)}'`), [none]);
  t.deepEqual(await problemsWith("PRIVATE_KEY_JWT", `jwks: '${set(publicKey)}'\ntokenAuthSignAlg: RS256`), [
    `${client}.jwks has no key for signatures by RS256`,
  ]);
  t.deepEqual(await problemsWith("PRIVATE_KEY_JWT", `jwks: '${set(signingKey("s-1"))}'`), [
    `${client}.jwks keys[0] is a private or symmetric key`,
  ]);
  t.deepEqual(await problemsWith("PRIVATE_KEY_JWT", "jwks: nothing"), [
    `${client}.jwks is not a JWK Set as JSON text (RFC 7517 §5): it is not JSON`,
  ]);
});

test("a key whose key_ops or use forbid signature checks is not used for assertions", async (t) => {
  const none = `${client}.jwks has no key for signatures by RS, PS, ES or EdDSA`;
  for (const members of [{ key_ops: ["sign"] }, { key_ops: ["deriveKey"] }, { use: "enc" }, { alg: "ECDH-ES" }]) {
    const jwks = `jwks: '${set({ ...publicKey, ...members })}'`;
    t.deepEqual(await problemsWith("PRIVATE_KEY_JWT", jwks), [none], JSON.stringify(members));
  }
  for (const members of [{ key_ops: ["verify"] }, { key_ops: ["sign", "verify"], use: "sig", alg: "ES256" }]) {
    const jwks = `jwks: '${set({ ...publicKey, ...members })}'`;
    t.deepEqual(await problemsWith("PRIVATE_KEY_JWT", jwks), [], JSON.stringify(members));
  }
});

test("a key of Ed25519 fits either name of its algorithm", async (t) => {
  const ed25519 = generateKeyPairSync("ed25519").publicKey.export({ format: "jwk" });
  for (const alg of [undefined, "EdDSA", "Ed25519"]) {
    const jwks = `jwks: '${set({ ...ed25519, ...(alg === undefined ? {} : { alg }) })}'`;
    for (const registered of ["EdDSA", "Ed25519"]) {
      const members = `${jwks}\ntokenAuthSignAlg: ${registered}`;
      t.deepEqual(await problemsWith("PRIVATE_KEY_JWT", members), [], `${alg ?? "none"} ${registered}`);
    }
  }
});

test("jwks and jwksUri exclude each other, and a jwksUri is an https URL", async (t) => {
  t.deepEqual(await problemsWith("PRIVATE_KEY_JWT", `jwks: '${set(publicKey)}'\njwksUri: https://c.example/jwks`), [
    `${client}.jwksUri cannot stand beside jwks`,
  ]);
  for (const [uri, reason] of [
    ["http://c.example/jwks", "it is http, and its host is not a loopback address"],
    ["ftp://c.example/", "its scheme is not https"],
    ["/jwks", "it has no scheme such as https:"],
    ["https://u:p@c.example/", "it has a user name or a password"],
    ['""', "it is empty"],
  ] as const) {
    t.deepEqual(
      await problemsWith("PRIVATE_KEY_JWT", `jwksUri: ${uri}`),
      [`${client}.jwksUri must be an https URL without fragment (http only for loopback); ${reason}`],
      uri,
    );
  }
});

test("a secret that signs has as many octets as the hash: to the octet", async (t) => {
  for (const [alg, octets] of [
    ["HS256", 32],
    ["HS384", 48],
    ["HS512", 64],
  ] as const) {
    const members = `tokenAuthSignAlg: ${alg}`;
    t.deepEqual(await problemsWith("CLIENT_SECRET_JWT", members, "s".repeat(octets)), []);
    t.deepEqual(await problemsWith("CLIENT_SECRET_JWT", members, "ü".repeat(octets / 2)), []);
    t.deepEqual(await problemsWith("CLIENT_SECRET_JWT", members, "s".repeat(octets - 1)), [
      `${client}.clientSecret is too short: ${alg} needs ${octets} octets (RFC 7518 §3.2)`,
    ]);
  }
  t.deepEqual(await problemsWith("CLIENT_SECRET_JWT", "locked: false", "s".repeat(32)), []);
  t.deepEqual(await problemsWith("CLIENT_SECRET_JWT", "locked: false", "s".repeat(31)), [
    `${client}.clientSecret is too short: HS256 needs 32 octets (RFC 7518 §3.2)`,
  ]);
  t.deepEqual(await problemsWith("CLIENT_SECRET_POST", "locked: false", "short"), [], "it signs nothing");
  t.deepEqual(
    await problemsOf(
      changed([
        ["CLIENT_SECRET_BASIC", "CLIENT_SECRET_JWT"],
        [secret, ""],
      ]),
    ),
    [`${client}.clientSecret is missing: CLIENT_SECRET_JWT needs it`],
  );
});

test("tokenAuthSignAlg is one of the method's algorithms, and never none", async (t) => {
  const path = `${client}.tokenAuthSignAlg`;
  t.deepEqual(await problemsWith("CLIENT_SECRET_JWT", "tokenAuthSignAlg: ES256"), [
    `${path} is ES256: not for CLIENT_SECRET_JWT`,
  ]);
  t.deepEqual(await problemsWith("PRIVATE_KEY_JWT", "jwksUri: https://c.example/jwks\ntokenAuthSignAlg: HS256"), [
    `${path} is HS256: not for PRIVATE_KEY_JWT`,
  ]);
  t.deepEqual(await problemsWith("CLIENT_SECRET_BASIC", "tokenAuthSignAlg: HS256"), [
    `${path} is HS256: not for CLIENT_SECRET_BASIC`,
  ]);
  t.deepEqual(await problemsWith("CLIENT_SECRET_JWT", "tokenAuthSignAlg: none"), [
    `${path} must be one of RS256, RS384, RS512, PS256, PS384, PS512, ES256, ES384, ES512, EdDSA, Ed25519, HS256, HS384, HS512`,
  ]);
});

test("a service can forbid secrets: a client that has one is refused", async (t) => {
  const without: Change = [
    "    clients:",
    "    supportedTokenAuthMethods: [PRIVATE_KEY_JWT, TLS_CLIENT_AUTH, SELF_SIGNED_TLS_CLIENT_AUTH]\n    clients:",
  ];
  for (const method of ["CLIENT_SECRET_BASIC", "CLIENT_SECRET_POST", "CLIENT_SECRET_JWT"]) {
    const text = changed([without, ["CLIENT_SECRET_BASIC", method]]);
    t.deepEqual(await problemsOf(text, { files: { "/etc/certbound/secrets/client-c": "s".repeat(32) } }), [
      `${client}.tokenAuthMethod is ${method}: not one of the service's supportedTokenAuthMethods`,
    ]);
  }
});
