import type { Server } from "node:net";
import type { ExecutionContext } from "ava";
import type { Refusal } from "../../src/resource-server/middleware/authorize-request.ts";
import type { ProtectedResourceMetadata } from "../../src/resource-server/protected-resource-metadata.ts";
import type { ResourceServerOptions } from "../../src/resource-server/resource-server-options.ts";
import { createResourceServer } from "../../src/resource-server/resource-server.ts";
import { type ApiParts, type Framework, onKoa, type Protection } from "./api-on-koa.ts";
import type { TestCertificate } from "./certificates.ts";
import { sendHttp2 } from "./http2-request.ts";
import { type HttpAnswer, type HttpCall, send } from "./https-request.ts";
import { type IntrospectionBackend, startIntrospectionBackend } from "./introspection-backend.ts";
import { listenOnLoopback, mutualTls } from "./mutual-tls.ts";

/** An API with the library in front. */
export interface ServedApi {
  readonly url: string;
  readonly server: Server;
  /** What the operator was told. */
  readonly refusals: Refusal[];
  /** What went wrong in the API's own code, or in what protects it. */
  readonly faults: unknown[];
  /** How many requests got through to the API's own code. */
  readonly served: () => number;
  get(token: string | undefined, as?: TestCertificate, call?: Partial<HttpCall>): Promise<HttpAnswer>;
}

/** One with a backend of its own behind the library. */
export interface ProtectedApi extends ServedApi {
  readonly backend: IntrospectionBackend;
}

export interface ServedParts {
  readonly framework?: Framework;
  readonly protection?: Protection;
  readonly metadata?: ProtectedResourceMetadata;
  readonly parseBodies?: boolean;
  readonly before?: ApiParts["before"];
  readonly after?: ApiParts["after"];
}

/**
 * A real API behind mutual TLS, protected in one of the frameworks, and a real backend over HTTP; ended with the test.
 *
 * `/` answers the token's subject; for the other routes see `ApiParts`.
 *
 * @example const api = await startProtectedApi(t); await api.get("token", certificate)
 */
export async function startProtectedApi(
  t: ExecutionContext,
  { library = {}, ...parts }: ServedParts & { readonly library?: Partial<ResourceServerOptions> } = {},
): Promise<ProtectedApi> {
  const backend = await startIntrospectionBackend();
  t.teardown(() => backend.stop());
  const connection = {
    baseUrl: backend.baseUrl,
    serviceId: 4711,
    credentials: { apiSecret: "api-secret-7f3a" },
    // On a busy machine an answer that a test holds back must not be asked for again.
    timeout: { attempt: 60_000, total: 60_000 },
  };
  // The stream of events is not what these tests are about: this backend has none.
  const cache = library.cache === false ? false : { push: false, ...library.cache };
  return {
    backend,
    ...(await serveApi(t, { backend: connection, realm: "accounts", ...library, cache }, parts)),
  };
}

/** Starts the API alone, with these options of the library; both end with the test. */
export async function serveApi(
  t: ExecutionContext,
  options: ResourceServerOptions,
  { framework = onKoa, protection = {}, metadata, parseBodies = false, before, after }: ServedParts = {},
): Promise<ServedApi> {
  const resourceServer = createResourceServer(options);
  t.teardown(() => resourceServer.close());
  const refusals: Refusal[] = [];
  const faults: unknown[] = [];
  let served = 0;
  const server = await framework.start(mutualTls, {
    resourceServer,
    protection,
    metadata,
    parseBodies,
    ...(before && { before }),
    ...(after && { after }),
    onRefusal: (refusal) => void refusals.push(refusal),
    onServed: () => (served += 1),
    onFault: (error) => void faults.push(error),
  });
  const url = await listenOnLoopback(t, server);
  const sendIt = framework.http === "2" ? sendHttp2 : send;
  return {
    url,
    server,
    refusals,
    faults,
    served: () => served,
    get: (token, as, call = {}) =>
      sendIt({
        url: `${url}/`,
        as,
        ...(token !== undefined && { headers: { authorization: `Bearer ${token}` } }),
        ...call,
      }),
  };
}

/** Facts of a token bound to a certificate, good for an hour. */
export function factsBoundTo(certificate: TestCertificate | undefined, change: object = {}): Record<string, unknown> {
  return {
    active: true,
    sub: "user",
    client_id: "4711",
    scope: "read",
    exp: Math.floor(Date.now() / 1000) + 3600,
    ...(certificate && { cnf: { "x5t#S256": certificate.x5tS256 } }),
    ...change,
  };
}
