import { randomBytes } from "node:crypto";
import { processDefaults } from "../../src/backend/configuration/configuration.ts";
import type { ExecutionContext } from "ava";
import { pino } from "pino";
import { openBackend, type Backend } from "../../src/backend/backend.ts";
import type { ChainVerifier, Dependencies, RemoteJwks } from "../../src/backend/engine/dependencies.ts";
import { createEngine, type Engine, type ServiceOperations } from "../../src/backend/engine/engine.ts";
import { putConfiguration } from "../../src/backend/engine/settings/put-configuration.ts";
import type { ClientSettings, ServiceSettings } from "../../src/backend/engine/settings/settings.ts";
import { createSecretBox } from "../../src/backend/secret-box/aes-secret-box.ts";
import { openSqliteStore } from "../../src/backend/store/sqlite/open-sqlite-store.ts";
import type { Store } from "../../src/backend/store/store.ts";
import type { TokenRequest, TokenResponse } from "../../src/contract/auth-token.ts";
import type { Lifetime } from "../proxies/foreground-process.ts";
import { clientSettings, configurationOf, secretOf, serviceId, serviceSettings } from "./settings.ts";

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

type Services = Parameters<typeof putConfiguration>[1];

/** An engine put together by hand: the test may stand between it and its store, and decide over chains. */
export interface EngineByHand {
  readonly engine: Engine;
  /** The engine's own: `store` is what the test made of it. */
  readonly dependencies: Dependencies;
  /** The store itself, behind whatever the test put around it. */
  readonly store: Store;
  /** Makes these the services and clients, past whatever the test put around the store. */
  readonly configure: (services: Services) => Promise<void>;
  /** The API as that service may use it. */
  readonly operations: (id?: number) => ServiceOperations;
  /** Milliseconds since 1970. */
  readonly setClock: (now: number) => void;
}

/**
 * Puts one together over a store in memory, or the one given; without `chainVerifier` no chain may be asked about,
 * without `remoteJwks` no key set.
 */
export async function createEngineByHand(
  t: Lifetime,
  services: Services,
  parts: {
    readonly around?: (store: Store) => Partial<Store>;
    readonly chainVerifier?: ChainVerifier;
    readonly remoteJwks?: RemoteJwks;
    readonly store?: Store;
  } = {},
): Promise<EngineByHand> {
  let now = startInstant;
  const store = parts.store ?? (await openSqliteStore({ path: ":memory:" }));
  t.teardown(() => store.close());
  const dependencies: Dependencies = {
    store: { ...store, ...parts.around?.(store) },
    clock: () => now,
    monotonicClock: () => performance.now(),
    heartbeatInterval: processDefaults.events.heartbeatInterval * 1000,
    random: randomBytes,
    secretBox: createSecretBox(randomBytes(32), randomBytes),
    chainVerifier: parts.chainVerifier ?? { verify: () => Promise.reject(new Error("No chain should be verified.")) },
    remoteJwks: parts.remoteJwks ?? {
      latest: () => Promise.reject(new Error("No key set should be fetched.")),
      renewed: () => Promise.reject(new Error("No key set should be fetched.")),
    },
  };
  let configured: Services = [];
  /** What was there may go: no test that uses this is about removals. */
  async function configure(wanted: Services): Promise<void> {
    const allowRemoval = configured.flatMap(({ settings: { apiKey }, clients }) => [
      { serviceId: apiKey },
      ...clients.map(({ clientId }) => ({ serviceId: apiKey, clientId })),
    ]);
    await putConfiguration({ ...dependencies, store }, wanted, { allowRemoval });
    configured = wanted;
  }
  await configure(services);
  const engine = createEngine(dependencies);
  return {
    engine,
    dependencies,
    store,
    configure,
    operations: (id = serviceId) => engine.operationsFor(id),
    setClock: (milliseconds) => {
      now = milliseconds;
    },
  };
}
