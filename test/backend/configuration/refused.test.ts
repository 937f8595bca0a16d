import { createPrivateKey } from "node:crypto";
import test from "ava";
import { createSelfSigned } from "../../support/certificates.ts";
import {
  accepted,
  authority,
  changed,
  clientB,
  jwkOf,
  jwksOf,
  problemsOf,
  serverCertificate,
  type Change,
} from "./a-configuration.ts";

type Row = readonly [changes: Change | readonly Change[], problem: string];

async function refuses(t: { deepEqual: (a: string[], b: string[]) => void }, rows: readonly Row[]): Promise<void> {
  for (const [changes, problem] of rows) {
    const all = typeof changes[0] === "string" ? [changes as Change] : (changes as readonly Change[]);
    t.deepEqual(await problemsOf(changed(all)), [problem]);
  }
}

const client = "services[0].clients[0]";
const selfSigned = "services[0].clients[1]";
const withSecret = "services[0].clients[2]";
const listen = "{ host: 127.0.0.1, port: 0 }";

test("the configuration that the others differ from is accepted", async (t) => {
  t.deepEqual(await problemsOf(accepted), []);
});

test("unknown, missing and empty members are refused, at every depth", async (t) => {
  await refuses(t, [
    [["store:", "stoer: {}\nstore:"], "stoer is not a known member"],
    [["port: 0", "prot: 0"], "listen.prot is not a known member"],
    [
      ["apiKey: 1004", "apiKey: 1004\n    acessTokenDuration: 1"],
      "services[0].acessTokenDuration is not a known member",
    ],
    [["clientId: 3", "clientId: 3\n        clientIdd: 3"], `${withSecret}.clientIdd is not a known member`],
    [
      ["clientId: 3", "clientId: 3\n        sectorIdentifierUri: https://a.example/"],
      `${withSecret}.sectorIdentifierUri is not a known member`,
    ],
    [
      ["clientId: 3", "clientId: 3\n        extension: { scopes: [] }"],
      `${withSecret}.extension.scopes is not a known member`,
    ],
    [
      ["{ name: write }", "{ name: write, default: true }"],
      "services[0].supportedScopes[1].default is not a known member",
    ],
    [["store:", "__proto__: { log: 1 }\nstore:"], "__proto__ is not a known member"],
    [['store: { sqlite: "data/certbound.sqlite" }', ""], "store is missing"],
    [["secretKey: { env: SECRET_KEY }", ""], "secretKey is missing: only a store of :memory: can do without"],
    [["issuer: https://as.example.com", ""], "services[0].issuer is missing"],
    [["apiSecret: { env: API_SECRET }", ""], "services[0].apiSecret is missing"],
    [["        tokenAuthMethod: CLIENT_SECRET_BASIC\n", ""], `${withSecret}.tokenAuthMethod is missing`],
    [["issuer: https://as.example.com", "issuer:"], "services[0].issuer has no value"],
    [['"data/certbound.sqlite"', '""'], "store.sqlite must be a path"],
    [
      ["[{ file: ca.pem }]", "[]"],
      `${client}.tokenAuthMethod is TLS_CLIENT_AUTH: that needs trustedRootCertificates, the client's own or the service's (the system's are never used)`,
    ],
  ]);
});

test("wrong types, values out of range and unknown words are refused without being quoted", async (t) => {
  await refuses(t, [
    [["apiKey: 1004", 'apiKey: "1004"'], "services[0].apiKey must be a number"],
    [["apiKey: 1004", "apiKey: 0"], "services[0].apiKey must be more than 0"],
    [["apiKey: 1004", "apiKey: 1.5"], "services[0].apiKey must be a whole number"],
    [["apiKey: 1004", "apiKey: 9007199254740993"], "services[0].apiKey must be at most 9007199254740991"],
    [
      ["apiKey: 1004", "apiKey: 1004\n    accessTokenDuration: 0"],
      "services[0].accessTokenDuration must be more than 0",
    ],
    [
      ["apiKey: 1004", "apiKey: 1004\n    accessTokenDuration: -5"],
      "services[0].accessTokenDuration must be more than 0",
    ],
    [
      ["apiKey: 1004", "apiKey: 1004\n    accessTokenDuration: 2147483648"],
      "services[0].accessTokenDuration must be at most 2147483647",
    ],
    [
      ["clientId: 3", "clientId: 3\n        extension: { accessTokenDuration: 0 }"],
      `${withSecret}.extension.accessTokenDuration must be more than 0`,
    ],
    [
      ["clientIdAliasEnabled: true", "clientIdAliasEnabled: yes"],
      `${client}.clientIdAliasEnabled must be true or false`,
    ],
    [["clientIdAlias: client-a", "clientIdAlias: 17"], `${client}.clientIdAlias must be a text`],
    [
      ["clientIdAlias: client-a", 'clientIdAlias: "17"'],
      `${client}.clientIdAlias must not be digits only: it would be taken for a clientId`,
    ],
    [
      ["clientIdAlias: client-a", "clientIdAlias: clïent"],
      `${client}.clientIdAlias must be visible ASCII (RFC 6749 appendix A.1)`,
    ],
    [
      ["clientType: CONFIDENTIAL", "clientType: confidential"],
      `${client}.clientType must be one of PUBLIC, CONFIDENTIAL`,
    ],
    [
      ["CLIENT_SECRET_BASIC", "CLIENT_SECRET"],
      `${withSecret}.tokenAuthMethod must be one of NONE, CLIENT_SECRET_BASIC, CLIENT_SECRET_POST, CLIENT_SECRET_JWT, PRIVATE_KEY_JWT, TLS_CLIENT_AUTH, SELF_SIGNED_TLS_CLIENT_AUTH`,
    ],
    [
      ["store:", "log: { level: loud }\nstore:"],
      "log.level must be one of silent, fatal, error, warn, info, debug, trace",
    ],
    [["port: 0", "port: 65536"], "listen.port must be at most 65535"],
    [["port: 0", "port: -1"], "listen.port must be at least 0"],
    [
      ["    clients:", "    supportedTokenAuthMethods: []\n    clients:"],
      "services[0].supportedTokenAuthMethods must not be empty",
    ],
    [
      ["    clients:", "    accessTokenType: Be arer\n    clients:"],
      "services[0].accessTokenType must be a token type, for example Bearer",
    ],
  ]);
  t.deepEqual(await problemsOf("- a list"), [" must be a mapping"]);
  t.deepEqual(await problemsOf(""), [" has no value"]);
});

test("what is not YAML, or not the plain YAML that is understood, is refused with its place", async (t) => {
  const rows: readonly [string, string][] = [
    ["store: 1\nstore: 2", "line 2, column 1: a member is given twice"],
    ["a: {b: 1, b: 2}", "line 1, column 11: a member is given twice"],
    ["a: !secret x", "line 1, column 4: a tag (!name) is not understood"],
    ["a: !!binary aGk=", "line 1, column 4: a tag (!name) is not understood"],
    ["a: *b", " an alias (*name) has no anchor (&name) before it, or aliases multiply beyond 100"],
    ["a: 1\n---\nb: 1", "line 2, column 1: a second document begins; the file must hold one"],
    ["? [a]\n: 1", "line 1, column 3: a member's name is not a text"],
    ["a:\n\tb: 1", "line 2, column 1: a tab indents the line; YAML wants spaces"],
    ["a: [", "line 1, column 5: the indentation is wrong, or a bracket is not closed"],
    ["a: 'b", "line 1, column 6: something is not closed, a quote or a bracket perhaps"],
    ["a: b: c", "line 1, column 4: this is not YAML (BLOCK_AS_IMPLICIT_KEY)"],
    ["<<: { store: 1 }", "<< is not a known member"],
  ];
  for (const [text, problem] of rows) t.true((await problemsOf(text)).includes(problem), `${text}\n${problem}`);
});

test("aliases that multiply are refused before they do", async (t) => {
  const lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x]"];
  for (let level = 1; level < 12; level++) {
    lines.push(`a${level}: &a${level} [${Array.from({ length: 9 }, () => `*a${level - 1}`).join(", ")}]`);
  }
  t.deepEqual(await problemsOf(lines.join("\n")), [
    " an alias (*name) has no anchor (&name) before it, or aliases multiply beyond 100",
  ]);
});

test("an address of the network needs TLS, here or in front", async (t) => {
  const sentence =
    "listen.host is not a loopback address: give listen.tls, or say listen.behindTls: true when what is in front of it ends TLS";
  const hosts = [
    "0.0.0.0",
    '"::"',
    "192.0.2.1",
    '"2001:db8::1"',
    '"::ffff:192.0.2.1"',
    "backend.example.org",
    "localhost.example.org",
    '"127.1"',
    "0x7f.1",
    "128.0.0.1",
  ];
  await refuses(
    t,
    hosts.map((host) => [[listen, `{ host: ${host} }`], sentence] as const),
  );
  await refuses(t, [[[listen, "{ host: 0.0.0.0, behindTls: false }"], sentence]]);
});

test("a listener that cannot be is refused", async (t) => {
  const tls = "tls: { certificate: { file: server.pem }, key: { file: server.key } }";
  await refuses(t, [
    [[listen, "{ unix: s.sock, port: 1 }"], "listen.port cannot stand beside listen.unix"],
    [[listen, `{ unix: s.sock, ${tls} }`], "listen.tls cannot stand beside listen.unix"],
    [
      [listen, `{ host: 0.0.0.0, behindTls: true, ${tls} }`],
      "listen.behindTls cannot be true beside listen.tls: TLS ends either here or in front",
    ],
    [[listen, '{ host: "[::1]" }'], "listen.host must be an IP address (IPv6 without brackets) or a host name"],
    [[listen, '{ host: "*" }'], "listen.host must be an IP address (IPv6 without brackets) or a host name"],
    [
      [listen, "{ host: http://127.0.0.1 }"],
      "listen.host must be an IP address (IPv6 without brackets) or a host name",
    ],
    [[listen, `{ ${tls.replace("server.key", "empty")} }`], "listen.tls.key is empty in its file"],
    [
      [listen, `{ ${tls.replace("server.key", "ca.pem")} }`],
      "listen.tls.key is not a PEM private key without a passphrase",
    ],
    [[listen, `{ ${tls.replace("server.pem", "server.key")} }`], "listen.tls.certificate is not a PEM certificate"],
    [[listen, `{ ${tls.replace("server.pem", "ca.pem")} }`], "listen.tls.key is not the key of listen.tls.certificate"],
    [
      [listen, `{ ${tls.replace("server.pem", "none.pem")} }`],
      "listen.tls.certificate cannot be read from /etc/certbound/none.pem (ENOENT)",
    ],
    [
      [listen, "{ tls: { certificate: { file: server.pem }, key: server.key } }"],
      "listen.tls.key must be { env: NAME } or { file: PATH }, never the secret itself",
    ],
    [
      [listen, `{ ${tls.replace("server.key }", "server.key }, minVersion: TLSv1.1")} }`],
      "listen.tls.minVersion must be one of TLSv1.2, TLSv1.3",
    ],
  ]);
  const encrypted = createPrivateKey(serverCertificate.key).export({
    type: "pkcs8",
    format: "pem",
    cipher: "aes-256-cbc",
    passphrase: "p",
  });
  t.deepEqual(
    await problemsOf(changed([[listen, `{ ${tls} }`]]), {
      files: { "/etc/certbound/server.key": encrypted as string },
    }),
    ["listen.tls.key is not a PEM private key without a passphrase"],
  );
});

test("secrets that stand in the file, or are not where they should be, are refused", async (t) => {
  const how = "must be { env: NAME } or { file: PATH }, never the secret itself";
  await refuses(t, [
    [["apiSecret: { env: API_SECRET }", "apiSecret: literal"], `services[0].apiSecret ${how}`],
    [["apiSecret: { env: API_SECRET }", "apiSecret: 12345678"], `services[0].apiSecret ${how}`],
    [["apiSecret: { env: API_SECRET }", "apiSecret: { value: literal }"], `services[0].apiSecret ${how}`],
    [["apiSecret: { env: API_SECRET }", "apiSecret: { env: A, file: b }"], `services[0].apiSecret ${how}`],
    [["apiSecret: { env: API_SECRET }", "apiSecret: [{ env: API_SECRET }]"], `services[0].apiSecret ${how}`],
    [["apiSecret: { env: API_SECRET }", "apiSecret: { env: not-a-name }"], `services[0].apiSecret ${how}`],
    [["apiSecret: { env: API_SECRET }", 'apiSecret: { file: "" }'], `services[0].apiSecret ${how}`],
    [["[{ env: SERVICE_TOKEN }]", "[literal]"], `services[0].serviceAccessTokens[0] ${how}`],
    [
      ["[{ env: SERVICE_TOKEN }]", "[{ env: EMPTY }]"],
      "services[0].serviceAccessTokens[0] is empty: the environment variable EMPTY has no text",
    ],
    [["clientSecret: { file: secrets/client-c }", "clientSecret: literal"], `${withSecret}.clientSecret ${how}`],
    [["secretKey: { env: SECRET_KEY }", `secretKey: ${"07".repeat(32)}`], `secretKey ${how}`],
    [
      ["{ env: API_SECRET }", "{ env: NOT_SET }"],
      "services[0].apiSecret needs the environment variable NOT_SET: not set",
    ],
    [
      ["{ env: API_SECRET }", "{ env: toString }"],
      "services[0].apiSecret needs the environment variable toString: not set",
    ],
    [
      ["{ env: API_SECRET }", "{ env: EMPTY }"],
      "services[0].apiSecret is empty: the environment variable EMPTY has no text",
    ],
    [
      ["secrets/client-c", "secrets/none"],
      `${withSecret}.clientSecret cannot be read from /etc/certbound/secrets/none (ENOENT)`,
    ],
    [["secrets/client-c", "empty"], `${withSecret}.clientSecret is empty in its file`],
    [
      ["ca.pem", "none.pem"],
      "services[0].trustedRootCertificates[0] cannot be read from /etc/certbound/none.pem (ENOENT)",
    ],
    [
      ["clientSecret: { file: secrets/client-c }", ""],
      `${withSecret}.clientSecret is missing: CLIENT_SECRET_BASIC needs it`,
    ],
  ]);
  for (const content of ["two\nlines\n", "tab\t", "\n\n", "nul\0", "delete\u007f"]) {
    t.deepEqual(await problemsOf(accepted, { files: { "/etc/certbound/secrets/client-c": content } }), [
      `${withSecret}.clientSecret holds a line break or another control character`,
    ]);
  }
  t.deepEqual(await problemsOf(accepted, { files: { "/etc/certbound/secrets/client-c": "\n" } }), [
    `${withSecret}.clientSecret is empty in its file`,
  ]);
  t.deepEqual(await problemsOf(accepted, { env: { SERVICE_TOKEN: "has space" } }), [
    "services[0].serviceAccessTokens[0] holds a character that no Bearer token may have (RFC 6750 §2.1)",
  ]);
});

test("a secret key that is not 32 octets in one of its spellings is refused", async (t) => {
  const key = Buffer.alloc(32, 0xfb).toString("base64");
  const wrong = [
    "changeme",
    "07".repeat(31),
    "07".repeat(33),
    `${"07".repeat(31)}0g`,
    key.slice(1),
    `${key}=`,
    `${key} `,
    key.replace("+", "-"),
    `${key.slice(0, 42)}v=`,
  ];
  for (const SECRET_KEY of wrong) {
    t.deepEqual(await problemsOf(accepted, { env: { SECRET_KEY } }), [
      "secretKey must be 32 octets: 64 hexadecimal digits, or base64 (openssl rand -base64 32)",
    ]);
  }
});

test("two services with one apiKey, two clients with one id or alias, and a scope given twice are refused", async (t) => {
  const second = "  - { apiKey: 1004, apiSecret: { env: API_SECRET }, issuer: https://as2.example.com }\n";
  t.deepEqual(await problemsOf(`${accepted}${second}`), ["services[1].apiKey is the same as that of services[0]"]);
  await refuses(t, [
    [["clientId: 3", "clientId: 1"], `${withSecret}.clientId is the same as that of ${client}`],
    [
      ["clientId: 3", "clientId: 3\n        clientIdAlias: client-a\n        clientIdAliasEnabled: true"],
      `${withSecret}.clientIdAlias is the same as that of ${client}`,
    ],
    [
      ["{ name: write }", "{ name: read }"],
      "services[0].supportedScopes[1].name is the same as that of services[0].supportedScopes[0]",
    ],
  ]);
});

test("clients of two services may have the same id and alias", async (t) => {
  const second = `
  - apiKey: 1005
    apiSecret: { env: API_SECRET }
    issuer: https://as2.example.com
    clients:
      - { clientId: 1, clientIdAlias: client-a, clientIdAliasEnabled: true, clientType: PUBLIC, tokenAuthMethod: NONE }
`;
  t.deepEqual(await problemsOf(`${accepted.trimEnd()}${second}`), []);
});

test("a client's type and its authentication method must go together", async (t) => {
  await refuses(t, [
    [
      ["CLIENT_SECRET_BASIC", "NONE"],
      `${withSecret}.tokenAuthMethod is NONE: a CONFIDENTIAL client must prove who it is (RFC 6749 §3.2.1)`,
    ],
    [
      ["clientId: 3\n        clientType: CONFIDENTIAL", "clientId: 3\n        clientType: PUBLIC"],
      `${withSecret}.tokenAuthMethod is CLIENT_SECRET_BASIC: a PUBLIC client has only NONE (RFC 6749 §2.1)`,
    ],
    [
      ["    clients:", "    supportedTokenAuthMethods: [TLS_CLIENT_AUTH, SELF_SIGNED_TLS_CLIENT_AUTH]\n    clients:"],
      `${withSecret}.tokenAuthMethod is CLIENT_SECRET_BASIC: not one of the service's supportedTokenAuthMethods`,
    ],
  ]);
});

const subjects = {
  tlsClientAuthSubjectDn: "CN=client-a",
  tlsClientAuthSanDns: "client-a.example.org",
  tlsClientAuthSanUri: "https://client-a.example.org/",
  tlsClientAuthSanIp: "2001:db8::1",
  tlsClientAuthSanEmail: "a@example.org",
};
const line = "        tlsClientAuthSubjectDn: CN=client-a,O=Example\n";
const linesOf = (members: readonly [string, string][]) =>
  members.map(([member, value]) => `        ${member}: ${JSON.stringify(value)}\n`).join("");

test("8705-2.1.2-a: tls_client_auth takes exactly one subject member: none, two, five and an empty one are refused", async (t) => {
  const exactlyOne = `${client} needs exactly one of ${Object.keys(subjects).join(", ")} with TLS_CLIENT_AUTH: `;
  const members = Object.entries(subjects);
  await refuses(t, [
    [[line, ""], `${exactlyOne}none is given`],
    [[line, linesOf(members.slice(0, 2))], `${exactlyOne}given are tlsClientAuthSubjectDn and tlsClientAuthSanDns`],
    [[line, linesOf(members)], `${exactlyOne}given are ${Object.keys(subjects).join(" and ")}`],
  ]);
  for (const [member, value] of members) {
    t.deepEqual(await problemsOf(changed([[line, linesOf([[member, value]])]])), []);
    const problems = await problemsOf(changed([[line, linesOf([[member, ""]])]]));
    t.is(problems.length, 1);
    t.true(problems[0]?.startsWith(`${client}.${member} is not `));
  }
});

test("8705-2.1.2-b: a malformed distinguished name is refused at registration", async (t) => {
  for (const dn of [
    "client-a",
    "CN",
    "CN=a,",
    ",CN=a",
    "CN=a,,O=b",
    "=a",
    "CN=a+",
    'CN="a',
    "CN=a\\",
    "CN=#zz",
    "1.2.=a",
  ]) {
    t.deepEqual(
      await problemsOf(changed([[line, linesOf([["tlsClientAuthSubjectDn", dn]])]])),
      [`${client}.tlsClientAuthSubjectDn is not a distinguished name (RFC 4514), for example CN=client-a,O=Example`],
      dn,
    );
  }
});

test("malformed alternative names are refused at registration", async (t) => {
  const rows: readonly [string, string, string][] = [
    ["tlsClientAuthSanIp", "010.0.0.1", "is not an IP address, for example 192.0.2.1 or 2001:db8::1"],
    ["tlsClientAuthSanIp", "localhost", "is not an IP address, for example 192.0.2.1 or 2001:db8::1"],
    ["tlsClientAuthSanIp", "192.0.2.0/24", "is not an IP address, for example 192.0.2.1 or 2001:db8::1"],
    ["tlsClientAuthSanDns", "a..b", "is not a DNS name, for example client-a.example.org"],
    ["tlsClientAuthSanDns", "https://a", "is not a DNS name, for example client-a.example.org"],
    ["tlsClientAuthSanUri", "client-a", "is not a URI, for example https://client-a.example.org/"],
    ["tlsClientAuthSanEmail", "client-a", "is not an e-mail address, for example a@example.org"],
  ];
  for (const [member, value, sentence] of rows) {
    t.deepEqual(await problemsOf(changed([[line, linesOf([[member, value]])]])), [`${client}.${member} ${sentence}`]);
  }
});

test("trust anchors that are not one certificate each, and chains that nobody checks, are refused", async (t) => {
  const sentence = "is not one PEM certificate (a text, or { file: PATH }; one entry a certificate)";
  for (const content of [
    "",
    "not a certificate",
    authority.certificate.key,
    authority.certificate.pem + serverCertificate.pem,
    authority.certificate.pem.slice(0, -60),
  ]) {
    t.deepEqual(await problemsOf(accepted, { files: { "/etc/certbound/ca.pem": content } }), [
      `services[0].trustedRootCertificates[0] ${sentence}`,
    ]);
  }
  await refuses(t, [
    [[line, `${line}        trustedRootCertificates: [nothing]\n`], `${client}.trustedRootCertificates[0] ${sentence}`],
    [[line, `${line}        trustedRootCertificates: []\n`], `${client}.trustedRootCertificates must not be empty`],
    [
      ["    clients:", "    mutualTlsValidatePkiCertChain: false\n    clients:"],
      "services[0].mutualTlsValidatePkiCertChain is false: then nobody checks client certificates, unless frontEndValidatesPkiCertChain: true says that the front end does",
    ],
  ]);
  const own = `${line}        trustedRootCertificates: [{ file: ca.pem }]\n`;
  t.deepEqual(
    await problemsOf(
      changed([
        ["[{ file: ca.pem }]", "[]"],
        [line, own],
      ]),
    ),
    [],
  );
});

test("8705-2.2.2-b: a jwks whose key is not that of the certificate in its x5c is refused", async (t) => {
  const other = createSelfSigned({ subject: "CN=client-b" });
  const mismatching = jwksOf(clientB, other);
  t.deepEqual(await problemsOf(accepted, { files: { "/etc/certbound/client-b.jwks.json": mismatching } }), [
    `${selfSigned}.jwks keys[0] is not the key of the certificate in its x5c`,
  ]);
});

test("a jwks of any key kind is accepted, and one without certificates where they are not needed", async (t) => {
  for (const key of ["P-256", "RSA-2048", "Ed25519"] as const) {
    const jwks = jwksOf(createSelfSigned({ subject: "CN=client-b", key }));
    t.deepEqual(await problemsOf(accepted, { files: { "/etc/certbound/client-b.jwks.json": jwks } }), [], key);
  }
  const { x5c, ...plain } = jwkOf(clientB);
  t.truthy(x5c);
  const change: Change = [line, `${line}        jwks: '${JSON.stringify({ keys: [plain] })}'\n`];
  t.deepEqual(await problemsOf(changed([change])), []);
  t.deepEqual(
    await problemsOf(accepted, {
      files: { "/etc/certbound/client-b.jwks.json": JSON.stringify({ keys: [plain, jwkOf(clientB)] }) },
    }),
    [],
  );
});

test("a jwks that cannot register a certificate is refused", async (t) => {
  const good = jwkOf(clientB);
  const { x5c, ...plain } = good;
  const der = (x5c as string[])[0] ?? "";
  const notASet = "is not a JWK Set (RFC 7517 §5) as JSON text";
  const noCertificate = "keys[0] has an x5c whose first entry is not a certificate (base64 of DER)";
  const set = (...keys: unknown[]) => JSON.stringify({ keys });
  const rows: readonly [string, string][] = [
    ["", notASet],
    ["not JSON", notASet],
    ["[]", notASet],
    ["null", notASet],
    ["{}", notASet],
    [JSON.stringify(good), notASet],
    ['{"keys":{}}', notASet],
    ['{"keys":[1]}', notASet],
    ['{"keys":[{}]}', notASet],
    [set({ ...good, x5c: "text" }), notASet],
    [set(), "has no key with x5c: no certificate could ever count"],
    [set(plain), "has no key with x5c: no certificate could ever count"],
    [set({ ...good, x5c: [] }), noCertificate],
    [set({ ...good, x5c: [""] }), noCertificate],
    [set({ ...good, x5c: ["AAAA"] }), noCertificate],
    [set({ ...good, x5c: [clientB.pem] }), noCertificate],
    [set({ ...good, x5c: [`${der}\n`] }), noCertificate],
    [set({ ...good, x5c: [Buffer.from(der, "base64").toString("base64url")] }), noCertificate],
    [set({ ...good, x5c: [Buffer.concat([clientB.der, Buffer.of(0)]).toString("base64")] }), noCertificate],
    [set({ ...good, crv: "P-999" }), "keys[0] is not a public key"],
    [set({ ...good, kty: "oct", k: "AAAA" }), "keys[0] is a private or symmetric key"],
    [
      set({ ...clientB.keyPair.privateKey.export({ format: "jwk" }), x5c: [der] }),
      "keys[0] is a private or symmetric key",
    ],
  ];
  for (const [jwks, sentence] of rows) {
    const found = await problemsOf(accepted, { files: { "/etc/certbound/client-b.jwks.json": jwks } });
    t.deepEqual(found, [`${selfSigned}.jwks ${sentence}`], jwks.slice(0, 80));
  }
  await refuses(t, [
    [
      ["        jwks: { file: client-b.jwks.json }\n", ""],
      `${selfSigned}.jwks is missing: SELF_SIGNED_TLS_CLIENT_AUTH needs it, or jwksUri`,
    ],
    [
      ["jwks: { file: client-b.jwks.json }", "jwks: { keys: [] }"],
      `${selfSigned}.jwks must be the text itself or { file: PATH }`,
    ],
  ]);
});

test("selfSignedCertificateKeyId must name one key that carries a certificate", async (t) => {
  const named = changed([["jwks:", "selfSignedCertificateKeyId: b-1\n        jwks:"]]);
  const { x5c, ...plain } = jwkOf(clientB);
  t.truthy(x5c);
  const outcome = (...keys: unknown[]) =>
    problemsOf(named, { files: { "/etc/certbound/client-b.jwks.json": JSON.stringify({ keys }) } });
  const path = `${selfSigned}.selfSignedCertificateKeyId`;
  t.deepEqual(await outcome(jwkOf(clientB)), []);
  t.deepEqual(await outcome({ ...jwkOf(clientB), kid: "b-2" }), [
    `${path} names no key of jwks that carries a certificate (x5c)`,
  ]);
  t.deepEqual(await outcome(plain, { ...jwkOf(clientB), kid: "b-2" }), [
    `${path} names no key of jwks that carries a certificate (x5c)`,
  ]);
  t.deepEqual(await outcome(jwkOf(clientB), jwkOf(clientB)), [`${path} names more than one key of jwks`]);
});

test("scopes, resources and issuers of bad form are refused", async (t) => {
  const scope = "must be a scope: visible ASCII without space, quote, backslash";
  for (const name of ['""', "a b", `'a"b'`, "'a\\b'", '"a\\tb"', "é"]) {
    await refuses(t, [[["{ name: write }", `{ name: ${name} }`], `services[0].supportedScopes[1].name ${scope}`]]);
  }
  const resource = "must be an absolute URI without a fragment";
  for (const text of ["api", "/api", '"https://api.example.com/#x"', '""']) {
    await refuses(t, [
      [
        ["    clients:", `    defaultResources: [${text}]\n    clients:`],
        `services[0].defaultResources[0] ${resource}`,
      ],
    ]);
  }
  const issuer = "must be an https URL without query or fragment (http only for loopback)";
  for (const text of [
    "as.example.com",
    "http://as.example.com",
    '"https://as.example.com/?a=b"',
    '"https://as.example.com/#a"',
    "https://u:p@as.example.com",
    '"https://as.example.com?"',
    "ftp://127.0.0.1",
    "urn:example",
  ]) {
    await refuses(t, [[["issuer: https://as.example.com", `issuer: ${text}`], `services[0].issuer ${issuer}`]]);
  }
  for (const text of [
    "http://127.0.0.1:3000",
    "http://localhost:3000/as",
    '"http://[::1]:3000"',
    "https://as.example.com/tenant",
  ]) {
    t.deepEqual(await problemsOf(changed([["issuer: https://as.example.com", `issuer: ${text}`]])), []);
  }
  await refuses(t, [
    [
      ["clientId: 3", "clientId: 3\n        extension: { requestableScopes: [admin] }"],
      `${withSecret}.extension.requestableScopes[0] is not one of the service's supportedScopes`,
    ],
  ]);
});
