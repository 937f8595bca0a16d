import {
  createAuthority,
  createKeyPair,
  createSelfSigned,
  type KeyKind,
  type TestCertificate,
} from "../../support/certificates.ts";
import { ConfigurationError } from "../../../src/backend/configuration/configuration-error.ts";
import { readConfiguration } from "../../../src/backend/configuration/read-configuration.ts";

export const authority = createAuthority({ subject: "CN=Test CA" });
export const serverCertificate = authority.issue({ subject: "CN=backend" });
export const clientB = createSelfSigned({ subject: "CN=client-b" });

/** A configuration that is accepted, with clients of three methods and most kinds of references. */
export const accepted = `
listen: { host: 127.0.0.1, port: 0 }
store: { sqlite: "data/certbound.sqlite" }
secretKey: { env: SECRET_KEY }
services:
  - apiKey: 1004
    apiSecret: { env: API_SECRET }
    serviceAccessTokens: [{ env: SERVICE_TOKEN }]
    issuer: https://as.example.com
    supportedScopes: [{ name: read, defaultEntry: true }, { name: write }]
    trustedRootCertificates: [{ file: ca.pem }]
    tlsClientCertificateBoundAccessTokens: true
    clients:
      - clientId: 1
        clientIdAlias: client-a
        clientIdAliasEnabled: true
        clientType: CONFIDENTIAL
        tokenAuthMethod: TLS_CLIENT_AUTH
        tlsClientAuthSubjectDn: CN=client-a,O=Example
        tlsClientCertificateBoundAccessTokens: true
      - clientId: 2
        clientType: CONFIDENTIAL
        tokenAuthMethod: SELF_SIGNED_TLS_CLIENT_AUTH
        jwks: { file: client-b.jwks.json }
      - clientId: 3
        clientType: CONFIDENTIAL
        tokenAuthMethod: CLIENT_SECRET_BASIC
        clientSecret: { file: secrets/client-c }
`;

/** A JWK Set of one key: of `certificate`, or of another certificate's key under its x5c. */
export function jwksOf(certificate: TestCertificate, keyOf: TestCertificate = certificate): string {
  return JSON.stringify({ keys: [jwkOf(certificate, keyOf)] });
}

export function jwkOf(certificate: TestCertificate, keyOf: TestCertificate = certificate): Record<string, unknown> {
  const publicKey = keyOf.keyPair.publicKey.export({ format: "jwk" });
  return { ...publicKey, kid: "b-1", x5c: [certificate.der.toString("base64")] };
}

/** A private key of a service's `jwks`. */
export function signingKey(kid: string | undefined, key: KeyKind = "P-256"): Record<string, unknown> {
  const { privateKey } = createKeyPair(key);
  return { ...privateKey.export({ format: "jwk" }), ...(kid !== undefined && { kid }), use: "sig" };
}

const env: Readonly<Record<string, string>> = {
  SECRET_KEY: "07".repeat(32),
  API_SECRET: "the-api-secret",
  SERVICE_TOKEN: "the-service-access-token",
  EMPTY: "",
};

const files: Readonly<Record<string, string>> = {
  "/etc/certbound/ca.pem": authority.certificate.pem,
  "/etc/certbound/client-b.jwks.json": jwksOf(clientB),
  "/etc/certbound/secrets/client-c": "the-client-secret\n",
  "/etc/certbound/server.pem": serverCertificate.pem,
  "/etc/certbound/server.key": serverCertificate.key,
  "/etc/certbound/empty": "",
};

/** One replacement in {@link accepted}; what is replaced must be there, or the test tests nothing. */
export type Change = readonly [text: string, by: string];

export function changed(changes: readonly Change[]): string {
  return changes.reduce((text, [from, by]) => {
    if (!text.includes(from)) throw new Error(`not in the text: ${from}`);
    return text.replace(from, () => by);
  }, accepted);
}

/** Reads a text as the file /etc/certbound/backend.yaml, beside {@link files} and those given. */
export function read(text: string, more: { files?: Record<string, string>; env?: Record<string, string> } = {}) {
  const all: Record<string, string> = { ...files, ...more.files, "/etc/certbound/backend.yaml": text };
  return readConfiguration({
    path: "/etc/certbound/backend.yaml",
    env: { ...env, ...more.env },
    readFile: (path) => {
      const content = all[path];
      return content === undefined
        ? Promise.reject(Object.assign(new Error("no such file"), { code: "ENOENT" }))
        : Promise.resolve(content);
    },
  });
}

/** The problems that a text is refused for, `path sentence` each; the empty list when it is accepted. */
export async function problemsOf(...given: Parameters<typeof read>): Promise<string[]> {
  const outcome: unknown = await read(...given).catch((error: unknown) => error);
  if (outcome instanceof ConfigurationError) return outcome.problems.map(({ path, sentence }) => `${path} ${sentence}`);
  if (outcome instanceof Error) throw outcome;
  return [];
}
