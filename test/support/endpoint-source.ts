import type { ExecutionContext } from "ava";
import type { ResourceServerOptions } from "../../src/resource-server/resource-server-options.ts";
import { openResourceServer } from "../../src/resource-server/resource-server.ts";
import type { FactsAnswer, FactsSource } from "../../src/resource-server/sources/facts-source.ts";
import type { Ambient } from "../../src/resource-server/environment.ts";
import {
  createIntrospectionSource,
  type IntrospectionEndpointOptions,
} from "../../src/resource-server/sources/introspection-source.ts";
import { start } from "./scripted-backend.ts";

export const clientSecret = "client-secret-7f3a";
export const token = "access-token-5eed";

/** Longer than any test takes: only a test about waiting is about time. */
export const patient = { attempt: 60_000, total: 60_000 } as const;

/** A clock that stands still until it is moved, and octets that are counted up. */
export function createAmbient(): Ambient & { now: number } {
  let drawn = 0;
  const ambient = {
    now: start,
    clock: () => ambient.now,
    randomBytes: (count: number) => Buffer.alloc(count, ++drawn),
  };
  return ambient;
}

/** A source of facts from an endpoint, ended with the test. */
export function openEndpoint(
  t: ExecutionContext,
  options: Partial<IntrospectionEndpointOptions>,
  ambient: Ambient = createAmbient(),
): FactsSource {
  const source = createIntrospectionSource(
    {
      clientAuthentication: { method: "client_secret_basic", clientId: "api", clientSecret },
      timeout: patient,
      ...options,
    },
    ambient,
  );
  t.teardown(() => source.close());
  return source;
}

export function ask(source: FactsSource, what = token): Promise<FactsAnswer> {
  return source.ask(what, { signal: new AbortController().signal });
}

/** A resource server whose clocks stand still at `start`, ended with the test. */
export function protectWith(t: ExecutionContext, options: ResourceServerOptions) {
  const resourceServer = openResourceServer(
    { ...(options.issuers === undefined && { timeout: 60_000 }), ...options },
    { clock: () => start, monotonicClock: () => 0 },
  );
  t.teardown(() => resourceServer.close());
  return resourceServer;
}
