import { spawn } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { Agent, fetch } from "undici";
import { createApiClient, type ApiClient } from "../../src/api-client/index.ts";
import { type FactsSource, introspectionEndpoint, jwtAccessTokens } from "../../src/resource-server/index.ts";
import type { Lifetime } from "../proxies/foreground-process.ts";
import { startBackendProcess } from "../support/backend-process.ts";
import { createAuthority, createSelfSigned, serverAuth, type TestCertificate } from "../support/certificates.ts";
import { serverCa } from "../support/mutual-tls.ts";
import { endWith } from "../support/forked-program.ts";
import { jwksOf, serviceAccessToken, serviceId } from "../support/settings.ts";
import { createServiceKey, serviceJwks } from "../support/signing-keys.ts";

/** The example authorization server and the backend, each a process of its own. */
export interface ExampleDeployment {
  /** Where browsers sign in, and all that a client is told. */
  readonly issuer: string;
  /** Where clients come with their certificates. */
  readonly mutualTls: string;
  /** The service's way to the backend, past the example. */
  readonly api: ApiClient;
}

export interface ExampleRequest {
  /** Whether access tokens are JWTs. */
  readonly jwtAccessTokens?: boolean;
  /**
   * The endpoints that the metadata names beside the aliases are where no certificate is asked for and nothing answers:
   * whoever does not know of aliases gets nowhere.
   */
  readonly onlyAliases?: boolean;
  /** Whether the resource server is {@link resource}, to which answers can be signed. */
  readonly signedIntrospection?: boolean;
}

const clientAuthority = createAuthority({ subject: "CN=Client CA" });
const serverAuthority = createAuthority({ subject: "CN=Server CA" });
const server = serverAuthority.issue({ subject: "CN=localhost", san: [{ ip: "127.0.0.1" }], eku: [serverAuth] });

/** To verify the authorization server with. */
const ca = serverAuthority.certificate.pem;
/** The certificates of the clients, whatever else they prove themselves by; the second is self-signed. */
export const k1 = clientAuthority.issue({ subject: "CN=app" });
export const k2 = createSelfSigned({ subject: "CN=self-signed" });
/** What clients that prove themselves by other means come with: no authority knows it. */
export const k3 = createSelfSigned({ subject: "CN=anyone" });
/** A good certificate of somebody else. */
export const stranger = clientAuthority.issue({ subject: "CN=stranger" });
/** What `private_key_jwt` signs with. */
export const assertionKey = createServiceKey("P256", "assertion");
/** The same, of a client whose registration says EdDSA; newer clients write `alg: "Ed25519"` (RFC 9864). */
export const ed25519Key = createServiceKey("Ed25519", "ed25519");

export const redirectUri = "https://client.example.org/cb";
export const resource = "https://api.example.com";
export const resourceServer = { id: "example-api", secret: "secret-of-the-resource-server-0123456789" };
/** Of the clients that have a secret. */
export const clientSecret = "secret: of a client+with & and / 0123456789";

const common = {
  clientType: "CONFIDENTIAL",
  grantTypes: ["AUTHORIZATION_CODE", "REFRESH_TOKEN", "CLIENT_CREDENTIALS"],
  redirectUris: [redirectUri],
  idTokenSignAlg: "ES256",
  tlsClientCertificateBoundAccessTokens: true,
} as const;

const withSecret = { ...common, clientSecret: { env: "CLIENT_SECRET" } };

const clients = [
  { ...common, clientId: 1, tokenAuthMethod: "TLS_CLIENT_AUTH", tlsClientAuthSubjectDn: "CN=app" },
  { ...common, clientId: 2, tokenAuthMethod: "SELF_SIGNED_TLS_CLIENT_AUTH", jwks: jwksOf(k2) },
  {
    ...common,
    clientId: 3,
    tokenAuthMethod: "PRIVATE_KEY_JWT",
    jwks: JSON.stringify({ keys: [assertionKey.publicJwk] }),
    tokenAuthSignAlg: "ES256",
  },
  {
    ...common,
    clientId: 11,
    tokenAuthMethod: "PRIVATE_KEY_JWT",
    jwks: JSON.stringify({ keys: [ed25519Key.publicJwk] }),
    tokenAuthSignAlg: "EdDSA",
  },
  { ...withSecret, clientId: 4, tokenAuthMethod: "CLIENT_SECRET_BASIC" },
  { ...withSecret, clientId: 5, tokenAuthMethod: "CLIENT_SECRET_POST" },
  { ...withSecret, clientId: 6, tokenAuthMethod: "CLIENT_SECRET_JWT", tokenAuthSignAlg: "HS256" },
  {
    ...common,
    clientId: 7,
    clientType: "PUBLIC",
    grantTypes: ["AUTHORIZATION_CODE", "REFRESH_TOKEN"],
    tokenAuthMethod: "NONE",
  },
  // Tokens that anyone can use: for readers that know no binding.
  { ...withSecret, clientId: 8, tokenAuthMethod: "CLIENT_SECRET_BASIC", tlsClientCertificateBoundAccessTokens: false },
  // It is called like one of the example's users.
  {
    ...withSecret,
    clientId: 9,
    clientIdAlias: "user-bob",
    clientIdAliasEnabled: true,
    tokenAuthMethod: "CLIENT_SECRET_BASIC",
  },
];

const idTokenKey = createServiceKey("P256", "example-1");

/** What an API in front of {@link resource} learns of tokens at this issuer; it checks JWTs itself. */
export function sourceOf(issuer: string, tokens: "opaque" | "jwt"): FactsSource {
  const { id: clientId, secret } = resourceServer;
  // On a busy machine an answer may take its time.
  const common = { issuer, tls: { ca }, timeout: { attempt: 30_000, total: 30_000 } };
  return tokens === "jwt"
    ? jwtAccessTokens({ ...common, audience: resource })
    : introspectionEndpoint({
        ...common,
        clientAuthentication: { method: "client_secret_basic", clientId, clientSecret: secret },
      });
}

/** Starts both; they end with the test. */
export async function startExampleDeployment(t: Lifetime, request: ExampleRequest = {}): Promise<ExampleDeployment> {
  const folder = await mkdtemp(join(tmpdir(), "certbound-"));
  t.teardown(() => rm(folder, { recursive: true }));
  // The backend has to be told where the authorization server is. So that comes first; where it will find the backend
  // is known beforehand, a socket in the file system.
  const socket = join(folder, "backend.sock");
  const { listening, pages } = await startAuthorizationServer(t, folder, `unix:${socket}`, request);
  const configuration = join(folder, "backend.json");
  await writeFile(
    configuration,
    JSON.stringify({
      listen: { unix: socket },
      store: { sqlite: join(folder, "store.sqlite") },
      secretKey: { env: "SECRET_KEY" },
      log: { level: "warn" },
      services: [serviceMembers(request, pages, listening)],
    }),
  );
  await startBackendProcess(t, configuration, {
    SECRET_KEY: Buffer.alloc(32, 9).toString("base64"),
    API_SECRET: "api-secret-0123456789",
    ACCESS_TOKEN: serviceAccessToken,
    CLIENT_SECRET: clientSecret,
    SERVICE_JWKS: serviceJwks([idTokenKey]),
  });
  const api = createApiClient({
    baseUrl: `unix:${socket}`,
    serviceId,
    credentials: { accessToken: serviceAccessToken },
    // On a busy machine an answer may take its time.
    timeout: { attempt: 30_000, total: 30_000 },
  });
  t.teardown(() => api.close());
  return { issuer: pages, mutualTls: listening, api };
}

function serviceMembers({ jwtAccessTokens, onlyAliases }: ExampleRequest, pages: string, listening: string): object {
  const plain = onlyAliases === true ? pages : listening;
  const endpoints = { token: "/token", revocation: "/revoke", introspection: "/introspect", userinfo: "/userinfo" };
  return {
    apiKey: serviceId,
    apiSecret: { env: "API_SECRET" },
    serviceAccessTokens: [{ env: "ACCESS_TOKEN" }],
    issuer: pages,
    authorizationEndpoint: `${pages}/authorize`,
    tokenEndpoint: plain + endpoints.token,
    revocationEndpoint: plain + endpoints.revocation,
    introspectionEndpoint: plain + endpoints.introspection,
    userInfoEndpoint: plain + endpoints.userinfo,
    jwksUri: `${pages}/jwks`,
    mtlsEndpointAliases: Object.entries(endpoints).map(([name, path]) => ({
      name: `${name}_endpoint`,
      uri: listening + path,
    })),
    supportedGrantTypes: common.grantTypes,
    supportedScopes: [{ name: "openid" }, { name: "email" }, { name: "read" }],
    supportedClaims: ["email", "email_verified"],
    defaultResources: [resource],
    tlsClientCertificateBoundAccessTokens: true,
    trustedRootCertificates: [clientAuthority.certificate.pem],
    jwks: { env: "SERVICE_JWKS" },
    ...(jwtAccessTokens === true ? { accessTokenSignAlg: "ES256" } : {}),
    clients,
  };
}

const program = fileURLToPath(new URL("../../examples/authorization-server.ts", import.meta.url));
const endWithParent = new URL("../support/end-with-parent.ts", import.meta.url).href;

async function startAuthorizationServer(
  t: Lifetime,
  folder: string,
  backendUrl: string,
  { signedIntrospection }: ExampleRequest,
) {
  const [certificate, key] = [join(folder, "server.pem"), join(folder, "server-key.pem")];
  await Promise.all([writeFile(certificate, server.pem), writeFile(key, server.key)]);
  const child = spawn(process.execPath, [...process.execArgv, "--import", endWithParent, program], {
    env: {
      PATH: process.env["PATH"] ?? "",
      BACKEND_URL: backendUrl,
      SERVICE_ID: String(serviceId),
      SERVICE_ACCESS_TOKEN: serviceAccessToken,
      RESOURCE_SERVER_ID: resourceServer.id,
      RESOURCE_SERVER_SECRET: resourceServer.secret,
      ...(signedIntrospection === true ? { RESOURCE_SERVER_URI: resource, INTROSPECTION_ALG: "ES256" } : {}),
      TLS_CERT: certificate,
      TLS_KEY: key,
      PORT: "0",
    },
    stdio: ["ignore", "pipe", "inherit", "ipc"],
  });
  endWith(t, child);
  const { stdout } = child;
  if (stdout === null) throw new Error("The example has no output.");
  for await (const line of createInterface({ input: stdout })) {
    return JSON.parse(line) as { readonly listening: string; readonly pages: string };
  }
  throw new Error("The example ended before it listened.");
}

/** `fetch` over connections that present this certificate, as both clients take it under `customFetch`. */
export function fetchAs(t: Lifetime, certificate?: TestCertificate) {
  const identity = certificate === undefined ? {} : { cert: certificate.pem, key: certificate.key };
  const dispatcher = new Agent({ connect: { ca: [ca, serverCa], ...identity } });
  t.teardown(() => dispatcher.destroy());
  const fetchThere = fetch as unknown as (url: string, options: object) => Promise<Response>;
  return (url: string, options: object): Promise<Response> => fetchThere(url, { ...options, dispatcher });
}
