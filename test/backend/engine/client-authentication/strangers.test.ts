import test, { type ExecutionContext } from "ava";
import type { TokenRequest } from "../../../../src/contract/auth-token.ts";
import { mostJsonElements } from "../../../../src/oauth/json-object.ts";
import { createAuthority, createSelfSigned } from "../../../support/certificates.ts";
import { createEngineByHand } from "../../../support/engine.ts";
import { clientSettings, jwksOf, secretOf, serviceSettings } from "../../../support/settings.ts";

// What somebody without credentials can send, at each entry, and what it may cost: counted, not timed.

const authority = createAuthority({ subject: "CN=Client CA" });
const client = authority.issue({ subject: "CN=client-1" });
const registered = createSelfSigned({ subject: "CN=client-4" });

/** An engine that counts how often a stranger makes it read a client, verify a chain, write or fetch keys. */
async function open(t: ExecutionContext) {
  const counts = { clients: 0, chains: 0, commands: 0, keySets: 0 };
  const byCertificate = { tokenAuthMethod: "TLS_CLIENT_AUTH", tlsClientAuthSubjectDn: "CN=client-1" } as const;
  const clients = [
    clientSettings({ clientId: 1, ...byCertificate }),
    clientSettings({ clientId: 2 }),
    clientSettings({ clientId: 3, tokenAuthMethod: "PRIVATE_KEY_JWT", jwksUri: "https://client.example/jwks" }),
    clientSettings({ clientId: 4, tokenAuthMethod: "SELF_SIGNED_TLS_CLIENT_AUTH", jwks: jwksOf(registered) }),
  ];
  const settings = serviceSettings({ trustedRootCertificates: [authority.certificate.pem] });
  const fetched = () => {
    counts.keySets += 1;
    return Promise.resolve({ keys: [] });
  };
  const { operations } = await createEngineByHand(t, [{ settings, clients }], {
    around: (store) => ({
      readClient: (...asked) => {
        counts.clients += 1;
        return store.readClient(...asked);
      },
      run: (command) => {
        counts.commands += 1;
        return store.run(command);
      },
    }),
    chainVerifier: {
      verify: () => {
        counts.chains += 1;
        return Promise.resolve({ trusted: false, reason: "a stranger" });
      },
    },
    remoteJwks: { latest: fetched, renewed: fetched },
  });
  return { operations: operations(), counts };
}

const grant = "grant_type=client_credentials";
const base64url = (value: object) => Buffer.from(JSON.stringify(value)).toString("base64url");
const members = (count: number) => Object.fromEntries(Array.from({ length: count }, (_, index) => [`m${index}`, 0]));
const assertion = (header: object, payload: object) =>
  `client_assertion_type=urn%3Aietf%3Aparams%3Aoauth%3Aclient-assertion-type%3Ajwt-bearer&client_assertion=${base64url(header)}.${base64url(payload)}.AAAA`;
const path = (count: number, pem: string) => Array.from({ length: count }, () => pem);

const free = { clients: 0, chains: 0, commands: 0, keySets: 0 };

for (const [what, request, cost] of [
  ["parameters of more than 65,536 characters", { parameters: `${grant}&a=${"+".repeat(65_536)}` }, free],
  ["more than 1000 parameters", { parameters: `${grant}${"&a".repeat(1000)}` }, free],
  ["eleven intermediates", byPath(path(11, client.pem)), { ...free, clients: 1 }],
  [
    "an intermediate of more than 12,288 characters",
    byPath([client.pem + " ".repeat(12_288)]),
    { ...free, clients: 1 },
  ],
  ["ten intermediates, one question", byPath(path(10, client.pem)), { ...free, clients: 1, chains: 1 }],
  [
    "a certificate of another subject",
    { ...byPath([]), clientCertificate: authority.issue({ subject: "CN=other" }).pem },
    { ...free, clients: 1 },
  ],
  [
    "a certificate of more elements than are read",
    {
      ...byPath([]),
      clientCertificate: authority.issue({
        subject: Array.from({ length: 300 }, () => [{ type: "CN", value: "client-1" }]),
      }).pem,
    },
    { ...free, clients: 1 },
  ],
  [
    "a subjectAltName of more entries than are read",
    {
      ...byPath([]),
      clientCertificate: authority.issue({
        subject: "CN=client-1",
        san: Array.from({ length: 1000 }, () => ({ dns: "a" })),
      }).pem,
    },
    { ...free, clients: 1 },
  ],
  [
    "an assertion whose header has more elements than are read",
    { parameters: `${grant}&${assertion(members(mostJsonElements + 1), { iss: "3" })}` },
    free,
  ],
  [
    "an assertion whose claims have more elements than are read",
    { parameters: `${grant}&${assertion({ alg: "ES256" }, { iss: "3", ...members(mostJsonElements) })}` },
    free,
  ],
  [
    "an assertion that is not meant for it: no keys are fetched",
    { parameters: `${grant}&${assertion({ alg: "ES256" }, { iss: "3", sub: "3", aud: "https://other.example" })}` },
    { ...free, clients: 1 },
  ],
  [
    "a registered client's look-alike",
    { parameters: `${grant}&client_id=4`, clientCertificate: createSelfSigned({ subject: "CN=client-4" }).pem },
    { ...free, clients: 1 },
  ],
  [
    "more than a hundred resources",
    bySecret(`${grant}${"&resource=https://api.example".repeat(101)}`),
    { ...free, clients: 1 },
  ],
  [
    "more than a thousand scopes",
    bySecret(`${grant}&scope=${Array.from({ length: 1001 }, (_, index) => `s${index}`).join("+")}`),
    { ...free, clients: 1 },
  ],
] satisfies readonly (readonly [string, TokenRequest, typeof free])[]) {
  test(`a token request stays within its cost: ${what}`, async (t) => {
    const { operations, counts } = await open(t);
    const answer = await operations.authToken(request);
    t.not(answer.action, "OK");
    t.deepEqual(counts, cost);
  });
}

function byPath(clientCertificatePath: readonly string[]): TokenRequest {
  return {
    parameters: `${grant}&client_id=1`,
    clientCertificate: client.pem,
    clientCertificatePath: [...clientCertificatePath],
  };
}

function bySecret(parameters: string): TokenRequest {
  return { parameters, clientId: "2", clientSecret: secretOf(2) };
}

test("a revocation request of more than 65,536 characters reads no client", async (t) => {
  const { operations, counts } = await open(t);
  const answer = await operations.authRevocation({ parameters: `token=${"+".repeat(65_536)}` });
  t.is(answer.action, "BAD_REQUEST");
  t.deepEqual(counts, free);
});

test("an authorization request of more than 65,536 characters reads no client", async (t) => {
  const { operations, counts } = await open(t);
  const answer = await operations.authAuthorization({ parameters: `client_id=2&state=${"+".repeat(65_536)}` });
  t.is(answer.action, "BAD_REQUEST");
  t.deepEqual(counts, free);
});
