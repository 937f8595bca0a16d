import Koa from "koa";
import type { ExecutionContext } from "ava";
import { createResourceServer, type FactsSource } from "../../src/resource-server/index.ts";
import { protect, type ProtectedState } from "../../src/resource-server/middleware/koa.ts";
import type { TestCertificate } from "../support/certificates.ts";
import { serveMutualTls } from "../support/deployment.ts";
import { send, type HttpAnswer } from "../support/https-request.ts";

/** A real API behind mutual TLS, which answers what it knows of the token. */
export interface ServedApi {
  readonly call: (token: string, as?: TestCertificate) => Promise<HttpAnswer>;
  /** What its operator was told of each refusal. */
  readonly reasons: string[];
}

/** Starts one that demands the scope `read` and asks this source, every time; ended with the test. */
export async function startServedApi(t: ExecutionContext, source: FactsSource, resource?: string): Promise<ServedApi> {
  const resourceServer = createResourceServer({
    source,
    cache: false,
    timeout: 30_000,
    ...(resource !== undefined && { resource }),
  });
  t.teardown(() => resourceServer.close());
  const reasons: string[] = [];
  const app = new Koa<ProtectedState>();
  app.use(
    protect(resourceServer, {
      requirement: { scopes: ["read"] },
      onRefusal: ({ reason }) => void reasons.push(reason),
    }),
  );
  app.use((ctx) => {
    ctx.body = ctx.state.accessToken;
  });
  const handle = app.callback();
  const url = await serveMutualTls(t, (request, response) => void handle(request, response));
  const call = (token: string, as?: TestCertificate) =>
    send({ url, as, headers: { authorization: `Bearer ${token}` } });
  return { call, reasons };
}
