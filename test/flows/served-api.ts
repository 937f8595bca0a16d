import type { ExecutionContext } from "ava";
import type { FactsSource } from "../../src/resource-server/index.ts";
import type { TestCertificate } from "../support/certificates.ts";
import type { HttpAnswer } from "../support/https-request.ts";
import { serveApi, type ServedApi } from "../support/protected-api.ts";

/** A real API behind mutual TLS, which answers what it knows of the token. */
export interface FactsApi extends Pick<ServedApi, "url" | "refusals"> {
  readonly call: (token: string, as?: TestCertificate) => Promise<HttpAnswer>;
  /** What its operator was told of each refusal. */
  readonly reasons: () => string[];
}

/** Starts one that demands the scope `read` and asks this source, every time; ended with the test. */
export async function startServedApi(t: ExecutionContext, source: FactsSource, resource?: string): Promise<FactsApi> {
  const api = await serveApi(
    t,
    { source, cache: false, timeout: 30_000, ...(resource !== undefined && { resource }) },
    {
      protection: { requirement: { scopes: ["read"] } },
      after: (ctx) => {
        ctx.body = ctx.state.accessToken;
      },
    },
  );
  const { url, refusals } = api;
  return {
    url,
    refusals,
    call: (token, as) => api.get(token, as),
    reasons: () => refusals.map(({ reason }) => reason),
  };
}
