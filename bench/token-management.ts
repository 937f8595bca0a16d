/**
 * The cost of token lists and mass revocations, and their effect on others:
 * `node --conditions=certbound-source bench/token-management.ts 1000 100000`, for so many tokens of one client and one user.
 *
 * The times are this machine's. `npm run test:scale` bounds the amount of work.
 */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { openBackend, type Backend } from "../src/backend/backend.ts";
import { clientSettings, configurationOf, serviceId, serviceSettings } from "../test/support/settings.ts";

const clientId = 1;
const oneDay = 86_400_000;

/** Writes tokens to a store, each with a grant of its own and a refresh token. None of them opens anything. */
function fill(path: string, count: number): void {
  using db = new DatabaseSync(path);
  db.exec("PRAGMA synchronous = OFF; PRAGMA cache_size = -400000");
  const expiry = Date.now() + oneDay;
  db.exec(`
    BEGIN;
    INSERT INTO access_token (digest, service_id, service_version, client_id, client_version, grant_id, subject,
      grant_type, scopes, resources, created_at, expires_at, by_alias, attempt)
    WITH RECURSIVE number (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM number WHERE n < ${count})
    SELECT randomblob(32) AS digest, ${serviceId}, 1, ${clientId}, 1, 'filled-' || n, 'many', 'AUTHORIZATION_CODE',
      'read', '[]', ${expiry - oneDay} + n, ${expiry} + n, 0, x'03'
    FROM number ORDER BY digest;
    INSERT INTO token_grant (service_id, grant_id, client_id, subject, created_at, expires_at)
      SELECT service_id, grant_id, client_id, subject, created_at, expires_at FROM access_token ORDER BY grant_id;
    INSERT INTO refresh_token (digest, service_id, service_version, client_id, client_version, grant_id, scopes,
        resources, created_at, expires_at)
      SELECT randomblob(32) AS digest, service_id, 1, client_id, 1, grant_id, '', '[]', created_at, expires_at
      FROM token_grant ORDER BY digest;
    COMMIT`);
}

async function timed(work: () => Promise<unknown>): Promise<number> {
  const began = performance.now();
  await work();
  return performance.now() - began;
}

const quantile = (times: readonly number[], part: number): string =>
  (times.toSorted((a, b) => a - b)[Math.min(times.length - 1, Math.floor(times.length * part))] ?? 0).toFixed(2);

/** Introspects one token after another while the work runs, or for a second. Returns the time of each. */
async function introspectDuring(backend: Backend, token: string, work?: Promise<unknown>): Promise<number[]> {
  const operations = backend.operationsFor(serviceId);
  const times: number[] = [];
  const ended = new AbortController();
  const end = (work ?? new Promise((resolve) => setTimeout(resolve, 1_000))).then(() => {
    ended.abort();
  });
  while (!ended.signal.aborted) {
    times.push(await timed(() => operations.authIntrospection({ token })));
    // Runs after the current task, as an arriving request does.
    await new Promise((resolve) => setImmediate(resolve));
  }
  await end;
  return times;
}

const describe = (times: readonly number[]): string =>
  `p50 ${quantile(times, 0.5)} ms, p99 ${quantile(times, 0.99)} ms, longest ${quantile(times, 1)} ms`;

async function measure(count: number): Promise<void> {
  const directory = await mkdtemp(join(tmpdir(), "certbound-bench-"));
  const path = join(directory, "store.db");
  const settings = serviceSettings({ supportedGrantTypes: ["AUTHORIZATION_CODE", "REFRESH_TOKEN"] });
  const client = clientSettings({
    clientId,
    grantTypes: ["AUTHORIZATION_CODE", "REFRESH_TOKEN"],
    tlsClientCertificateBoundAccessTokens: false,
  });
  const configuration = configurationOf([{ settings, clients: [client] }], {
    store: { sqlite: path },
    secretKey: Buffer.alloc(32, 7),
  });
  try {
    await (await openBackend({ configuration })).close();
    for (const by of [{ clientIdentifier: String(clientId) }, { subject: "many" }]) {
      fill(path, count);
      const backend = await openBackend({ configuration });
      const operations = backend.operationsFor(serviceId);
      const wanted = { grantType: "AUTHORIZATION_CODE", clientId, subject: "other" } as const;
      const { accessToken: token = "" } = await operations.authTokenCreate(wanted);
      const page = () => operations.authTokenGetList({ ...by, tokenStatus: "VALID", start: 0, end: 5 });
      await page();
      console.log(`${count} tokens, ${Object.keys(by).join()}`);
      console.log(`  one page of five: ${(await timed(page)).toFixed(1)} ms`);
      console.log(`  introspection alone: ${describe(await introspectDuring(backend, token))}`);
      const lists = timed(() => Promise.all(Array.from({ length: 10 }, page)));
      console.log(`  introspection beside ten lists: ${describe(await introspectDuring(backend, token, lists))}`);
      console.log(`  ten lists at once: ${(await lists).toFixed(0)} ms`);
      const revocation = timed(() => operations.authTokenRevoke(by));
      const behind = timed(() => operations.authTokenCreate(wanted));
      console.log(
        `  revocation: ${(await revocation).toFixed(1)} ms; a write behind it: ${(await behind).toFixed(1)} ms`,
      );
      await backend.close();
      using db = new DatabaseSync(path);
      db.exec("DELETE FROM access_token; DELETE FROM token_grant; DELETE FROM refresh_token");
    }
  } finally {
    await rm(directory, { recursive: true });
  }
}

for (const count of process.argv.slice(2).map(Number)) await measure(count);
