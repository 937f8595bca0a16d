import { createPrivateKey, generateKeyPairSync } from "node:crypto";
import { once } from "node:events";
import test from "ava";
import * as undici from "undici";
import { createBoundDispatcher } from "../../src/bound-client/bound-dispatcher.ts";
import {
  type ClientAssertion,
  authenticationParameters,
} from "../../src/bound-client/token-endpoint-authentication.ts";
import { type BoundClientOptions, createBoundClient } from "../../src/bound-client/index.ts";
import { createAuthority, createSelfSigned } from "../support/certificates.ts";
import { failures } from "../support/failing-hooks.ts";
import { ca, k1, k2, pairOf } from "./outbound-world.ts";

const right: BoundClientOptions = {
  ...pairOf(k1),
  clientId: "4711",
  authorizationServer: { issuer: "https://as.example" },
};
const secret = "a-secret-that-nobody-sees";
const authority = createAuthority({ subject: "CN=CA" });
const issued = authority.issue({ subject: "CN=client" });
const encrypted = createPrivateKey(k1.key).export({
  type: "pkcs8",
  format: "pem",
  cipher: "aes-256-cbc",
  passphrase: "pass",
});

for (const [what, options] of Object.entries<Partial<BoundClientOptions>>({
  "no more than it needs": {},
  "a chain, the client's certificate first": { certificate: issued.pem + authority.certificate.pem, key: issued.key },
  "PEM with text between": {
    certificate: `subject=CN=x\n${issued.pem}\nissuer=CN=CA\n${authority.certificate.pem}`,
    key: issued.key,
  },
  "octets instead of text": { certificate: Buffer.from(k1.pem), key: Buffer.from(k1.key) },
  "an encrypted key": { key: encrypted.toString(), passphrase: "pass" },
  "an RSA key": pairOf(createSelfSigned({ subject: "CN=rsa", key: "RSA-2048" })),
  "an expired certificate": pairOf(createSelfSigned({ subject: "CN=old", notAfter: new Date("2021-01-01") })),
  "anchors, several": { ca: [ca, authority.certificate.pem] },
  "resource servers of both forms": {
    resourceServers: [
      "https://a.example",
      "https://b.example:8443/",
      { origin: "https://c.example", scope: "read", resource: "https://c.example/v1" },
    ],
  },
  "a metadata document": {
    authorizationServer: { metadata: { issuer: "https://as.example", token_endpoint: "https://as.example/t" } },
  },
  "a token endpoint with a query": { authorizationServer: { tokenEndpoint: "https://as.example/t?a=b" } },
})) {
  test(`accepted: ${what}`, async (t) => {
    const client = createBoundClient({ ...right, ...options });
    t.regex(client.x5tS256, /^[\w-]{43}$/);
    await client.close();
  });
}

for (const [what, names, options] of [
  ["an unknown option", "rejectUnauthorized", { rejectUnauthorized: false }],
  ["no certificate", "certificate", { certificate: undefined }],
  ["an invalid certificate", "certificate", { certificate: secret }],
  ["a broken certificate", "certificate", { certificate: k1.pem.replace(/[A-Za-z]{8}\n/, "AAAAAAAA\n") }],
  [
    "a chain with a broken end",
    "certificate",
    { certificate: `${k1.pem}-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n` },
  ],
  ["a chain that is cut off", "certificate", { certificate: `${k1.pem}-----BEGIN CERTIFICATE-----\nAAAA` }],
  ["a key among the certificates", "certificate", { certificate: k1.pem + k1.key }],
  ["no key", "key", { key: undefined }],
  ["an invalid key", "key", { key: secret }],
  ["another certificate's key", "key", { key: k2.key }],
  ["a chain with the issuer first", "key", { certificate: authority.certificate.pem + issued.pem, key: issued.key }],
  ["an encrypted key without its passphrase", "key", { key: encrypted }],
  ["an encrypted key with another passphrase", "key", { key: encrypted, passphrase: secret }],
  ["a passphrase that is no text", "passphrase", { passphrase: 1 }],
  ["invalid anchors", "ca", { ca: secret }],
  ["anchors that are broken", "ca", { ca: "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----" }],
  ["no client id", "clientId", { clientId: "" }],
  ["no authorization server", "authorizationServer", { authorizationServer: undefined }],
  [
    "an authorization server twice",
    "authorizationServer",
    { authorizationServer: { issuer: "https://as.example", tokenEndpoint: "https://as.example/t" } },
  ],
  ["an unknown member", "authorizationServer.url", { authorizationServer: { url: secret } }],
  ["an issuer of plain HTTP", "authorizationServer.issuer", { authorizationServer: { issuer: "http://as.example" } }],
  [
    "an issuer with a query",
    "authorizationServer.issuer",
    { authorizationServer: { issuer: "https://as.example/?a" } },
  ],
  [
    "an issuer with credentials",
    "authorizationServer.issuer",
    { authorizationServer: { issuer: `https://a:${secret}@as.example` } },
  ],
  [
    "a token endpoint of plain HTTP",
    "authorizationServer.tokenEndpoint",
    { authorizationServer: { tokenEndpoint: "http://as.example/t" } },
  ],
  ["metadata without an endpoint", "authorizationServer.metadata", { authorizationServer: { metadata: {} } }],
  ["metadata that is null", "authorizationServer.metadata", { authorizationServer: { metadata: null } }],
  ["an unknown method", "tokenEndpointAuthMethod", { tokenEndpointAuthMethod: "none" }],
  ["a method without its secret", "clientSecret", { tokenEndpointAuthMethod: "client_secret_post" }],
  [
    "a secret that the method does not use",
    "clientSecret",
    { tokenEndpointAuthMethod: "tls_client_auth", clientSecret: secret },
  ],
  ["an empty secret", "clientSecret", { clientSecret: "" }],
  ["a method without its assertion", "clientAssertion", { tokenEndpointAuthMethod: "private_key_jwt" }],
  ["a secret and an assertion", "clientAssertion", { clientSecret: secret, clientAssertion: () => "" }],
  ["an assertion that is no function", "clientAssertion", { clientAssertion: secret }],
  ["a scope with a quote", "scope", { scope: 'a"b' }],
  ["a scope token with a blank", "scope", { scope: ["a b"] }],
  ["a scope that is no text", "scope", { scope: 1 }],
  ["a resource with a fragment", "resource", { resource: "https://a.example/#a" }],
  ["a resource that is no URI", "resource", { resource: ["api"] }],
  ["a resource server of plain HTTP", "resourceServers", { resourceServers: ["http://a.example"] }],
  ["a resource server with a path", "resourceServers", { resourceServers: ["https://a.example/v1"] }],
  ["a resource server with credentials", "resourceServers", { resourceServers: [`https://a:${secret}@a.example`] }],
  ["a resource server that is any", "resourceServers", { resourceServers: ["*"] }],
  ["a resource server twice", "resourceServers", { resourceServers: ["https://a.example", "https://A.example:443/"] }],
  ["resource servers that are no array", "resourceServers", { resourceServers: "https://a.example" }],
  [
    "an unknown member of a resource server",
    "resourceServers.scopes",
    { resourceServers: [{ origin: "https://a.example", scopes: "a" }] },
  ],
  ["a timeout of nothing", "timeout", { timeout: 0 }],
] as const) {
  test(`refused: ${what}`, (t) => {
    const error = t.throws(() => createBoundClient({ ...right, ...options } as unknown as BoundClientOptions), {
      instanceOf: TypeError,
      code: "ERR_INVALID_OPTION",
    });
    t.true(error.message.startsWith(`${names} `), error.message);
    for (const text of [secret, k1.key.split("\n")[1], k1.pem.split("\n")[1]])
      t.false(error.message.includes(text ?? ""));
    t.is(error.cause, undefined);
  });
}

test("refused: wrong options of a request, of a rotation and of a dispatcher", async (t) => {
  const client = createBoundClient(right);
  const wrong = { instanceOf: TypeError, code: "ERR_INVALID_OPTION" };
  await t.throwsAsync(client.accessToken({ scopes: "read" } as object), wrong);
  await t.throwsAsync(client.accessToken({ scope: '"' }), wrong);
  t.throws(() => {
    client.rotate({ ...pairOf(k2), clientId: "1" } as never);
  }, wrong);
  t.throws(() => client.dispatcher({ Agent: undici.Agent } as never), wrong);
  t.throws(() => createBoundClient(null as never), wrong);
  await client.close();
});

test("a key too small for OpenSSL's security level is refused with words of our own", (t) => {
  t.throws(
    () =>
      createBoundClient({
        ...right,
        ...pairOf(createSelfSigned({ subject: "CN=small", key: generateKeyPairSync("rsa", { modulusLength: 512 }) })),
      }),
    { instanceOf: TypeError, message: /^certificate must/ },
  );
});

const endpoint = { tokenEndpoint: "https://as.example.com/token" };
const signal = new AbortController().signal;

for (const [name, fail] of Object.entries(failures)) {
  test(`a failing clientAssertion gives no token and keeps no caller waiting: ${name}`, async (t) => {
    const authentication = { method: "private_key_jwt", clientAssertion: fail as ClientAssertion } as const;
    const failed = authenticationParameters("1", authentication, endpoint, { timeout: 50, signal }).then(
      () => false,
      () => true,
    );
    t.true(await failed);
  });
}

test("a clientAssertion that gives no text is the program's mistake", async (t) => {
  for (const given of [undefined, "", 1, {}]) {
    const authentication = { method: "private_key_jwt", clientAssertion: () => given as never } as const;
    await t.throwsAsync(authenticationParameters("1", authentication, endpoint, { timeout: 1000, signal }), {
      instanceOf: TypeError,
    });
  }
});

test.serial(
  "a dispatcher's handler that throws where it is told of a failure is a warning of the process",
  async (t) => {
    class Part {
      readonly of = "undici";
    }
    const dispatcher = createBoundDispatcher({ Agent: Part, Dispatcher: Part } as never, {
      current: () => ({}) as never,
      targetOf: () => ({ scopes: [], resources: [] }),
      obtain: () => Promise.reject(new Error("No token.")),
    }) as unknown as { dispatch(options: object, handler: object): boolean };
    const warned = once(process, "warning") as Promise<[Error]>;
    const onResponseError = (): never => {
      throw new Error("The handler's own fault.");
    };
    dispatcher.dispatch({ origin: "https://api.example.com" }, { onResponseError });
    t.is((await warned)[0].message, "The handler's own fault.");
  },
);
