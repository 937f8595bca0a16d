import type { ExecutionContext } from "ava";
import { pino, type Logger } from "pino";
import { createApiClient, type ApiClient } from "../../src/api-client/index.ts";
import {
  basicResourceServers,
  introspectionEndpoint,
  nodeHandler,
  revocationEndpoint,
  tokenEndpoint,
  type OnClientRefusal,
} from "../../src/authorization-server/index.ts";
import type { Backend } from "../../src/backend/backend.ts";
import type { Configuration } from "../../src/backend/configuration/configuration.ts";
import { serveBackend } from "../../src/backend/serve-backend.ts";
import type { ClientSettings, ServiceSettings } from "../../src/backend/engine/settings/settings.ts";
import { basic, postForm, type HttpAnswer } from "./https-request.ts";
import { serveMutualTls, type TlsVersions } from "./mutual-tls.ts";
import { configurationOf, serviceAccessToken, serviceSettings } from "./settings.ts";
import type { TestCertificate } from "./certificates.ts";

export interface DeploymentRequest {
  readonly service?: Partial<ServiceSettings>;
  readonly clients: readonly ClientSettings[];
  readonly configuration?: Partial<Configuration>;
  /** Milliseconds since 1970; the machine's own when left out. */
  readonly clock?: () => number;
  /** Milliseconds that never run backwards; the machine's own when left out. */
  readonly monotonicClock?: () => number;
  readonly tls?: TlsVersions;
  /** Services that the same backend has besides. */
  readonly otherServices?: Configuration["services"];
  /** The backend's log; silent when left out. */
  readonly log?: Logger;
  /** Told of what the authorization server refuses. */
  readonly onRefusal?: OnClientRefusal;
  /** Where the backend looks for `openssl`: the value of PATH; the shell's own when left out. */
  readonly path?: string;
}

/** A backend behind its HTTP API, and an authorization server over mutual TLS that leaves every decision to it. */
export interface Deployment extends AuthorizationServer {
  readonly backend: Backend;
  readonly backendUrl: string;
}

/** The authorization server of one service, and that service's way to the backend. */
export interface AuthorizationServer {
  readonly api: ApiClient;
  readonly url: string;
  /** Asks for a token as a client would; `as` is the certificate of the handshake. */
  readonly token: AskAsClient;
  /** Introspects as a resource server; as {@link resourceServer} when left out. */
  readonly introspect: (token: string, by?: typeof resourceServer) => Promise<HttpAnswer>;
  readonly revoke: AskAsClient;
}

type AskAsClient = (form: FormMembers, as?: TestCertificate, headers?: Headers) => Promise<HttpAnswer>;
type FormMembers = Readonly<Record<string, string | undefined>>;
type Headers = Readonly<Record<string, string>>;

export const resourceServer = { id: "api", secret: "resource-server-secret-0123456789abcdef" };
/** One that says who it is: tokens for others are inactive to it. */
export const namedResourceServer = {
  id: "named-api",
  secret: "another-resource-server-secret-0123456789",
  rsUri: "https://api.example.com",
};

/** Starts a deployment that ends with the test. */
export async function startDeployment(t: ExecutionContext, request: DeploymentRequest): Promise<Deployment> {
  const settings = serviceSettings(request.service);
  const services = [{ settings, clients: request.clients }, ...(request.otherServices ?? [])];
  const backend = await serveBackend({
    configuration: configurationOf(services, request.configuration),
    log: request.log ?? pino({ level: "silent" }),
    path: request.path ?? process.env["PATH"] ?? "",
    ...(request.clock && { clock: request.clock }),
    ...(request.monotonicClock && { monotonicClock: request.monotonicClock }),
  });
  t.teardown(() => backend.close());
  const backendUrl = backend.address.url;
  const front = await startAuthorizationServer(t, backendUrl, settings, request.tls, request.onRefusal);
  return { backend, backendUrl, ...front };
}

/** Starts the authorization server of one of a backend's services; it ends with the test. */
export async function startAuthorizationServer(
  t: ExecutionContext,
  backendUrl: string,
  { apiKey: serviceId, accessTokens: [accessToken = serviceAccessToken] }: ServiceSettings,
  tls?: TlsVersions,
  onRefusal: OnClientRefusal = () => undefined,
): Promise<AuthorizationServer> {
  const api = createApiClient({
    baseUrl: backendUrl,
    serviceId,
    credentials: { accessToken },
    // A machine that runs several test files at once may be slow; no test here is about time.
    timeout: { attempt: 30_000, total: 30_000 },
  });
  t.teardown(() => api.close());
  const realm = "test";
  const authenticate = basicResourceServers([resourceServer, namedResourceServer]);
  const url = await serveMutualTls(
    t,
    nodeHandler({
      "/token": tokenEndpoint({ backend: api, realm, onRefusal }),
      "/revoke": revocationEndpoint({ backend: api, realm, onRefusal }),
      "/introspect": introspectionEndpoint({ backend: api, realm, authenticate, onRefusal }),
    }),
    tls,
  );
  return {
    api,
    url,
    token: (form, as, headers = {}) => postForm({ url: `${url}/token`, as, headers }, withGrant(form)),
    introspect: (token, { id, secret } = resourceServer) =>
      postForm({ url: `${url}/introspect`, headers: { authorization: basic(id, secret) } }, { token }),
    revoke: (form, as, headers = {}) => postForm({ url: `${url}/revoke`, as, headers }, form),
  };
}

function withGrant(form: FormMembers): FormMembers {
  return { grant_type: "client_credentials", ...form };
}

/** The `access_token` of an answer; fails the test when there is none. */
export function accessTokenOf(t: ExecutionContext, answer: HttpAnswer): string {
  t.is(answer.status, 200, answer.body);
  const { access_token: token } = JSON.parse(answer.body) as { access_token?: unknown };
  if (typeof token !== "string") throw new TypeError("The answer has no access_token.");
  return token;
}

/** Everything of an answer that whoever asks can see, as one text to compare; only the date is left out. */
export function textOf({ status, headers, body }: HttpAnswer): string {
  return JSON.stringify({ status, headers: { ...headers, date: "" }, body });
}
