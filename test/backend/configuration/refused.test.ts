import { createPrivateKey } from "node:crypto";
import test from "ava";
import { readCertificates } from "../../../src/x509/read-certificate.ts";
import { createSelfSigned } from "../../support/certificates.ts";
import {
  accepted,
  authority,
  changed,
  clientB,
  jwkOf,
  jwksOf,
  problemsOf,
  read,
  serverCertificate,
  type Change,
} from "./a-configuration.ts";

type Row = readonly [changes: Change | readonly Change[], problem: string];

/** One test a row: with these changes the configuration has this problem and no other. */
function refuses(title: string, rows: readonly Row[]): void {
  for (const [changes, problem] of rows) {
    const all = typeof changes[0] === "string" ? [changes as Change] : (changes as readonly Change[]);
    test(`${title}: ${written(all)}`, async (t) => {
      t.deepEqual(await problemsOf(changed(all)), [problem]);
    });
  }
}

/** What the changes write, short enough for a title. */
function written(changes: readonly Change[]): string {
  return changes.map(([from, to]) => (to === "" ? `without ${short(from)}` : short(to))).join(" and ");
}

function short(text: string): string {
  const quoted = JSON.stringify(text);
  return quoted.length > 70 ? `${quoted.slice(0, 40)} … ${quoted.slice(-25)} (${quoted.length} characters)` : quoted;
}

const client = "services[0].clients[0]";
const selfSigned = "services[0].clients[1]";
const withSecret = "services[0].clients[2]";
const listen = "{ host: 127.0.0.1, port: 0 }";

test("the configuration that the others differ from is accepted", async (t) => {
  t.deepEqual(await problemsOf(accepted), []);
});

refuses("unknown, missing and empty members are refused, at every depth", [
  [["store:", "stoer: {}\nstore:"], "stoer is not a known member"],
  [["port: 0", "prot: 0"], "listen.prot is not a known member"],
  [["apiKey: 1004", "apiKey: 1004\n    acessTokenDuration: 1"], "services[0].acessTokenDuration is not a known member"],
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

test("wrong types, values out of range and unknown words are refused without being quoted", async (t) => {
  t.deepEqual(await problemsOf("- a list"), [" must be a mapping"]);
  t.deepEqual(await problemsOf(""), [" has no value"]);
});

refuses("wrong types, values out of range and unknown words are refused without being quoted", [
  [["apiKey: 1004", 'apiKey: "1004"'], "services[0].apiKey must be a number"],
  [["apiKey: 1004", "apiKey: 0"], "services[0].apiKey must be more than 0"],
  [["apiKey: 1004", "apiKey: 1.5"], "services[0].apiKey must be a whole number"],
  [["apiKey: 1004", "apiKey: 9007199254740993"], "services[0].apiKey must be at most 9007199254740991"],
  [["apiKey: 1004", "apiKey: 1004\n    accessTokenDuration: 0"], "services[0].accessTokenDuration must be more than 0"],
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
  [["clientIdAliasEnabled: true", "clientIdAliasEnabled: yes"], `${client}.clientIdAliasEnabled must be true or false`],
  [["clientIdAlias: client-a", "clientIdAlias: 17"], `${client}.clientIdAlias must be a text`],
  [
    ["clientIdAlias: client-a", 'clientIdAlias: "17"'],
    `${client}.clientIdAlias must not be digits only: it would be taken for a clientId`,
  ],
  [
    ["clientIdAlias: client-a", "clientIdAlias: clïent"],
    `${client}.clientIdAlias must be visible ASCII (RFC 6749 appendix A.1); its character 3 is none of these`,
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
    "services[0].accessTokenType must be a token type, for example Bearer; its character 3 is none of these",
  ],
]);

{
  const rows: readonly [string, string][] = [
    ["store: 1\nstore: 2", "line 2, column 1: a member is given twice"],
    ["a: {b: 1, b: 2}", "line 1, column 11: a member is given twice"],
    ["a: !secret x", "line 1, column 4: a tag (!name) is not understood"],
    ["a: !!binary aGk=", "line 1, column 4: a tag (!name) is not understood"],
    ["a: *b", "line 1, column 4: an alias (*name) has no anchor (&name) before it"],
    ["a: &c 1\nb: [*c, *b]", "line 2, column 9: an alias (*name) has no anchor (&name) before it"],
    [
      "a: 'b' c",
      "line 1, column 8: something stands where YAML expects nothing: text after a value, or a bracket or comma too many",
    ],
    ["a: 1\n---\nb: 1", "line 2, column 1: a second document begins; the file must hold one"],
    ["? [a]\n: 1", "line 1, column 3: a member's name is not a text"],
    ["a:\n\tb: 1", "line 2, column 1: a tab indents the line; YAML wants spaces"],
    ["a: [", "line 1, column 5: the indentation is wrong, or a bracket is not closed"],
    ["a: 'b", "line 1, column 6: something is not closed, a quote or a bracket perhaps"],
    ["a: b: c", "line 1, column 4: a value has a colon and a blank in it; put it in quotes, or begin a new line"],
    [
      "a: @b",
      "line 1, column 4: a value begins with a character that YAML keeps for itself (@, `, %, |, >); put it in quotes",
    ],
    ["a: [b", "line 1, column 6: the indentation is wrong, or a bracket is not closed"],
    [
      "a: [b]]",
      "line 1, column 7: something stands where YAML expects nothing: text after a value, or a bracket or comma too many",
    ],
    ["b: &a &c d", "line 1, column 7: a value has two anchors (&name)"],
    ["a\nb: c", "line 1, column 1: a member's name goes on over the end of the line; a colon may be missing"],
    [
      `${"a".repeat(1025)}: b`,
      "line 1, column 1: a member's name is longer than 1024 characters; a colon may be missing",
    ],
    [
      'a: "\\q"',
      "line 1, column 5: a backslash in \"…\" is not followed by an escape of YAML; write \\\\ for one, or use '…'",
    ],
    ["<<: { store: 1 }", "<< is not a known member"],
  ];

  for (const [text, problem] of rows) {
    test(`what is not YAML, or not the plain YAML that is understood, is refused with its place: ${short(text)}`, async (t) => {
      t.true((await problemsOf(text)).includes(problem), `${text}\n${problem}`);
    });
  }
}

test("aliases that multiply are refused before they do", async (t) => {
  const lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x]"];
  for (let level = 1; level < 12; level++) {
    lines.push(`a${level}: &a${level} [${Array.from({ length: 9 }, () => `*a${level - 1}`).join(", ")}]`);
  }
  t.deepEqual(await problemsOf(lines.join("\n")), [" aliases (*name) multiply beyond 100; write the values out"]);
});

{
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

  refuses(
    "an address of the network needs TLS, here or in front",
    hosts.map((host) => [[listen, `{ host: ${host} }`], sentence] as const),
  );

  refuses("an address of the network needs TLS, here or in front", [
    [[listen, "{ host: 0.0.0.0, behindTls: false }"], sentence],
  ]);
}

{
  const tls = "tls: { certificate: { file: server.pem }, key: { file: server.key } }";
  const encrypted = createPrivateKey(serverCertificate.key).export({
    type: "pkcs8",
    format: "pem",
    cipher: "aes-256-cbc",
    passphrase: "p",
  });
  const keys: readonly [key: string, reason: string][] = [
    ["HUNTER2", "it has no markers of a private key (-----BEGIN PRIVATE KEY-----)"],
    [serverCertificate.key.replace("\nM", "\nA"), "what is between its markers cannot be read"],
    [serverCertificate.keyPair.publicKey.export({ type: "spki", format: "pem" }) as string, "it is a public key"],
  ];
  const chains: readonly [chain: string, problem: string][] = [
    [
      authority.certificate.pem + serverCertificate.pem,
      "must begin with the certificate of listen.tls.key, which is its certificate 2",
    ],
    [
      `${serverCertificate.pem}-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n`,
      "is not a PEM certificate: its certificate 2 cannot be read: it is not DER: an element is cut short, or in a form that only BER allows; the file may be damaged: copy it anew",
    ],
    [
      serverCertificate.pem.slice(0, -10),
      "is not a PEM certificate: its certificate 1 cannot be read: it is not PEM text: it does not begin and end with the markers of a certificate; give PEM text or { file: PATH }; openssl x509 -inform der -in FILE makes PEM from DER",
    ],
  ];
  const goodChains = [
    serverCertificate.pem + authority.certificate.pem,
    `subject=CN = backend\n${serverCertificate.pem}issuer - the next\n${authority.certificate.pem}`,
    serverCertificate.pem.replaceAll(" CERTIFICATE", " X509 CERTIFICATE"),
    serverCertificate.key + serverCertificate.pem,
  ];

  test("a listener that cannot be is refused", async (t) => {
    t.deepEqual(
      await problemsOf(changed([[listen, `{ ${tls} }`]]), {
        files: { "/etc/certbound/server.key": encrypted as string },
      }),
      [
        "listen.tls.key is not a PEM private key without a passphrase: it is encrypted; openssl pkey -in FILE writes it without",
      ],
    );
  });

  refuses("a listener that cannot be is refused", [
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
    [
      [listen, `{ ${tls.replace("server.key", "empty")} }`],
      "listen.tls.key is empty: the file /etc/certbound/empty has nothing in it",
    ],
    [
      [listen, `{ ${tls.replace("server.key", "ca.pem")} }`],
      "listen.tls.key is not a PEM private key without a passphrase: it is a certificate",
    ],
    [
      [listen, `{ ${tls.replace("server.pem", "server.key")} }`],
      "listen.tls.certificate is not a PEM certificate: it is a private key, and must not be sent to anyone; keep it secret, and name the certificate's file instead",
    ],
    [[listen, `{ ${tls.replace("server.pem", "ca.pem")} }`], "listen.tls.key is not the key of listen.tls.certificate"],
    [
      [listen, `{ ${tls.replace("server.pem", "none.pem")} }`],
      "listen.tls.certificate cannot be read from /etc/certbound/none.pem: there is no such file (ENOENT)",
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

  for (const [key, reason] of keys) {
    test(`a listener that cannot be is refused: ${short(key)}`, async (t) => {
      t.deepEqual(
        await problemsOf(changed([[listen, `{ ${tls} }`]]), { files: { "/etc/certbound/server.key": key } }),
        [`listen.tls.key is not a PEM private key without a passphrase: ${reason}`],
      );
    });
  }

  for (const [chain, problem] of chains) {
    test(`a listener that cannot be is refused: ${short(chain)}`, async (t) => {
      t.deepEqual(
        await problemsOf(changed([[listen, `{ ${tls} }`]]), { files: { "/etc/certbound/server.pem": chain } }),
        [`listen.tls.certificate ${problem}`],
      );
    });
  }

  for (const chain of goodChains) {
    test(`a listener that cannot be is refused: ${short(chain)}`, async (t) => {
      t.deepEqual(
        await problemsOf(changed([[listen, `{ ${tls} }`]]), { files: { "/etc/certbound/server.pem": chain } }),
        [],
      );
    });
  }
}

{
  const how = "must be { env: NAME } or { file: PATH }, never the secret itself";

  test("secrets that stand in the file, or are not where they should be, are refused", async (t) => {
    t.deepEqual(await problemsOf(accepted, { files: { "/etc/certbound/secrets/client-c": "\n" } }), [
      `${withSecret}.clientSecret is empty: the file /etc/certbound/secrets/client-c has nothing in it`,
    ]);
    t.deepEqual(await problemsOf(accepted, { env: { SERVICE_TOKEN: "has space" } }), [
      "services[0].serviceAccessTokens[0] holds a character that no Bearer token may have (RFC 6750 §2.1), at character 4",
    ]);
  });

  refuses("secrets that stand in the file, or are not where they should be, are refused", [
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
      "services[0].serviceAccessTokens[0] is empty: the environment variable EMPTY has nothing in it",
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
      "services[0].apiSecret is empty: the environment variable EMPTY has nothing in it",
    ],
    [
      ["secrets/client-c", "secrets/none"],
      `${withSecret}.clientSecret cannot be read from /etc/certbound/secrets/none: there is no such file (ENOENT)`,
    ],
    [
      ["secrets/client-c", "empty"],
      `${withSecret}.clientSecret is empty: the file /etc/certbound/empty has nothing in it`,
    ],
    [
      ["ca.pem", "none.pem"],
      "services[0].trustedRootCertificates[0] cannot be read from /etc/certbound/none.pem: there is no such file (ENOENT)",
    ],
    [
      ["clientSecret: { file: secrets/client-c }", ""],
      `${withSecret}.clientSecret is missing: CLIENT_SECRET_BASIC needs it`,
    ],
  ]);

  for (const [content, at] of [
    ["two\nlines\n", 4],
    ["tab\t", 4],
    ["\n\n", 1],
    ["nul\0", 4],
    ["delete\u007f", 7],
  ] as const) {
    test(`secrets that stand in the file, or are not where they should be, are refused: ${short(content)}`, async (t) => {
      t.deepEqual(await problemsOf(accepted, { files: { "/etc/certbound/secrets/client-c": content } }), [
        `${withSecret}.clientSecret holds a line break or another control character, at character ${at}`,
      ]);
    });
  }
}

{
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
    test(`a secret key that is not 32 octets in one of its spellings is refused: ${short(SECRET_KEY)}`, async (t) => {
      t.deepEqual(await problemsOf(accepted, { env: { SECRET_KEY } }), [
        "secretKey must be 32 octets: 64 hexadecimal digits, or base64 (openssl rand -base64 32)",
      ]);
    });
  }
}

{
  const second = "  - { apiKey: 1004, apiSecret: { env: API_SECRET }, issuer: https://as2.example.com }\n";

  test("two services with one apiKey, two clients with one id or alias, and a scope given twice are refused", async (t) => {
    t.deepEqual(await problemsOf(`${accepted}${second}`), ["services[1].apiKey is the same as that of services[0]"]);
  });

  refuses("two services with one apiKey, two clients with one id or alias, and a scope given twice are refused", [
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
}

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

refuses("a client's type and its authentication method must go together", [
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

{
  const exactlyOne = `${client} needs exactly one of ${Object.keys(subjects).join(", ")} with TLS_CLIENT_AUTH: `;
  const members = Object.entries(subjects);

  refuses(
    "8705-2.1.2-a: tls_client_auth takes exactly one subject member: none, two, five and an empty one are refused",
    [
      [[line, ""], `${exactlyOne}none is given`],
      [[line, linesOf(members.slice(0, 2))], `${exactlyOne}given are tlsClientAuthSubjectDn and tlsClientAuthSanDns`],
      [[line, linesOf(members)], `${exactlyOne}given are ${Object.keys(subjects).join(" and ")}`],
    ],
  );

  for (const [member, value] of members) {
    test(`8705-2.1.2-a: tls_client_auth takes exactly one subject member: none, two, five and an empty one are refused: ${short(member)}`, async (t) => {
      t.deepEqual(await problemsOf(changed([[line, linesOf([[member, value]])]])), []);
      const problems = await problemsOf(changed([[line, linesOf([[member, ""]])]]));
      t.is(problems.length, 1);
      t.true(problems[0]?.startsWith(`${client}.${member} is not `));
    });
  }
}

const print = "write it as openssl x509 -in client.pem -noout -subject -nameopt RFC2253 prints it after subject=";
const noPair = "an attribute is not of the form type=value";

{
  const rows: readonly (readonly [dn: string, reason: string])[] = [
    ["client-a", `${noPair}, at character 1`],
    ["CN", `${noPair}, at character 1`],
    ["CN=a,", `${noPair}, at character 6`],
    [",CN=a", `${noPair}, at character 1`],
    ["CN=a,,O=b", `${noPair}, at character 6`],
    ["=a", `${noPair}, at character 1`],
    ["CN=a+", `${noPair}, at character 6`],
    ['CN="a', 'a " is not escaped (values are not put in quotes; write \\"), at character 4'],
    ["CN=a\\", "a \\ is not followed by two hexadecimal digits or by a character that may be escaped, at character 5"],
    ["CN=#zz", "a # is not followed by octets in hexadecimal (or write \\#), at character 4"],
    ["1.2.=a", "an attribute type is not a valid object identifier, at character 1"],
    [
      "CN=a, O=b, XY=c",
      "an attribute type is not known (write its object identifier, for example 2.5.4.97), at character 12",
    ],
  ];

  for (const [dn, reason] of rows) {
    test(`8705-2.1.2-b: a malformed distinguished name is refused at registration: ${short(dn)}`, async (t) => {
      t.deepEqual(
        await problemsOf(changed([[line, linesOf([["tlsClientAuthSubjectDn", dn]])]])),
        [
          `${client}.tlsClientAuthSubjectDn is not a distinguished name (RFC 4514): ${reason}; ${print}, for example CN=client-a,O=Example`,
        ],
        dn,
      );
    });
  }
}

{
  const rows: readonly (readonly [dn: string, spelling: string])[] = [
    ["subject=C = ES, O = Acme, CN = a", "CN=a,O=Acme,C=ES"],
    ["subject=CN=a,O=Acme,C=ES", "CN=a,O=Acme,C=ES"],
    ["/C=ES/O=Acme/CN=a", "CN=a,O=Acme,C=ES"],
    ["subject=\n    countryName = ES\n    commonName = a\n", "CN=a,C=ES"],
    ['CN=a, O="Acme, Inc."', "CN=a,O=Acme\\, Inc."],
  ];

  for (const [dn, spelling] of rows) {
    test(`a distinguished name as a tool prints it is refused with its right spelling: ${short(dn)}`, async (t) => {
      const [problem, ...others] = await problemsOf(changed([[line, linesOf([["tlsClientAuthSubjectDn", dn]])]]));
      t.deepEqual(others, []);
      t.true(problem?.endsWith(`; write "${spelling}"`), problem);
      t.deepEqual(await problemsOf(changed([[line, linesOf([["tlsClientAuthSubjectDn", spelling]])]])), []);
    });
  }
}

{
  const address = "for example 192.0.2.1 or 2001:db8::1";
  const dns = "for example client-a.example.org";
  const uri = "for example https://client-a.example.org/";
  const email = "for example a@example.org";
  const rows: readonly [member: string, value: string, sentence: string][] = [
    ["Ip", "010.0.0.1", `is not an IP address (it has leading zeros, which some read as octal), ${address}`],
    ["Ip", "localhost", `is not an IP address (it is neither four decimal numbers nor IPv6), ${address}`],
    [
      "Ip",
      "192.0.2.0/24",
      `is not an IP address (it has a prefix length: one address is registered, not a network), ${address}`,
    ],
    ["Ip", "192.0.2.256", `is not an IP address (a number is above 255), ${address}`],
    ["Ip", "192.0.2.1:443", `is not an IP address (it has a port), ${address}`],
    ["Ip", "[2001:db8::1]", `is not an IP address (IPv6 is written without brackets), ${address}`],
    ["Ip", "fe80::1%eth0", `is not an IP address (it has a zone), ${address}`],
    [
      "Dns",
      "a..b",
      `is not a DNS name (there is nothing between two dots, or before the first, at character 2), ${dns}`,
    ],
    ["Dns", "https://a", `is not a DNS name (it has a scheme: tlsClientAuthSanUri is for URIs), ${dns}`],
    ["Dns", "bücher.example", `is not a DNS name (its character 2 is not ASCII: write the A-label (xn--…)), ${dns}`],
    ["Dns", "a b", `is not a DNS name (its character 2 is not a letter, a digit, a hyphen or a dot), ${dns}`],
    ["Dns", "a.example.", `is not a DNS name (it ends with a dot), ${dns}`],
    ["Dns", "a.*.example", `is not a DNS name (a * may only be its whole first label), ${dns}`],
    ["Dns", "a.-b", `is not a DNS name (a label begins or ends with a hyphen), ${dns}`],
    ["Dns", `${"a".repeat(64)}.b`, `is not a DNS name (a label is longer than 63 characters), ${dns}`],
    ["Dns", "a.".repeat(127), `is not a DNS name (it is longer than 253 characters), ${dns}`],
    ["Uri", "client-a", `is not a URI (it has no scheme such as https:), ${uri}`],
    ["Uri", "https://a/b c", `is not a URI (its character 12 is not one of a URI: percent-encode it), ${uri}`],
    ["Uri", "urn:", `is not a URI (nothing follows its scheme), ${uri}`],
    ["Email", "client-a", `is not an e-mail address (it has no @), ${email}`],
    ["Email", "@example.org", `is not an e-mail address (nothing is before its @), ${email}`],
    ["Email", "a b@example.org", `is not an e-mail address (its character 2 is a blank or not ASCII), ${email}`],
    ["Email", "a@", `is not an e-mail address (after its @ is no DNS name: it is empty), ${email}`],
    ["Email", "a@*.example", `is not an e-mail address (after its @ is no DNS name), ${email}`],
  ];

  for (const [member, value, sentence] of rows) {
    test(`malformed alternative names are refused at registration, each with its reason: ${member} ${short(value)}`, async (t) => {
      t.deepEqual(await problemsOf(changed([[line, linesOf([[`tlsClientAuthSan${member}`, value]])]])), [
        `${client}.tlsClientAuthSan${member} ${sentence}`,
      ]);
    });
  }
}

const noMarkers =
  "it is not PEM text: it does not begin and end with the markers of a certificate; give PEM text or { file: PATH }; openssl x509 -inform der -in FILE makes PEM from DER";

test("a file of trust anchors may hold several certificates, and text around them", async (t) => {
  const attributes = "Bag Attributes\n    localKeyID: 01 02\nsubject=CN = Client CA\n\nissuer=CN = Client CA\n";
  const file = `# our authorities\r\n${attributes}${authority.certificate.pem}\n${attributes}${serverCertificate.pem}# end`;
  const configuration = await read(accepted, { files: { "/etc/certbound/ca.pem": file } });
  t.is(configuration.services[0]?.settings.trustedRootCertificates.length, 1);
  t.true(configuration.warnings.some((warning) => warning.includes("[0] has a certificate 2 that is not self-issued")));
  const anchors = configuration.services[0]?.settings.trustedRootCertificates;
  t.deepEqual(
    anchors?.flatMap((anchors) => readCertificates(anchors).map(({ x5tS256 }) => x5tS256)),
    [authority.certificate, serverCertificate].map(({ x5tS256 }) => x5tS256),
  );
});

{
  const rows: readonly (readonly [content: string, reason: string])[] = [
    ["", "there is no certificate in it; give the text of a certificate, or { file: PATH }"],
    ["not a certificate", noMarkers],
    [authority.certificate.pem.slice(0, -60), noMarkers],
    [
      authority.certificate.key,
      "it is a private key, and must not be sent to anyone; keep it secret, and name the certificate's file instead",
    ],
    [`${serverCertificate.pem}${authority.certificate.pem.slice(0, -60)}`, `its certificate 2: ${noMarkers}`],
    [
      `${authority.certificate.pem}-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n`,
      "its certificate 2: it is not DER: an element is cut short, or in a form that only BER allows; the file may be damaged: copy it anew",
    ],
    [
      `${authority.certificate.pem}${serverCertificate.key}`,
      "it is a private key, and must not be sent to anyone; keep it secret, and name the certificate's file instead",
    ],
  ];
  const own = `${line}        trustedRootCertificates: [{ file: ca.pem }]\n`;

  test("trust anchors without a readable certificate, and chains that nobody checks, are refused", async (t) => {
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

  for (const [content, reason] of rows) {
    test(`trust anchors without a readable certificate, and chains that nobody checks, are refused: ${short(content)}`, async (t) => {
      t.deepEqual(await problemsOf(accepted, { files: { "/etc/certbound/ca.pem": content } }), [
        `services[0].trustedRootCertificates[0] has no readable PEM certificate: ${reason}`,
      ]);
    });
  }

  refuses("trust anchors without a readable certificate, and chains that nobody checks, are refused", [
    [
      [line, `${line}        trustedRootCertificates: [nothing]\n`],
      `${client}.trustedRootCertificates[0] has no readable PEM certificate: ${noMarkers}`,
    ],
    [[line, `${line}        trustedRootCertificates: []\n`], `${client}.trustedRootCertificates must not be empty`],
    [
      ["    clients:", "    mutualTlsValidatePkiCertChain: false\n    clients:"],
      "services[0].mutualTlsValidatePkiCertChain is false: then nobody checks client certificates, unless frontEndValidatesPkiCertChain: true says that the front end does",
    ],
  ]);
}

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

{
  const good = jwkOf(clientB);
  const { x5c, ...plain } = good;
  const der = (x5c as string[])[0] ?? "";
  const notASet = "is not a JWK Set as JSON text (RFC 7517 §5): ";
  const noCertificate = "keys[0] has an x5c whose first entry is not a certificate (base64 of DER)";
  const set = (...keys: unknown[]) => JSON.stringify({ keys });
  const rows: readonly [string, string][] = [
    ["", `${notASet}it is empty`],
    ["not JSON", `${notASet}it is not JSON`],
    ['{"keys":[', `${notASet}it is not JSON: it ends too early`],
    [`{"keys":\n []"x"}`, `${notASet}it is not JSON, at line 2, column 4`],
    ["[]", `${notASet}it is not a JSON object`],
    ["null", `${notASet}it is not a JSON object`],
    ["{}", `${notASet}its keys is missing or of a wrong type`],
    [JSON.stringify(good), `${notASet}it is one JWK: put it into {"keys": […]}`],
    ['{"keys":{}}', `${notASet}its keys is missing or of a wrong type`],
    ['{"keys":[1]}', `${notASet}its keys[0] is missing or of a wrong type`],
    ['{"keys":[{}]}', `${notASet}its keys[0].kty is missing or of a wrong type`],
    [set(good, { ...good, x5c: "text" }), `${notASet}its keys[1].x5c is missing or of a wrong type`],
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
    test(`a jwks that cannot register a certificate is refused: ${short(jwks)}`, async (t) => {
      const found = await problemsOf(accepted, { files: { "/etc/certbound/client-b.jwks.json": jwks } });
      t.deepEqual(found, [`${selfSigned}.jwks ${sentence}`], jwks.slice(0, 80));
    });
  }

  refuses("a jwks that cannot register a certificate is refused", [
    [
      ["        jwks: { file: client-b.jwks.json }\n", ""],
      `${selfSigned}.jwks is missing: SELF_SIGNED_TLS_CLIENT_AUTH needs it, or jwksUri`,
    ],
    [
      ["jwks: { file: client-b.jwks.json }", "jwks: { keys: [] }"],
      `${selfSigned}.jwks must be the text itself or { file: PATH }`,
    ],
  ]);
}

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

{
  const scope = "must be a scope: visible ASCII without space, quote, backslash";
  const scopes: readonly (readonly [name: string, reason: string])[] = [
    ['""', "it is empty"],
    ["a b", "its character 2 is none of these"],
    [`'a"b'`, "its character 2 is none of these"],
    ["'abc\\b'", "its character 4 is none of these"],
    ['"a\\tb"', "its character 2 is none of these"],
    ["é", "its character 1 is none of these"],
  ];
  const resource = "must be an absolute URI without a fragment";
  const resources: readonly (readonly [text: string, reason: string])[] = [
    ["api", "it has no scheme such as https:"],
    ["/api", "it has no scheme such as https:"],
    ['"https://api.example.com/#x"', "it has a fragment, at character 25"],
    ['"https:api"', "it has no host, or cannot be read"],
    ['""', "it is empty"],
  ];
  const issuer = "must be an https URL without query or fragment (http only for loopback)";
  const issuers: readonly (readonly [text: string, reason: string])[] = [
    ["as.example.com", "it has no scheme such as https:"],
    ["http://as.example.com", "it is http, and its host is not a loopback address"],
    ['"https://as.example.com/?a=b"', "it has a query, at character 24"],
    ['"https://as.example.com/#a"', "it has a fragment, at character 24"],
    ["https://u:p@as.example.com", "it has a user name or a password"],
    ['"https://as.example.com?"', "it has a query, at character 23"],
    ['"https://as.example.com/ a"', "its character 24 is not one of a URI: percent-encode it"],
    ["ftp://127.0.0.1", "its scheme is not https"],
    ["urn:example", "its scheme is not https"],
  ];

  for (const [name, reason] of scopes) {
    refuses("scopes, resources and issuers of bad form are refused", [
      [["{ name: write }", `{ name: ${name} }`], `services[0].supportedScopes[1].name ${scope}; ${reason}`],
    ]);
  }

  for (const [text, reason] of resources) {
    refuses("scopes, resources and issuers of bad form are refused", [
      [
        ["    clients:", `    defaultResources: [${text}]\n    clients:`],
        `services[0].defaultResources[0] ${resource}; ${reason}`,
      ],
    ]);
  }

  for (const [text, reason] of issuers) {
    refuses("scopes, resources and issuers of bad form are refused", [
      [["issuer: https://as.example.com", `issuer: ${text}`], `services[0].issuer ${issuer}; ${reason}`],
    ]);
  }

  for (const text of [
    "http://127.0.0.1:3000",
    "http://localhost:3000/as",
    '"http://[::1]:3000"',
    "https://as.example.com/tenant",
  ]) {
    test(`scopes, resources and issuers of bad form are refused: ${short(text)}`, async (t) => {
      t.deepEqual(await problemsOf(changed([["issuer: https://as.example.com", `issuer: ${text}`]])), []);
    });
  }

  refuses("scopes, resources and issuers of bad form are refused", [
    [
      ["clientId: 3", "clientId: 3\n        extension: { requestableScopes: [admin] }"],
      `${withSecret}.extension.requestableScopes[0] is not one of the service's supportedScopes`,
    ],
  ]);
}
