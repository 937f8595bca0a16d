import { once } from "node:events";
import { createServer as createHttpServer, type IncomingMessage, type RequestListener, type Server } from "node:http";
import { createServer } from "node:https";
import type { AddressInfo } from "node:net";
import type { TLSSocket } from "node:tls";
import type { ExecutionContext } from "ava";
import Koa from "koa";
import { nodeHandler, tokenEndpoint } from "../../src/authorization-server/index.ts";
import { type BoundClient, openBoundClient } from "../../src/bound-client/bound-client.ts";
import type { BoundClientOptions } from "../../src/bound-client/bound-client-options.ts";
import { createResourceServer } from "../../src/resource-server/index.ts";
import { protect, type ProtectedState } from "../../src/resource-server/middleware/koa.ts";
import { createAuthority, createSelfSigned, type TestCertificate } from "../support/certificates.ts";
import { type Deployment, type DeploymentRequest, startDeployment } from "../support/deployment.ts";
import { clientSettings, jwksOf, serviceAccessToken, serviceId } from "../support/settings.ts";
import { createHash } from "node:crypto";

const authority = createAuthority({ subject: "CN=Test server CA" });
export const ca = authority.certificate.pem;
const tlsServer = authority.issue({ subject: "CN=localhost", san: [{ dns: "localhost" }] });

export const k1 = createSelfSigned({ subject: "CN=client, before" });
export const k2 = createSelfSigned({ subject: "CN=client, after" });
export const pairOf = ({ pem, key }: TestCertificate) => ({ certificate: pem, key });

/** The client that is registered with both certificates. */
export const clientId = "4711";

/** A request as it arrived. */
interface Seen {
  readonly method: string;
  readonly path: string;
  readonly authorization: string | undefined;
  /** The thumbprint of what the connection presented. */
  readonly x5tS256: string | undefined;
  /** Which connection it was. */
  readonly port: number | undefined;
  readonly resumed: boolean;
  body: string;
}

/** A server that keeps what it was asked. */
export interface Recorder {
  readonly url: string;
  readonly seen: Seen[];
  /** Answers everything so from now on; `undefined`: as it does by itself. */
  respond: RequestListener | undefined;
  /** Resolves when so many requests in all have come. */
  arrived(count: number): Promise<void>;
}

/** A server with a certificate of the test's CA that asks for the client's; or one of plain HTTP. */
export async function startRecorder(
  t: ExecutionContext,
  listener: RequestListener = (_, response) => response.end("{}"),
  { tls = true }: { readonly tls?: boolean } = {},
): Promise<Recorder> {
  const seen: Seen[] = [];
  const watchers = new Set<() => void>();
  const handle: RequestListener = (request, response) => {
    const record = recordOf(request);
    request.on("data", (chunk: Buffer) => (record.body += chunk.toString()));
    seen.push(record);
    for (const watcher of watchers) watcher();
    (recorder.respond ?? listener)(request, response);
  };
  const options = { cert: tlsServer.pem, key: tlsServer.key, requestCert: true, rejectUnauthorized: false };
  const server: Server = tls ? createServer(options, handle) : createHttpServer(handle);
  // An idle connection that ends was ended by the client.
  server.keepAliveTimeout = 0;
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  t.teardown(() => {
    server.closeAllConnections();
    server.close();
  });
  const recorder: Recorder = {
    url: `${tls ? "https" : "http"}://localhost:${(server.address() as AddressInfo).port}`,
    seen,
    respond: undefined,
    async arrived(count) {
      while (seen.length < count) await new Promise<void>((resolve) => watchers.add(resolve));
    },
  };
  return recorder;
}

function recordOf(request: IncomingMessage): Seen {
  const socket = request.socket as Partial<TLSSocket> & IncomingMessage["socket"];
  const raw = socket.getPeerX509Certificate?.()?.raw;
  return {
    method: request.method ?? "",
    path: request.url ?? "",
    authorization: request.headers.authorization,
    x5tS256: raw && createHash("sha256").update(raw).digest("base64url"),
    port: socket.remotePort,
    resumed: socket.isSessionReused?.() ?? false,
    body: "",
  };
}

export interface World {
  readonly deployment: Deployment;
  /** `/token` of the repo's own authorization server, in front of a real backend; metadata where a test puts it. */
  readonly authorizationServer: Recorder;
  /** What each path answers besides. */
  readonly documents: Map<string, unknown>;
  /** An API behind the library's middleware that asks the backend about every token. */
  readonly api: Recorder;
  /** Opens a client of it all, with {@link k1}; closed with the test. */
  readonly client: (options?: Partial<BoundClientOptions>) => BoundClient;
}

/** A backend, an authorization server, an API and a client that presents {@link k1}: all real, over TLS. */
export async function startWorld(t: ExecutionContext, request: Partial<DeploymentRequest> = {}): Promise<World> {
  const registered = clientSettings({
    clientId: Number(clientId),
    tokenAuthMethod: "SELF_SIGNED_TLS_CLIENT_AUTH",
    jwks: jwksOf(k1, k2),
  });
  const deployment = await startDeployment(t, {
    ...request,
    service: {
      supportedScopes: ["read", "write"].map((name) => ({ name, defaultEntry: false })),
      ...request.service,
    },
    clients: [registered, ...(request.clients ?? [])],
  });
  const documents = new Map<string, unknown>();
  const endpoints = nodeHandler({ "/token": tokenEndpoint({ backend: deployment.api, realm: "test" }) });
  const authorizationServer = await startRecorder(t, (incoming, response) => {
    const document = documents.get(incoming.url ?? "");
    if (document === undefined) endpoints(incoming, response);
    else response.setHeader("content-type", "application/json").end(JSON.stringify(document));
  });
  const api = await startRecorder(t, protectedApi(t, deployment.backendUrl));
  return {
    deployment,
    authorizationServer,
    documents,
    api,
    client(options = {}) {
      const client = openBoundClient(
        {
          ...pairOf(k1),
          ca,
          clientId,
          authorizationServer: { tokenEndpoint: `${authorizationServer.url}/token` },
          tokenEndpointAuthMethod:
            options.clientSecret === undefined ? "self_signed_tls_client_auth" : "client_secret_basic",
          resourceServers: [api.url],
          ...options,
        },
        { clock: Date.now, monotonicClock: () => performance.now() },
      );
      t.teardown(() => client.close());
      return client;
    },
  };
}

function protectedApi(t: ExecutionContext, baseUrl: string): RequestListener {
  const resourceServer = createResourceServer({
    backend: { baseUrl, serviceId, credentials: { accessToken: serviceAccessToken }, timeout: { total: 30_000 } },
    cache: false,
  });
  t.teardown(() => resourceServer.close());
  const app = new Koa<ProtectedState>();
  app.silent = true;
  app.use(protect(resourceServer));
  app.use((ctx) => {
    ctx.body = { hello: ctx.state.accessToken.clientId };
  });
  const handle = app.callback();
  return (request, response) => void handle(request, response);
}
