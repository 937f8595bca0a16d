import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test from "ava";
import fc from "fast-check";
import { ConfigurationError } from "../../../src/backend/configuration/configuration-error.ts";
import { type Configuration, needsChainVerification } from "../../../src/backend/configuration/configuration.ts";
import { configurationFrom, readConfiguration } from "../../../src/backend/configuration/read-configuration.ts";
import { warningsOf } from "../../../src/backend/configuration/warnings.ts";
import type { ClientSettings, ServiceSettings } from "../../../src/backend/engine/settings/settings.ts";
import { createAuthority } from "../../support/certificates.ts";
import { clientSettings, serviceSettings } from "../../support/settings.ts";
import {
  accepted,
  authority,
  type Change,
  changed,
  clientB,
  jwksOf,
  problemsOf,
  read,
  serverCertificate,
  signingKey,
} from "./a-configuration.ts";

const file = "/etc/certbound/backend.yaml";

test("a configuration is read with its references in place and the defaults filled in", async (t) => {
  const { secretKey, ...configuration } = await read(accepted);
  t.deepEqual(Buffer.from(secretKey ?? []), Buffer.alloc(32, 7));
  t.deepEqual(configuration, {
    listen: { host: "127.0.0.1", port: 0, behindTls: false },
    store: { sqlite: "/etc/certbound/data/certbound.sqlite" },
    log: { level: "info", format: "auto" },
    events: { heartbeatInterval: 0.25, retention: 3600 },
    sweep: { interval: 60, expiredRetention: 600 },
    services: [
      {
        settings: {
          apiKey: 1004,
          apiSecret: "the-api-secret",
          accessTokens: ["the-service-access-token"],
          issuer: "https://as.example.com",
          supportedScopes: [{ name: "read", defaultEntry: true }, { name: "write" }],
          supportedGrantTypes: ["CLIENT_CREDENTIALS"],
          supportedTokenAuthMethods: [
            "NONE",
            "CLIENT_SECRET_BASIC",
            "CLIENT_SECRET_POST",
            "CLIENT_SECRET_JWT",
            "PRIVATE_KEY_JWT",
            "TLS_CLIENT_AUTH",
            "SELF_SIGNED_TLS_CLIENT_AUTH",
          ],
          accessTokenType: "Bearer",
          accessTokenDuration: 3600,
          defaultResources: [],
          tlsClientCertificateBoundAccessTokens: true,
          mutualTlsValidatePkiCertChain: true,
          trustedRootCertificates: [authority.certificate.pem],
          errorDescriptionOmitted: false,
          attributes: [],
          mtlsEndpointAliases: [],
          supportedAcrs: [],
          supportedClaims: [],
          supportedUiLocales: [],
          pkceRequired: false,
          authorizationCodeDuration: 60,
          refreshTokenDuration: 864_000,
          refreshTokenKept: false,
          refreshTokenDurationKept: false,
          refreshTokenDurationReset: false,
          introspectionOfRefreshTokens: false,
          idTokenDuration: 3600,
          allowableClockSkew: 10,
        },
        clients: [
          {
            clientId: 1,
            clientIdAlias: "client-a",
            clientIdAliasEnabled: true,
            clientType: "CONFIDENTIAL",
            grantTypes: ["CLIENT_CREDENTIALS"],
            tokenAuthMethod: "TLS_CLIENT_AUTH",
            tlsClientAuthSubjectDn: "CN=client-a,O=Example",
            tlsClientCertificateBoundAccessTokens: true,
            locked: false,
            attributes: [],
            redirectUris: [],
            pkceRequired: false,
            idTokenSignAlg: "RS256",
          },
          {
            clientId: 2,
            clientIdAliasEnabled: false,
            clientType: "CONFIDENTIAL",
            grantTypes: ["CLIENT_CREDENTIALS"],
            tokenAuthMethod: "SELF_SIGNED_TLS_CLIENT_AUTH",
            jwks: jwksOf(clientB),
            tlsClientCertificateBoundAccessTokens: false,
            locked: false,
            attributes: [],
            redirectUris: [],
            pkceRequired: false,
            idTokenSignAlg: "RS256",
          },
          {
            clientId: 3,
            clientIdAliasEnabled: false,
            clientType: "CONFIDENTIAL",
            clientSecret: "the-client-secret",
            grantTypes: ["CLIENT_CREDENTIALS"],
            tokenAuthMethod: "CLIENT_SECRET_BASIC",
            tlsClientCertificateBoundAccessTokens: false,
            locked: false,
            attributes: [],
            redirectUris: [],
            pkceRequired: false,
            idTokenSignAlg: "RS256",
          },
        ],
      },
    ],
    warnings: [],
  });
});

test("without listen, the backend is on loopback at port 8705", async (t) => {
  const { listen } = await read(changed([["listen: { host: 127.0.0.1, port: 0 }", ""]]));
  t.deepEqual(listen, { host: "127.0.0.1", port: 8705, behindTls: false });
});

test("the forms of listen", async (t) => {
  const files = "certificate: { file: server.pem }, key: { file: server.key }";
  const kept = { certificate: serverCertificate.pem, key: serverCertificate.key.trimEnd() };
  const plain = { port: 8705, behindTls: false };
  const table: readonly [string, Configuration["listen"]][] = [
    ['{ host: "::1" }', { ...plain, host: "::1" }],
    ["{ host: 127.9.9.9 }", { ...plain, host: "127.9.9.9" }],
    ["{ host: localhost }", { ...plain, host: "localhost" }],
    ["{ host: 0.0.0.0, behindTls: true }", { host: "0.0.0.0", port: 8705, behindTls: true }],
    ["{ host: backend.example.org, behindTls: true }", { host: "backend.example.org", port: 8705, behindTls: true }],
    [
      `{ host: 0.0.0.0, port: 443, tls: { ${files} } }`,
      { host: "0.0.0.0", port: 443, behindTls: false, tls: { ...kept, minVersion: "TLSv1.2" } },
    ],
    [
      `{ host: "::", tls: { ${files}, minVersion: TLSv1.3 } }`,
      { ...plain, host: "::", tls: { ...kept, minVersion: "TLSv1.3" } },
    ],
    ["{ unix: certbound.sock }", { unix: "/etc/certbound/certbound.sock" }],
    ["{ unix: /run/certbound.sock }", { unix: "/run/certbound.sock" }],
  ];
  for (const [text, expected] of table) {
    const { listen } = await read(changed([["{ host: 127.0.0.1, port: 0 }", text]]));
    t.deepEqual(listen, expected, text);
  }
});

test("a store in memory needs no secret key, and its path is not one of a file", async (t) => {
  const { store, secretKey } = await read(
    changed([
      ['"data/certbound.sqlite"', '":memory:"'],
      ["secretKey: { env: SECRET_KEY }", ""],
    ]),
  );
  t.deepEqual(store, { sqlite: ":memory:" });
  t.is(secretKey, undefined);
});

test("the secret key may be hexadecimal, base64 or base64url, with or without padding", async (t) => {
  const key = Buffer.alloc(32, 0xfb);
  const spellings = [
    key.toString("hex"),
    key.toString("hex").toUpperCase(),
    key.toString("base64"),
    key.toString("base64").replaceAll("=", ""),
    key.toString("base64url"),
    `${key.toString("base64")}\n`,
  ];
  for (const SECRET_KEY of spellings) {
    const { secretKey } = await read(accepted, { env: { SECRET_KEY } });
    t.deepEqual(Buffer.from(secretKey ?? []), key, SECRET_KEY);
  }
});

test("one newline that ends a secret's file is not part of the secret", async (t) => {
  for (const [content, secret] of [
    ["s", "s"],
    ["s\n", "s"],
    ["s\r\n", "s"],
    [" s ", " s "],
    ["schlüssel", "schlüssel"],
  ] as const) {
    const { services } = await read(accepted, { files: { "/etc/certbound/secrets/client-c": content } });
    t.is(services[0]?.clients[2]?.clientSecret, secret);
  }
});

test("certificates and jwks may stand in the file itself, and files may be named by absolute path", async (t) => {
  const inline = authority.certificate.pem.trimEnd().replaceAll("\n", "\n        ");
  const { services } = await read(
    changed([
      ["[{ file: ca.pem }]", `\n      - |\n        ${inline}\n      - { file: /etc/certbound/ca.pem }`],
      ["{ file: client-b.jwks.json }", `'${jwksOf(clientB)}'`],
    ]),
  );
  t.deepEqual(services[0]?.settings.trustedRootCertificates, [authority.certificate.pem, authority.certificate.pem]);
  t.is(services[0]?.clients[1]?.jwks, jwksOf(clientB));
});

test("every member that a service or a client can have is taken over", async (t) => {
  const service = {
    serviceName: "Example",
    supportedGrantTypes: ["CLIENT_CREDENTIALS", "REFRESH_TOKEN"],
    supportedTokenAuthMethods: ["TLS_CLIENT_AUTH", "SELF_SIGNED_TLS_CLIENT_AUTH", "CLIENT_SECRET_BASIC"],
    accessTokenType: "Bearer",
    accessTokenDuration: 60,
    defaultResources: ["https://api.example.com/"],
    supportedResources: ["https://api.example.com/", "urn:example:api"],
    errorDescriptionOmitted: true,
    attributes: [{ key: "a", value: "b" }],
    authorizationEndpoint: "https://as.example.com/authorize",
    tokenEndpoint: "https://as.example.com/token",
    revocationEndpoint: "https://as.example.com/revoke",
    introspectionEndpoint: "https://as.example.com/introspect",
    userInfoEndpoint: "https://as.example.com/userinfo",
    jwksUri: "https://as.example.com/jwks",
    mtlsEndpointAliases: [{ name: "token_endpoint", uri: "https://mtls.as.example.com/token" }],
    serviceDocumentation: "https://as.example.com/docs",
    supportedAcrs: ["urn:example:loa2"],
    supportedClaims: ["email"],
    supportedUiLocales: ["en", "ja"],
    pkceRequired: true,
    authorizationCodeDuration: 30,
    refreshTokenDuration: 600,
    refreshTokenKept: true,
    refreshTokenDurationKept: true,
    refreshTokenDurationReset: true,
    introspectionOfRefreshTokens: true,
    accessTokenSignAlg: "ES256",
    accessTokenSignatureKeyId: "s-1",
    idTokenSignatureKeyId: "s-1",
    introspectionSignatureKeyId: "s-1",
    idTokenDuration: 300,
    allowableClockSkew: 5,
  };
  const client = {
    clientName: "C",
    locked: true,
    grantTypes: ["CLIENT_CREDENTIALS"],
    trustedRootCertificates: [authority.certificate.pem],
    selfSignedCertificateKeyId: "b-1",
    extension: { requestableScopes: ["read"], accessTokenDuration: 30, refreshTokenDuration: 60, idTokenDuration: 20 },
    attributes: [{ key: "c", value: "d" }],
    redirectUris: ["https://client.example.com/cb"],
    pkceRequired: true,
    idTokenSignAlg: "ES256",
  };
  const signing = JSON.stringify({ keys: [signingKey("s-1")] });
  const members = (value: object, indent: string) =>
    Object.entries(value)
      .map(([name, member]) => `${indent}${name}: ${JSON.stringify(member)}\n`)
      .join("");
  const { services } = await read(
    changed([
      ["    issuer:", `${members(service, "    ")}    jwks: { file: signing.jwks.json }\n    issuer:`],
      ["        jwks:", `${members(client, "        ")}        jwks:`],
    ]),
    { files: { "/etc/certbound/signing.jwks.json": `${signing}\n` } },
  );
  t.like(services[0]?.settings, { ...service, jwks: signing });
  t.like(services[0]?.clients[1], client);

  const others = { tokenAuthSignAlg: "ES256", jwksUri: "https://client.example.com/jwks" };
  const signingClient = await read(
    changed([
      ["CLIENT_SECRET_BASIC", "PRIVATE_KEY_JWT"],
      ["        clientSecret: { file: secrets/client-c }\n", members(others, "        ")],
    ]),
  );
  t.like(signingClient.services[0]?.clients[2], { tokenAuthMethod: "PRIVATE_KEY_JWT", ...others });
});

test("a setting that is accepted but perhaps a mistake gives a warning that names the member", async (t) => {
  const { warnings } = await read(
    changed([
      ["tlsClientCertificateBoundAccessTokens: true\n", "supportedGrantTypes: [CLIENT_CREDENTIALS, PASSWORD]\n"],
      ["        clientIdAliasEnabled: true\n", ""],
      ["clientId: 3\n        clientType: CONFIDENTIAL", "clientId: 3\n        clientType: PUBLIC"],
      ["tokenAuthMethod: CLIENT_SECRET_BASIC", "tokenAuthMethod: NONE"],
      [
        "    clients:",
        "    mutualTlsValidatePkiCertChain: false\n    frontEndValidatesPkiCertChain: true\n    clients:",
      ],
    ]),
  );
  t.deepEqual(
    warnings.map((warning) => warning.split(/ (?:has|is) /)[0]),
    [
      "services[0].mutualTlsValidatePkiCertChain",
      "services[0].supportedGrantTypes",
      "services[0].clients[0].tlsClientCertificateBoundAccessTokens",
      "services[0].clients[0].clientIdAlias",
      "services[0].clients[2].grantTypes",
    ],
  );
  t.deepEqual((await read("store: { sqlite: ':memory:' }")).warnings, [
    "services is empty: every call of the API will be refused",
  ]);
});

test("the intervals of the process are read, each with its own default", async (t) => {
  const { events, sweep } = await read(
    "{ store: { sqlite: ':memory:' }, events: { heartbeatInterval: 0.05, retention: 60 }, sweep: { interval: 3600 } }",
  );
  t.deepEqual(events, { heartbeatInterval: 0.05, retention: 60 });
  t.deepEqual(sweep, { interval: 3600, expiredRetention: 600 });
});

for (const [members, sentence] of [
  ["events: { heartbeatInterval: 0.04 }", "events.heartbeatInterval must be at least 0.05"],
  ["events: { heartbeatInterval: 0.6 }", "events.heartbeatInterval must be at most 0.5"],
  ["events: { heartbeatInterval: fast }", "events.heartbeatInterval must be a number"],
  ["events: { retention: 59 }", "events.retention must be at least 60"],
  ["events: { retention: 604801 }", "events.retention must be at most 604800"],
  ["events: { retention: 60.5 }", "events.retention must be a whole number"],
  ["events: { interval: 1 }", "events.interval is not a known member"],
  ["sweep: { interval: 0 }", "sweep.interval must be at least 1"],
  ["sweep: { interval: 3601 }", "sweep.interval must be at most 3600"],
  ["sweep: { expiredRetention: 59 }", "sweep.expiredRetention must be at least 60"],
  ["sweep: { expiredRetention: 604801 }", "sweep.expiredRetention must be at most 604800"],
] as const) {
  test(`${members} is refused`, async (t) => {
    t.deepEqual(await problemsOf(`store: { sqlite: ':memory:' }\n${members}`), [sentence]);
  });
}

test("openssl is needed where a certificate path decides, and only there", async (t) => {
  t.true(needsChainVerification(await read(accepted)));
  const frontEnd = "    mutualTlsValidatePkiCertChain: false\n    frontEndValidatesPkiCertChain: true\n    clients:";
  t.false(needsChainVerification(await read(changed([["    clients:", frontEnd]]))));
  const withSecret = await read(
    changed([
      [
        "tokenAuthMethod: TLS_CLIENT_AUTH",
        "tokenAuthMethod: CLIENT_SECRET_POST\n        clientSecret: { env: API_SECRET }",
      ],
      ["        tlsClientAuthSubjectDn: CN=client-a,O=Example\n", ""],
    ]),
  );
  t.false(needsChainVerification(withSecret));
});

test("a program may hand the same shape as an object", async (t) => {
  const { services } = await configurationFrom(
    {
      store: { sqlite: ":memory:" },
      services: [{ apiKey: 1, apiSecret: { env: "S" }, issuer: "http://127.0.0.1:3000" }],
    },
    { path: "inline", env: { S: "secret" } },
  );
  t.is(services[0]?.settings.apiSecret, "secret");
});

test("the file and the files it names are read from the file system; a file that is not UTF-8 is refused", async (t) => {
  const folder = await mkdtemp(join(tmpdir(), "certbound-"));
  t.teardown(() => rm(folder, { recursive: true }));
  const path = join(folder, "backend.yaml");
  await writeFile(
    path,
    "store: { sqlite: ':memory:' }\nservices: [{ apiKey: 1, apiSecret: { file: secret }, issuer: https://as.example.com }]",
  );
  await writeFile(join(folder, "secret"), "from a file\n");
  t.is((await readConfiguration({ path, env: {} })).services[0]?.settings.apiSecret, "from a file");

  await writeFile(join(folder, "secret"), Buffer.of(0x61, 0xff, 0x62));
  await t.throwsAsync(readConfiguration({ path, env: {} }), {
    instanceOf: ConfigurationError,
    message: `${path}: services[0].apiSecret cannot be read from ${join(folder, "secret")}: it is not UTF-8 text`,
  });
  await t.throwsAsync(readConfiguration({ path: join(folder, "none.yaml"), env: {} }), {
    instanceOf: ConfigurationError,
    message: `${join(folder, "none.yaml")}: cannot be read: there is no such file (ENOENT)`,
  });
  await t.throwsAsync(readConfiguration({ path: folder, env: {} }), {
    instanceOf: ConfigurationError,
    message: `${folder}: cannot be read: it is a folder (EISDIR)`,
  });
});

test("one problem is one line, several are listed, and no more than twenty", async (t) => {
  const messageOf = async (text: string) => {
    const error = await t.throwsAsync(read(text), { instanceOf: ConfigurationError });
    return error.message;
  };
  t.is(await messageOf(changed([["apiKey: 1004", "apiKey: -1"]])), `${file}: services[0].apiKey must be more than 0`);
  t.is(
    await messageOf(changed([["apiKey: 1004\n", "apiKy: 1004\n"]])),
    `${file}: 2 problems\n  services[0].apiKey is missing\n  services[0].apiKy is not a known member`,
  );
  const many = Array.from({ length: 30 }, (_, index) => `unknown${index}: 1\n`).join("");
  const lines = (await messageOf(`${accepted}${many}`)).split("\n");
  t.is(lines.length, 22);
  t.is(lines.at(-1), "  and 10 more");
});

test("every problem of a configuration's meaning is listed at once", async (t) => {
  t.deepEqual(
    await problemsOf(
      changed([
        ["127.0.0.1", "0.0.0.0"],
        ["clientId: 2", "clientId: 1"],
        ["CN=client-a,O=Example", "client-a"],
      ]),
    ),
    [
      "listen.host is not a loopback address: give listen.tls, or say listen.behindTls: true when what is in front of it ends TLS",
      "services[0].clients[1].clientId is the same as that of services[0].clients[0]",
      "services[0].clients[0].tlsClientAuthSubjectDn is not a distinguished name (RFC 4514): an attribute is not of the form type=value, at character 1; write it as openssl x509 -in client.pem -noout -subject -nameopt RFC2253 prints it after subject=, for example CN=client-a,O=Example",
    ],
  );
});

test("an anchor that is an intermediate gives a warning: no path ends there", (t) => {
  const root = createAuthority({ subject: "CN=Root" });
  const intermediate = createAuthority({ subject: "CN=Intermediate", parent: root });
  const trustedRootCertificates = [root.certificate.pem, intermediate.certificate.pem];
  const client = clientSettings({ clientId: 1, trustedRootCertificates });
  const warnings = warningsOf([{ settings: serviceSettings({ trustedRootCertificates }), clients: [client] }]);
  t.deepEqual(
    warnings.map((warning) => warning.split(" is ")[0]),
    ["services[0].trustedRootCertificates[1]", "services[0].clients[0].trustedRootCertificates[1]"],
  );
});

const free = { tlsClientCertificateBoundAccessTokens: false };
const client = (settings: Partial<ClientSettings>) => clientSettings({ clientId: 1, ...settings });
const service = (settings: Partial<ServiceSettings>) =>
  serviceSettings({ supportedGrantTypes: ["AUTHORIZATION_CODE", "REFRESH_TOKEN", "CLIENT_CREDENTIALS"], ...settings });
const pathsOf = (settings: ServiceSettings, ...clients: ClientSettings[]) =>
  warningsOf([{ settings, clients }]).map((warning) => warning.split(" ")[0]);

test("a published service that accepts certificates without an endpoint for them gives a warning", (t) => {
  const uri = "https://as.example.com/token";
  const found = "services[0].supportedTokenAuthMethods";
  const published = { jwksUri: "https://as.example.com/jwks" };
  t.deepEqual(pathsOf(service(published)), [found]);
  t.deepEqual(pathsOf(service({ mtlsEndpointAliases: [{ name: "revocation_endpoint", uri }] })), [found]);
  t.deepEqual(pathsOf(service({ ...published, tokenEndpoint: uri })), []);
  t.deepEqual(pathsOf(service({ ...published, mtlsEndpointAliases: [{ name: "token_endpoint", uri }] })), []);
  t.deepEqual(pathsOf(service({ ...published, supportedTokenAuthMethods: ["NONE", "PRIVATE_KEY_JWT"] })), []);
  t.deepEqual(pathsOf(service({})), []);
});

test("a grant type that the service does not have gives a warning", (t) => {
  const found = "services[0].clients[0].grantTypes";
  t.deepEqual(pathsOf(service({}), client({ grantTypes: ["CLIENT_CREDENTIALS", "PASSWORD"] })), [found]);
  t.deepEqual(pathsOf(service({}), client({ grantTypes: ["CLIENT_CREDENTIALS", "REFRESH_TOKEN"] })), []);
});

test("a public client's refresh token that is neither replaced nor bound gives a warning", (t) => {
  const found = "services[0].clients[0].grantTypes";
  const app = client({ tokenAuthMethod: "NONE", grantTypes: ["AUTHORIZATION_CODE", "REFRESH_TOKEN"] });
  const kept = { refreshTokenKept: true };
  t.deepEqual(pathsOf(service(kept), { ...app, ...free }), [found]);
  t.deepEqual(pathsOf(service({ ...kept, ...free }), { ...app, ...free }), [found]);
  t.deepEqual(pathsOf(service(kept), app), []);
  t.deepEqual(pathsOf(service({}), { ...app, ...free }), []);
  t.deepEqual(pathsOf(service(kept), { ...app, ...free, grantTypes: ["AUTHORIZATION_CODE"] }), []);
  t.deepEqual(pathsOf(service(kept), client({ ...free, grantTypes: ["AUTHORIZATION_CODE", "REFRESH_TOKEN"] })), []);
});

test("an alias that is never published gives a warning, each", (t) => {
  const tokenEndpoint = "https://as.example.com/token";
  const aliases = (...names: string[]) => ({
    mtlsEndpointAliases: names.map((name) => ({ name, uri: tokenEndpoint })),
  });
  const published = ["token_endpoint", "revocation_endpoint", "introspection_endpoint", "userinfo_endpoint"];
  t.deepEqual(pathsOf(service({ tokenEndpoint, ...aliases(...published) })), []);
  t.deepEqual(
    pathsOf(service({ tokenEndpoint, ...aliases("token_endpoint", "authorization_endpoint", "device_endpoint") })),
    ["services[0].mtlsEndpointAliases[1]", "services[0].mtlsEndpointAliases[2]"],
  );
});

test("a published service with ID tokens, and no word of where its keys are, gives a warning", (t) => {
  const found = "services[0].supportedScopes";
  const openid = {
    tokenEndpoint: "https://as.example.com/token",
    authorizationEndpoint: "https://as.example.com/authorize",
    supportedScopes: [{ name: "openid" }],
    jwks: '{"keys":[]}',
  };
  t.deepEqual(pathsOf(service(openid)), [found]);
  t.deepEqual(pathsOf(service({ ...openid, jwksUri: "https://as.example.com/jwks" })), []);
  t.deepEqual(pathsOf(service({ ...openid, supportedScopes: [{ name: "read" }] })), []);
  t.deepEqual(pathsOf(service({ supportedScopes: openid.supportedScopes, jwks: openid.jwks })), []);
});

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

test("a message never shows a secret, nor any other value", async (t) => {
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
