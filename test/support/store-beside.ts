import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import type { ExecutionContext } from "ava";
import { pino } from "pino";
import { openBackend, type Backend } from "../../src/backend/backend.ts";
import type { Configuration } from "../../src/backend/configuration/configuration.ts";
import type { ClientSettings, ServiceSettings } from "../../src/backend/engine/settings/settings.ts";
import { openSqliteStore } from "../../src/backend/store/sqlite/open-sqlite-store.ts";
import type { Store } from "../../src/backend/store/store.ts";
import { configurationOf, serviceSettings } from "./settings.ts";

/** A backend over a file, and the store of that file beside it. */
export interface StoreAndBackend {
  readonly backend: Backend;
  readonly store: Store;
}

/** A file for a store, and what a configuration says of it. */
export interface StoreFile {
  readonly path: string;
  readonly configuration: Pick<Configuration, "store" | "secretKey">;
  /** Runs SQL over a connection of its own, past every rule of ours. */
  readonly tamper: (sql: string) => void;
}

/** Makes the folder of a store; it goes with the test. */
export async function makeStoreFile(t: ExecutionContext): Promise<StoreFile> {
  const folder = await mkdtemp(join(tmpdir(), "certbound-"));
  t.teardown(() => rm(folder, { recursive: true }));
  const path = join(folder, "store.sqlite");
  return {
    path,
    configuration: { store: { sqlite: path }, secretKey: Buffer.alloc(32, 7) },
    tamper(sql) {
      const db = new DatabaseSync(path, { timeout: 5_000 });
      db.exec(sql);
      db.close();
    },
  };
}

/** Opens the store of a file that a backend made; it is closed with the test. */
export async function openStoreBeside(t: ExecutionContext, { path }: StoreFile): Promise<Store> {
  const store = await openSqliteStore({ path });
  t.teardown(() => store.close());
  return store;
}

/** Opens both; they end with the test. */
export async function startStore(
  t: ExecutionContext,
  clients: readonly ClientSettings[],
  clock: () => number = Date.now,
  service: Partial<ServiceSettings> = {},
): Promise<StoreAndBackend> {
  const file = await makeStoreFile(t);
  const configuration = configurationOf([{ settings: serviceSettings(service), clients }], file.configuration);
  const backend = await openBackend({ configuration, log: pino({ level: "silent" }), clock });
  t.teardown(() => backend.close());
  return { backend, store: await openStoreBeside(t, file) };
}
