import type { ExecutionContext } from "ava";
import { createServer } from "node:https";
import type { AddressInfo } from "node:net";
import Koa from "koa";
import { createResourceServer } from "../../src/resource-server/create-resource-server.ts";
import type { Refusal } from "../../src/resource-server/authorize-request.ts";
import {
  protect,
  type ProtectedState,
  type ProtectOptions,
  requireScopes,
} from "../../src/resource-server/middleware/koa.ts";
import type { ResourceServerOptions } from "../../src/resource-server/resource-server-options.ts";
import { createAuthority, type TestCertificate } from "./certificates.ts";
import { type HttpAnswer, type HttpCall, send } from "./https-request.ts";
import { type IntrospectionBackend, startIntrospectionBackend } from "./introspection-backend.ts";

const server = createAuthority({ subject: "CN=API CA" }).issue({ subject: "CN=localhost", san: [{ ip: "127.0.0.1" }] });

export interface ProtectedApi {
  readonly backend: IntrospectionBackend;
  readonly url: string;
  /** What the operator was told. */
  readonly refusals: Refusal[];
  /** How many requests got through to the API's own code. */
  readonly served: () => number;
  get(token: string | undefined, as?: TestCertificate, call?: Partial<HttpCall>): Promise<HttpAnswer>;
}

/**
 * A real API behind mutual TLS, protected by the middleware, and a real backend over HTTP; ended with the test.
 *
 * `/` answers the token's subject, `/pay` demands the scope `pay` besides.
 *
 * @example const api = await startProtectedApi(t); await api.get("token", certificate)
 */
export async function startProtectedApi(
  t: ExecutionContext,
  {
    library = {},
    protection = {},
    before,
    after,
  }: {
    readonly library?: Partial<ResourceServerOptions>;
    readonly protection?: ProtectOptions;
    /** Middleware in front of the protection, for example a body parser. */
    readonly before?: Koa.Middleware<ProtectedState>;
    /** Middleware behind it. */
    readonly after?: Koa.Middleware<ProtectedState>;
  } = {},
): Promise<ProtectedApi> {
  const backend = await startIntrospectionBackend();
  const connection = {
    baseUrl: backend.baseUrl,
    serviceId: 4711,
    credentials: { apiSecret: "api-secret-7f3a" },
    // On a busy machine an answer that a test holds back must not be asked for again.
    timeout: { attempt: 60_000, total: 60_000 },
  };
  const resourceServer = createResourceServer({ backend: connection, realm: "accounts", ...library });
  const refusals: Refusal[] = [];
  let served = 0;

  const app = new Koa<ProtectedState>();
  app.silent = true;
  if (before) app.use(before);
  app.use(protect(resourceServer, { onRefusal: (refusal) => void refusals.push(refusal), ...protection }));
  if (after) app.use(after);
  const pay = requireScopes("pay");
  app.use(async (ctx, next) => {
    if (ctx.path === "/pay") await pay(ctx, next);
    else await next();
  });
  app.use((ctx) => {
    served += 1;
    ctx.body = ctx.state.accessToken.sub ?? "nobody";
  });

  const handle = app.callback();
  const listener = createServer(
    { cert: server.pem, key: server.key, requestCert: true, rejectUnauthorized: false },
    (request, response) => void handle(request, response),
  );
  await new Promise<void>((resolve) => listener.listen(0, "127.0.0.1", resolve));
  t.teardown(async () => {
    listener.closeAllConnections();
    listener.close();
    await resourceServer.close();
    await backend.stop();
  });
  const url = `https://127.0.0.1:${(listener.address() as AddressInfo).port}`;
  return {
    backend,
    url,
    refusals,
    served: () => served,
    get: (token, as, call = {}) =>
      send({
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
