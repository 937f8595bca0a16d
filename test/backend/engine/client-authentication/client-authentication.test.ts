import test, { type ExecutionContext } from "ava";
import type { CertificatePath, ChainVerdict } from "../../../../src/backend/engine/dependencies.ts";
import type { ClientSettings, ServiceSettings } from "../../../../src/backend/engine/settings/settings.ts";
import type { Command } from "../../../../src/backend/store/command.ts";
import type { TokenRequest, TokenResponse } from "../../../../src/contract/auth-token.ts";
import { createAuthority, createSelfSigned } from "../../../support/certificates.ts";
import { createEngineByHand } from "../../../support/engine.ts";
import { clientSettings, jwksOf, secretOf, serviceSettings } from "../../../support/settings.ts";

const root = createAuthority({ subject: "CN=Root" });
const between = createAuthority({ subject: "CN=Between", parent: root });
const named = between.issue({
  subject: "CN=client,O=Example",
  san: [{ dns: "client.example.com" }, { uri: "urn:client" }, { ip: "192.0.2.1" }, { email: "client@example.com" }],
});
const stranger = between.issue({
  subject: "CN=stranger,O=Example",
  san: [{ dns: "other.example.com" }, { uri: "urn:other" }, { ip: "192.0.2.2" }, { email: "other@example.com" }],
});
const registered = createSelfSigned({ subject: "CN=registered" });

const free = { tlsClientCertificateBoundAccessTokens: false };
const trusting = { trustedRootCertificates: [root.certificate.pem] };
const byPath = (subject: Partial<ClientSettings> = { tlsClientAuthSubjectDn: "CN=client,O=Example" }) => ({
  tokenAuthMethod: "TLS_CLIENT_AUTH" as const,
  ...subject,
});
const byRegistration = { tokenAuthMethod: "SELF_SIGNED_TLS_CLIENT_AUTH", jwks: jwksOf(registered) } as const;
const form = (members = "") => `grant_type=client_credentials${members}`;
const one = { parameters: form("&client_id=1") };
const inHeader = { clientId: "1", clientSecret: secretOf(1) };

interface Asked {
  readonly service?: Partial<ServiceSettings>;
  readonly client?: Partial<ClientSettings>;
  readonly request: Partial<TokenRequest>;
  readonly verdict?: ChainVerdict | Error;
}

async function askForToken(t: ExecutionContext, { service, client, request, verdict }: Asked) {
  const verified: CertificatePath[] = [];
  const commands: Command[] = [];
  const { operations } = await createEngineByHand(
    t,
    [
      {
        settings: serviceSettings({ ...trusting, ...service }),
        clients: [clientSettings({ clientId: 1, ...free, ...client })],
      },
    ],
    {
      around: (store) => ({
        run: (command) => {
          commands.push(command);
          return store.run(command);
        },
      }),
      chainVerifier: {
        verify: (path) => {
          verified.push(path);
          const answer = verdict ?? { trusted: true };
          return answer instanceof Error ? Promise.reject(answer) : Promise.resolve(answer);
        },
      },
    },
  );
  const asked = operations().authToken({ parameters: form(), ...request });
  return { asked, verified, commands };
}

const notProven = ["INVALID_CLIENT", "invalid_client"] as const;
const unauthorized = ["BAD_REQUEST", "unauthorized_client"] as const;

const refused: Record<
  string,
  readonly [code: string, answer: readonly [action: TokenResponse["action"], error: string], Asked]
> = {
  "nothing names a client": ["A244305", ["BAD_REQUEST", "invalid_request"], { request: {} }],
  "an empty client_id": [
    "A244305",
    ["BAD_REQUEST", "invalid_request"],
    { request: { parameters: form("&client_id=") } },
  ],
  "a client that is not known": ["A244306", notProven, { request: { ...inHeader, clientId: "2" } }],
  "a number with a leading zero": ["A244306", notProven, { request: { ...inHeader, clientId: "01" } }],
  "an alias that is not enabled": [
    "A244307",
    notProven,
    { client: { clientIdAlias: "one", clientIdAliasEnabled: false }, request: { ...inHeader, clientId: "one" } },
  ],
  "another client_id in the header than in the form": [
    "A244301",
    ["BAD_REQUEST", "invalid_request"],
    { request: { parameters: form("&client_id=1"), clientId: "2", clientSecret: secretOf(1) } },
  ],
  "a client that is locked": ["A048307", notProven, { client: { locked: true }, request: inHeader }],
  "no secret": ["A157304", notProven, { request: { clientId: "1" } }],
  "an empty secret": ["A157304", notProven, { request: { clientId: "1", clientSecret: "" } }],
  "a wrong secret": ["A157305", notProven, { request: { clientId: "1", clientSecret: "wrong" } }],
  "a secret in the form instead of the header": [
    "A157357",
    notProven,
    { request: { parameters: form(`&client_id=1&client_secret=${secretOf(1)}`) } },
  ],
  "a secret in both places": [
    "A158301",
    notProven,
    { request: { ...inHeader, parameters: form(`&client_secret=${secretOf(1)}`) } },
  ],
  "a secret beside a certificate": [
    "A157357",
    notProven,
    { client: byPath(), request: { ...one, clientSecret: "guess", clientCertificate: named.pem } },
  ],
  "a public client with a secret": [
    "A157303",
    notProven,
    { client: { tokenAuthMethod: "NONE" }, request: { parameters: form("&client_id=1&client_secret=guess") } },
  ],
  "a public client": ["A052301", unauthorized, { client: { tokenAuthMethod: "NONE" }, request: one }],
  "a confidential client without a method": [
    "A157301",
    notProven,
    { client: { tokenAuthMethod: "NONE", clientType: "CONFIDENTIAL" }, request: one },
  ],
  "a client that has other grant types": [
    "A047302",
    unauthorized,
    { client: { grantTypes: ["AUTHORIZATION_CODE", "REFRESH_TOKEN"] }, request: inHeader },
  ],
  "a service that has other grant types": [
    "A049305",
    ["BAD_REQUEST", "unsupported_grant_type"],
    { service: { supportedGrantTypes: ["AUTHORIZATION_CODE"] }, request: inHeader },
  ],
  "no certificate, known by its path": ["A157327", notProven, { client: byPath(), request: one }],
  "no certificate, known by registration": ["A157327", notProven, { client: byRegistration, request: one }],
  "an unreadable certificate, known by its path": [
    "A157328",
    notProven,
    { client: byPath(), request: { ...one, clientCertificate: named.pem + stranger.pem } },
  ],
  "an unreadable certificate, known by registration": [
    "A157328",
    notProven,
    { client: byRegistration, request: { ...one, clientCertificate: "nonsense" } },
  ],
  "an unreadable certificate of an unbound client with a secret": [
    "A244309",
    ["BAD_REQUEST", "invalid_request"],
    { request: { ...inHeader, clientCertificate: "nonsense" } },
  ],
  "a certificate that is not registered": [
    "A157333",
    notProven,
    { client: byRegistration, request: { ...one, clientCertificate: named.pem } },
  ],
  "no anchor of the service": [
    "A157335",
    notProven,
    { service: { trustedRootCertificates: [] }, client: byPath(), request: { ...one, clientCertificate: named.pem } },
  ],
  "no anchor of the client": [
    "A157335",
    notProven,
    { client: { ...byPath(), trustedRootCertificates: [] }, request: { ...one, clientCertificate: named.pem } },
  ],
};

const subjects = {
  A157343: { tlsClientAuthSubjectDn: "CN=client,O=Example" },
  A157346: { tlsClientAuthSanDns: "client.example.com" },
  A157347: { tlsClientAuthSanUri: "urn:client" },
  A157348: { tlsClientAuthSanIp: "192.0.2.1" },
  A157349: { tlsClientAuthSanEmail: "client@example.com" },
} as const;

for (const [code, subject] of Object.entries(subjects)) {
  const what = Object.keys(subject).join("");
  refused[`another ${what} than the registered one`] = [
    code,
    notProven,
    { client: byPath(subject), request: { ...one, clientCertificate: stranger.pem } },
  ];
  test(`the registered ${what} in a certificate with a valid path authenticates`, async (t) => {
    const { asked, verified } = await askForToken(t, {
      client: byPath(subject),
      request: { ...one, clientCertificate: named.pem, clientCertificatePath: [between.certificate.pem] },
    });
    t.is((await asked).action, "OK");
    t.deepEqual(
      verified.map(({ leaf, intermediates, anchors }) =>
        [leaf, ...intermediates, ...anchors].map((der) => Buffer.from(der)),
      ),
      [[named.der, between.certificate.der, root.certificate.der]],
    );
  });
}

for (const [what, [code, [action, error], asked]] of Object.entries(refused)) {
  test(`${what}: ${code}, ${error}, nothing verified or issued`, async (t) => {
    const { asked: answering, verified, commands } = await askForToken(t, asked);
    const answer = await answering;
    t.is(answer.resultCode, code);
    t.is(answer.action, action);
    t.is((JSON.parse(answer.responseContent ?? "") as { error: string }).error, error);
    t.is(answer.accessToken, undefined);
    t.deepEqual(verified, []);
    t.deepEqual(commands, []);
    t.notRegex(JSON.stringify(answer), /secret-of-client|guess|-----BEGIN/);
  });
}

const byNamed = { client: byPath(), request: { ...one, clientCertificate: named.pem } };

test("a path that the verifier refuses: A157339 with its reason for the operator alone", async (t) => {
  const verdict = { trusted: false, reason: "certificate has expired" } as const;
  const { asked, commands } = await askForToken(t, { ...byNamed, verdict });
  const answer = await asked;
  t.is(answer.resultCode, "A157339");
  t.is(answer.action, "INVALID_CLIENT");
  t.regex(answer.resultMessage, /certificate has expired/);
  t.notRegex(answer.responseContent ?? "", /expired|A157/);
  t.deepEqual(commands, []);
});

test("if the verifier fails, nobody is trusted: the request fails and nothing is issued", async (t) => {
  const failure = new Error("openssl was killed");
  const { asked, commands } = await askForToken(t, { ...byNamed, verdict: failure });
  t.is(await t.throwsAsync(asked), failure);
  t.deepEqual(commands, []);
});

for (const [what, clientCertificatePath] of Object.entries({
  "that is too long": Array.from({ length: 11 }, () => between.certificate.pem),
  "with one that is no certificate": [between.certificate.pem, "nonsense"],
  "with two in one": [between.certificate.pem + root.certificate.pem],
  "with an empty one": [""],
})) {
  test(`a path ${what}: A157339, and no chain is verified`, async (t) => {
    const { asked, verified, commands } = await askForToken(t, {
      ...byNamed,
      request: { ...byNamed.request, clientCertificatePath },
    });
    const answer = await asked;
    t.is(answer.resultCode, "A157339");
    t.is(answer.action, "INVALID_CLIENT");
    t.deepEqual(verified, []);
    t.deepEqual(commands, []);
  });
}

test("a path of ten goes to the verifier whole, and the client's own anchors go instead of the service's", async (t) => {
  const other = createAuthority({ subject: "CN=Other" }).certificate;
  const { asked, verified } = await askForToken(t, {
    client: { ...byPath(), trustedRootCertificates: [other.pem] },
    request: {
      ...byNamed.request,
      clientCertificatePath: Array.from({ length: 10 }, () => between.certificate.pem),
    },
  });
  t.is((await asked).action, "OK");
  t.is(verified[0]?.intermediates.length, 10);
  t.deepEqual(
    verified[0]?.anchors.map((der) => Buffer.from(der)),
    [other.der],
  );
});

test("no chain is verified for a service whose front end does it, and subjects are still compared", async (t) => {
  const service = { mutualTlsValidatePkiCertChain: false, trustedRootCertificates: [] };
  const right = await askForToken(t, { ...byNamed, service });
  t.is((await right.asked).action, "OK");
  const wrong = await askForToken(t, { ...byNamed, service, request: { ...one, clientCertificate: stranger.pem } });
  t.is((await wrong.asked).resultCode, "A157343");
  t.deepEqual([...right.verified, ...wrong.verified], []);
});

// One request, one client.

const twoClients = async (t: ExecutionContext, change: Partial<ClientSettings>) => {
  const both = [1, 2].map((clientId) =>
    clientSettings({ clientId, ...free, clientIdAlias: `alias-${clientId}`, clientIdAliasEnabled: true, ...change }),
  );
  const { operations } = await createEngineByHand(t, [{ settings: serviceSettings(trusting), clients: both }]);
  return operations();
};

for (const tokenAuthMethod of [
  "NONE",
  "CLIENT_SECRET_BASIC",
  "CLIENT_SECRET_POST",
  "CLIENT_SECRET_JWT",
  "PRIVATE_KEY_JWT",
  "TLS_CLIENT_AUTH",
  "SELF_SIGNED_TLS_CLIENT_AUTH",
] as const) {
  test(`two clients in one request, by header and form, are invalid_request everywhere (${tokenAuthMethod})`, async (t) => {
    const subject = tokenAuthMethod === "TLS_CLIENT_AUTH" ? { tlsClientAuthSubjectDn: "CN=client,O=Example" } : {};
    const keys = tokenAuthMethod === "SELF_SIGNED_TLS_CLIENT_AUTH" ? { jwks: jwksOf(registered) } : {};
    const clientType = tokenAuthMethod === "NONE" ? "PUBLIC" : "CONFIDENTIAL";
    const { authToken, authRevocation } = await twoClients(t, { tokenAuthMethod, clientType, ...subject, ...keys });
    for (const [clientId, inForm] of [
      ["1", "2"],
      ["2", "1"],
      ["1", "3"],
      ["3", "1"],
      ["3", "4"],
      ["1", "alias-2"],
      ["alias-1", "2"],
      ["1", "01"],
      ["1", "1 "],
    ] as const) {
      const others = { clientId, clientSecret: secretOf(1), clientCertificate: registered.pem };
      const named = new URLSearchParams({ client_id: inForm }).toString();
      const answers = [
        await authToken({ ...others, parameters: form(`&${named}`) }),
        await authRevocation({ ...others, parameters: `token=x&${named}` }),
      ];
      for (const { resultCode, action, responseContent } of answers) {
        t.deepEqual([resultCode, action], ["A244301", "BAD_REQUEST"], `${clientId} and ${inForm}`);
        t.is((JSON.parse(responseContent ?? "") as { error: string }).error, "invalid_request");
      }
    }
  });
}

test("a client that is named twice is one client, by its number or its alias", async (t) => {
  const { authToken, authRevocation } = await twoClients(t, {});
  for (const clientId of ["1", "alias-1"]) {
    for (const inForm of ["1", "alias-1"]) {
      const request = { clientId, clientSecret: secretOf(1) };
      const issued = await authToken({ ...request, parameters: form(`&client_id=${inForm}`) });
      t.like(issued, { action: "OK", clientId: 1, clientIdAliasUsed: clientId === "alias-1" });
      const revoked = await authRevocation({ ...request, parameters: `token=x&client_id=${inForm}` });
      t.is(revoked.action, "OK");
    }
  }
});

test("a disabled alias names nobody, also beside the number of its client", async (t) => {
  const { authToken } = await twoClients(t, { clientIdAliasEnabled: false });
  const request = { clientId: "1", clientSecret: secretOf(1) };
  t.is((await authToken({ ...request, parameters: form("&client_id=alias-1") })).resultCode, "A244301");
  t.is((await authToken({ ...request, parameters: form("&client_id=1") })).action, "OK");
});
