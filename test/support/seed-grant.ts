import { randomBytes, randomUUID } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { ExecutionContext } from "ava";
import { pino } from "pino";
import { openBackend, type Backend } from "../../src/backend/backend.ts";
import type { ClientSettings } from "../../src/backend/engine/management/settings.ts";
import { openSqliteStore } from "../../src/backend/store/sqlite/open-sqlite-store.ts";
import type { Store } from "../../src/backend/store/store.ts";
import { tokenDigest } from "../../src/oauth/token-digest.ts";
import { configurationOf, serviceId, serviceSettings } from "./settings.ts";

/** A backend over a file, and the store of that file beside it. */
export interface StoreAndBackend {
  readonly backend: Backend;
  readonly store: Store;
}

/** Opens both; they end with the test. */
export async function startStore(t: ExecutionContext, clients: readonly ClientSettings[]): Promise<StoreAndBackend> {
  const folder = await mkdtemp(join(tmpdir(), "certbound-"));
  const sqlite = join(folder, "store.sqlite");
  const services = [{ settings: serviceSettings(), clients }];
  const configuration = configurationOf(services, { store: { sqlite }, secretKey: Buffer.alloc(32, 7) });
  const backend = await openBackend({ configuration, log: pino({ level: "silent" }) });
  const store = await openSqliteStore({ path: sqlite });
  t.teardown(async () => {
    await store.close();
    await backend.close();
    await rm(folder, { recursive: true });
  });
  return { backend, store };
}

/**
 * Keeps a grant with an access and a refresh token, as the grants that have refresh tokens do: the one grant served
 * so far has none.
 */
export async function seedGrant(
  { store }: StoreAndBackend,
  clientId: number,
): Promise<{ accessToken: string; refreshToken: string }> {
  const accessToken = randomBytes(32).toString("base64url");
  const refreshToken = randomBytes(32).toString("base64url");
  const client = await store.readClient(serviceId, { clientId });
  if (client === undefined) throw new Error("The client is not registered.");
  const now = Date.now();
  const scopes = ["read"];
  const outcome = await store.run({
    name: "issue-tokens",
    attempt: randomBytes(16),
    serviceId,
    serviceVersion: client.serviceVersion,
    clientId,
    clientVersion: client.version,
    grant: { grantId: randomUUID() },
    subject: "user-1",
    createdAt: now,
    accessToken: {
      digest: tokenDigest(accessToken),
      grantType: "AUTHORIZATION_CODE",
      scopes,
      resources: [],
      expiresAt: now + 3_600_000,
      x5tS256: undefined,
      clientIdAliasUsed: false,
      properties: undefined,
    },
    refreshToken: { digest: tokenDigest(refreshToken), scopes, resources: [], expiresAt: now + 86_400_000 },
  });
  if (outcome !== "done") throw new Error("The grant could not be kept.");
  return { accessToken, refreshToken };
}
