import test from "ava";
import fc from "fast-check";
import { ConfigurationError } from "../../../src/backend/configuration/configuration-error.ts";
import { changed, read, signingKey, type Change } from "./a-configuration.ts";

const marker = "HUNTER2";

/** Each puts the marker where an operator might wrongly, or rightly, put a secret. */
const misplaced: readonly Change[] = [
  ["apiSecret: { env: API_SECRET }", `apiSecret: ${marker}`],
  ["apiSecret: { env: API_SECRET }", `apiSecret: { value: ${marker} }`],
  ["apiSecret: { env: API_SECRET }", `apiSecret: { ${marker}: x }`],
  ["apiSecret: { env: API_SECRET }", `apiSecret: { env: "${marker}-x" }`],
  ["apiSecret: { env: API_SECRET }", `apiSecret: [${marker}]`],
  ["apiSecret: { env: API_SECRET }", `apiSecret: !env ${marker}`],
  ["apiSecret: { env: API_SECRET }", `apiSecret: "${marker}`],
  ["apiSecret: { env: API_SECRET }", `apiSecret: *${marker}`],
  ["apiSecret: { env: API_SECRET }", `apiSecret: a: ${marker}`],
  ["apiSecret: { env: API_SECRET }", `apiSecret: {env: A} ${marker}`],
  ["apiSecret: { env: API_SECRET }", `apiSecret: ${marker}\n    apiSecret: ${marker}`],
  ["[{ env: SERVICE_TOKEN }]", `[${marker}]`],
  ["[{ env: SERVICE_TOKEN }]", marker],
  ["{ file: secrets/client-c }", marker],
  ["{ env: SECRET_KEY }", marker],
  ["{ env: SECRET_KEY }", `{ env: SECRET_KEY }\nlog: { level: ${marker} }`],
  ["{ file: client-b.jwks.json }", `'{"keys":[{"kty":"oct","k":"${marker}"}]}'`],
  ["{ file: client-b.jwks.json }", `'{"keys":["${marker}'`],
  ["    clients:", `    jwks: ${marker}\n    clients:`],
  ["    clients:", `    jwks: '{"keys":[{"kty":"EC","d":"${marker}"}]}'\n    clients:`],
  ["    clients:", `    jwks: { value: ${marker} }\n    clients:`],
  ["    clients:", `    accessTokenSignatureKeyId: ${marker}\n    clients:`],
  ["clientId: 3", `clientId: 3\n        redirectUris: ["https://${marker}#"]`],
  ["clientId: 3", `clientId: 3\n        jwksUri: "https://user:${marker}@a.example/"`],
  ["{ file: ca.pem }", `"-----BEGIN PRIVATE KEY-----${marker}"`],
  ["CN=client-a,O=Example", `"CN=a,${marker}"`],
  ["https://as.example.com", `"http://user:${marker}@as.example.com"`],
  ["127.0.0.1", `"${marker} "`],
  ["clientType: CONFIDENTIAL", `clientType: ${marker}`],
];

test("a message never shows what stands where a secret belongs, nor any other value", async (t) => {
  for (const change of misplaced) {
    const error = await t.throwsAsync(read(changed([change])), { instanceOf: ConfigurationError }, change[1]);
    t.notRegex(error.message, /HUNTER2/, change[1]);
    t.notRegex(JSON.stringify([error.problems, String(error.cause)]), /HUNTER2/, change[1]);
  }
});

test("a message never shows a secret that was read, whatever is wrong with it or with anything else", async (t) => {
  const wrongElsewhere: readonly Change[] = [
    ["port: 0", "port: 0"],
    ["clientId: 3", "clientId: 1"],
    ["127.0.0.1", "0.0.0.0"],
    ["CN=client-a,O=Example", "client-a"],
    ["CLIENT_SECRET_BASIC", "NONE"],
    ["ca.pem", "secrets/client-c"],
    ["client-b.jwks.json", "secrets/client-c"],
    ["    clients:", "    jwks: { file: secrets/client-c }\n    clients:"],
    ["    clients:", "    jwks: { env: SERVICE_TOKEN }\n    accessTokenSignAlg: ES256\n    clients:"],
    ["CLIENT_SECRET_BASIC", "CLIENT_SECRET_JWT"],
    ["port: 0", "tls: { certificate: { file: secrets/client-c }, key: { file: secrets/client-c } }"],
  ];
  const content = fc.string({ unit: "binary", maxLength: 60 }).map((text) => `${text}${marker}${text}`);
  await fc.assert(
    fc.asyncProperty(content, fc.constantFrom(...wrongElsewhere), async (secret, change) => {
      const outcome = await read(changed([change]), {
        env: { SECRET_KEY: secret, API_SECRET: secret, SERVICE_TOKEN: secret },
        files: { "/etc/certbound/secrets/client-c": secret },
      }).then(
        () => "accepted",
        (error: unknown) => (error instanceof ConfigurationError ? error.message : `another error: ${String(error)}`),
      );
      // The secret key is never 32 octets here, so nothing is accepted.
      return outcome.startsWith("/etc/certbound/backend.yaml: ") && !outcome.includes(marker);
    }),
  );
  t.pass();
});

test("a message never shows anything of a service's private keys, whatever is wrong with them", async (t) => {
  const key = signingKey(marker);
  const sets: readonly object[] = [
    { keys: [{ ...key, d: marker }] },
    { keys: [{ ...key, x: marker }] },
    { keys: [key, key] },
    { keys: [{ ...key, alg: marker }] },
    { keys: [{ ...key, crv: marker, use: marker }] },
    { keys: [{ kty: "oct", k: marker, kid: marker }] },
    { keys: [{ ...signingKey(marker, "RSA-2048"), n: marker }] },
  ];
  const withKeys = changed([["    clients:", "    jwks: { file: signing.json }\n    clients:"]]);
  for (const set of sets) {
    const content = JSON.stringify(set);
    for (const text of [content, content.slice(0, -5), `${content}${marker}`]) {
      const reading = read(withKeys, { files: { "/etc/certbound/signing.json": text } });
      const error = await t.throwsAsync(reading, { instanceOf: ConfigurationError }, text);
      const shown = JSON.stringify([error.message, error.problems, String(error.cause)]);
      t.false(shown.includes(marker) || shown.includes(String(key["d"])), text);
    }
  }
});

test("a warning names members and no value", async (t) => {
  const { warnings } = await read(
    changed([
      ["        clientIdAliasEnabled: true\n", ""],
      ["clientIdAlias: client-a", `clientIdAlias: ${marker}`],
    ]),
  );
  t.is(warnings.length, 1);
  t.notRegex(warnings.join(), /HUNTER2/);
});
