import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer, type IncomingMessage, type RequestListener, type Server } from "node:http";
import { createServer as createHttpsServer } from "node:https";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { pino } from "pino";
import { serveBackend } from "../../src/backend/serve-backend.ts";
import { createLifetime, startProgram, type Lifetime } from "../proxies/foreground-process.ts";
import { createAuthority } from "../support/certificates.ts";
import {
  clientSettings,
  configurationOf,
  serviceAccessToken,
  serviceId,
  serviceSettings,
} from "../support/settings.ts";
import { createServiceKey, serviceJwks } from "../support/signing-keys.ts";

/** What a client gets at its redirect URI. */
interface Arrival {
  readonly method: string;
  readonly parameters: Readonly<Record<string, string>>;
}

/** The example authorization server with its backend, a client that waits for users, and a site that wishes them ill. */
export interface ExampleWorld {
  /** Where browsers sign in. */
  readonly pages: string;
  /** Where clients come with their certificates. */
  readonly listening: string;
  /** The client's own site. */
  readonly app: string;
  readonly arrivals: Arrival[];
  /** Every ticket that the backend gave the authorization server. */
  readonly tickets: string[];
  /** A site that serves this HTML for every address; another site than the others. */
  readonly serveSite: (html: string) => Promise<string>;
  readonly end: () => Promise<void>;
}

const authority = createAuthority({ subject: "CN=Client CA" });
export const clientCertificate = authority.issue({ subject: "CN=client" });
/** RFC 7636 App. B. */
export const codeVerifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
const codeChallenge = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

export const hostile = `"><img src=x onerror=alert(1)><script>alert(2)</script>'\`&lt;b&gt;`;

export async function startExample(): Promise<ExampleWorld> {
  const lifetime = createLifetime();
  const arrivals: Arrival[] = [];
  const tickets: string[] = [];
  let onward = "";
  const app = await serveHttps(lifetime, (request, response) => {
    void arrive(arrivals, request).then((state) => {
      // Some clients lead on to another site.
      if (state === "onward") response.writeHead(303, { location: onward });
      else response.setHeader("content-type", "text/html");
      response.end("<title>The app</title><link rel=icon href=data:,><p>Welcome back.</p>");
    });
  });
  const service = serviceSettings({
    trustedRootCertificates: [authority.certificate.pem],
    supportedGrantTypes: ["AUTHORIZATION_CODE", "REFRESH_TOKEN", "PASSWORD"],
    supportedScopes: [
      { name: "openid" },
      { name: "email" },
      { name: "read", description: `Read ${hostile}` },
      { name: "write", description: "Change things" },
    ],
    jwks: serviceJwks([createServiceKey("P256", "k")]),
  });
  const common = {
    tokenAuthMethod: "TLS_CLIENT_AUTH",
    tlsClientAuthSubjectDn: "CN=client",
    grantTypes: ["AUTHORIZATION_CODE", "REFRESH_TOKEN", "PASSWORD"],
    redirectUris: [`${app}/cb`, "com.example.app:/cb"],
    idTokenSignAlg: "ES256",
  } as const;
  const clients = [
    clientSettings({ ...common, clientId: 1, clientName: "The App" }),
    clientSettings({ ...common, clientId: 2, clientName: hostile }),
  ];
  const backend = await serveBackend({
    configuration: configurationOf([{ settings: service, clients }]),
    log: pino({ level: "silent" }),
    path: process.env["PATH"] ?? "",
  });
  lifetime.teardown(() => backend.close());
  const recorder = await serveHttp(lifetime, (request, response) => {
    void relay(backend.address.url, tickets, request).then(
      ({ status, type, text }) => {
        response.writeHead(status, { "content-type": type });
        response.end(text);
      },
      () => response.destroy(),
    );
  });
  const urls = await startProgramOf(lifetime, recorder);
  onward = `${urls.listening}/.well-known/openid-configuration`;
  return {
    ...urls,
    app,
    arrivals,
    tickets,
    serveSite: (html) =>
      serveHttp(lifetime, (_request, response) => {
        response.setHeader("content-type", "text/html");
        response.end(html);
      }),
    end: () => lifetime.end(),
  };
}

/** An authorization request of client 1 for everything; a parameter changed to `undefined` is left out. */
export function authorizeUrl(
  { pages, app }: ExampleWorld,
  changes: Readonly<Record<string, string | undefined>> = {},
): string {
  const parameters: Record<string, string | undefined> = {
    response_type: "code",
    client_id: "1",
    redirect_uri: `${app}/cb`,
    scope: "openid email read write",
    state: "the-state",
    nonce: "the-nonce",
    code_challenge: codeChallenge,
    code_challenge_method: "S256",
    ...changes,
  };
  const given = Object.entries(parameters).filter((entry): entry is [string, string] => entry[1] !== undefined);
  return `${pages}/authorize?${new URLSearchParams(given).toString()}`;
}

async function startProgramOf(lifetime: Lifetime, backendUrl: string) {
  const folder = await mkdtemp(join(tmpdir(), "certbound-"));
  lifetime.teardown(() => rm(folder, { recursive: true }));
  const [certificate, key] = [join(folder, "server.pem"), join(folder, "server-key.pem")];
  await Promise.all([writeFile(certificate, identity.pem), writeFile(key, identity.key)]);
  const program = fileURLToPath(new URL("../../examples/authorization-server.ts", import.meta.url));
  const [line] = await startProgram(lifetime, {
    command: process.execPath,
    args: [...process.execArgv, program],
    env: {
      PATH: process.env["PATH"] ?? "",
      BACKEND_URL: backendUrl,
      SERVICE_ID: String(serviceId),
      SERVICE_ACCESS_TOKEN: serviceAccessToken,
      RESOURCE_SERVER_ID: "api",
      RESOURCE_SERVER_SECRET: "secret-of-the-resource-server",
      TLS_CERT: certificate,
      TLS_KEY: key,
      PORT: "0",
    },
    ready: /^\{"listening":.*\}$/,
  });
  return JSON.parse(line) as { listening: string; pages: string };
}

const identity = createAuthority({ subject: "CN=Sites" }).issue({
  subject: "CN=localhost",
  san: [{ ip: "127.0.0.1" }],
});

async function serveHttps(lifetime: Lifetime, listener: RequestListener): Promise<string> {
  const served = await serve(lifetime, createHttpsServer({ cert: identity.pem, key: identity.key }, listener));
  return `https://${served}`;
}

async function serveHttp(lifetime: Lifetime, listener: RequestListener): Promise<string> {
  return `http://${await serve(lifetime, createServer(listener))}`;
}

async function serve(lifetime: Lifetime, server: Server): Promise<string> {
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  lifetime.teardown(() => {
    server.closeAllConnections();
    server.close();
  });
  return `127.0.0.1:${(server.address() as AddressInfo).port}`;
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString("utf8");
}

async function arrive(arrivals: Arrival[], request: IncomingMessage): Promise<string | undefined> {
  const { pathname, searchParams } = new URL(request.url ?? "", "http://app");
  const form = new URLSearchParams(await bodyOf(request));
  if (pathname !== "/cb") return undefined;
  const parameters = Object.fromEntries([...searchParams, ...form]);
  arrivals.push({ method: request.method ?? "", parameters });
  return parameters["state"];
}

async function relay(backendUrl: string, tickets: string[], request: IncomingMessage) {
  const body = await bodyOf(request);
  const { authorization = "", "content-type": contentType } = request.headers;
  const answer = await fetch(`${backendUrl}${request.url ?? ""}`, {
    method: request.method ?? "",
    headers: { authorization, ...(contentType === undefined ? {} : { "content-type": contentType }) },
    ...(body === "" ? {} : { body }),
  });
  const text = await answer.text();
  const ticket = /"ticket":"([^"]+)"/.exec(text)?.[1];
  if (ticket !== undefined) tickets.push(ticket);
  return { status: answer.status, type: answer.headers.get("content-type") ?? "", text };
}
