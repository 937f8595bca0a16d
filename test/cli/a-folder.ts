import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { ExecutionContext } from "ava";
import {
  createAuthority,
  createKeyPair,
  createSelfSigned,
  type KeyPair,
  type TestCertificate,
} from "../support/certificates.ts";

const clientB = createSelfSigned({ subject: "CN=client-b" });

const authority = createAuthority({ subject: "CN=Test CA" });
/** One more certificate for the backend itself. */
export const issueServerCertificate = (key?: KeyPair): TestCertificate =>
  authority.issue({ subject: "CN=backend", san: [{ ip: "127.0.0.1" }], ...(key !== undefined && { key }) });
const server = issueServerCertificate();

/** The authority of the server's and of clients' certificates. */
export const authorityPem = authority.certificate.pem;

/** What the configurations of these tests name, by the name of the file. */
export const files: Readonly<Record<string, string>> = {
  "client-ca.pem": authorityPem,
  "client-b.jwks.json": JSON.stringify({
    keys: [{ ...clientB.keyPair.publicKey.export({ format: "jwk" }), x5c: [clientB.der.toString("base64")] }],
  }),
  "client-c.secret": "the-secret-of-client-c\n",
  "client-e.secret": "the-secret-of-client-e-has-32-octets\n",
  "signing.jwks.json": JSON.stringify({
    keys: [{ ...createKeyPair().privateKey.export({ format: "jwk" }), kid: "s-1" }],
  }),
};

export const env: Readonly<Record<string, string>> = {
  PATH: process.env["PATH"] ?? "",
  CERTBOUND_SECRET_KEY: "07".repeat(32),
  CERTBOUND_API_SECRET: "the-api-secret",
  CERTBOUND_AUTHORIZATION_SERVER_TOKEN: "the-token-of-the-authorization-server",
  CERTBOUND_RESOURCE_SERVER_TOKEN: "the-token-of-the-resource-server",
};

/** A configuration whose store is the file `store.db` beside it. */
export const configuration = `
listen: { host: 127.0.0.1, port: 0 }
store: { sqlite: store.db }
secretKey: { env: CERTBOUND_SECRET_KEY }
services:
  - apiKey: 1004
    apiSecret: { env: CERTBOUND_API_SECRET }
    issuer: https://as.example.com
    trustedRootCertificates: [{ file: client-ca.pem }]
    clients:
      - clientId: 1
        clientType: CONFIDENTIAL
        tokenAuthMethod: TLS_CLIENT_AUTH
        tlsClientAuthSubjectDn: CN=client-a
`;

/** For a configuration that ends TLS itself. */
const tlsFiles: Readonly<Record<string, string>> = { "server.pem": server.pem, "server.key": server.key };

/** A fresh folder with a configuration and these files in it, removed after the test; answers the file's path. */
export async function writeConfiguration(t: ExecutionContext, text: string = configuration): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "certbound-"));
  t.teardown(() => rm(folder, { recursive: true, force: true }));
  for (const [name, content] of Object.entries({ ...files, ...tlsFiles })) await writeFile(join(folder, name), content);
  const path = join(folder, "backend.yaml");
  await writeFile(path, text);
  return path;
}
