import { randomBytes } from "node:crypto";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Certificates } from "./certificates.ts";
import { startServer, type Server } from "./processes.ts";

/** The three processes of the demo, and the values that a caller needs. */
export interface Servers {
  readonly backend: Server;
  readonly authorizationServer: Server;
  /** Where users sign in. */
  readonly pages: string;
  readonly issuer: string;
  readonly api: Server;
  readonly serviceId: number;
  readonly serviceAccessToken: string;
  readonly clientA: string;
  readonly clientB: string;
}

/** Starts client A's own website, where a user can begin to sign in. Returns its address. */
export async function startWebsite(servers: Servers, { authority, clientA }: Certificates): Promise<string> {
  const { url } = await startServer("website", [file("../web-client.ts")], {
    ISSUER: servers.issuer,
    AUTHORIZATION_ENDPOINT: `${servers.pages}/authorize`,
    TOKEN_ENDPOINT: `${servers.authorizationServer.url}/token`,
    CLIENT_ID: servers.clientA,
    CLIENT_CERT: clientA.certificate,
    CLIENT_KEY: clientA.key,
    CA: authority,
    API_URL: `${servers.api.url}/hello`,
    PORT: "0",
  });
  return url;
}

const serviceId = 3_693_555_439;
const clientA = "4326385670";
const clientB = "4326385671";
const issuer = "https://as.example.com";
/** Client A's redirect URI. */
export const redirectUri = "https://client-a.example.com/cb";
/** How long the API caches facts about a token. In seconds. */
export const cacheTtl = 2;

const file = (relative: string): string => fileURLToPath(new URL(relative, import.meta.url));

/** Starts backend, authorization server and API, each a process of its own on a free port. */
export async function startServers(folder: string, certificates: Certificates): Promise<Servers> {
  const secret = (): string => randomBytes(32).toString("base64url");
  const serviceAccessToken = secret();
  const configuration = join(folder, "backend.yaml");
  await writeFile(configuration, configurationText(folder, certificates));
  const backend = await startServer(
    "backend",
    [file("../../src/cli/certbound.ts"), "serve", "--config", configuration],
    {
      CERTBOUND_SECRET_KEY: randomBytes(32).toString("base64"),
      SERVICE_API_SECRET: secret(),
      SERVICE_ACCESS_TOKEN: serviceAccessToken,
    },
  );
  const common = {
    BACKEND_URL: backend.url,
    SERVICE_ID: String(serviceId),
    SERVICE_ACCESS_TOKEN: serviceAccessToken,
    TLS_CERT: certificates.server.certificate,
    TLS_KEY: certificates.server.key,
    PORT: "0",
  };
  const authorizationServer = await startServer("authorization server", [file("../authorization-server.ts")], {
    ...common,
    RESOURCE_SERVER_ID: "example-api",
    RESOURCE_SERVER_SECRET: secret(),
  });
  const api = await startServer("API", [file("../koa-api.ts")], { ...common, CACHE_TTL: String(cacheTtl) });
  const { pages } = authorizationServer;
  return { backend, authorizationServer, pages, issuer, api, serviceId, serviceAccessToken, clientA, clientB };
}

function configurationText(folder: string, { authority, clientBJwks }: Certificates): string {
  return `
listen: { host: 127.0.0.1, port: 0 }
store: { sqlite: ${JSON.stringify(join(folder, "certbound.sqlite"))} }
secretKey: { env: CERTBOUND_SECRET_KEY }
log: { level: warn }
services:
  - apiKey: ${serviceId}
    apiSecret: { env: SERVICE_API_SECRET }
    serviceAccessTokens: [{ env: SERVICE_ACCESS_TOKEN }]
    serviceName: The demo's service
    issuer: ${issuer}
    tlsClientCertificateBoundAccessTokens: true
    trustedRootCertificates: [{ file: ${JSON.stringify(authority)} }]
    supportedScopes: [{ name: read, defaultEntry: true, description: Read what the API has to say }]
    supportedGrantTypes: [CLIENT_CREDENTIALS, AUTHORIZATION_CODE, REFRESH_TOKEN]
    clients:
      - clientId: ${clientA}
        clientName: Client A
        clientType: CONFIDENTIAL
        grantTypes: [CLIENT_CREDENTIALS, AUTHORIZATION_CODE, REFRESH_TOKEN]
        redirectUris: [${redirectUri}, "http://127.0.0.1/callback"]
        tokenAuthMethod: TLS_CLIENT_AUTH
        tlsClientAuthSubjectDn: CN=client-a.example.com,O=Client A,C=JP
        tlsClientCertificateBoundAccessTokens: true
      - clientId: ${clientB}
        clientName: Client B
        clientType: CONFIDENTIAL
        tokenAuthMethod: SELF_SIGNED_TLS_CLIENT_AUTH
        jwks: { file: ${JSON.stringify(clientBJwks)} }
        tlsClientCertificateBoundAccessTokens: true
`;
}
