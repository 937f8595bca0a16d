import type { ExecutionContext } from "ava";
import { pino } from "pino";
import { openBackend, type Backend } from "../../src/backend/backend.ts";
import type { ClientSettings, ServiceSettings } from "../../src/backend/engine/management/settings.ts";
import type { TokenRequest, TokenResponse } from "../../src/contract/auth-token.ts";
import { clientSettings, configurationOf, secretOf, serviceSettings } from "./settings.ts";

/** The decisions over a store in memory, without HTTP, at an instant that the test sets. */
export interface EngineUnderTest {
  readonly backend: Backend;
  /** Milliseconds since 1970. */
  readonly setClock: (now: number) => void;
  /** A token request of client 1 with its secret; `parameters` are added to the grant. */
  readonly issue: (parameters?: string, request?: Partial<TokenRequest>) => Promise<TokenResponse>;
}

export const startInstant = Date.parse("2026-11-21T08:00:00.250Z");

/** Opens it with client 1, whose tokens are not bound, unless other clients are given. */
export async function startEngine(
  t: ExecutionContext,
  service: Partial<ServiceSettings> = {},
  clients: readonly ClientSettings[] = [clientSettings({ clientId: 1, tlsClientCertificateBoundAccessTokens: false })],
): Promise<EngineUnderTest> {
  let now = startInstant;
  const backend = await openBackend({
    configuration: configurationOf([{ settings: serviceSettings(service), clients }]),
    log: pino({ level: "silent" }),
    clock: () => now,
  });
  t.teardown(() => backend.close());
  return {
    backend,
    setClock: (milliseconds) => {
      now = milliseconds;
    },
    issue: (parameters = "", request = {}) =>
      backend.authToken({
        parameters: `grant_type=client_credentials${parameters}`,
        clientId: "1",
        clientSecret: secretOf(1),
        ...request,
      }),
  };
}
