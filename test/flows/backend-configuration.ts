import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { ExecutionContext } from "ava";
import { serviceId } from "../support/settings.ts";

/**
 * Writes the configuration of a backend over a file, with one client that has a secret; gone with the test.
 *
 * The environment has to have SECRET_KEY, API_SECRET, ACCESS_TOKEN and CLIENT_SECRET.
 */
export async function writeBackendConfiguration(t: ExecutionContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "certbound-"));
  t.teardown(() => rm(folder, { recursive: true }));
  const path = join(folder, "backend.yaml");
  await writeFile(
    path,
    `listen: { port: 0 }
store: { sqlite: ${JSON.stringify(join(folder, "store.sqlite"))} }
secretKey: { env: SECRET_KEY }
log: { level: warn }
services:
  - apiKey: ${serviceId}
    apiSecret: { env: API_SECRET }
    serviceAccessTokens: [{ env: ACCESS_TOKEN }]
    issuer: https://as.example.com
    supportedScopes: [{ name: read }, { name: write }]
    clients:
      - clientId: 1
        clientType: CONFIDENTIAL
        tokenAuthMethod: CLIENT_SECRET_POST
        clientSecret: { env: CLIENT_SECRET }
`,
  );
  return path;
}
