import { hash, randomBytes } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openBackend } from "../src/backend/backend.ts";
import type { Configuration } from "../src/backend/configuration/configuration.ts";
import type { ClientSettings } from "../src/backend/engine/settings/settings.ts";
import { openSqliteStore } from "../src/backend/store/sqlite/open-sqlite-store.ts";
import { tokenDigest } from "../src/oauth/token-digest.ts";
import { readCertificate } from "../src/x509/read-certificate.ts";
import { createSelfSigned } from "../test/support/certificates.ts";
import {
  clientSettings,
  configurationOf as wholeConfiguration,
  jwksOf,
  serviceId,
  serviceSettings,
} from "../test/support/settings.ts";

/** A backend's file with tokens, and their clients; plain data, so that it can be sent to other processes. */
export interface Deployment {
  readonly directory: string;
  readonly database: string;
  readonly clients: readonly BoundClient[];
  /** How many tokens the file contains: {@link benchToken} 0 and up. */
  readonly tokens: number;
  /** Further clients that authenticate with a path to an anchor; they have no tokens. */
  readonly pathClients?: readonly PathClient[];
}

/** A client that authenticates with its subject in a certificate, and with a path to this anchor (PEM). */
export interface PathClient {
  readonly clientId: number;
  readonly subject: string;
  readonly anchor: string;
}

/** A client with a certificate of its own, registered with the backend; its tokens are bound to it. */
export interface BoundClient {
  readonly clientId: number;
  readonly pem: string;
  readonly jwks: string;
}

/** The client that authenticates with a secret and gets unbound tokens. */
export const secretClientId = 1000;

const certificates = 16;
const commandsAtATime = 4000;
const secretKey = Buffer.alloc(32, 7);
const oneDay = 86_400_000;

/** The token with this number. Every process computes the same one. */
export function benchToken(number: number): string {
  return hash("sha256", `token ${number}`, "base64url");
}

/** The client that a token was issued to. */
export function clientOfToken({ clients }: Deployment, number: number): BoundClient {
  const client = clients[number % clients.length];
  if (client === undefined) throw new Error("a deployment without clients");
  return client;
}

/** Creates a file with this many certificate-bound tokens, through the commands that issue them. */
export async function createDeployment(tokens: number): Promise<Deployment> {
  const directory = await mkdtemp(join(tmpdir(), "certbound-bench-"));
  const clients = Array.from({ length: certificates }, (_, index): BoundClient => {
    const certificate = createSelfSigned({ subject: `CN=client-${index},O=certbound bench`, key: "RSA-2048" });
    return { clientId: 2000 + index, pem: certificate.pem, jwks: jwksOf(certificate) };
  });
  const deployment = { directory, database: join(directory, "store.db"), clients, tokens };
  await (await openBackend({ configuration: configurationOf(deployment) })).close();
  await issue(deployment);
  return deployment;
}

/** Removes the files of {@link createDeployment}. */
export async function removeDeployment({ directory }: Deployment): Promise<void> {
  await rm(directory, { recursive: true });
}

/** The configuration with which the file was created; with any other one the tokens would be invalid. */
export function configurationOf(deployment: Pick<Deployment, "database" | "clients" | "pathClients">): Configuration {
  const { database, clients, pathClients = [] } = deployment;
  const bound = clients.map(({ clientId, jwks }): ClientSettings =>
    clientSettings({ clientId, tokenAuthMethod: "SELF_SIGNED_TLS_CLIENT_AUTH", jwks }),
  );
  const secret = clientSettings({
    clientId: secretClientId,
    tokenAuthMethod: "CLIENT_SECRET_POST",
    tlsClientCertificateBoundAccessTokens: false,
  });
  const settings = serviceSettings({ supportedScopes: [{ name: "read" }, { name: "write" }] });
  const byPath = pathClients.map(({ clientId, subject, anchor }): ClientSettings =>
    clientSettings({
      clientId,
      tokenAuthMethod: "TLS_CLIENT_AUTH",
      tlsClientAuthSubjectDn: subject,
      trustedRootCertificates: [anchor],
    }),
  );
  return wholeConfiguration([{ settings, clients: [secret, ...bound, ...byPath] }], {
    store: { sqlite: database },
    secretKey,
  });
}

async function issue(deployment: Deployment): Promise<void> {
  const thumbprints = new Map(deployment.clients.map(({ clientId, pem }) => [clientId, readCertificate(pem).x5tS256]));
  const store = await openSqliteStore({ path: deployment.database });
  const createdAt = Date.now();
  try {
    for (let first = 0; first < deployment.tokens; first += commandsAtATime) {
      const numbers = Array.from(
        { length: Math.min(commandsAtATime, deployment.tokens - first) },
        (_, index) => first + index,
      );
      const outcomes = await Promise.all(
        numbers.map((number) => {
          const { clientId } = clientOfToken(deployment, number);
          return store.run({
            name: "issue-tokens",
            attempt: randomBytes(16),
            serviceId,
            serviceVersion: 1,
            clientId,
            clientVersion: 1,
            subject: undefined,
            createdAt,
            accessToken: {
              digest: tokenDigest(benchToken(number)),
              grantType: "CLIENT_CREDENTIALS",
              scopes: ["read", "write"],
              resources: [],
              expiresAt: createdAt + oneDay,
              x5tS256: thumbprints.get(clientId),
              clientIdAliasUsed: false,
              properties: undefined,
            },
          });
        }),
      );
      if (outcomes.some((outcome) => outcome !== "done")) throw new Error("a token was not kept");
    }
  } finally {
    await store.close();
  }
}
